//! What becomes of messages, and messages that somebody wrote.

use engine::failure::Code;
use engine::messages::Status;
use serde::Deserialize;

use super::Problem;
use super::codes::CODES;
use crate::http::api::{Heard, Unreadable};
use crate::http::errand::message_of;
use crate::http::facts::{Hearing, Outcome, Written};
use crate::http::failure;

#[derive(Deserialize)]
pub(super) struct Event<P> {
    pub(super) data: Data<P>,
}

#[derive(Deserialize)]
pub(super) struct Data<P> {
    #[serde(default)]
    pub(super) event_type: String,
    pub(super) occurred_at: Option<String>,
    pub(super) payload: P,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    #[serde(default)]
    from: Party,
    #[serde(default)]
    to: Vec<Party>,
    text: Option<String>,
    #[serde(default)]
    errors: Vec<Problem>,
    #[serde(default)]
    media: Vec<File>,
    webhook_url: Option<String>,
}

#[derive(Default, Deserialize)]
struct Party {
    #[serde(default)]
    phone_number: String,
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
}

pub(super) fn heard(hearing: &Hearing<'_>) -> Result<Heard, Unreadable> {
    let Event { data } = serde_json::from_slice::<Event<serde_json::Value>>(hearing.body)?;
    let kind = data.event_type.as_str();
    let at = hearing.time(data.occurred_at.as_deref());
    let message: Option<Message> = serde_json::from_value(data.payload).ok();
    Ok(match (kind, message) {
        ("message.received", Some(message)) => written(hearing, message, at),
        ("message.sent" | "message.finalized" | "message.read", Some(message)) => outcome(hearing, kind, message, at),
        _ => hearing.notice(if kind.is_empty() { "unreadable" } else { kind }).into(),
    })
}

fn written(hearing: &Hearing<'_>, message: Message, at: i64) -> Heard {
    let Some(to) = message.to.into_iter().next().filter(|_| !message.from.phone_number.is_empty()) else {
        return hearing.notice("unreadable").into();
    };
    let written = Written {
        provider_id: message.id,
        from: message.from.phone_number,
        to: to.phone_number,
        at,
        text: message.text.unwrap_or_default(),
        files: message.media.into_iter().filter_map(|file| file.url).collect(),
    };
    hearing.written(written).into()
}

fn outcome(hearing: &Hearing<'_>, kind: &str, message: Message, at: i64) -> Heard {
    let word = message.to.first().map_or("", |to| to.status.as_str());
    let problem = message.errors.first();
    let status = match word {
        "queued" | "sending" => return Heard::default(),
        // Nobody will ever say whether it arrived.
        "sent" | "delivery_unconfirmed" => Status::Sent,
        "delivered" | "read" => Status::Delivered,
        "sending_failed" | "delivery_failed" | "expired" => Status::Failed,
        unknown => return hearing.notice(if unknown.is_empty() { kind } else { unknown }).into(),
    };
    let failure = match (word, problem) {
        ("expired", None) => failure::plain(Code::Expired, "The message could not be delivered in time."),
        _ => failure::of_code(CODES, problem.and_then(Problem::number), problem.and_then(Problem::words)),
    };
    // Of the two places that hold our id, the body is the one that is signed.
    let ours = message.webhook_url.as_deref().and_then(message_of);
    hearing.outcome(Outcome { provider_id: message.id, message: ours, status, at, failure: Some(failure) }).into()
}
