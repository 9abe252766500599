//! What people do with others besides writing: they call them, and found groups.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as AxumState};
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{person, web};
use crate::control::{Answer, phone, read as read_body, refuse};
use crate::delivery;
use crate::phones::chats::Call;
use crate::world::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dial {
    to: String,
    #[serde(default)]
    video: bool,
}

pub(super) async fn call(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let (from, dial): (_, Dial) = (person(&phone(&number)?)?, read_body(&body)?);
    let to = person(&dial.to)?;
    let mut state = world.state();
    let id = web(&world)?.handle.call(&from, &to, dial.video);
    let call = Call { id: id.clone(), to: to.to_string(), video: dial.video, status: "ringing" };
    state.chats.add_call(from.digits(), call);
    Ok(Json(json!({"id": id})).into_response())
}

/// The caller gives up.
pub(super) async fn hang_up(AxumState(world): AxumState<Shared>, Path((number, id)): Path<(String, String)>) -> Answer {
    let from = person(&phone(&number)?)?;
    let mut state = world.state();
    let ended = state.chats.end_call(from.digits(), &id, "ended");
    let to =
        ended.ok_or_else(|| refuse(StatusCode::NOT_FOUND, format!("{number} is not calling anybody like that")))?;
    web(&world)?.handle.hang_up(&from, &person(&to)?, &id);
    drop(state);
    delivery::show(&world, from.digits());
    Ok(Json(json!({"success": true})).into_response())
}

pub(super) async fn calls(AxumState(world): AxumState<Shared>, Path(number): Path<String>) -> Answer {
    let calls = world.state().chats.calls(&phone(&number)?);
    Ok(Json(json!({"data": calls})).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Founded {
    name: String,
    owner: String,
    #[serde(default)]
    members: Vec<String>,
}

pub(super) async fn group(AxumState(world): AxumState<Shared>, body: Bytes) -> Answer {
    let founded: Founded = read_body(&body)?;
    let owner = person(&founded.owner)?;
    let members = founded.members.iter().map(|member| person(member)).collect::<Answer<Vec<_>>>()?;
    let id = web(&world)?.handle.create_group(&owner, &founded.name, &members);
    Ok(Json(json!({"id": id})).into_response())
}
