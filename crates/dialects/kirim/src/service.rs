//! What all handlers share, and how this dialect's answers look at the edge.

use std::ops::Deref;
use std::sync::Arc;

use api::cursor::Cursors;
use api::once::Turns;
use api::throttle::{Limit, Standing, Throttle};
use api::{Asked, Contract, Envelope, Problem};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use engine::{Engine, Id};

use crate::answer::Answer;
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::options::Options;

/// The cheap handle that handlers get.
#[derive(Clone)]
pub(crate) struct Kirim(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    pub(crate) contract: Contract,
    pub(crate) cursors: Cursors,
    pub(crate) turns: Turns,
    throttle: Throttle<(Id, Class)>,
}

/// Reading and writing never share tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Read,
    Write,
}

impl Deref for Kirim {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Kirim {
    pub(crate) fn new(engine: Engine, options: Options) -> Self {
        Self(Arc::new(Parts {
            contract: Contract::new(options.contract),
            cursors: Cursors::new(&engine),
            turns: Turns::default(),
            throttle: Throttle::default(),
            engine,
            options,
        }))
    }

    /// Counts a request of an organization.
    pub(crate) fn count(&self, organization: Id, method: &Method) -> Standing {
        let (class, limit) = self.limit(method);
        self.throttle.take((organization, class), limit, self.engine.now())
    }

    fn limit(&self, method: &Method) -> (Class, Limit) {
        match *method {
            Method::GET | Method::HEAD => (Class::Read, Limit { per_minute: self.options.read_per_minute }),
            _ => (Class::Write, Limit { per_minute: self.options.write_per_minute }),
        }
    }
}

impl Envelope for Kirim {
    fn dialect(&self) -> &'static str {
        crate::NAME
    }

    fn request_id(&self, id: &Id) -> String {
        Noun::Request.spell(id)
    }

    fn problem(&self, problem: Problem) -> Response {
        let error = match problem {
            Problem::Unrouted => Error::new(Code::ResourceNotFound, "there is no such path"),
            Problem::MethodNotAllowed => Error::new(Code::MethodNotAllowed, "this path does not know this method"),
            Problem::Panicked => Error::new(Code::InternalError, "something went wrong on our side"),
            Problem::TimedOut => Error::new(Code::ServiceUnavailable, "the request took too long; try again"),
        };
        error.into_response()
    }

    /// Errors get their body, and every answer its request id and the caller's standing. Where the caller
    /// is not known, or nothing was counted, the standing is a full bucket's.
    fn finish(&self, asked: &Asked, mut response: Response) -> Response {
        if let Some(error) = response.extensions_mut().remove::<Error>() {
            error.log(&asked.request_id);
            let (headers, extensions) =
                (std::mem::take(response.headers_mut()), std::mem::take(response.extensions_mut()));
            response = Answer::new(error.given(&asked.request_id)).into_response();
            response.headers_mut().extend(headers);
            *response.extensions_mut() = extensions;
        }
        let headers = response.headers_mut();
        if !headers.contains_key("x-request-id")
            && let Ok(id) = HeaderValue::try_from(&asked.request_id)
        {
            headers.insert("x-request-id", id);
        }
        let standing = asked.standing.get().copied();
        let standing = standing.unwrap_or_else(|| self.limit(&asked.method).1.full(self.engine.now()));
        standing.show(headers);
        response
    }
}
