//! What the carriers were given, phones that answer by SMS, and buyers at the till.

use axum::Json;
use axum::extract::{Path, State as AxumState};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sandbox_carriers::stripe::{Till, Unmoved};
use sandbox_carriers::{Handle, ReplyError};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Answer, refuse};
use crate::world::{Shared, World};

pub(super) async fn sms(AxumState(world): AxumState<Shared>) -> Response {
    listed(&world, Handle::sms)
}

pub(super) async fn voice(AxumState(world): AxumState<Shared>) -> Response {
    listed(&world, Handle::voice)
}

pub(super) async fn emails(AxumState(world): AxumState<Shared>) -> Response {
    listed(&world, Handle::emails)
}

#[derive(Serialize)]
struct Listed<T> {
    data: Vec<T>,
}

fn listed<T: Serialize>(world: &World, list: impl Fn(&Handle) -> Vec<T>) -> Response {
    Json(Listed { data: world.carriers.get().map(list).unwrap_or_default() }).into_response()
}

/// The phone writes an SMS to a name or number of a carrier; `None` when no carrier has it, or nothing is written that an
/// SMS could carry. Gives the carrier's id.
pub(super) async fn reply(world: &World, phone: &str, to: &str, given: &Map<String, Value>) -> Answer<Option<String>> {
    let text = given.get("text");
    let Some(text) = text.and_then(|text| text.get("body").or(Some(text))).and_then(Value::as_str) else {
        return Ok(None);
    };
    let Some(carriers) = world.carriers.get() else { return Ok(None) };
    match carriers.reply(&format!("+{phone}"), to, text).await {
        Ok(id) => Ok(Some(id)),
        Err(ReplyError::UnknownSender) => Ok(None),
        Err(error @ ReplyError::Nobody) => Err(refuse(StatusCode::CONFLICT, error.to_string())),
    }
}

/// The sessions at the till, oldest first.
pub(super) async fn payments(AxumState(world): AxumState<Shared>) -> Response {
    listed(&world, |carriers| carriers.stripe().payments())
}

pub(super) async fn pay(AxumState(world): AxumState<Shared>, Path(session): Path<String>) -> Answer {
    at_the_till(&world, |till| till.pay(&session))
}

pub(super) async fn expire(AxumState(world): AxumState<Shared>, Path(session): Path<String>) -> Answer {
    at_the_till(&world, |till| till.expire(&session))
}

fn at_the_till(world: &World, act: impl FnOnce(&Till) -> Result<Value, Unmoved>) -> Answer {
    let till = world.carriers.get().map(Handle::stripe);
    match till.ok_or(Unmoved::Unknown).and_then(act) {
        Ok(session) => Ok(Json(session).into_response()),
        Err(error @ Unmoved::Unknown) => Err(refuse(StatusCode::NOT_FOUND, error.to_string())),
        Err(error @ Unmoved::Over) => Err(refuse(StatusCode::CONFLICT, error.to_string())),
    }
}

/// Adds the carriers' counts.
pub(super) fn count(world: &World, stats: &mut Value) {
    let Some(carriers) = world.carriers.get() else { return };
    let counted = carriers.stats();
    (stats["sms"], stats["voice"], stats["smtp"]) = (json!(counted.sms), json!(counted.voice), json!(counted.smtp));
}
