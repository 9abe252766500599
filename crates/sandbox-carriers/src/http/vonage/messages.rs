use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::super::account::Account;
use super::super::course::{self, Course, Take};
use super::super::desk::{Shared, is_bare, rfc3339};
use super::super::journey::{self, End};
use super::{Problem, customer, object, push, text};
use crate::ledger::Sms;
use crate::outside::Target;
use crate::serve::cut;

pub(super) async fn create(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let checked = customer(&desk, &headers).and_then(|account| {
        let json = object(&body)?;
        Ok((entry(&desk, &account, &json)?, account, json))
    });
    let (sms, account, json) = match checked {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let take = match course::of(&desk.world, Target::Sms).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let sameness = json["client_ref"].as_str().unwrap_or(&sms.id).to_owned();
    desk.world.sms.take(sms.clone(), ("vonage", sameness));
    let answer = (StatusCode::ACCEPTED, Json(json!({ "message_uuid": sms.id }))).into_response();
    let (cut_off, early) = (take.cut, take.early);
    let life = live(Arc::clone(&desk), account, sms, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    if cut_off { cut() } else { answer }
}

fn entry(desk: &Shared, account: &Account, json: &Value) -> Result<Sms, Problem> {
    for (name, wanted) in [("message_type", "text"), ("channel", "sms")] {
        if text(json, name)? != wanted {
            return Err(Problem::wrong(name, "is not known here"));
        }
    }
    let (from, to, words) = (text(json, "from")?, text(json, "to")?, text(json, "text")?);
    if !is_bare(to) {
        return Err(Problem::wrong("to", "must be a number in E.164 without a plus"));
    }
    if !account.may_send_from(from) {
        let detail = "Illegal Sender Address - rejected";
        return Err(Problem::new(422, "1120", "Illegal Sender Address", detail));
    }
    let mut more = Map::new();
    for name in ["client_ref", "webhook_url"] {
        more.insert(name.to_owned(), json[name].clone());
    }
    let split = sms_text::split(words);
    Ok(Sms {
        id: desk.uuid(),
        carrier: "vonage",
        from: from.to_owned(),
        to: format!("+{to}"),
        text: words.to_owned(),
        parts: u32::try_from(split.parts.len()).unwrap_or(u32::MAX),
        encoding: split.encoding.as_str().to_owned(),
        status: "accepted".to_owned(),
        at: desk.world.now(),
        more,
    })
}

async fn live(desk: Shared, account: Arc<Account>, sms: Sms, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    let tell = async |status: &str, error: Option<(i64, &str)>| {
        desk.world.sms.change(&sms.id, |sms| sms.status = status.to_owned());
        let Some(url) = sms.more["webhook_url"].as_str() else { return };
        for _ in 0..if take.twice { 2 } else { 1 } {
            push(&desk, &account, url, &told(&sms, status, error, desk.world.now())).await;
        }
    };
    tell("submitted", None).await;
    match journey::arrival(&desk.world, &sms.to, &take).await {
        None => {}
        Some(End::Delivered) => tell("delivered", None).await,
        Some(End::Undeliverable) => tell("undeliverable", Some((1260, "Destination unreachable"))).await,
        Some(End::Rejected) => tell("rejected", Some((1210, "Anti-Spam Rejection"))).await,
        Some(End::Expired) => tell("rejected", Some((1180, "Absent Subscriber - Temporary"))).await,
        Some(End::Failed(code)) => tell("rejected", Some((code, "Failed on demand"))).await,
        Some(End::Word(word)) => tell(&word, None).await,
    }
}

fn told(sms: &Sms, status: &str, error: Option<(i64, &str)>, now: i64) -> Value {
    let mut json = json!({
        "message_uuid": sms.id, "to": sms.to.trim_start_matches('+'), "from": sms.from, "timestamp": rfc3339(now),
        "status": status, "client_ref": sms.more["client_ref"], "channel": "sms",
        "usage": { "currency": "EUR", "price": "0.0333" }, "destination": { "network_code": "12345" },
        "sms": { "count_total": sms.parts.to_string() },
    });
    if let Some((code, detail)) = error {
        json["error"] = json!({
            "type": format!("https://developer.vonage.com/api-errors/messages#{code}"), "title": code, "detail": detail,
            "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
        });
    }
    json
}
