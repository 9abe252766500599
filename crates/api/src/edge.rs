//! The outermost layer of a dialect.
//!
//! Each request gets an id and a time limit; whatever happens to it, a panic included, it is answered in
//! the dialect's own shape, told to the log in one line and counted. What is learnt about a request on
//! its way in (whose it is, how the caller stands) is written into [`Asked`], so that the answer can show
//! it even when a handler failed.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use engine::{Engine, Id};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::throttle::Standing;

/// How long a request may take, waiting for another of the same key included.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A request as the edge sees it.
#[derive(Debug)]
pub struct Asked {
    /// In the dialect's spelling.
    pub request_id: String,
    pub method: Method,
    /// The route's pattern; `None`: no route.
    pub route: Option<String>,
    /// Whose request it is, once known.
    pub organization: OnceLock<Id>,
    /// How the caller stands, once counted.
    pub standing: OnceLock<Standing>,
}

/// What no handler sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such path.
    Unrouted,
    /// There is, but not for this method.
    MethodNotAllowed,
    Panicked,
    TimedOut,
}

/// How a dialect answers.
pub trait Envelope: Send + Sync + 'static {
    /// The dialect's name in figures.
    fn dialect(&self) -> &'static str;
    /// The dialect's spelling of a request's id.
    fn request_id(&self, id: &Id) -> String;
    fn problem(&self, problem: Problem) -> Response;
    /// The last word on every answer.
    fn finish(&self, asked: &Asked, response: Response) -> Response;
}

#[derive(Clone)]
struct Edge {
    engine: Engine,
    envelope: Arc<dyn Envelope>,
}

/// Puts the edge around a dialect's routes.
pub fn around(router: Router, engine: Engine, envelope: Arc<dyn Envelope>) -> Router {
    let edge = Edge { engine, envelope };
    router
        .fallback(unrouted)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(edge.clone(), serve))
        .layer(Extension(edge))
}

async fn unrouted(Extension(edge): Extension<Edge>) -> Response {
    edge.envelope.problem(Problem::Unrouted)
}

async fn method_not_allowed(Extension(edge): Extension<Edge>) -> Response {
    edge.envelope.problem(Problem::MethodNotAllowed)
}

async fn serve(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let asked = Arc::new(Asked {
        request_id: edge.envelope.request_id(&edge.engine.new_id()),
        method: request.method().clone(),
        route,
        organization: OnceLock::new(),
        standing: OnceLock::new(),
    });
    request.extensions_mut().insert(asked.clone());
    let span = tracing::info_span!("request", request_id = asked.request_id);
    let response = shield(&*edge.envelope, next.run(request)).instrument(span.clone()).await;
    let response = edge.envelope.finish(&asked, response);
    span.in_scope(|| tell(edge.envelope.dialect(), &asked, &response, begun.elapsed()));
    response
}

/// An answer, whatever becomes of the work.
async fn shield(envelope: &dyn Envelope, work: impl Future<Output = Response>) -> Response {
    let caught = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(TIME_LIMIT, caught).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(panic = text, "a handler panicked");
            envelope.problem(Problem::Panicked)
        }
        Err(_) => {
            tracing::warn!("a request took too long");
            envelope.problem(Problem::TimedOut)
        }
    }
}

fn tell(dialect: &'static str, asked: &Asked, response: &Response, took: Duration) {
    let (method, status) = (known(&asked.method), response.status().as_u16());
    let route = asked.route.as_deref().unwrap_or("none");
    let organization = asked.organization.get().map(tracing::field::display);
    let took_ms = took.as_secs_f64() * 1000.0;
    // Answers that went well are told with `log.filter = "info,access=debug"`.
    match status < 400 {
        true => tracing::debug!(target: "access", dialect, method, route, status, organization, took_ms, "answered"),
        false => tracing::info!(target: "access", dialect, method, route, status, organization, took_ms, "answered"),
    }
    let labels = [("dialect", dialect.to_owned()), ("method", method.to_owned()), ("route", route.to_owned())];
    metrics::histogram!("hermod_http_request_seconds", &labels).record(took.as_secs_f64());
    let status = status.to_string();
    let [dialect, method, route] = labels;
    metrics::counter!("hermod_http_requests_total", &[dialect, method, route, ("status", status)]).increment(1);
}

/// Anybody can invent methods; figures know only the usual ones.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use super::*;

    struct Plain;

    impl Envelope for Plain {
        fn dialect(&self) -> &'static str {
            "plain"
        }
        fn request_id(&self, id: &Id) -> String {
            id.hex24()
        }
        fn problem(&self, problem: Problem) -> Response {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{problem:?}")).into_response()
        }
        fn finish(&self, _: &Asked, response: Response) -> Response {
            response
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_like_anything_else() {
        async fn falls() -> Response {
            panic!("with a secret in it")
        }
        let answer = shield(&Plain, falls()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
        assert_eq!(body, "Panicked");
    }

    #[test]
    fn invented_methods_make_no_figures_of_their_own() {
        assert_eq!(known(&Method::PATCH), "PATCH");
        assert_eq!(known(&Method::from_bytes(b"BREW").unwrap()), "other");
    }
}
