//! Events in Meta's words.

use engine::events::{self, Event, MessageData};
use engine::format::{Context, RenderError};
use engine::messages::Message;
use serde::Serialize;
use serde_json::json;

use super::message_of;
use crate::META;
use crate::ids::Noun;
use crate::messages::{failure, media};
use crate::options::Options;

/// The id of the fact, and the body.
pub(super) type Told = (String, Vec<u8>);

/// What Meta said of an event, as it said it.
fn document(event: &Event) -> Option<&[u8]> {
    event.document.as_ref().filter(|document| document.format == META).map(|document| document.bytes.as_slice())
}

/// Somebody wrote. Known by WhatsApp's id of the message.
pub(super) fn received(options: &Options, event: &Event, context: &Context) -> Result<Told, RenderError> {
    let bytes = document(event).ok_or_else(|| RenderError("there is no document of this message".into()))?;
    let message = message_of(context)?;
    let fact_id = event.fact_id.clone().or_else(|| message.provider_id.clone());
    let fact_id = fact_id.unwrap_or_else(|| Noun::Message.spell(&message.id));
    if !options.kirim_block {
        return Ok((fact_id, bytes.to_vec()));
    }
    Ok((fact_id, splice(bytes, "kirim", &block(options, event, context, message))?))
}

/// What we know beyond what Meta says.
#[derive(Serialize)]
struct Block {
    conversation_id: String,
    contact_id: String,
    message_id: String,
    phone_number_id: String,
    labels: Vec<Label>,
    conversation: Conversation,
    contact: Contact,
    media_url: Option<String>,
    media_status: Option<String>,
}

#[derive(Serialize)]
struct Label {
    id: String,
    name: String,
    color: String,
}

#[derive(Serialize)]
struct Conversation {
    status: &'static str,
    assigned_to: Option<String>,
}

#[derive(Serialize)]
struct Contact {
    name: Option<String>,
    phone_number: Option<String>,
}

fn block(options: &Options, event: &Event, context: &Context, message: &Message) -> Block {
    let label = |label: &engine::labels::Label| Label {
        id: Noun::Label.spell(&label.id),
        name: label.name.clone(),
        color: label.color.clone(),
    };
    let (conversation, contact) = (context.conversation.as_ref(), context.contact.as_ref());
    Block {
        conversation_id: Noun::Conversation.spell(&message.conversation_id),
        contact_id: Noun::Contact.spell(&message.contact_id),
        message_id: Noun::Message.spell(&message.id),
        phone_number_id: context.sender.as_ref().map(|sender| sender.external_id.clone()).unwrap_or_default(),
        labels: context.labels.iter().map(label).collect(),
        conversation: Conversation {
            status: conversation.map_or("open", |conversation| conversation.status.as_str()),
            assigned_to: conversation.and_then(|conversation| conversation.assignee.clone()),
        },
        contact: Contact {
            name: contact.and_then(|contact| contact.name.clone()),
            phone_number: contact.and_then(|contact| contact.phone.clone()),
        },
        media_url: media::ready(options, &message.id, context.media.as_ref(), event.created_at + media::TOLD_MS),
        media_status: context.media.as_ref().map(|media| media.status.clone()),
    }
}

/// Adds a last member to an object without touching what is there.
fn splice(object: &[u8], name: &str, value: &impl Serialize) -> Result<Vec<u8>, RenderError> {
    let unreadable = || RenderError("the document is not a JSON object".into());
    let (rest, end) = object.trim_ascii_end().split_last().map(|(end, rest)| (rest, *end)).ok_or_else(unreadable)?;
    if end != b'}' || rest.trim_ascii_start().first() != Some(&b'{') {
        return Err(unreadable());
    }
    let value = serde_json::to_string(value).map_err(|error| RenderError(error.to_string()))?;
    let comma = if rest.trim_ascii().len() == 1 { "" } else { "," };
    let mut spliced = rest.to_vec();
    spliced.extend_from_slice(format!("{comma}\"{name}\":{value}}}").as_bytes());
    Ok(spliced)
}

/// A message of ours moved on. WhatsApp's id is the same for all of its statuses, so the fact is known by
/// id and status together.
pub(super) fn status(event: &Event, context: &Context) -> Result<Told, RenderError> {
    let message = message_of(context)?;
    let data: MessageData = serde_json::from_str(&event.data).map_err(|error| RenderError(error.to_string()))?;
    let id = data.provider_id.clone().or_else(|| message.provider_id.clone());
    let id = id.unwrap_or_else(|| Noun::Message.spell(&message.id));
    let word = event.kind.strip_prefix("message.").unwrap_or(&event.kind);
    let fact_id = event.fact_id.clone().unwrap_or_else(|| format!("{id}:{word}"));
    match document(event) {
        Some(bytes) => Ok((fact_id, bytes.to_vec())),
        None if event.kind == events::MESSAGE_FAILED => Ok((fact_id, failed(event, context, message, &id, &data))),
        None => Err(RenderError("there is no document of this status".into())),
    }
}

/// A failure of which WhatsApp did not report: told as it would have.
fn failed(event: &Event, context: &Context, message: &Message, id: &str, data: &MessageData) -> Vec<u8> {
    let sender = context.sender.as_deref();
    let digits = |number: &str| number.trim_start_matches('+').to_owned();
    let error = data.failure.as_ref().map(|failure| {
        let details = failure.details.as_ref().unwrap_or(&failure.message);
        json!({
            "code": failure::number(failure),
            "title": failure.message,
            "message": failure.message,
            "error_data": { "details": details },
        })
    });
    let status = json!({
        "id": id,
        "status": "failed",
        "timestamp": (data.at.unwrap_or(event.created_at) / 1000).to_string(),
        "recipient_id": digits(&message.address),
        "errors": error.into_iter().collect::<Vec<_>>(),
    });
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": sender.map(|sender| digits(&sender.address)).unwrap_or_default(),
            "phone_number_id": sender.map(|sender| sender.external_id.clone()).unwrap_or_default(),
        },
        "statuses": [status],
    });
    let entry = json!({ "id": account(context), "changes": [{ "value": value, "field": "messages" }] });
    json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string().into_bytes()
}

/// WhatsApp's name for the account that the number belongs to.
fn account(context: &Context) -> &str {
    context.account.as_deref().unwrap_or("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splicing_leaves_what_is_there_byte_for_byte() {
        let value = json!({ "a": null });
        let spliced =
            |text: &str| splice(text.as_bytes(), "kirim", &value).map(|bytes| String::from_utf8(bytes).unwrap()).ok();
        assert_eq!(
            spliced("{ \"x\" :1.0 ,\"y\":[ ]}\n").as_deref(),
            Some("{ \"x\" :1.0 ,\"y\":[ ],\"kirim\":{\"a\":null}}")
        );
        assert_eq!(spliced("{}").as_deref(), Some("{\"kirim\":{\"a\":null}}"));
        assert_eq!(spliced(" { } ").as_deref(), Some(" { \"kirim\":{\"a\":null}}"));
        for wrong in ["", "[]", "x}", "{"] {
            assert_eq!(spliced(wrong), None, "{wrong}");
        }
    }
}
