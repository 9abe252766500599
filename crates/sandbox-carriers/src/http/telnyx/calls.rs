//! A call goes on until it is hung up: events tell how far it is, commands what to do next.

use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::super::account::Account;
use super::super::course::{self, Course, Take};
use super::super::desk::{Desk, Shared, is_e164, rfc3339};
use super::super::journey::{self, Ring};
use super::{Hook, Problem, customer, object, push, text};
use crate::ledger::Call;
use crate::outside::Target;
use crate::serve::cut;

/// A call that was not hung up.
pub(crate) struct Line {
    account: Arc<Account>,
    call: Call,
    hook: Option<Hook>,
    /// What the customer wants to hear again.
    state: Value,
    /// Commands that were obeyed.
    commands: HashSet<String>,
    twice: bool,
}

type Lines<'a> = MutexGuard<'a, std::collections::HashMap<String, Line>>;

fn lines(desk: &Desk) -> Lines<'_> {
    desk.lines.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn dial(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
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
    let command = text(&json, "command_id").unwrap_or(&call.id);
    desk.world.voice.take(call.clone(), ("telnyx", command));
    let answer = json!({ "data": {
        "record_type": "call", "call_control_id": call.id, "call_leg_id": call.more["call_leg_id"],
        "call_session_id": call.more["call_session_id"], "is_alive": false, "client_state": json["client_state"],
    }});
    let line = Line {
        account,
        call: call.clone(),
        hook: Hook::of(&json),
        state: json["client_state"].clone(),
        commands: HashSet::new(),
        twice: take.twice,
    };
    lines(&desk).insert(call.id.clone(), line);
    let (cut_off, early) = (take.cut, take.early);
    let life = live(Arc::clone(&desk), call, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    if cut_off { cut() } else { Json(answer).into_response() }
}

fn wanted(desk: &Desk, account: &Account, json: &Value) -> Result<Call, Problem> {
    let to = text(json, "to").ok_or_else(|| Problem::lacks("to"))?;
    let from = text(json, "from").ok_or_else(|| Problem::lacks("from"))?;
    let connection = text(json, "connection_id").ok_or_else(|| Problem::lacks("connection_id"))?;
    if !is_e164(to) {
        return Err(Problem::new(422, 10016, "Phone number must be in +E164 format", "'to' is no valid number."));
    }
    if !is_e164(from) || !account.may_send_from(from) {
        let detail = "The source number is no number of the account.";
        return Err(Problem::new(403, 10010, "Authorization failed", detail));
    }
    let mut more = Map::new();
    more.insert("call_leg_id".to_owned(), json!(desk.uuid()));
    more.insert("call_session_id".to_owned(), json!(desk.uuid()));
    more.insert("connection_id".to_owned(), json!(connection));
    Ok(Call {
        id: format!("v3:{}", desk.fresh()),
        carrier: "telnyx",
        from: from.to_owned(),
        to: to.to_owned(),
        text: String::new(),
        language: String::new(),
        status: "dialing".to_owned(),
        at: desk.world.now(),
        more,
    })
}

async fn live(desk: Shared, call: Call, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    tell(&desk, &call.id, "call.initiated", json!({ "state": "bridging" }), "ringing").await;
    match journey::ring(&desk.world, &call.to, &take) {
        Ring::Answered => tell(&desk, &call.id, "call.answered", json!({ "state": "answered" }), "answered").await,
        Ring::Busy => end(&desk, &call.id, "user_busy").await,
        Ring::NoAnswer => end(&desk, &call.id, "timeout").await,
        Ring::Declined => end(&desk, &call.id, "call_rejected").await,
        Ring::Failed => end(&desk, &call.id, "not_found").await,
        Ring::Word(word) => end(&desk, &call.id, &word).await,
    }
}

/// Says an event of a call that goes on; `status` is what it comes to in the ledger.
async fn tell(desk: &Desk, id: &str, kind: &str, more: Value, status: &str) {
    let told = {
        let lines = lines(desk);
        let Some(line) = lines.get(id) else { return };
        (Arc::clone(&line.account), line.hook.clone(), payload(line, more), line.twice)
    };
    let (account, hook, payload, twice) = told;
    desk.world.voice.change(id, |call| call.status = status.to_owned());
    let Some(hook) = hook else { return };
    for _ in 0..if twice { 2 } else { 1 } {
        push(desk, &account, &hook, kind, payload.clone()).await;
    }
}

fn payload(line: &Line, more: Value) -> Value {
    let call = &line.call;
    let mut payload = json!({
        "call_control_id": call.id, "call_leg_id": call.more["call_leg_id"],
        "call_session_id": call.more["call_session_id"], "client_state": line.state,
        "connection_id": call.more["connection_id"], "direction": "outgoing", "from": call.from, "to": call.to,
        "start_time": rfc3339(call.at),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut payload, more) {
        all.extend(more);
    }
    payload
}

async fn end(desk: &Desk, id: &str, cause: &str) {
    let more =
        json!({ "hangup_cause": cause, "hangup_source": "callee", "sip_hangup_cause": "200", "state": "hangup" });
    let status = if cause == "normal_clearing" { "completed" } else { cause };
    tell(desk, id, "call.hangup", more, status).await;
    lines(desk).remove(id);
}

/// Obeys a command once. `None`: it was obeyed before.
fn command(desk: &Desk, headers: &HeaderMap, id: &str, body: &[u8]) -> Result<Option<Value>, Problem> {
    let account = customer(desk, headers)?;
    let json = object(body)?;
    let mut lines = lines(desk);
    let line = lines.get_mut(id).filter(|line| line.account.credentials == account.credentials);
    let line =
        line.ok_or_else(|| Problem::new(422, 90018, "Call has already ended", "This call is no longer active."))?;
    if let Some(command) = text(&json, "command_id")
        && !line.commands.insert(command.to_owned())
    {
        return Ok(None);
    }
    if !json["client_state"].is_null() {
        line.state = json["client_state"].clone();
    }
    Ok(Some(json))
}

fn obeyed() -> Response {
    Json(json!({ "data": { "result": "ok" } })).into_response()
}

pub(super) async fn speak(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let json = match command(&desk, &headers, &id, &body) {
        Ok(Some(json)) => json,
        Ok(None) => return obeyed(),
        Err(problem) => return problem.into_response(),
    };
    let (Some(words), Some(_)) = (text(&json, "payload"), text(&json, "voice")) else {
        return Problem::lacks("payload").into_response();
    };
    desk.world.voice.change(&id, |call| {
        call.text = words.to_owned();
        call.language = text(&json, "language").unwrap_or_default().to_owned();
        call.more.insert("times".to_owned(), if json["loop"].is_null() { json!(1) } else { json["loop"].clone() });
    });
    tokio::spawn(async move {
        if desk.world.pause(std::time::Duration::from_millis(10)).await {
            tell(&desk, &id, "call.speak.started", json!({}), "speaking").await;
            tell(&desk, &id, "call.speak.ended", json!({ "status": "completed" }), "spoken").await;
        }
    });
    obeyed()
}

pub(super) async fn hangup(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    match command(&desk, &headers, &id, &body) {
        Ok(Some(_)) => {
            tokio::spawn(async move {
                if desk.world.pause(std::time::Duration::from_millis(10)).await {
                    end(&desk, &id, "normal_clearing").await;
                }
            });
            obeyed()
        }
        Ok(None) => obeyed(),
        Err(problem) => problem.into_response(),
    }
}
