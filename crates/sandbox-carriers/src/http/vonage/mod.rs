//! Vonage: Messages API and Voice API.

mod calls;
mod messages;
mod token;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::account::{Account, Credentials};
use super::callbacks::{Policy, Post, tell};
use super::desk::{Desk, Letter, Shared, rfc3339};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/v1/messages", post(messages::create)).route("/v1/calls", post(calls::create))
}

/// A refusal in Vonage's shape.
struct Problem {
    status: u16,
    /// What stands behind the `#`.
    kind: String,
    title: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: u16, kind: impl Into<String>, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind: kind.into(), title, detail: detail.into() }
    }

    /// What was demanded: an HTTP status, or a number of Vonage's.
    fn demanded(number: u32) -> Self {
        let detail = "The request was refused on demand.";
        let (status, kind, title) = match number {
            401 => (401, "unauthorized".to_owned(), "You did not provide correct credentials."),
            402 => (402, "low-balance".to_owned(), "Low balance"),
            429 => (429, "throttled".to_owned(), "Rate Limit Hit"),
            400..600 => (u16::try_from(number).unwrap_or(500), "system".to_owned(), "Refused"),
            code => (422, code.to_string(), "Refused"),
        };
        Self::new(status, kind, title, detail)
    }

    fn wrong(name: &str, reason: &str) -> Self {
        Self::new(
            422,
            "1150",
            "Invalid params",
            format!("The value of one or more parameters is invalid: {name}: {reason}."),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, kind, title, detail } = self;
        let page = if kind.bytes().all(|byte| byte.is_ascii_digit()) { "api-errors/messages" } else { "api-errors" };
        let kind = format!("https://developer.vonage.com/{page}#{kind}");
        let body =
            json!({ "type": kind, "title": title, "detail": detail, "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf" });
        (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
    }
}

/// Whose application's token it is.
fn customer(desk: &Desk, headers: &HeaderMap) -> Result<Arc<Account>, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let application = given.strip_prefix("Bearer ").and_then(|token| token::application(token, desk.world.now()));
    let right = |credentials: &Credentials| match credentials {
        Credentials::Vonage { application_id, .. } => Some(application_id) == application.as_ref(),
        _ => false,
    };
    desk.find(right).ok_or_else(|| Problem::demanded(401))
}

fn object(body: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice(body) {
        Ok(json @ Value::Object(_)) => Ok(json),
        _ => Err(Problem::wrong("body", "must be a JSON object")),
    }
}

fn text<'a>(json: &'a Value, name: &str) -> Result<&'a str, Problem> {
    json[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| Problem::wrong(name, "is required"))
}

/// Posts signed JSON.
async fn push(desk: &Desk, account: &Account, url: &str, json: &Value) {
    let Credentials::Vonage { application_id, signature_secret } = &account.credentials else { return };
    let (application, secret) = (application_id.clone(), signature_secret.clone());
    let (url, body, mark) = (url.to_owned(), json.to_string(), desk.uuid());
    tell(&desk.world, Policy::Vonage, move |this| {
        let headers = token::headers(&secret, &application, &body, &mark, this.now);
        Post { url: url.clone(), headers, body: body.clone().into() }
    })
    .await;
}

/// Brings what a phone wrote.
pub(super) async fn bring(desk: &Desk, account: &Account, letter: &Letter<'_>) -> String {
    let uuid = desk.uuid();
    let parts = sms_text::split(letter.text).parts.len().to_string();
    let keyword = letter.text.split_whitespace().next().unwrap_or_default().to_uppercase();
    let json = json!({
        "channel": "sms", "message_uuid": uuid, "to": letter.to.trim_start_matches('+'),
        "from": letter.from.trim_start_matches('+'), "timestamp": rfc3339(desk.world.now()), "text": letter.text,
        "message_type": "text", "sms": { "num_messages": parts, "keyword": keyword },
        "usage": { "currency": "EUR", "price": "0.0" }, "origin": { "network_code": "23410" },
    });
    push(desk, account, letter.url, &json).await;
    uuid
}
