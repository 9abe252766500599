//! Messages in events: ours with all that happened to them so far, theirs as WhatsApp brought them.

use engine::clock::rfc3339;
use engine::events::{Event, MessageData};
use engine::format::{Context, RenderError};
use meta_wire::FORMAT;
use serde_json::{Map, Value, json};

use super::kept;
use crate::files;
use crate::ids::Noun;
use crate::messages::shape;
use crate::messages::timeline::Timeline;
use crate::options::Media;

type Payload = (&'static str, Value);

fn gone() -> RenderError {
    RenderError("the message was deleted".into())
}

/// A message of ours to somebody on WhatsApp moved on.
pub(super) fn updated(context: &Context) -> Result<Payload, RenderError> {
    let message = context.message.as_ref().ok_or_else(gone)?;
    let sender = context.sender.as_deref().ok_or_else(gone)?;
    let waba = context.account.as_deref().unwrap_or_default();
    let timeline = Timeline::of(&context.history);
    Ok(("whatsappMessage", shape::show(message, sender, waba, &timeline)))
}

/// Somebody wrote to us: Meta's own words with our names around them. What we do not know is kept as it came.
pub(super) fn received(event: &Event, context: &Context, media: Option<&Media>) -> Result<Payload, RenderError> {
    let message = context.message.as_ref().ok_or_else(gone)?;
    let sender = context.sender.as_deref().ok_or_else(gone)?;
    let data: MessageData = kept(event)?;
    let document = event.document.as_ref().filter(|document| document.format == FORMAT);
    let document: Value = document.and_then(|it| serde_json::from_slice(&it.bytes).ok()).unwrap_or_default();
    let mut told = Map::new();
    if let Some(Value::Object(theirs)) = document.pointer("/entry/0/changes/0/value/messages/0") {
        let ours = ["id", "from", "timestamp", "from_user_id"];
        told.extend(
            theirs.iter().filter(|(name, _)| !ours.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())),
        );
    }
    let name = document.pointer("/entry/0/changes/0/value/contacts/0/profile/name").and_then(Value::as_str);
    let name = name.or_else(|| context.contact.as_ref().and_then(|contact| contact.name.as_deref()));
    let mut put = |member: &str, value: Value| told.insert(member.to_owned(), value);
    put("id", Noun::Message.spell(&message.id).into());
    put("wamid", message.provider_id.clone().into());
    put("wabaId", context.account.clone().into());
    put("from", message.address.clone().into());
    put("to", sender.address.clone().into());
    put("sendTime", rfc3339(data.at.unwrap_or(event.created_at)).into());
    put("customerProfile", name.map_or_else(|| json!({}), |name| json!({ "name": name })));
    if !told.contains_key("type") {
        told.insert("type".to_owned(), message.kind.clone().into());
    }
    if let (Some(media), Some(_), Some(Value::Object(file))) =
        (media, &context.media, told.get_mut(message.kind.as_str()))
    {
        file.insert("link".to_owned(), files::link(media, &message.id, event.created_at).into());
    }
    texts(&mut told);
    Ok(("whatsappInboundMessage", Value::Object(told)))
}

/// Numbers of errors are texts here.
fn texts(told: &mut Map<String, Value>) {
    let Some(Value::Array(errors)) = told.get_mut("errors") else { return };
    for error in errors {
        if let Some(code) = error.get("code").and_then(Value::as_i64) {
            error["code"] = code.to_string().into();
        }
    }
}
