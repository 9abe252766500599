//! Faults, limits, Meta's decisions, and what has been counted.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as AxumState};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, bad, carriers, read, refuse};
use crate::delivery;
use crate::faults::{Fault, Target};
use crate::limits::parse_tier;
use crate::phones::messages::Direction;
use crate::templates::review;
use crate::world::Shared;

pub(super) async fn faults(AxumState(world): AxumState<Shared>) -> Response {
    Json(json!({"data": world.state().faults})).into_response()
}

pub(super) async fn add_fault(AxumState(world): AxumState<Shared>, body: Bytes) -> Answer {
    let fault: Fault = read(&body)?;
    if let Some(why) = fault.refusal() {
        return Err(bad(why));
    }
    if fault.target == Target::Web {
        let none = || refuse(StatusCode::NOT_IMPLEMENTED, "there is no WhatsApp Web here");
        world.web.as_ref().ok_or_else(none)?.add_fault(&fault)?;
    } else {
        world.state().faults.push(fault.clone());
    }
    Ok(Json(fault).into_response())
}

pub(super) async fn clear_faults(AxumState(world): AxumState<Shared>) -> Response {
    let of_web = world.web.as_ref().map_or(0, |web| web.clear_faults());
    let cleared = std::mem::take(&mut world.state().faults).len() + of_web;
    Json(json!({"cleared": cleared})).into_response()
}

pub(super) async fn limits(AxumState(world): AxumState<Shared>) -> Response {
    let state = world.state();
    let limits = &state.limits;
    Json(json!({"throughput_per_s": limits.throughput_per_s, "pair_per_6s": limits.pair_per_6s, "tier": limits.tier}))
        .into_response()
}

/// What is not named is off.
pub(super) async fn set_limits(AxumState(world): AxumState<Shared>, body: Bytes) -> Answer {
    let given: Map<String, Value> = read(&body)?;
    if let Some(unknown) = given.keys().find(|key| !["throughput_per_s", "pair_per_6s", "tier"].contains(&key.as_str()))
    {
        return Err(bad(format!("there is no limit `{unknown}`")));
    }
    let number = |key: &str| match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|n| *n > 0) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(format!("`{key}` must be a positive integer"))),
        },
    };
    let tier = match given.get("tier") {
        None | Some(Value::Null) => None,
        Some(value) => parse_tier(value).ok_or_else(|| bad("`tier` must be a number or a word like TIER_2K"))?,
    };
    world.state().limits.set(number("throughput_per_s")?, number("pair_per_6s")?, tier);
    world.touch();
    Ok(limits(AxumState(world)).await)
}

#[derive(Deserialize)]
struct Review {
    status: String,
    reason: Option<String>,
}

const DECISIONS: [&str; 9] =
    ["APPROVED", "REJECTED", "PENDING", "PAUSED", "DISABLED", "IN_APPEAL", "PENDING_DELETION", "FLAGGED", "ARCHIVED"];

pub(super) async fn review(AxumState(world): AxumState<Shared>, Path(id): Path<u64>, body: Bytes) -> Answer {
    let review: Review = read(&body)?;
    let status = review.status.to_ascii_uppercase();
    if !DECISIONS.contains(&status.as_str()) {
        return Err(bad(format!("`status` must be one of {}", DECISIONS.join(", "))));
    }
    let mut state = world.state();
    if !review::decide(&world, &mut state, id, &status, review.reason.as_deref()) {
        return Err(refuse(StatusCode::NOT_FOUND, "there is no such template"));
    }
    Ok(Json(state.templates.get(&id).map(|template| template.node())).into_response())
}

#[derive(Deserialize)]
struct Event {
    field: String,
    value: Value,
}

pub(super) async fn account_event(
    AxumState(world): AxumState<Shared>,
    Path(waba): Path<String>,
    body: Bytes,
) -> Answer {
    let event: Event = read(&body)?;
    let state = world.state();
    let waba = state.wabas.get(&*waba).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such account"))?;
    delivery::tell_account(&world, &state, &waba.id.clone(), &event.field, &event.value);
    Ok(Json(json!({"success": true})).into_response())
}

pub(super) async fn stats(AxumState(world): AxumState<Shared>) -> Response {
    let owed = world.pushes.count();
    let state = world.state();
    let received = state.messages.iter().filter(|message| message.direction == Direction::Out).count();
    let mut stats = json!({
        "meta": {
            "sends": state.stats.sends,
            "repeated_sends": state.stats.repeated_sends,
            "pushes": state.stats.pushes,
            "failed_pushes": state.stats.failed_pushes,
            "owed": owed,
            "written_by_customers": received,
        },
        "web": world.web.as_ref().map(|web| web.stats()),
        "messages": state.messages.len(),
        "phones": state.phones.len(),
    });
    drop(state);
    carriers::count(&world, &mut stats);
    Json(stats).into_response()
}
