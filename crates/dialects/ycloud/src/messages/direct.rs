//! `sendDirectly`: the answer is WhatsApp's. The message is taken and goes its way like any other; whoever asked waits
//! for what comes of it. What cannot be handed over in time is taken back.

use std::time::Duration;

use engine::failure::Failure;
use engine::messages::{self, Status};

use super::{read, shape};
use crate::call::{Call, Handled};
use crate::errors::{Code, Error};

/// How long WhatsApp's answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let new = read::new(&call, &body.at(), read::Way::Direct).await?;
    let (sender, wish) = (new.sender.clone(), messages::send(call.engine(), new));
    let taken = call.perform(wish).await?;
    let message = messages::settled(call.engine(), &taken.id, PATIENCE).await?;
    if message.status == Status::Pending && messages::withdraw(call.engine(), &taken.id).await? {
        return Err(Error::new(Code::Unavailable, "WhatsApp could not be reached; nothing was sent"));
    }
    if message.status == Status::Failed {
        let failure: Option<Failure> = message.error.as_deref().and_then(|text| serde_json::from_str(text).ok());
        return Err(refused(failure.as_ref()));
    }
    shape::answer(&call, &message, &sender).await
}

fn refused(failure: Option<&Failure>) -> Error {
    let Some(failure) = failure else { return Error::new(Code::Internal, "the message could not be sent") };
    match failure.provider_code {
        Some(number) => {
            let (status, code) = meant(number);
            Error::of_meta(status, code, shape::of_failure(failure))
        }
        None => Error::new(Code::Unavailable, failure.message.clone()),
    }
}

/// Meta's numbers in this dialect's terms.
fn meant(number: i64) -> (u16, Code) {
    match number {
        0 | 190 => (401, Code::Unauthorized),
        200 | 131_005 => (403, Code::Forbidden),
        1 | 131_057 => (500, Code::Internal),
        131_056 => (429, Code::TooManyRequests),
        131_026 | 131_047 | 131_048 | 131_049 | 131_050 => (400, Code::BadRequest),
        132_001 | 132_015 | 132_016 => (403, Code::TemplateUnavailable),
        _ => (400, Code::BadRequest),
    }
}
