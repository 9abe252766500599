//! `/sms`: texts to phones.

use engine::billing::Bill;
use engine::clock::rfc3339;
use engine::content::Content;
use engine::messages::{Echo, Message};
use engine::regions;
use engine::senders::Sender;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, phone};
use crate::carried::{self, SMS};
use crate::errors::{Code, Error};
use crate::format::names::SMS_UPDATED;
use crate::ids::Noun;
use crate::messages::shape::error_code;
use crate::messages::timeline::Timeline;

/// More than any carrier takes.
const LONGEST: usize = 1600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    id: String,
    to: String,
    text: String,
    sender_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_code: Option<String>,
    total_segments: usize,
    total_price: f64,
    currency: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    create_time: String,
    update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    biz_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_id: Option<String>,
}

pub(crate) fn shape(message: &Message, sender: &Sender, timeline: &Timeline) -> Shown {
    let (echo, content) = (Echo::of(message), Content::parse(&message.content).ok());
    let (total_price, currency) = Bill::price_of(message);
    let text = content.as_ref().and_then(Content::text).unwrap_or_default().to_owned();
    Shown {
        id: Noun::Message.spell(&message.id),
        to: message.address.clone(),
        total_segments: sms_text::split(&text).parts.len().max(1),
        text,
        sender_id: carried::sender_id(sender).to_owned(),
        region_code: regions::of_number(&message.address),
        total_price,
        currency,
        status: carried::status(timeline),
        error_code: timeline.failure.as_ref().map(error_code),
        create_time: rfc3339(message.created_at),
        update_time: rfc3339(timeline.updated_at.unwrap_or(message.created_at)),
        external_id: echo.external_id,
        callback_url: echo.callback_url,
        biz_type: if echo.verification.is_some() { "verify" } else { "sms" },
        verification_id: echo.verification,
    }
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let to = phone(&at.need("to")?)?;
    if !regions::is_valid(&to) {
        return Err(Error::new(Code::ParamInvalid, format!("{to} is not a phone number that can exist")).at("to"));
    }
    let text = at.need("text")?.string(1..=LONGEST)?;
    let signature = at.read_nullable("signature", |at| at.string(0..=50))?.flatten();
    let text = match signature.filter(|signature| !signature.is_empty()) {
        Some(signature) => format!("【{signature}】{text}"),
        None => text,
    };
    let from = at.read_nullable("senderId", |at| at.string(0..=32))?.flatten().filter(|from| !from.is_empty());
    let sender = carried::sender(&call, SMS, from.as_deref()).await.map_err(|error| error.at("senderId"))?;
    let echo = carried::echo(&call, &at, SMS_UPDATED).await?;
    let message = carried::take(&call, sender.clone(), to, Content::Text { body: text, preview: false }, echo).await?;
    Ok(Answer::of(&shape(&message, &sender, &Timeline::default())))
}

pub(crate) async fn list(call: Call) -> Handled {
    carried::list(&call, SMS, shape).await
}
