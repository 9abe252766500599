//! Whom and what an event is about besides the message: the account, the conversation, the people.

use engine::clock::rfc3339;
use engine::contacts::Contact;
use engine::conversations::{Conversation, Status};
use engine::format::{Context, RenderError};
use engine::messages::Message;
use engine::senders::Sender;
use serde_json::{Value, json};

use super::{Members, members};

pub(super) const PLATFORM: &str = "whatsapp";

pub(super) fn gone(what: &str) -> RenderError {
    RenderError(format!("the {what} was deleted"))
}

pub(super) fn sender(context: &Context) -> Result<&Sender, RenderError> {
    context.sender.as_deref().ok_or_else(|| gone("number"))
}

/// An account is a number of ours. Its id stands there under two names.
pub(super) fn account(sender: &Sender) -> Value {
    let id = sender.id.hex24();
    let mut told = bare_account(sender);
    told["id"] = id.into();
    told
}

/// The same under one name.
pub(super) fn bare_account(sender: &Sender) -> Value {
    let mut told = json!({
        "accountId": sender.id.hex24(),
        "profileId": sender.organization_id.hex24(),
        "platform": PLATFORM,
        "username": sender.address,
    });
    if let Some(name) = &sender.name {
        told["displayName"] = name.as_str().into();
    }
    told
}

/// How WhatsApp names somebody: the digits of a number, or an id for our business.
pub(super) fn participant(address: &str) -> &str {
    address.trim_start_matches('+')
}

pub(super) fn conversation(context: &Context) -> Result<Value, RenderError> {
    let conversation = context.conversation.as_ref().ok_or_else(|| gone("conversation"))?;
    Ok(shown(&conversation.id.hex24(), conversation, context.contact.as_ref(), context.message.as_ref()))
}

fn shown(id: &str, conversation: &Conversation, contact: Option<&Contact>, message: Option<&Message>) -> Value {
    let address = message.map(|message| &message.address).or_else(|| contact?.phone.as_ref());
    let participant = address.map(|address| participant(address));
    let mut told = json!({
        "id": id,
        "platformConversationId": participant.unwrap_or(id),
        "status": match conversation.status {
            Status::Open | Status::Pending => "active",
            Status::Resolved => "archived",
        },
        "contactId": conversation.contact_id.hex24(),
    });
    if let Some(participant) = participant {
        told["participantId"] = participant.into();
    }
    if let Some(name) = contact.and_then(|contact| contact.name.as_deref()) {
        told["participantName"] = name.into();
    }
    told
}

/// The first message between an account and somebody.
pub(super) fn started(context: &Context) -> Result<Members, RenderError> {
    let (sender, contact) = (sender(context)?, context.contact.as_ref());
    let conversation = context.conversation.as_ref().ok_or_else(|| gone("conversation"))?;
    let mut told = shown(&conversation.id.hex24(), conversation, contact, None);
    // Here the conversation goes by the platform's id for it.
    told["id"] = told["platformConversationId"].clone();
    told["platform"] = PLATFORM.into();
    if told.get("participantName").is_none() {
        told["participantName"] = told["platformConversationId"].clone();
    }
    let started_at = rfc3339(conversation.created_at);
    Ok(members(json!({ "conversation": told, "account": account(sender), "startedAt": started_at })))
}
