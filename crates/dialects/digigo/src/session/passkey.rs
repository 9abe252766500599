//! Passkeys (ours, notes §24): the challenge handed out, the owner's signature taken back, the code confirmed.

use axum::http::StatusCode;
use engine::sessions::{Session, State};
use serde_json::{Value, json};
use web_wire::ask::Ask;

use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(crate) async fn show(call: Call) -> Handled {
    let session = session(&call).await?;
    let offer = session.as_ref().and_then(|session| session.offer.clone()).unwrap_or_default();
    let expires = offer["expires_at"].as_i64().map(|at| call.digigo.options.rfc3339(at));
    let state = session.as_ref().map_or("none", state);
    let (challenge, code) = match state {
        "awaiting_response" => (offer["challenge"].clone(), Value::Null),
        "awaiting_confirmation" => (Value::Null, offer["code"].clone()),
        _ => (Value::Null, Value::Null),
    };
    let expires = expires.filter(|_| state.starts_with("awaiting"));
    Ok(Answer::of(json!({ "state": state, "challenge": challenge, "code": code, "expires_at": expires })))
}

pub(crate) async fn respond(call: Call) -> Handled {
    asked_for(&call, State::AwaitingProof).await?;
    let credential = call.raw.clone().filter(Value::is_object).ok_or_else(Error::undecodable)?;
    let _: Value = ask(&call, Ask::PasskeyResponse { credential }).await?;
    answered(&call).await
}

pub(crate) async fn confirm(call: Call) -> Handled {
    asked_for(&call, State::AwaitingConfirmation).await?;
    let _: Value = ask(&call, Ask::PasskeyConfirm).await?;
    answered(&call).await
}

async fn answered(call: &Call) -> Handled {
    let session = session(call).await?;
    Ok(Answer::of(json!({ "state": session.as_ref().map_or("none", state) })))
}

async fn session(call: &Call) -> Result<Option<Session>, Error> {
    Ok(call.engine().session(&call.user.sender.id).await?)
}

fn state(session: &Session) -> &'static str {
    match session.state {
        State::AwaitingProof => "awaiting_response",
        State::AwaitingConfirmation => "awaiting_confirmation",
        State::Failed if session.reason.as_deref().is_some_and(|reason| reason.starts_with("the passkey")) => "failed",
        _ => "none",
    }
}

/// 409 when nothing of the kind was asked for, 410 when it is too late.
async fn asked_for(call: &Call, state: State) -> Result<(), Error> {
    let session = session(call).await?.filter(|session| session.state == state);
    let session = session.ok_or_else(|| Error::conflict("no passkey was asked for"))?;
    let expires = session.offer.as_ref().and_then(|offer| offer["expires_at"].as_i64());
    match expires.is_some_and(|at| at <= call.engine().now()) {
        true => Err(Error::new(StatusCode::GONE, "the passkey's challenge has expired")),
        false => Ok(()),
    }
}
