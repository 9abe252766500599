//! A request as handlers see it, and what surrounds every operation: who asks, what was sent, how it is answered.

use std::future::Future;
use std::sync::Arc;

use api::path::Params;
use api::query::Query;
use api::{Asked, json};
use axum::body::{Body as HttpBody, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use engine::{Engine, Id};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use crate::answer::{Answer, print};
use crate::body::Body;
use crate::errors::{Error, Shape};
use crate::guard::{self, User};
use crate::service::Digigo;

pub(crate) type Handled = Result<Answer, Error>;

/// How an operation answers and how much it takes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    shape: Shape,
    /// How it tells callers that it does not know them.
    refusal: Shape,
    /// What it says of a body that is not JSON.
    unreadable: &'static str,
    largest: usize,
}

impl Rule {
    pub(crate) const fn of(shape: Shape) -> Self {
        let refusal = if matches!(shape, Shape::E) { Shape::A } else { shape };
        Self { shape, refusal, unreadable: "could not decode payload", largest: api::intake::LARGEST }
    }

    pub(crate) const fn refusing(self, refusal: Shape) -> Self {
        Self { refusal, ..self }
    }

    pub(crate) const fn unreadable(self, unreadable: &'static str) -> Self {
        Self { unreadable, ..self }
    }

    /// Its body may hold files of so many bytes.
    pub(crate) const fn with_files(self, bytes: u64) -> Self {
        Self { largest: in_base64(bytes), ..self }
    }
}

pub(crate) const A: Rule = Rule::of(Shape::A);
pub(crate) const B: Rule = Rule::of(Shape::B);
pub(crate) const C: Rule = Rule::of(Shape::C);
pub(crate) const E: Rule = Rule::of(Shape::E);
pub(crate) const RAW: Rule = Rule::of(Shape::Raw);
pub(crate) const ADMIN: Rule = A.refusing(Shape::B);

/// A file in base64, and what stands around it.
const fn in_base64(bytes: u64) -> usize {
    (bytes as usize).div_ceil(3) * 4 + 2 * api::intake::LARGEST
}

/// Bodies up to here are kept as they came.
const SMALL: usize = 64 << 10;

/// A request of a user.
pub(crate) struct Call {
    pub(crate) digigo: Digigo,
    pub(crate) user: Arc<User>,
    pub(crate) body: Body,
    /// The body as it came, where it is small.
    pub(crate) raw: Option<Value>,
    pub(crate) query: Query,
    pub(crate) request_id: String,
}

/// A request of an administrator.
pub(crate) struct Admin {
    pub(crate) digigo: Digigo,
    pub(crate) organization: Id,
    pub(crate) body: Body,
    pub(crate) query: Query,
    /// The `{id}` of the path.
    pub(crate) id: String,
}

impl Call {
    pub(crate) fn engine(&self) -> &Engine {
        &self.digigo.engine
    }
}

impl Admin {
    pub(crate) fn engine(&self) -> &Engine {
        &self.digigo.engine
    }
}

/// An operation for users.
pub(crate) fn user<F, Fut>(method: MethodFilter, rule: Rule, handler: F) -> MethodRouter<Digigo>
where
    F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Handled> + Send,
{
    on(method, move |State(digigo): State<Digigo>, request: Request| {
        let handler = handler.clone();
        async move {
            let outcome = async {
                let (parts, body) = request.into_parts();
                let user = guard::user(&digigo, &parts.headers).await?;
                name_organization(&parts, user.sender.organization_id);
                let (request_id, query) = (request_id(&parts), query(&parts)?);
                let (body, raw) = take(&digigo, body, rule).await?;
                handler(Call { digigo, user, body, raw, query, request_id }).await
            };
            answered(rule, outcome).await
        }
    })
}

/// An operation for administrators.
pub(crate) fn admin<F, Fut>(method: MethodFilter, rule: Rule, handler: F) -> MethodRouter<Digigo>
where
    F: Fn(Admin) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Handled> + Send,
{
    on(method, move |State(digigo): State<Digigo>, request: Request| {
        let handler = handler.clone();
        async move {
            let outcome = async {
                let (mut parts, body) = request.into_parts();
                let organization = guard::admin(&digigo, &parts.headers).await?;
                name_organization(&parts, organization);
                let (id, query) = (path_id(&mut parts).await?, query(&parts)?);
                let (body, _) = take(&digigo, body, rule).await?;
                handler(Admin { digigo, organization, body, query, id }).await
            };
            answered(rule, outcome).await
        }
    })
}

async fn answered(rule: Rule, outcome: impl Future<Output = Handled>) -> Response {
    let outcome = outcome.await;
    let unknown = matches!(&outcome, Err(error) if error.status == StatusCode::UNAUTHORIZED);
    print(if unknown { rule.refusal } else { rule.shape }, outcome)
}

fn name_organization(parts: &Parts, organization: Id) {
    if let Some(asked) = parts.extensions.get::<Arc<Asked>>() {
        let _ = asked.organization.set(organization);
    }
}

fn request_id(parts: &Parts) -> String {
    parts.extensions.get::<Arc<Asked>>().map(|asked| asked.request_id.clone()).unwrap_or_default()
}

fn query(parts: &Parts) -> Result<Query, Error> {
    Query::of(&parts.uri).map_err(|error| Error::bad(error.to_string()))
}

async fn path_id(parts: &mut Parts) -> Result<String, Error> {
    let params = Params::of(parts).await.map_err(|_| Error::not_found("user not found"))?;
    Ok(params.get("id").to_owned())
}

/// Reads a body. What it says of its type does not matter: callers of this API say all kinds of things.
async fn take(digigo: &Digigo, body: HttpBody, rule: Rule) -> Result<(Body, Option<Value>), Error> {
    let unreadable = || Error::bad(rule.unreadable);
    let bytes = read(digigo, body, rule.largest.min(in_base64(digigo.options.largest_file))).await?;
    let bytes = bytes.ok_or_else(unreadable)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok((Body::default(), None));
    }
    let value = json::parse(&bytes).map_err(|_| unreadable())?;
    let raw = (bytes.len() <= SMALL).then(|| value.clone());
    Ok((Body::of(Some(value))?, raw))
}

/// `None`: its sender broke off. What says that it is too long is not read at all.
async fn read(digigo: &Digigo, body: HttpBody, largest: usize) -> Result<Option<Bytes>, Error> {
    let too_large = || Error::new(StatusCode::PAYLOAD_TOO_LARGE, "payload too large");
    let announced = body.size_hint();
    if announced.lower() > largest as u64 {
        return Err(too_large());
    }
    // Small ones do not wait for the large.
    let _turn = match announced.upper().is_none_or(|most| most > api::intake::LARGEST as u64) {
        true => digigo.large_bodies.acquire().await.ok(),
        false => None,
    };
    match Limited::new(body, largest).collect().await {
        Ok(read) => Ok(Some(read.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Ok(None),
    }
}

/// A member of a query; empty when it was not given.
pub(crate) fn query_text(query: &Query, name: &str) -> Result<String, Error> {
    let found = query.at().maybe(name).and_then(|at| at.map(|at| at.string(0..=2000)).transpose());
    found.map(Option::unwrap_or_default).map_err(|error| Error::bad(error.to_string()))
}
