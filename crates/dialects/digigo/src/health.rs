//! `/health`: whether the service is up, and what it runs on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::options::Options;
use crate::service::Digigo;

pub(crate) async fn check(State(digigo): State<Digigo>) -> Response {
    let (options, now) = (&digigo.options, digigo.engine.now());
    let database = digigo.engine.is_up().await;
    let runtime = tokio::runtime::Handle::current().metrics();
    let (status, word, health) = match database {
        true => (StatusCode::OK, "OK", "healthy"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "ERROR", "unhealthy"),
    };
    let body = json!({
        "code": status.as_u16(), "data": word, "success": true, "status": health, "version": options.version,
        "uptime": (now - digigo.began_at) / 1000, "timestamp": options.rfc3339(now),
        "metrics": {
            "goroutines": runtime.num_alive_tasks(), "go_version": options.compiler,
            "cpu_count": std::thread::available_parallelism().map_or(1, usize::from),
            "go_max_procs": runtime.num_workers(),
        },
        "environment": environment(options),
        "build": { "commit": options.commit.unwrap_or_default() },
        "services": { "database": {
            "status": if database { "up" } else { "down" },
            "driver": if digigo.engine.db.is_postgres() { "postgres" } else { "sqlite" },
        } },
    });
    (status, Json(body)).into_response()
}

/// What the operator calls it is told only where he calls it something.
fn environment(options: &Options) -> Value {
    let mut all = json!({ "containerized": std::path::Path::new("/.dockerenv").exists() });
    for (name, text) in [("app_env", &options.environment), ("app_region", &options.region)] {
        if !text.is_empty() {
            all[name] = json!(text);
        }
    }
    all
}
