//! `/sandbox/clock`, in sandbox mode only: moves the platform's time and the sandbox's together. It is as open as the
//! sandbox: for whoever shows the token of an exposed one, else for this machine.

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::{Engine, clock};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::accept::Ends;

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
    let clock = Router::new().route("/sandbox/clock", get(tell).post(advance).put(follow));
    guarded(clock, control.token.clone()).with_state((engine, control))
}

fn guarded<S: Clone + Send + Sync + 'static>(router: Router<S>, token: Option<String>) -> Router<S> {
    router.route_layer(middleware::from_fn_with_state(token, guard))
}

async fn guard(State(token): State<Option<String>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let refused = match token {
        Some(token) if sandbox::shows_token(&parts, &token) => None,
        Some(_) => Some((StatusCode::UNAUTHORIZED, "the sandbox's token is required")),
        None if is_local(&parts) => None,
        None => Some((StatusCode::FORBIDDEN, "the clock is for this machine only unless the sandbox is exposed")),
    };
    match refused {
        Some((status, why)) => (status, Json(json!({ "error": why }))).into_response(),
        None => next.run(Request::from_parts(parts, body)).await,
    }
}

fn is_local(parts: &Parts) -> bool {
    parts.extensions.get::<Ends>().is_some_and(|ends| ends.are_local())
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    async fn status(token: Option<&str>, peer: &str, address: &str, bearer: &str) -> u16 {
        let clock = guarded(Router::new().route("/sandbox/clock", get(async || "now")), token.map(str::to_owned));
        let mut request = http::Request::builder().uri(address).header("authorization", bearer);
        if let Ok(peer) = peer.parse::<SocketAddr>() {
            request = request.extension(Ends { peer, here: "192.0.2.7:8080".parse().unwrap() });
        }
        let request = request.body(Body::empty()).unwrap();
        clock.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn the_clock_is_for_this_machine_or_for_whoever_shows_the_token() {
        let bare = "/sandbox/clock";
        for (peer, wanted) in [
            ("127.0.0.1:9", 200),
            ("127.8.8.8:9", 200),
            ("[::1]:9", 200),
            ("[::ffff:127.0.0.1]:9", 200),
            ("192.0.2.7:9", 200),
            ("[::ffff:192.0.2.7]:9", 200),
            ("10.1.2.3:9", 403),
            ("[2001:db8::1]:9", 403),
            ("nobody knows who", 403),
        ] {
            assert_eq!(status(None, peer, bare, "").await, wanted, "{peer}");
        }
        for (address, bearer, wanted) in [
            (bare, "", 401),
            (bare, "Bearer wrong", 401),
            ("/sandbox/clock?token=wrong", "", 401),
            (bare, "Bearer right", 200),
            ("/sandbox/clock?token=right", "", 200),
        ] {
            for peer in ["127.0.0.1:9", "10.1.2.3:9"] {
                assert_eq!(status(Some("right"), peer, address, bearer).await, wanted, "{peer} {address} {bearer}");
            }
        }
    }
}
