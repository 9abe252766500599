//! Twilio: `Messages.json` and `Calls.json` of the API of 2010.

mod calls;
mod incoming;
mod messages;
mod numbers;
mod signature;
mod twiml;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::account::{Account, Credentials};
use super::callbacks::{Policy, Post, tell};
use super::desk::{Desk, Letter, Shared};
pub(super) use incoming::ring;

const VERSION: &str = "2010-04-01";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/2010-04-01/Accounts/{sid}/Messages.json", post(messages::create))
        .route("/2010-04-01/Accounts/{sid}/Messages/{file}", get(messages::fetch))
        .route("/2010-04-01/Accounts/{sid}/Calls.json", post(calls::create))
        .route("/2010-04-01/Accounts/{sid}/Calls/{file}", get(calls::fetch))
        .route("/2010-04-01/Accounts/{sid}/AvailablePhoneNumbers/{country}/{kind}", get(numbers::available))
        .route("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json", get(numbers::list).post(numbers::buy))
        .route("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers/{file}", delete(numbers::release))
        .route("/2010-04-01/Accounts/{file}", get(show))
}

/// A form's fields.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// The first of this name that holds something.
    fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A refusal in Twilio's shape.
struct Problem {
    status: u16,
    code: u32,
    message: String,
}

impl Problem {
    fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// What was demanded: an HTTP status, or a number of Twilio's.
    fn demanded(number: u32) -> Self {
        let status = u16::try_from(number).ok().filter(|status| (400..600).contains(status));
        let code = match number {
            401 => 20003,
            404 => 20404,
            429 => 20429,
            503 => 20503,
            400..600 => 20000 + number,
            code => code,
        };
        Self::new(status.unwrap_or(400), code, "The request was refused on demand")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let info = format!("https://www.twilio.com/docs/errors/{code}");
        let body = json!({ "code": code, "message": message, "more_info": info, "status": status });
        (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
    }
}

/// The account of the path, if the credentials are its own.
fn customer(desk: &Desk, headers: &HeaderMap, sid: &str) -> Result<Arc<Account>, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Basic ").and_then(|text| BASE64_STANDARD.decode(text).ok()).unwrap_or_default();
    let right = |credentials: &Credentials| match credentials {
        Credentials::Twilio { account_sid, auth_token } => {
            account_sid == sid && bool::from(given.ct_eq(format!("{account_sid}:{auth_token}").as_bytes()))
        }
        _ => false,
    };
    desk.find(right).ok_or_else(|| Problem::new(401, 20003, "Authenticate"))
}

/// `Accounts/{sid}.json`
async fn show(State(desk): State<Shared>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let sid = file.trim_end_matches(".json");
    match customer(&desk, &headers, sid) {
        Ok(_) => {
            Json(json!({ "sid": sid, "status": "active", "type": "Full", "friendly_name": "Sandbox" })).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Posts a signed form.
async fn push(desk: &Desk, account: &Account, url: &str, fields: Vec<(String, String)>) {
    let Credentials::Twilio { auth_token, .. } = &account.credentials else { return };
    let (token, url, mark) = (auth_token.clone(), url.to_owned(), desk.uuid());
    tell(&desk.world, Policy::twilio(&url), move |_| {
        let signed = url.split('#').next().unwrap_or_default();
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        Post { url: url.clone(), headers: signature::headers(&token, signed, &fields, &mark), body: body.into() }
    })
    .await;
}

/// Brings what a phone wrote.
pub(super) async fn bring(desk: &Desk, account: &Account, letter: &Letter<'_>) -> String {
    let sid = format!("SM{}", &desk.fresh()[..32]);
    let parts = sms_text::split(letter.text).parts.len().to_string();
    let (own, body) = (account.credentials.name(), letter.text);
    let fields = [
        ("ToCountry", "US"),
        ("ToState", ""),
        ("SmsMessageSid", &sid),
        ("NumMedia", "0"),
        ("ToCity", ""),
        ("FromZip", ""),
        ("SmsSid", &sid),
        ("FromState", ""),
        ("SmsStatus", "received"),
        ("FromCity", ""),
        ("Body", body),
        ("FromCountry", "US"),
        ("To", letter.to),
        ("ToZip", ""),
        ("NumSegments", &parts),
        ("MessageSid", &sid),
        ("AccountSid", &own),
        ("From", letter.from),
        ("ApiVersion", VERSION),
    ];
    push(desk, account, letter.url, owned(&fields)).await;
    sid
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
