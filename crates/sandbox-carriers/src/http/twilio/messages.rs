use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::super::account::Account;
use super::super::course::{self, Course, Take};
use super::super::desk::{Shared, is_e164, rfc2822};
use super::super::journey::{self, End};
use super::{Form, Problem, VERSION, customer, owned, push};
use crate::ledger::Sms;
use crate::outside::Target;
use crate::serve::cut;

/// Letters of a text.
const LONGEST: usize = 1600;

pub(super) async fn create(
    State(desk): State<Shared>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match customer(&desk, &headers, &account) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let form = Form::read(&body);
    let (from, to, text) = match checked(&account, &form) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let take = match course::of(&desk.world, Target::Sms).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let callback = form.get("StatusCallback").map(str::to_owned);
    let sms = entry(&desk, from, to, text, callback.as_deref());
    // Twilio does not know repetitions. Whoever puts an id of his own into the address can be told of them here.
    let sameness = callback.clone().unwrap_or_else(|| sms.id.clone());
    desk.world.sms.take(sms.clone(), ("twilio", sameness));
    let (cut_off, early) = (take.cut, take.early);
    let answer = (StatusCode::CREATED, Json(shown(&account, &sms))).into_response();
    let life = live(Arc::clone(&desk), account, sms, callback, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    if cut_off { cut() } else { answer }
}

fn checked<'a>(account: &Account, form: &'a Form) -> Result<(&'a str, &'a str, &'a str), Problem> {
    let Some(to) = form.get("To") else {
        return Err(Problem::new(400, 21604, "A 'To' phone number is required."));
    };
    if !is_e164(to) {
        return Err(Problem::new(400, 21211, format!("Invalid 'To' Phone Number: {to}")));
    }
    let Some(from) = form.get("From").or_else(|| form.get("MessagingServiceSid")) else {
        return Err(Problem::new(400, 21603, "A 'From' phone number is required."));
    };
    if !from.starts_with("MG") && !account.may_send_from(from) {
        let message = format!("'From' {from} is not a Twilio phone number or Short Code country mismatch");
        return Err(Problem::new(400, 21659, message));
    }
    let Some(text) = form.get("Body") else {
        return Err(Problem::new(400, 21602, "Message body is required."));
    };
    if text.chars().count() > LONGEST {
        return Err(Problem::new(400, 21617, "The concatenated message body exceeds the 1600 character limit"));
    }
    Ok((from, to, text))
}

fn entry(desk: &Shared, from: &str, to: &str, text: &str, callback: Option<&str>) -> Sms {
    let split = sms_text::split(text);
    let mut more = Map::new();
    more.insert("callback".to_owned(), json!(callback));
    Sms {
        id: format!("SM{}", &desk.fresh()[..32]),
        carrier: "twilio",
        from: from.to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        parts: u32::try_from(split.parts.len()).unwrap_or(u32::MAX),
        encoding: split.encoding.as_str().to_owned(),
        status: "queued".to_owned(),
        at: desk.world.now(),
        more,
    }
}

/// As Twilio shows a message.
fn shown(account: &Account, sms: &Sms) -> Value {
    let (own, at) = (account.credentials.name(), rfc2822(sms.at));
    let uri = format!("/{VERSION}/Accounts/{own}/Messages/{}", sms.id);
    let service = sms.from.starts_with("MG").then_some(&sms.from);
    let error = sms.more.get("error_code").cloned().unwrap_or(Value::Null);
    let sent = (sms.status != "queued").then_some(&at);
    json!({
        "account_sid": own, "api_version": VERSION, "body": sms.text, "date_created": at, "date_sent": sent,
        "date_updated": at, "direction": "outbound-api", "error_code": error, "error_message": null,
        "from": if service.is_some() { None } else { Some(&sms.from) }, "messaging_service_sid": service, "num_media": "0",
        "num_segments": sms.parts.to_string(), "price": null, "price_unit": "USD", "sid": sms.id, "status": sms.status,
        "subresource_uris": { "media": format!("{uri}/Media.json") }, "to": sms.to, "uri": format!("{uri}.json"),
    })
}

pub(super) async fn fetch(
    State(desk): State<Shared>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let account = match customer(&desk, &headers, &account) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    match desk.world.sms.change(file.trim_end_matches(".json"), |sms| sms.clone()) {
        Some(sms) => Json(shown(&account, &sms)).into_response(),
        None => Problem::new(404, 20404, "The requested resource was not found").into_response(),
    }
}

/// Tells that it was sent, and how it ended. Nothing is told of the first state.
async fn live(desk: Shared, account: Arc<Account>, sms: Sms, callback: Option<String>, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    let tell = async |status: &str, code: Option<i64>| {
        desk.world.sms.change(&sms.id, |sms| {
            sms.status = status.to_owned();
            sms.more.insert("error_code".to_owned(), json!(code));
        });
        let Some(url) = &callback else { return };
        for _ in 0..if take.twice { 2 } else { 1 } {
            push(&desk, &account, url, told(&account, &sms, status, code)).await;
        }
    };
    tell("sent", None).await;
    match journey::arrival(&desk.world, &sms.to, &take).await {
        None => {}
        Some(End::Delivered) => tell("delivered", None).await,
        Some(End::Undeliverable) => tell("undelivered", Some(30005)).await,
        Some(End::Rejected) => tell("undelivered", Some(30007)).await,
        Some(End::Expired) => tell("undelivered", Some(30036)).await,
        Some(End::Failed(code)) => tell("failed", Some(code)).await,
        Some(End::Word(word)) => tell(&word, None).await,
    }
}

fn told(account: &Account, sms: &Sms, status: &str, code: Option<i64>) -> Vec<(String, String)> {
    let own = account.credentials.name();
    let mut fields = owned(&[
        ("SmsSid", &sms.id),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", &sms.to),
        ("MessageSid", &sms.id),
        ("AccountSid", &own),
        ("From", &sms.from),
        ("ApiVersion", VERSION),
    ]);
    if let Some(code) = code {
        fields.push(("ErrorCode".to_owned(), code.to_string()));
    }
    fields
}
