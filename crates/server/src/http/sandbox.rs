//! `/sandbox/clock`, in sandbox mode only: moves the platform's time and the sandbox's together.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::{Engine, clock};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where the sandbox's control API is, and how to reach it.
#[derive(Clone)]
pub struct Control {
    pub url: String,
    pub client: reqwest::Client,
    pub token: Option<String>,
}

/// How far the sandbox's time runs ahead.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Offset {
    pub offset_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct Advance {
    advance: String,
}

pub fn router(engine: Engine, control: Control) -> Router {
    Router::new().route("/sandbox/clock", get(tell).post(advance).put(follow)).with_state((engine, control))
}

type Shared = State<(Engine, Control)>;

fn time(engine: &Engine) -> Response {
    Json(json!({ "now": clock::rfc3339(engine.now()), "offset_ms": engine.clock.offset() })).into_response()
}

async fn tell(State((engine, _)): Shared) -> Response {
    time(&engine)
}

/// The sandbox keeps the offset: it is asked, and its answer followed.
async fn advance(State((engine, control)): Shared, Json(body): Json<Advance>) -> Response {
    let request = control.client.post(format!("{}/clock", control.url)).json(&body);
    let request = match &control.token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_GATEWAY, error.without_url().to_string()).into_response(),
    };
    let (status, body) = (answer.status(), answer.bytes().await.unwrap_or_default());
    match serde_json::from_slice::<Offset>(&body) {
        Ok(offset) if status.is_success() => {
            engine.clock.set_offset(offset.offset_ms);
            engine.wake.all();
            time(&engine)
        }
        _ => (status, body).into_response(),
    }
}

/// Somebody moved the sandbox's clock directly.
async fn follow(State((engine, _)): Shared, Json(offset): Json<Offset>) -> Response {
    engine.clock.set_offset(offset.offset_ms);
    engine.wake.all();
    time(&engine)
}
