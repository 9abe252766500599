//! `GET /health` and the contract: open to everybody.

use std::sync::Arc;

use api::Asked;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::service::Kirim;

pub(crate) async fn check(Extension(asked): Extension<Arc<Asked>>) -> Answer {
    Answer::new(answer::one(&json!({ "status": "ok" }), &asked.request_id))
}

pub(crate) async fn contract(State(kirim): State<Kirim>, headers: HeaderMap) -> Response {
    kirim.contract.answer(&headers)
}
