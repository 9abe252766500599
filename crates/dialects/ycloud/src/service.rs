//! What all handlers share, and how this dialect's answers look at the edge.

use std::ops::Deref;
use std::sync::Arc;

use api::throttle::{Limit, Standing, Throttle, Window};
use api::{Asked, Contract, Envelope, Problem, edge};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use engine::{Engine, Id};

use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::options::Options;

/// The cheap handle that handlers get.
#[derive(Clone)]
pub(crate) struct YCloud(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
    contract: Contract,
    throttle: Throttle<(Id, Class)>,
    hours: Throttle<Id>,
}

/// In seconds.
const HOUR: u32 = 3600;

/// Sending has a limit of its own; everything else shares one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Send,
    Other,
}

impl Deref for YCloud {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl YCloud {
    pub(crate) fn new(engine: Engine, options: Options) -> Self {
        let contract = Contract::new(options.contract);
        let (throttle, hours) = (Throttle::default(), Throttle::default());
        Self(Arc::new(Parts { contract, throttle, hours, engine, options }))
    }

    /// Counts a request of an organization. What does not send has a limit for each hour besides, and that is told.
    pub(crate) fn count(&self, organization: Id, class: Class) -> Standing {
        let now = self.engine.now();
        let standing = self.throttle.take((organization, class), self.limit(class), now);
        match self.hour(class).filter(|_| standing.retry_after.is_none()) {
            Some(hour) => self.hours.take(organization, hour, now),
            None => standing,
        }
    }

    fn hour(&self, class: Class) -> Option<Window> {
        let limit = self.options.other_per_hour;
        (class == Class::Other && limit > 0).then_some(Window { limit, seconds: HOUR })
    }

    fn limit(&self, class: Class) -> Limit {
        let per_second = match class {
            Class::Send => self.options.send_per_second,
            Class::Other => self.options.other_per_second,
        };
        Limit { per_minute: per_second.saturating_mul(60) }
    }
}

pub(crate) async fn contract(State(ycloud): State<YCloud>, headers: HeaderMap) -> Response {
    ycloud.contract.answer(&headers)
}

impl Envelope for YCloud {
    fn dialect(&self) -> &'static str {
        crate::NAME
    }

    fn request_id(&self, id: &Id) -> String {
        Noun::Request.spell(id)
    }

    fn problem(&self, problem: Problem) -> Response {
        let error = match problem {
            Problem::Unrouted => Error::new(Code::NotFound, "there is no such path"),
            Problem::MethodNotAllowed => Error::new(Code::MethodNotAllowed, "this path does not know this method"),
            Problem::Panicked => Error::new(Code::Internal, "something went wrong on our side"),
            Problem::TimedOut => Error::new(Code::Unavailable, "the request took too long; try again"),
        };
        error.into_response()
    }

    /// Errors get their body, and every answer its request id and the caller's standing.
    fn finish(&self, asked: &Asked, mut response: Response) -> Response {
        if let Some(error) = response.extensions_mut().remove::<Error>() {
            error.log(&asked.request_id);
            edge::give_json(&mut response, error.body(&asked.request_id));
            if let Some(seconds) = error.retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        let now = self.engine.now();
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(&asked.request_id) {
            headers.insert("ycloud-request-id", id);
        }
        let nobody = || self.hour(Class::Other).unwrap_or_else(|| self.limit(Class::Other).into()).full(now);
        let standing = asked.standing.get().copied().unwrap_or_else(nobody);
        show(headers, standing, now);
        response
    }
}

/// The IETF's headers, draft 06: the reset is in seconds to go.
fn show(headers: &mut HeaderMap, standing: Standing, now: i64) {
    let mut put =
        |name: &'static str, value: i64| headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    put("ratelimit-limit", i64::from(standing.limit));
    put("ratelimit-remaining", i64::from(standing.remaining));
    put("ratelimit-reset", (standing.reset - now / 1000).max(0));
    if let Ok(policy) = HeaderValue::try_from(format!("{};w={}", standing.limit, standing.window)) {
        headers.insert("ratelimit-policy", policy);
    }
    if let Some(seconds) = standing.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}
