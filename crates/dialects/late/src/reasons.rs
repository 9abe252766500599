//! Why a message did not go to somebody, in one line.

use engine::failure::{Code, Failure};
use engine::messages::Message;

pub(crate) const OPTED_OUT: &str = "Contact opted out";
pub(crate) const BLOCKED: &str = "Contact is blocked";
pub(crate) const DELETED: &str = "The contact was deleted meanwhile";
pub(crate) const INVALID: &str = "Invalid phone number";

pub(crate) fn of_failure(failure: &Failure) -> String {
    match failure.code {
        Code::RecipientOptedOut => OPTED_OUT.into(),
        Code::RecipientBlocked => BLOCKED.into(),
        _ => match failure.provider_code {
            Some(code) => format!("({code}) {}", failure.message),
            None => failure.message.clone(),
        },
    }
}

pub(crate) fn of_message(message: &Message) -> String {
    let failure = message.error.as_deref().and_then(|text| serde_json::from_str::<Failure>(text).ok());
    failure.map_or_else(|| "The message failed".into(), |failure| of_failure(&failure))
}
