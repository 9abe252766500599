//! `/user/update`: another name, another token.

use engine::Refusal;
use engine::enrolment::Rename;
use serde_json::json;

use crate::admin::create::{check_name, check_token};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;

const SHORTEST_TOKEN: usize = 8;

pub(super) async fn update(call: Call) -> Handled {
    let sender = &call.user.sender;
    let name = call.body.text(&["name"])?;
    let token = call.body.text(&["token"])?;
    if name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::bad("Name cannot be empty"));
    }
    if token.as_deref().is_some_and(|token| token.len() < SHORTEST_TOKEN) {
        return Err(Error::bad("Token too short (min 8 characters)"));
    }
    name.as_deref().map_or(Ok(()), check_name)?;
    token.as_deref().map_or(Ok(()), check_token)?;
    let name = name.filter(|name| Some(name) != sender.name.as_ref());
    let token = token.filter(|token| *token != call.user.token);
    if name.is_none() && token.is_none() {
        return Err(Error::bad("No changes detected"));
    }
    let rename = Rename {
        engine: call.engine().clone(),
        sender: sender.id,
        dialect: crate::NAME,
        seen: sender.updated_at,
        name,
        token: token.clone(),
    };
    let changed = call.engine().perform(rename).await?.map_err(refused)?;
    Ok(Answer::of(json!({
        "id": call.user.id(), "name": changed.name, "token": token.unwrap_or_else(|| call.user.token.clone()),
        "message": "Profile updated successfully",
    })))
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Taken { field: "token" } => Error::conflict("Token already in use"),
        Refusal::Taken { .. } => Error::conflict("Profile was modified by another request. Please try again"),
        other => Error::failed(format!("Failed to update profile: {other}")),
    }
}
