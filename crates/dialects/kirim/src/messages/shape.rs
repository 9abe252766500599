//! The two shapes of a message: alone and in a list. They differ, and the contract means them to.

use engine::clock::rfc3339;
use engine::content::Content;
use engine::messages::{Direction, Message, Status};
use engine::senders::Sender;
use serde::Serialize;

use super::failure::{self, Shown as Failure};
use crate::ids::Noun;

#[derive(Serialize)]
pub(crate) struct Alone {
    id: String,
    object: &'static str,
    to: String,
    r#type: String,
    status: &'static str,
    created_at: String,
    conversation_id: String,
    /// WhatsApp's id, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

#[derive(Serialize)]
pub(crate) struct Item {
    id: String,
    object: &'static str,
    conversation_id: String,
    to: Option<String>,
    direction: &'static str,
    r#type: String,
    content: Option<String>,
    media_url: Option<String>,
    status: &'static str,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

/// `number` is our own, the one that inbound messages went to.
pub(crate) fn message(message: &Message, number: &str) -> Alone {
    Alone {
        id: Noun::Message.spell(&message.id),
        object: "message",
        to: to(message, number),
        r#type: message.kind.clone(),
        status: status(message.status),
        created_at: rfc3339(message.created_at),
        conversation_id: Noun::Conversation.spell(&message.conversation_id),
        message_id: message.provider_id.clone(),
        error: failure::of(message),
    }
}

pub(crate) fn item(message: &Message, sender: &Sender, content: &Content, media_url: Option<String>) -> Item {
    Item {
        id: Noun::Message.spell(&message.id),
        object: "message",
        conversation_id: Noun::Conversation.spell(&message.conversation_id),
        to: Some(to(message, &sender.address)),
        direction: match message.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        },
        r#type: message.kind.clone(),
        content: content.text().map(str::to_owned),
        media_url,
        status: status(message.status),
        created_at: rfc3339(message.created_at),
        error: failure::of(message),
    }
}

fn to(message: &Message, number: &str) -> String {
    match message.direction {
        Direction::Inbound => number.to_owned(),
        Direction::Outbound => message.address.clone(),
    }
}

/// A voice message that was played was read.
pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Played => Status::Read.as_str(),
        other => other.as_str(),
    }
}
