//! The outermost layer of a dialect.
//!
//! Each request gets an id and a time limit; whatever happens to it, a panic included, it is answered in
//! the dialect's own shape, told to the log in one line and counted. What is learnt about a request on
//! its way in (whose it is, how the caller stands) is written into [`Asked`], so that the answer can show
//! it even when a handler failed.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use engine::{Engine, Id};
use foldhash::fast::RandomState;
use futures_util::FutureExt;

use crate::throttle::Standing;

/// How long a request may take, waiting for another of the same key included.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A request as the edge sees it.
#[derive(Debug)]
pub struct Asked {
    /// In the dialect's spelling.
    pub request_id: String,
    pub method: Method,
    /// `None`: no route.
    pub route: Option<MatchedPath>,
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
    /// The id that a caller brings along, where the dialect keeps it.
    fn brought_id(&self, _: &HeaderMap) -> Option<String> {
        None
    }
    fn problem(&self, problem: Problem) -> Response;
    /// The last word on every answer.
    fn finish(&self, asked: &Asked, response: Response) -> Response;
}

#[derive(Clone)]
struct Edge {
    engine: Engine,
    envelope: Arc<dyn Envelope>,
    figures: Arc<Figures>,
}

/// Puts the edge around a dialect's routes.
pub fn around(router: Router, engine: Engine, envelope: Arc<dyn Envelope>) -> Router {
    let figures = Arc::new(Figures::new(envelope.dialect()));
    let edge = Edge { engine, envelope, figures };
    let problem = |problem| {
        let envelope = edge.envelope.clone();
        move || std::future::ready(envelope.problem(problem))
    };
    router
        .fallback(problem(Problem::Unrouted))
        .method_not_allowed_fallback(problem(Problem::MethodNotAllowed))
        .layer(middleware::from_fn_with_state(edge, serve))
}

async fn serve(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let brought = edge.envelope.brought_id(request.headers());
    let asked = Arc::new(Asked {
        request_id: brought.unwrap_or_else(|| edge.envelope.request_id(&edge.engine.new_id())),
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        organization: OnceLock::new(),
        standing: OnceLock::new(),
    });
    request.extensions_mut().insert(asked.clone());
    let response = shield(&*edge.envelope, &asked.request_id, next.run(request)).await;
    let response = edge.envelope.finish(&asked, response);
    tell(&edge.figures, &asked, &response, begun.elapsed());
    response
}

/// Lets an answer say `json` instead of what it said.
pub fn give_json(response: &mut Response, json: Vec<u8>) {
    *response.body_mut() = Body::from(json);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.remove(header::CONTENT_LENGTH);
}

/// An answer, whatever becomes of the work.
async fn shield(envelope: &dyn Envelope, request_id: &str, work: impl Future<Output = Response>) -> Response {
    let caught = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(TIME_LIMIT, caught).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(request_id, panic = text, "a handler panicked");
            envelope.problem(Problem::Panicked)
        }
        Err(_) => {
            tracing::warn!(request_id, "a request took too long");
            envelope.problem(Problem::TimedOut)
        }
    }
}

fn tell(figures: &Figures, asked: &Asked, response: &Response, took: Duration) {
    let (method, status) = (known(&asked.method), response.status().as_u16());
    let route = asked.route.as_ref().map_or("none", MatchedPath::as_str);
    let (dialect, organization) = (figures.dialect, asked.organization.get().map(tracing::field::display));
    let request_id = &*asked.request_id;
    let took_ms = took.as_secs_f64() * 1000.0;
    // Answers that went well are told with `log.filter = "info,access=debug"`.
    match status < 400 {
        true => {
            tracing::debug!(target: "access", request_id, dialect, method, route, status, organization, took_ms, "answered")
        }
        false => {
            tracing::info!(target: "access", request_id, dialect, method, route, status, organization, took_ms, "answered")
        }
    }
    figures.count(route, method, status, took);
}

/// What is counted of requests. Looking a figure up by its labels costs more than counting, so they are kept.
struct Figures {
    dialect: &'static str,
    known: RwLock<HashMap<String, OfRoute, RandomState>>,
}

/// By method and status.
type OfRoute = HashMap<(&'static str, u16), Figure, RandomState>;

#[derive(Clone)]
struct Figure {
    requests: metrics::Counter,
    seconds: metrics::Histogram,
}

impl Figures {
    fn new(dialect: &'static str) -> Self {
        Self { dialect, known: RwLock::default() }
    }

    fn count(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let figure = self.figure(route, method, status);
        figure.requests.increment(1);
        figure.seconds.record(took.as_secs_f64());
    }

    fn figure(&self, route: &str, method: &'static str, status: u16) -> Figure {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(figure) = known.get(route).and_then(|figures| figures.get(&(method, status))) {
            return figure.clone();
        }
        drop(known);
        let labels = [("dialect", self.dialect.to_owned()), ("method", method.to_owned()), ("route", route.to_owned())];
        let seconds = metrics::histogram!("hermod_http_request_seconds", &labels);
        let [dialect, method_label, route_label] = labels;
        let labels = [dialect, method_label, route_label, ("status", status.to_string())];
        let requests = metrics::counter!("hermod_http_requests_total", &labels);
        let figure = Figure { requests, seconds };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().insert((method, status), figure.clone());
        figure
    }
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
        let answer = shield(&Plain, "1", falls()).await;
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
