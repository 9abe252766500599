//! Who calls, whether they may call again so soon, and with which words.

use std::sync::Arc;

use api::intake::{self, Taken};
use api::{Asked, bearer};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use engine::keys::{ApiKey, Check};
use serde_json::Value;

use crate::errors::{Code, Error};
use crate::service::Late;

const PREFIX: &str = "sk_";

/// A key of 256 random bits: 67 characters.
#[must_use]
pub fn new_key(random: [u8; 32]) -> String {
    [PREFIX, &hex::encode(random)].concat()
}

/// A sandbox's key, the same whenever it is derived from the same secret.
#[must_use]
pub fn derive_key(secret: [u8; 32]) -> String {
    new_key(secret)
}

/// A request on its way to its handler.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) asked: Arc<Asked>,
    pub(crate) taken: Option<Taken>,
}

/// What a guard knows of the routes behind it.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) late: Late,
    /// What their bodies may measure.
    pub(crate) largest: usize,
}

pub(crate) async fn guard(
    State(Door { late, largest }): State<Door>,
    Extension(asked): Extension<Arc<Asked>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let key = admit(&late, &asked, request.headers()).await?;
    // Clients name a content type on every request, and some leave the body out where there should be one.
    let has_body = !matches!(*request.method(), Method::GET | Method::HEAD) && !is_form(request.headers());
    let taken = if has_body { Some(or_nothing(intake::take(&mut request, largest).await?)) } else { None };
    request.extensions_mut().insert(Admitted { key, asked, taken });
    Ok(next.run(request).await)
}

/// A form is read by whoever wants one; everybody else finds no body.
fn is_form(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or_default();
    said.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// Some clients write `null` where they have nothing to say.
fn or_nothing(taken: Taken) -> Taken {
    match &*taken.json {
        Ok(Some(Value::Null)) => Taken { json: Arc::new(Ok(None)), ..taken },
        _ => taken,
    }
}

/// Who calls, unless it is too often.
async fn admit(late: &Late, asked: &Asked, headers: &HeaderMap) -> Result<Arc<ApiKey>, Error> {
    let key = authenticate(late, headers).await?;
    let standing = late.count(key.organization_id);
    let _ = asked.organization.set(key.organization_id);
    let _ = asked.standing.set(standing);
    match standing.retry_after {
        None => Ok(key),
        Some(seconds) => {
            Err(Error::new(Code::RateLimitExceeded, format!("Rate limit exceeded. Try again in {seconds} s.")))
        }
    }
}

async fn authenticate(late: &Late, headers: &HeaderMap) -> Result<Arc<ApiKey>, Error> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Err(Error::new(Code::MissingApiKey, "Unauthorized"));
    }
    let unknown = || Error::new(Code::InvalidApiKey, "Unauthorized");
    match late.engine.check_key(crate::NAME, bearer::token(headers).ok_or_else(unknown)?).await? {
        Check::Good(key) => Ok(key),
        Check::Unknown | Check::Expired | Check::Revoked => Err(unknown()),
    }
}
