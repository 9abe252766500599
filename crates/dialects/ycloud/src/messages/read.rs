//! What a caller wants to be sent (`WhatsappMessageSendRequest`).

use std::sync::Arc;

use api::At;
use engine::contacts::{Address, PHONE, USER};
use engine::messages::{Consult, Echo, New, Terms};
use engine::senders::Sender;

use super::{CHANNEL, content};
use crate::call::{Call, phone};
use crate::errors::{Code, Error};

/// Whether the answer waits for WhatsApp's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Queued,
    Direct,
}

pub(super) async fn new(call: &Call, at: &At<'_>, way: Way) -> Result<New, Error> {
    let from = phone(&at.need("from")?)?;
    let to = recipient(at)?;
    let content = content::read(at)?;
    let external_id = at.read_nullable("externalId", |at| at.string(0..=255))?.flatten();
    let filter = |name: &str| -> Result<Consult, Error> {
        let on = at.read_nullable(name, |at| at.boolean())?.flatten().unwrap_or(false);
        // Who waits for WhatsApp's answer is told by it.
        Ok(if on && way == Way::Queued { Consult::Afterwards } else { Consult::Never })
    };
    let terms = Terms {
        opted_out: filter("filterUnsubscribed")?,
        blocked: filter("filterBlocked")?,
        approved_only: true,
        echo: Echo { external_id: external_id.filter(|id| !id.is_empty()), ..Echo::default() },
    };
    let reply_to = at
        .read_nullable("context", |at| at.read_nullable("message_id", |at| at.string(1..=512)))?
        .flatten()
        .flatten()
        .flatten();
    Ok(New {
        sender: sender(call, &from).await?,
        to,
        content,
        reply_to,
        provider_id: None,
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
        terms,
    })
}

/// A number, or somebody's id that is scoped to our business; of both the number counts.
fn recipient(at: &At<'_>) -> Result<Address, Error> {
    if let Some(Some(to)) = at.read_nullable("to", |at| phone(&at))? {
        return Ok(Address { kind: PHONE.into(), value: to });
    }
    match at.read_nullable("recipient", |at| at.string(1..=150))?.flatten() {
        Some(user) => Ok(Address { kind: USER.into(), value: user }),
        None => Err(Error::new(Code::ParamMissing, "to or recipient is required").at("to")),
    }
}

/// One of the account's own numbers.
async fn sender(call: &Call, from: &str) -> Result<Arc<Sender>, Error> {
    let found = call.engine().sender_on(&call.organization(), CHANNEL, Some(from)).await?;
    let known = found
        .filter(|sender| call.engine().provider(&sender.provider).is_some_and(|provider| provider.numbers().is_some()));
    known.ok_or_else(|| {
        Error::new(Code::PhoneNumberUnavailable, format!("{from} is not a number of this account")).at("from")
    })
}
