//! What becomes of messages and calls, and messages that somebody wrote.

use engine::Id;
use engine::failure::{Code, Failure};
use engine::messages::Status;
use serde::Deserialize;
use serde_json::Value;

use super::Problem;
use super::codes::CODES;
use crate::http::api::{Heard, Unreadable};
use crate::http::errand::message_of;
use crate::http::facts::{Hearing, Outcome, Written};
use crate::http::failure;

/// A status, or with a `message_type` something that somebody wrote.
#[derive(Deserialize)]
struct Message {
    message_uuid: Option<String>,
    message_type: Option<String>,
    status: Option<String>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    text: Option<String>,
    timestamp: Option<String>,
    client_ref: Option<String>,
    error: Option<Problem>,
}

pub(super) fn message(hearing: &Hearing<'_>) -> Result<Heard, Unreadable> {
    let json: Value = serde_json::from_slice(hearing.body)?;
    let Ok(Message { message_uuid: Some(uuid), message_type, status, from, to, text, timestamp, client_ref, error }) =
        serde_json::from_value(json)
    else {
        return Ok(hearing.notice("unreadable").into());
    };
    let at = hearing.time(timestamp.as_deref());
    let Some(word) = status else {
        let kind = message_type.unwrap_or_else(|| "text".to_owned());
        return Ok(match text {
            Some(text) if kind == "text" && !from.is_empty() && !to.is_empty() => {
                hearing.written(Written { provider_id: uuid, from, to, at, text, files: Vec::new() }).into()
            }
            _ => hearing.notice(&kind).into(),
        });
    };
    let status = match word.as_str() {
        "accepted" | "buffered" => return Ok(Heard::default()),
        "submitted" => Status::Sent,
        "delivered" | "read" => Status::Delivered,
        "rejected" | "undeliverable" | "failed" | "expired" => Status::Failed,
        unknown => return Ok(hearing.notice(unknown).into()),
    };
    let failure = match (word.as_str(), &error) {
        ("expired", None) => failure::plain(Code::Expired, "The message could not be delivered in time."),
        _ => {
            let error = error.as_ref();
            failure::of_code(CODES, error.and_then(Problem::number), error.and_then(Problem::words))
        }
    };
    let message = client_ref.as_deref().and_then(Id::parse_hex24);
    Ok(hearing.outcome(Outcome { provider_id: uuid, message, status, at, failure: Some(failure) }).into())
}

#[derive(Deserialize)]
struct Call {
    uuid: Option<String>,
    status: Option<String>,
    timestamp: Option<String>,
    detail: Option<String>,
    reason: Option<String>,
}

/// Vonage signs the body alone, and a call has no place for our id there: it is taken from the address, which no one knows
/// but Vonage and us.
pub(super) fn call(hearing: &Hearing<'_>, url: &str) -> Result<Heard, Unreadable> {
    let json: Value = serde_json::from_slice(hearing.body)?;
    let Ok(Call { uuid: Some(uuid), status: Some(word), timestamp, detail, reason }) = serde_json::from_value(json)
    else {
        return Ok(hearing.notice("unreadable").into());
    };
    let (status, failure) = match word.as_str() {
        "started" | "ringing" | "answered" => (Status::Sent, None),
        "completed" => (Status::Delivered, None),
        "disconnected" | "human" | "machine" => return Ok(Heard::default()),
        other => match unheard(other, detail.or(reason)) {
            Some(failure) => (Status::Failed, Some(failure)),
            None => return Ok(hearing.notice(other).into()),
        },
    };
    let at = hearing.time(timestamp.as_deref());
    Ok(hearing.outcome(Outcome { provider_id: uuid, message: message_of(url), status, at, failure }).into())
}

fn unheard(word: &str, details: Option<String>) -> Option<Failure> {
    let (code, message) = match word {
        "busy" => (Code::RecipientUnreachable, "The recipient's line was busy."),
        "timeout" | "unanswered" => (Code::RecipientUnreachable, "Nobody took the call."),
        "rejected" => (Code::RecipientUnreachable, "The recipient declined the call."),
        "cancelled" => (Code::Withdrawn, "The call was canceled at the carrier."),
        "failed" => (Code::Other, "The carrier could not put the call through."),
        _ => return None,
    };
    Some(Failure { details: details.filter(|it| !it.is_empty()), ..failure::plain(code, message) })
}
