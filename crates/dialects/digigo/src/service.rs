//! What all handlers share, and how this dialect's answers look at the edge.

use std::ops::Deref;
use std::sync::Arc;

use api::{Asked, Envelope, Problem};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use engine::{Engine, Id};
use tokio::sync::Semaphore;

use crate::answer::print;
use crate::avatar::Avatars;
use crate::errors::{Error, Shape};
use crate::options::Options;

/// Bodies with files in them are read this many at a time, for each of them lies in memory.
const LARGE_BODIES: usize = 8;

/// The cheap handle that handlers get.
#[derive(Clone)]
pub(crate) struct Digigo(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) large_bodies: Semaphore,
    pub(crate) avatars: Avatars,
    /// Milliseconds; when this process began to serve.
    pub(crate) began_at: i64,
}

impl Deref for Digigo {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Digigo {
    pub(crate) fn new(engine: Engine, options: Options) -> Self {
        let began_at = engine.now();
        let (large_bodies, avatars) = (Semaphore::new(LARGE_BODIES), Avatars::default());
        Self(Arc::new(Parts { engine, options, large_bodies, avatars, began_at }))
    }
}

impl Envelope for Digigo {
    fn dialect(&self) -> &'static str {
        crate::NAME
    }

    fn request_id(&self, id: &Id) -> String {
        id.hex32()
    }

    fn problem(&self, problem: Problem) -> Response {
        let error = match problem {
            Problem::Unrouted => Error::not_found("not found"),
            Problem::MethodNotAllowed => Error::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Problem::Panicked => Error::failed("something went wrong on our side"),
            Problem::TimedOut => Error::new(StatusCode::SERVICE_UNAVAILABLE, "the request took too long"),
        };
        print(Shape::A, Err(error))
    }

    fn finish(&self, asked: &Asked, mut response: Response) -> Response {
        if let Ok(id) = HeaderValue::try_from(&asked.request_id) {
            response.headers_mut().entry("x-request-id").or_insert(id);
        }
        response
    }
}
