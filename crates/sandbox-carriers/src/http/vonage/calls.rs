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
use super::super::journey::{self, Ring};
use super::{Problem, customer, object, push};
use crate::ledger::Call;
use crate::outside::Target;
use crate::serve::cut;

pub(super) async fn create(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let checked = customer(&desk, &headers).and_then(|account| {
        let json = object(&body)?;
        Ok((wanted(&desk, &account, &json)?, account, json))
    });
    let (call, account, json) = match checked {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let take = match course::of(&desk.world, Target::Voice).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let url = json["event_url"][0].as_str().map(str::to_owned);
    let sameness = url.clone().unwrap_or_else(|| call.id.clone());
    desk.world.voice.take(call.clone(), ("vonage", sameness));
    let answer = json!({
        "uuid": call.id, "status": "started", "direction": "outbound",
        "conversation_uuid": call.more["conversation_uuid"],
    });
    let answer = (StatusCode::CREATED, Json(answer)).into_response();
    let (cut_off, early) = (take.cut, take.early);
    let life = live(Arc::clone(&desk), account, call, url, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    if cut_off { cut() } else { answer }
}

fn wanted(desk: &Shared, account: &Account, json: &Value) -> Result<Call, Problem> {
    let number = |value: &Value| {
        let number = value["number"].as_str().filter(|number| value["type"] == "phone" && is_bare(number));
        number.map(str::to_owned)
    };
    let to = number(&json["to"][0]).ok_or_else(|| Problem::wrong("to", "must be a phone"))?;
    let from = number(&json["from"]).ok_or_else(|| Problem::wrong("from", "must be a phone"))?;
    if !account.may_send_from(&from) {
        return Err(Problem::wrong("from", "is no number of the account"));
    }
    let talk = &json["ncco"][0];
    let words = talk["text"].as_str().filter(|_| talk["action"] == "talk");
    let words = words.ok_or_else(|| Problem::wrong("ncco", "must begin with a talk"))?;
    let mut more = Map::new();
    more.insert("conversation_uuid".to_owned(), json!(format!("CON-{}", desk.uuid())));
    more.insert("times".to_owned(), if talk["loop"].is_null() { json!(1) } else { talk["loop"].clone() });
    Ok(Call {
        id: desk.uuid(),
        carrier: "vonage",
        from,
        to: format!("+{to}"),
        text: words.to_owned(),
        language: talk["language"].as_str().unwrap_or_default().to_owned(),
        status: "started".to_owned(),
        at: desk.world.now(),
        more,
    })
}

async fn live(desk: Shared, account: Arc<Account>, call: Call, url: Option<String>, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    let tell = async |status: &str| {
        desk.world.voice.change(&call.id, |call| call.status = status.to_owned());
        let Some(url) = &url else { return };
        for _ in 0..if take.twice { 2 } else { 1 } {
            push(&desk, &account, url, &told(&call, status, desk.world.now())).await;
        }
    };
    tell("started").await;
    tell("ringing").await;
    match journey::ring(&desk.world, &call.to, &take) {
        Ring::Answered => {
            tell("answered").await;
            tell("completed").await;
        }
        Ring::Busy => tell("busy").await,
        Ring::NoAnswer => tell("timeout").await,
        Ring::Declined => tell("rejected").await,
        Ring::Failed => tell("failed").await,
        Ring::Word(word) => tell(&word).await,
    }
}

fn told(call: &Call, status: &str, now: i64) -> Value {
    let mut json = json!({
        "headers": {}, "from": call.from, "to": call.to.trim_start_matches('+'), "uuid": call.id,
        "conversation_uuid": call.more["conversation_uuid"], "status": status, "direction": "outbound",
        "timestamp": rfc3339(now),
    });
    if status == "completed" {
        json["duration"] = json!("9");
        json["rate"] = json!("0.00450000");
        json["price"] = json!("0.00067500");
        json["start_time"] = json!(rfc3339(call.at));
        json["end_time"] = json!(rfc3339(now));
    }
    if status == "failed" {
        json["detail"] = json!("cannot_route");
    }
    json
}
