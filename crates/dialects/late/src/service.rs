//! What all handlers share, and how this dialect's answers look at the edge.

use std::ops::Deref;
use std::sync::Arc;

use api::throttle::{Limit, Standing, Throttle};
use api::{Asked, Contract, Envelope, Problem, edge};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use engine::{Engine, Id};

use crate::errors::{Code, Error};
use crate::options::Options;

/// The cheap handle that handlers get.
#[derive(Clone)]
pub(crate) struct Late(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    contract: Contract,
    throttle: Throttle<Id>,
}

impl Deref for Late {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Late {
    pub(crate) fn new(engine: Engine, options: Options) -> Self {
        let contract = Contract::new(options.contract);
        Self(Arc::new(Parts { contract, throttle: Throttle::default(), engine, options }))
    }

    /// Counts a request of an organization.
    pub(crate) fn count(&self, organization: Id) -> Standing {
        self.throttle.take(organization, self.limit(), self.engine.now())
    }

    fn limit(&self) -> Limit {
        Limit { per_minute: self.options.requests_per_minute }
    }
}

pub(crate) async fn contract(State(late): State<Late>, headers: HeaderMap) -> Response {
    late.contract.answer(&headers)
}

impl Envelope for Late {
    fn dialect(&self) -> &'static str {
        crate::NAME
    }

    fn request_id(&self, id: &Id) -> String {
        ["req_", &id.hex24()].concat()
    }

    fn brought_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = headers.get("x-request-id")?.to_str().ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        ((1..=128).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
    }

    fn problem(&self, problem: Problem) -> Response {
        let error = match problem {
            Problem::Unrouted => Error::not_found(),
            Problem::MethodNotAllowed => Error::new(Code::MethodNotAllowed, "Method not allowed"),
            Problem::Panicked => Error::new(Code::InternalError, "Something went wrong on our side"),
            Problem::TimedOut => Error::new(Code::ServiceUnavailable, "The request took too long; try again"),
        };
        error.into_response()
    }

    /// Errors are told to the log, and every answer gets its request id and the caller's standing.
    fn finish(&self, asked: &Asked, mut response: Response) -> Response {
        if let Some(error) = response.extensions_mut().remove::<Error>() {
            error.log(&asked.request_id);
            edge::give_json(&mut response, error.body());
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(&asked.request_id) {
            headers.insert("x-request-id", id);
        }
        let standing = asked.standing.get().copied();
        let standing = standing.unwrap_or_else(|| self.limit().full(self.engine.now()));
        standing.show(headers);
        response
    }
}
