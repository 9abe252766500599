//! Who calls, and whether they may call again so soon.

use std::sync::Arc;

use api::Asked;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use engine::keys::{ApiKey, Check};

use crate::errors::{Code, Error};
use crate::service::Kirim;
use crate::{intake, keys};

pub(crate) async fn guard(
    State(kirim): State<Kirim>,
    Extension(asked): Extension<Arc<Asked>>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let key = authenticate(&kirim, request.headers()).await?;
    let standing = kirim.count(key.organization_id, request.method());
    let _ = asked.organization.set(key.organization_id);
    let _ = asked.standing.set(standing);
    if let Some(seconds) = standing.retry_after {
        return Err(Error::new(Code::RateLimitExceeded, format!("too many requests; try again in {seconds} s")));
    }
    intake::take_in(&kirim, key, asked, request, next).await
}

async fn authenticate(kirim: &Kirim, headers: &HeaderMap) -> Result<Arc<ApiKey>, Error> {
    let unknown = |message| Err(Error::new(Code::InvalidApiKey, message));
    let Some(token) = api::bearer::token(headers) else {
        return unknown("an API key is needed: Authorization: Bearer kdv_live_…");
    };
    if !keys::is_spelt_like_one(token) {
        return unknown("the API key is not valid");
    }
    match kirim.engine.check_key(crate::NAME, token).await? {
        Check::Good(key) => Ok(key),
        Check::Unknown => unknown("the API key is not valid"),
        Check::Expired => Err(Error::new(Code::ExpiredApiKey, "the API key has expired")),
        Check::Revoked => Err(Error::new(Code::RevokedApiKey, "the API key was revoked")),
    }
}
