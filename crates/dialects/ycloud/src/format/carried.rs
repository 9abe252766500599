//! Texts, calls and mails in events.

use engine::clock::rfc3339;
use engine::content::Content;
use engine::events::{Event, MessageData};
use engine::format::{Context, RenderError};
use serde_json::{Value, json};

use super::kept;
use crate::carried::{self, EMAIL, SMS};
use crate::ids::Noun;
use crate::messages::timeline::Timeline;
use crate::{emails, sms, voices};

type Payload = (&'static str, Value);

fn gone() -> RenderError {
    RenderError("the message was deleted".into())
}

/// One of ours arrived, or did not.
pub(super) fn updated(context: &Context) -> Result<Payload, RenderError> {
    let message = context.message.as_ref().ok_or_else(gone)?;
    let sender = context.sender.as_deref().ok_or_else(gone)?;
    let timeline = Timeline::of(&context.history);
    let told = match sender.channel.as_str() {
        SMS => serde_json::to_value(sms::shape(message, sender, &timeline)).map(|told| ("sms", told)),
        EMAIL => serde_json::to_value(emails::delivery(message, &timeline)).map(|told| ("emailDelivery", told)),
        _ => serde_json::to_value(voices::shape(message, &timeline)).map(|told| ("voice", told)),
    };
    told.map_err(|error| RenderError(error.to_string()))
}

/// Somebody answered by SMS.
pub(super) fn received(event: &Event, context: &Context) -> Result<Payload, RenderError> {
    let message = context.message.as_ref().ok_or_else(gone)?;
    let sender = context.sender.as_deref().ok_or_else(gone)?;
    let data: MessageData = kept(event)?;
    let content = Content::parse(&message.content).map_err(|error| RenderError(error.to_string()))?;
    let told = json!({
        "id": Noun::Message.spell(&message.id),
        "from": message.address,
        "to": carried::sender_id(sender),
        "text": content.text(),
        "sendTime": rfc3339(data.at.unwrap_or(event.created_at)),
    });
    Ok(("smsInbound", told))
}
