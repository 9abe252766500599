//! What became of what we sent.

use engine::Id;
use engine::facts::{Fact, Receipt};
use engine::failure::Failure;
use engine::messages::Status;
use meta_wire::webhook;
use meta_wire::webhook::status::Word;

use super::facts::{Told, millis};
use super::people::addresses;
use crate::failure;

pub(super) fn fact(told: &Told<'_>, status: &webhook::Status) -> Fact {
    let group = status.recipient_type.as_deref() == Some("group");
    let (Some(sender), Some(reached), false) = (told.sender(), reached(&status.status), group) else {
        return told.notice("messages");
    };
    Fact::Receipt(Box::new(Receipt {
        sender,
        provider_id: status.id.clone(),
        message: status.biz_opaque_callback_data.as_deref().and_then(Id::parse_hex24),
        status: reached,
        at: millis(status.timestamp),
        failure: (reached == Status::Failed).then(|| why(status)),
        recipient: addresses(status.recipient_id.as_deref(), status.recipient_user_id.as_deref()),
        document: told.document(),
    }))
}

fn reached(word: &Word) -> Option<Status> {
    match word {
        Word::Sent => Some(Status::Sent),
        Word::Delivered => Some(Status::Delivered),
        Word::Read => Some(Status::Read),
        Word::Played => Some(Status::Played),
        Word::Failed => Some(Status::Failed),
        Word::Unknown(_) => None,
    }
}

fn why(status: &webhook::Status) -> Failure {
    match status.errors.first() {
        Some(problem) => failure::failure(problem.code, problem.details()),
        None => failure::unexplained(),
    }
}
