use std::sync::{Arc, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::account::Account;
use super::super::course::{self, Course, Take};
use super::super::desk::{Desk, Replays, Shared, is_e164, rfc3339};
use super::super::journey::{self, End};
use super::{Hook, Problem, customer, object, push, text};
use crate::ledger::Sms;
use crate::outside::Target;
use crate::serve::cut;

/// What a key was used for.
pub(crate) struct Replay {
    body: [u8; 32],
    /// `None` while the first request goes on.
    answer: Option<Value>,
}

/// SMS that one message may become.
const MOST_PARTS: usize = 10;

pub(super) async fn create(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let account = match customer(&desk, &headers) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.map(|key| format!("{}/{key}", account.credentials.name()));
    if let Some(key) = &key
        && let Some(answer) = replayed(&desk, key, &body)
    {
        return answer;
    }
    let claim = key.map(|key| Claim { desk: &desk, key });
    let answer = take(&desk, account, &body).await;
    if let (Some(claim), Taken::Message { answer, .. }) = (&claim, &answer) {
        claim.keep(&body, answer);
    }
    match answer {
        Taken::Refused(response) => response,
        Taken::Message { lost: true, .. } => cut(),
        Taken::Message { answer, .. } => Json(answer).into_response(),
    }
}

/// A key while its first request goes on. Only what was taken is remembered, also where nobody waited for the answer.
struct Claim<'a> {
    desk: &'a Desk,
    key: String,
}

impl Claim<'_> {
    fn keep(&self, body: &[u8], answer: &Value) {
        let replay = Replay { body: Sha256::digest(body).into(), answer: Some(answer.clone()) };
        replays(self.desk).put(self.key.clone(), replay);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut replays = replays(self.desk);
        if replays.get(&self.key).is_some_and(|replay| replay.answer.is_none()) {
            replays.forget(&self.key);
        }
    }
}

fn replays(desk: &Desk) -> MutexGuard<'_, Replays> {
    desk.replays.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Taken {
    Refused(Response),
    /// `lost`: nobody gets the answer.
    Message {
        answer: Value,
        lost: bool,
    },
}

/// The answer to a request that came before; else the key is taken.
fn replayed(desk: &Shared, key: &str, body: &[u8]) -> Option<Response> {
    let mut replays = replays(desk);
    let body: [u8; 32] = Sha256::digest(body).into();
    let Some(known) = replays.get(key) else {
        replays.put(key.to_owned(), Replay { body, answer: None });
        return None;
    };
    Some(match &known.answer {
        _ if known.body != body => {
            Problem::new(422, 10030, "Idempotency key reused", "The key was used for another request.").into_response()
        }
        None => Problem::new(409, 10031, "Request in progress", "The first request goes on.").into_response(),
        Some(answer) => ([("idempotent-replayed", "true")], Json(answer.clone())).into_response(),
    })
}

async fn take(desk: &Shared, account: Arc<Account>, body: &[u8]) -> Taken {
    let checked = object(body).and_then(|json| entry(desk, &account, &json).map(|sms| (sms, json)));
    let (sms, json) = match checked {
        Ok(wanted) => wanted,
        Err(problem) => return Taken::Refused(problem.into_response()),
    };
    let take = match course::of(&desk.world, Target::Sms).await {
        Course::Refuse(number) => return Taken::Refused(Problem::demanded(number).into_response()),
        Course::Silence => return Taken::Refused(course::silence(&desk.world).await),
        Course::Take(take) => take,
    };
    let hook = Hook::of(&json);
    let sameness = hook.as_ref().map_or_else(|| sms.id.clone(), |hook| hook.url.clone());
    desk.world.sms.take(sms.clone(), ("telnyx", sameness));
    let answer = json!({ "data": shown(&sms, "queued") });
    let (lost, early) = (take.cut, take.early);
    let life = live(Arc::clone(desk), account, sms, hook, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    Taken::Message { answer, lost }
}

fn entry(desk: &Shared, account: &Account, json: &Value) -> Result<Sms, Problem> {
    let to = text(json, "to").ok_or_else(|| Problem::lacks("to"))?;
    if !is_e164(to) {
        return Err(Problem::new(400, 40310, "Invalid 'to' address", format!("'{to}' is no valid address.")));
    }
    let from = text(json, "from").ok_or_else(|| Problem::lacks("from"))?;
    if !account.may_send_from(from) {
        let detail = format!("'{from}' is not assigned to the messaging profile.");
        return Err(Problem::new(400, 40305, "Invalid 'from' address", detail));
    }
    if !is_e164(from) && text(json, "messaging_profile_id").is_none() {
        return Err(Problem::lacks("messaging_profile_id"));
    }
    let words = text(json, "text").ok_or_else(|| Problem::lacks("text"))?;
    let split = sms_text::split(words);
    if split.parts.len() > MOST_PARTS {
        return Err(Problem::new(400, 40302, "Message too large", "The message has more than 10 parts."));
    }
    let mut more = Map::new();
    for name in ["webhook_url", "webhook_failover_url", "messaging_profile_id"] {
        more.insert(name.to_owned(), json[name].clone());
    }
    Ok(Sms {
        id: desk.uuid(),
        carrier: "telnyx",
        from: from.to_owned(),
        to: to.to_owned(),
        text: words.to_owned(),
        parts: u32::try_from(split.parts.len()).unwrap_or(u32::MAX),
        encoding: split.encoding.as_str().to_owned(),
        status: "queued".to_owned(),
        at: desk.world.now(),
        more,
    })
}

/// As Telnyx calls it.
pub(super) fn encoding(word: &str) -> &'static str {
    if word == "gsm7" { "GSM-7" } else { "UCS-2" }
}

/// As Telnyx shows a message.
fn shown(sms: &Sms, status: &str) -> Value {
    json!({
        "record_type": "message", "direction": "outbound", "id": sms.id, "type": "SMS",
        "messaging_profile_id": sms.more["messaging_profile_id"], "organization_id": null,
        "from": { "phone_number": sms.from, "carrier": "TELNYX LLC", "line_type": "VoIP" },
        "to": [{ "phone_number": sms.to, "status": status, "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless" }],
        "cc": [], "text": sms.text, "subject": null, "media": [], "webhook_url": sms.more["webhook_url"],
        "webhook_failover_url": sms.more["webhook_failover_url"], "encoding": encoding(&sms.encoding), "parts": sms.parts,
        "tags": [], "cost": { "amount": "0.0040", "currency": "USD" }, "received_at": rfc3339(sms.at), "sent_at": null,
        "completed_at": null, "valid_until": rfc3339(sms.at + 3_600_000), "errors": [],
    })
}

pub(super) async fn fetch(State(desk): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Err(problem) = customer(&desk, &headers) {
        return problem.into_response();
    }
    match desk.world.sms.change(&id, |sms| shown(sms, &sms.status)) {
        Some(data) => Json(json!({ "data": data })).into_response(),
        None => Problem::new(404, 10005, "Resource not found", "There is no such message.").into_response(),
    }
}

async fn live(desk: Shared, account: Arc<Account>, sms: Sms, hook: Option<Hook>, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    let tell = async |kind: &str, status: &str, errors: Value| {
        desk.world.sms.change(&sms.id, |sms| sms.status = status.to_owned());
        let Some(hook) = &hook else { return };
        for _ in 0..if take.twice { 2 } else { 1 } {
            let mut payload = shown(&sms, status);
            payload["sent_at"] = json!(rfc3339(sms.at));
            payload["errors"] = errors.clone();
            if kind == "message.finalized" {
                payload["completed_at"] = json!(rfc3339(desk.world.now()));
            }
            push(&desk, &account, hook, kind, payload).await;
        }
    };
    tell("message.sent", "sent", json!([])).await;
    let error = |code: i64, title: &str| json!([{ "code": code.to_string(), "title": title, "detail": title }]);
    let (status, errors) = match journey::arrival(&desk.world, &sms.to, &take).await {
        None => return,
        Some(End::Delivered) => ("delivered".to_owned(), json!([])),
        Some(End::Undeliverable) => ("delivery_failed".to_owned(), error(40008, "Undeliverable")),
        Some(End::Rejected) => ("delivery_failed".to_owned(), error(40002, "Blocked as spam - temporary")),
        Some(End::Expired) => ("delivery_failed".to_owned(), error(40005, "Message expired")),
        Some(End::Failed(code)) => ("delivery_failed".to_owned(), error(code, "Failed on demand")),
        Some(End::Word(word)) => (word, json!([])),
    };
    tell("message.finalized", &status, errors).await;
}
