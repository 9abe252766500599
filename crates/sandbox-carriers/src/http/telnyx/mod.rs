//! Telnyx: messages, and calls that are told what to say while they go on.

mod calls;
mod messages;
mod numbers;
mod signature;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::account::{Account, Credentials};
use super::callbacks::{Policy, Post, tell};
use super::desk::{Desk, Letter, Shared, rfc3339};

pub(super) use calls::Line;
pub(super) use messages::Replay;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/messages", post(messages::create))
        .route("/v2/messages/{id}", get(messages::fetch))
        .route("/v2/available_phone_numbers", get(numbers::available))
        .route("/v2/number_reservations", get(numbers::reservations).post(numbers::reserve))
        .route("/v2/number_orders", get(numbers::orders).post(numbers::buy))
        .route("/v2/phone_numbers", get(numbers::list))
        .route("/v2/phone_numbers/{id}", delete(numbers::release))
        .route("/v2/calls", post(calls::dial))
        .route("/v2/calls/{id}/actions/speak", post(calls::speak))
        .route("/v2/calls/{id}/actions/hangup", post(calls::hangup))
}

/// A refusal in Telnyx's shape.
struct Problem {
    status: u16,
    code: u32,
    title: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: u16, code: u32, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into() }
    }

    /// What was demanded: an HTTP status, or a number of Telnyx's.
    fn demanded(number: u32) -> Self {
        let status = u16::try_from(number).ok().filter(|status| (400..600).contains(status));
        let code = match number {
            401 => 10009,
            403 => 10010,
            404 => 10005,
            429 => 10011,
            400..600 => 10007,
            code => code,
        };
        Self::new(status.unwrap_or(400), code, "Refused", "The request was refused on demand.")
    }

    fn lacks(what: &str) -> Self {
        Self::new(422, 10004, "Missing required parameter", format!("The '{what}' parameter is required."))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, title, detail } = self;
        let meta = json!({ "url": format!("https://developers.telnyx.com/docs/overview/errors/{code}") });
        let body = json!({ "errors": [{ "code": code.to_string(), "title": title, "detail": detail, "meta": meta }] });
        (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
    }
}

/// Whose key it is.
fn customer(desk: &Desk, headers: &HeaderMap) -> Result<Arc<Account>, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    let right = |credentials: &Credentials| match credentials {
        Credentials::Telnyx { api_key, .. } => bool::from(given.as_bytes().ct_eq(api_key.as_bytes())),
        _ => false,
    };
    let detail = "Could not understand the provided credentials.";
    desk.find(right).ok_or_else(|| Problem::new(401, 10009, "Authentication failed", detail))
}

fn object(body: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice(body) {
        Ok(json @ Value::Object(_)) => Ok(json),
        _ => Err(Problem::new(400, 10015, "Bad Request", "The request failed because it was not well-formed.")),
    }
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json[name].as_str().filter(|text| !text.is_empty())
}

/// Where an event goes, and instead of it.
#[derive(Clone, Debug)]
struct Hook {
    url: String,
    failover: Option<String>,
}

impl Hook {
    fn of(json: &Value) -> Option<Self> {
        Some(Self {
            url: text(json, "webhook_url")?.to_owned(),
            failover: text(json, "webhook_failover_url").map(str::to_owned),
        })
    }
}

/// Tries for one address.
const TRIES: u32 = 3;

/// Posts a signed event.
async fn push(desk: &Desk, account: &Account, hook: &Hook, kind: &str, payload: Value) {
    let Credentials::Telnyx { seed, .. } = account.credentials else { return };
    let hook = hook.clone();
    let data = json!({
        "event_type": kind, "id": desk.uuid(), "occurred_at": rfc3339(desk.world.now()), "payload": payload,
        "record_type": "event",
    });
    tell(&desk.world, Policy::Telnyx, move |this| {
        let url = hook.failover.as_ref().filter(|_| this.number > TRIES).unwrap_or(&hook.url);
        let body = json!({ "data": data, "meta": { "attempt": this.number, "delivered_to": url } }).to_string();
        Post { url: url.clone(), headers: signature::headers(&seed, &body, this.now), body: body.into() }
    })
    .await;
}

/// Brings what a phone wrote.
pub(super) async fn bring(desk: &Desk, account: &Account, letter: &Letter<'_>) -> String {
    let id = desk.uuid();
    let split = sms_text::split(letter.text);
    let at = rfc3339(desk.world.now());
    let payload = json!({
        "cc": [], "completed_at": null, "cost": null, "direction": "inbound",
        "encoding": messages::encoding(split.encoding.as_str()), "errors": [],
        "from": { "carrier": "T-Mobile USA", "line_type": "Wireless", "phone_number": letter.from, "status": "webhook_delivered" },
        "id": id, "media": [], "messaging_profile_id": account.credentials.name(), "parts": split.parts.len(),
        "received_at": at, "record_type": "message", "sent_at": null, "subject": "", "tags": [], "text": letter.text,
        "to": [{ "carrier": "Telnyx", "line_type": "Wireless", "phone_number": letter.to, "status": "webhook_delivered" }],
        "type": "SMS", "valid_until": null, "webhook_failover_url": null, "webhook_url": letter.url,
    });
    push(desk, account, &Hook { url: letter.url.to_owned(), failover: None }, "message.received", payload).await;
    id
}
