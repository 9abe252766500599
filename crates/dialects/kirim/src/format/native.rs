//! Events in this dialect's own envelope.

use engine::clock::rfc3339;
use engine::content::Content;
use engine::events::{self, ConversationData, Event, IdentityData, MessageData};
use engine::format::{Context, RenderError};
use engine::messages::Message;
use engine::senders::Sender;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::message_of;
use crate::contacts;
use crate::ids::Noun;

pub(super) fn body(name: &str, event: &Event, context: &Context) -> Result<Vec<u8>, RenderError> {
    let data = match event.kind.as_str() {
        events::MESSAGE_CREATED => message(event, context, "pending")?,
        events::MESSAGE_SUBMITTED => message(event, context, "sent")?,
        events::CONVERSATION_ASSIGNED | events::CONVERSATION_CLOSED => conversation(event)?,
        _ => contact(event, context)?,
    };
    let envelope = json!({
        "id": Noun::Event.spell(&event.id),
        "type": name,
        "created_at": rfc3339(event.created_at),
        "livemode": context.live,
        "data": data,
    });
    Ok(envelope.to_string().into_bytes())
}

fn kept<T: DeserializeOwned>(event: &Event) -> Result<T, RenderError> {
    serde_json::from_str(&event.data).map_err(|error| RenderError(error.to_string()))
}

/// A message of ours, as it stood when this happened.
fn message(event: &Event, context: &Context, status: &str) -> Result<Value, RenderError> {
    let (message, data) = (message_of(context)?, kept::<MessageData>(event)?);
    let content = Content::parse(&message.content).map_err(|error| RenderError(error.to_string()))?;
    let sender = context.sender.as_deref();
    let provider_id = match status {
        "pending" => None,
        _ => data.provider_id.or_else(|| message.provider_id.clone()),
    };
    let told = words(message, &content, provider_id, sender, status);
    let number_id = sender.map(|sender| sender.external_id.clone()).unwrap_or_default();
    Ok(json!({
        "session": number_id,
        "direction": "outbound",
        "from_me": true,
        "timestamp": rfc3339(data.at.unwrap_or(event.created_at)),
        "message": told,
        "conversation": context.conversation.as_ref().map(|conversation| json!({
            "id": Noun::Conversation.spell(&conversation.id),
            "status": conversation.status.as_str(),
        })),
        "contact": {
            "id": Noun::Contact.spell(&message.contact_id),
            "phone_number": context.contact.as_ref().and_then(|contact| contact.phone.clone()),
            "name": context.contact.as_ref().and_then(|contact| contact.name.clone()),
        },
        "meta": {
            "phone_number_id": number_id,
            "display_phone_number": sender.map(|sender| &sender.address),
            "provider": "kirimdev",
        },
    }))
}

/// The message itself.
fn words(
    message: &Message,
    content: &Content,
    provider_id: Option<String>,
    sender: Option<&Sender>,
    status: &str,
) -> Value {
    let mut told = json!({
        "id": Noun::Message.spell(&message.id),
        "provider_id": provider_id,
        "type": message.kind,
        "body": content.text(),
        "from": sender.map(|sender| &sender.address),
        "to": message.address,
        "status": status,
        "source": "api",
        "reply_to_provider_id": message.reply_to,
    });
    if let Content::Template(template) = content {
        told["template_name"] = template.name.as_str().into();
        told["template_language"] = template.language.as_str().into();
    }
    told
}

/// Both published shapes at once: the conversation itself, and the conversation as a member.
fn conversation(event: &Event) -> Result<Value, RenderError> {
    let data: ConversationData = kept(event)?;
    let id = Noun::Conversation.spell(&event.subject_id);
    let mut nested = json!({ "id": id, "object": "conversation", "status": data.status });
    let mut told = nested.clone();
    if event.kind == events::CONVERSATION_CLOSED {
        nested["closed_by_user_id"] = Value::Null;
        told["closed_by_user_id"] = Value::Null;
    } else {
        told["assignee"] = json!({
            "user_id": data.assignee,
            "team_id": null,
            "previous_user_id": data.previous_assignee,
        });
    }
    told["conversation"] = nested;
    Ok(told)
}

/// A contact as it stands now, in both shapes. One that was deleted since keeps only its id.
fn contact(event: &Event, context: &Context) -> Result<Value, RenderError> {
    let mut told = match &context.contact {
        Some(contact) => serde_json::to_value(contacts::shown(contact, context.sender.as_deref()))
            .map_err(|error| RenderError(error.to_string()))?,
        None => json!({ "id": Noun::Contact.spell(&event.subject_id), "object": "contact" }),
    };
    let nested = told.clone();
    match event.kind.as_str() {
        events::CONTACT_CREATED => {
            let source = kept::<Value>(event)?.get("source").cloned().unwrap_or_default();
            told["acquisition"] = json!({ "source": source });
        }
        events::CONTACT_IDENTITY_UPDATED => {
            let data: IdentityData = kept(event)?;
            told["identity"] = json!({ "previous": addresses(&data.old), "current": addresses(&data.new) });
        }
        _ => {}
    }
    told["contact"] = nested;
    Ok(told)
}

fn addresses(addresses: &[(String, String)]) -> Vec<Value> {
    addresses.iter().map(|(kind, value)| json!({ "type": kind, "value": value })).collect()
}
