//! Putting a question to a user's running session.

use std::time::Duration;

use axum::http::StatusCode;
use engine::sessions::{self, CallError};
use serde::de::DeserializeOwned;
use web_wire::ask::Ask;

use crate::call::Call;
use crate::errors::Error;

/// How long a question may take, unless it is known to take longer.
pub(crate) const USUAL: Duration = Duration::from_secs(30);

/// Asks and reads the answer; refusals are told with the other side's words.
pub(crate) async fn ask<T: DeserializeOwned>(call: &Call, ask: Ask) -> Result<T, Error> {
    ask_for(call, ask, USUAL).await.map_err(told)
}

/// The same for questions that take their time, with the engine's own errors.
pub(crate) async fn ask_for<T: DeserializeOwned>(call: &Call, ask: Ask, patience: Duration) -> Result<T, CallError> {
    let (name, fields) = ask.into_parts();
    let answer = sessions::call(call.engine(), &call.user.sender.id, &name, fields, patience).await?;
    serde_json::from_value(answer).map_err(|error| CallError::Invalid(format!("an answer cannot be read: {error}")))
}

/// What callers are told when a question could not be answered.
pub(crate) fn told(error: CallError) -> Error {
    match error {
        CallError::NoSession => Error::no_session(),
        CallError::NotConnected => Error::failed("not connected"),
        CallError::TimedOut => Error::failed("WhatsApp did not answer in time"),
        CallError::Invalid(why) => Error::bad(why),
        CallError::Refused { message, .. } => Error::failed(message),
        CallError::Store(error) => error.into(),
    }
}

/// The same, with the operation's words before it: `failed to add contact: …`.
pub(crate) fn told_as(prefix: &str, error: CallError) -> Error {
    let told = told(error);
    match told.status {
        StatusCode::INTERNAL_SERVER_ERROR if told != Error::no_session() => {
            Error::failed(format!("{prefix}: {}", told.text))
        }
        _ => told,
    }
}
