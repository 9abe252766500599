//! Leaving and fetching media: sealed bytes in, sealed bytes out, never looked into.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::Shared;

/// Bytes; above what WhatsApp takes for a document.
const LARGEST: usize = 256 << 20;

#[derive(Deserialize)]
pub(crate) struct Asked {
    auth: Option<String>,
    resume: Option<String>,
}

/// Any path that is nothing else.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    Query(asked): Query<Asked>,
    body: Body,
) -> Response {
    if let Some(status) = shared.world().media_fault() {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::GONE).into_response();
    }
    match method {
        Method::POST | Method::PUT => leave(&shared, uri.path(), &asked, body).await,
        Method::GET => fetch(&shared, uri.path()),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn leave(shared: &Shared, path: &str, asked: &Asked, body: Body) -> Response {
    if asked.auth.as_ref() != Some(&shared.world().blobs.auth) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let kept = format!("/v{path}");
    if asked.resume.is_some() {
        let is_here = shared.world().blobs.get(&kept).is_some();
        if !is_here {
            return StatusCode::NOT_FOUND.into_response();
        }
        let mut answer = whereabouts(shared, &kept);
        answer["resume"] = "complete".into();
        return Json(answer).into_response();
    }
    match axum::body::to_bytes(body, LARGEST).await {
        Ok(bytes) => {
            shared.world().blobs.put(kept.clone(), bytes);
            Json(whereabouts(shared, &kept)).into_response()
        }
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

fn whereabouts(shared: &Shared, path: &str) -> Value {
    let mut answer = json!({ "url": format!("https://{}{path}", shared.world().media_host), "direct_path": path });
    if path.starts_with("/v/newsletter/") {
        answer["handle"] = path.rsplit('/').next().into();
    }
    answer
}

fn fetch(shared: &Shared, path: &str) -> Response {
    match shared.world().blobs.get(path) {
        Some(bytes) => bytes.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
