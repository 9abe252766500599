//! What is nobody's dialect: health, metrics, media links, providers' pushes, the sandbox's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::Engine;
use http::{StatusCode, header};
use media::Blobs;
use serde_json::json;
use store::{Tx, Work};
use tower::ServiceBuilder;

use super::hooks;
use super::sandbox::{self, Control};
use crate::telemetry;

/// Raised when the process can answer everything.
#[derive(Clone, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }
}

pub fn router(engine: Engine, ready: Ready, blobs: Blobs, media: Router, control: Option<Control>) -> Router {
    let own = Router::new()
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(readyz).with_state((engine.clone(), ready)))
        .route("/metrics", get(metrics).with_state((engine.clone(), blobs)));
    let own = own.merge(hooks::router(engine.clone())).merge(media);
    let own = match control {
        Some(control) => own.merge(sandbox::router(engine, control)),
        None => own,
    };
    own.fallback(|| async { (StatusCode::NOT_FOUND, Json(json!({ "error": "there is nothing here" }))) })
        .layer(ServiceBuilder::new().layer(axum::extract::DefaultBodyLimit::max(hooks::MOST)))
}

/// 200 when migrated, listening and able to write.
async fn readyz(State((engine, ready)): State<(Engine, Ready)>) -> Response {
    if !ready.0.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "starting" }))).into_response();
    }
    let written = engine.clock.clone();
    let probe = engine.db.write(Probe);
    let outcome = tokio::select! {
        outcome = probe => outcome.is_ok(),
        () = written.sleep(Duration::from_secs(5)) => false,
    };
    match outcome {
        true => Json(json!({ "status": "ready" })).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "the database does not take writes" })))
            .into_response(),
    }
}

struct Probe;

impl Work for Probe {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::settings::put(tx, "probe", "written").await
    }
}

async fn metrics(State((engine, blobs)): State<(Engine, Blobs)>) -> Response {
    match telemetry::render(&engine, &blobs).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "queues could not be counted");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
