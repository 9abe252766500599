//! What stands in for `web` in a build without WhatsApp Web: nothing is there, and callers are told so.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::control::{Answer, Refusal, refuse};
use crate::faults::Fault;
use crate::phones::Phone;
use crate::phones::messages::Message;
use crate::state::State;
use crate::world::Shared;

/// Never made.
pub(crate) enum Web {}

impl Web {
    pub(crate) async fn start(_: SocketAddr, _: Option<PathBuf>, _: Clock) -> Result<Option<Self>, crate::Error> {
        Ok(None)
    }

    pub(crate) fn urls(&self) -> Value {
        match *self {}
    }

    pub(crate) fn stats(&self) -> Value {
        match *self {}
    }

    pub(crate) async fn stop(&self) {
        match *self {}
    }

    pub(crate) fn behave(&self, _: &str, _: &Phone) {
        match *self {}
    }

    pub(crate) fn block(&self, _: &str, _: &[String], _: &[String]) {
        match *self {}
    }

    pub(crate) fn add_fault(&self, _: &Fault) -> Answer<()> {
        match *self {}
    }

    pub(crate) fn clear_faults(&self) -> usize {
        match *self {}
    }
}

fn absent() -> Refusal {
    refuse(StatusCode::NOT_IMPLEMENTED, "this build has no WhatsApp Web: it needs the feature web-sandbox")
}

pub(crate) fn routes() -> Router<Shared> {
    let nothing = || post(async || -> Response { absent().into_response() });
    Router::new()
        .route("/phones/{phone}/link", nothing())
        .route("/phones/{phone}/link/{device}", nothing())
        .route("/phones/{phone}/passkey", nothing())
        .route("/phones/{phone}/calls", nothing())
        .route("/phones/{phone}/calls/{id}", nothing())
        .route("/groups", nothing())
}

pub(crate) fn about(_: &Shared, _: &State, _: &str) -> Value {
    Value::Null
}

pub(crate) fn follow(_: &Shared) {}

pub(crate) fn carry(_: &Shared, _: &State, _: &Message) {}

pub(crate) fn read_by_business(_: &Shared, _: &str, _: &str) {}

pub(crate) async fn write(_: &Shared, _: &str, to: &str, _: &Map<String, Value>) -> Answer<String> {
    Err(refuse(StatusCode::NOT_FOUND, format!("{to} is not a business number here")))
}

pub(crate) fn change(_: &Shared, _: &str, _: &str, _: Option<&str>) -> Answer<Option<Value>> {
    Ok(None)
}

pub(crate) fn read(_: &Shared, _: &str, _: Option<&[String]>) -> usize {
    0
}

pub(crate) fn typing(_: &Shared, _: &str, to: &str, _: &str) -> Answer<()> {
    Err(refuse(StatusCode::NOT_FOUND, format!("{to} is not a business number here")))
}
