//! A request as handlers see it: who asks, for what, with which words.

use std::sync::Arc;

use api::intake::{Object, Taken};
use api::path::Params;
use api::query::Query;
use api::{Asked, At};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use engine::keys::ApiKey;
use engine::{Engine, Id, Outcome, UseCase, regions};

use crate::answer::Answer;
use crate::errors::{Code, Error};
use crate::guard::Admitted;
use crate::service::YCloud;

pub(crate) type Handled = Result<Answer, Error>;

pub(crate) struct Call {
    pub(crate) ycloud: YCloud,
    pub(crate) key: Arc<ApiKey>,
    pub(crate) uri: Uri,
    asked: Arc<Asked>,
    params: Params,
    taken: Option<Taken>,
}

impl FromRequestParts<YCloud> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, ycloud: &YCloud) -> Result<Self, Error> {
        let params = Params::of(parts).await.map_err(|error| Error::new(Code::BadRequest, error.to_string()))?;
        let Some(Admitted { key, asked, taken }) = parts.extensions.remove() else {
            tracing::error!("a route is not behind the guard");
            return Err(Error::new(Code::Internal, "something went wrong on our side"));
        };
        Ok(Self { ycloud: ycloud.clone(), key, asked, taken, uri: parts.uri.clone(), params })
    }
}

impl Call {
    pub(crate) fn engine(&self) -> &Engine {
        &self.ycloud.engine
    }

    pub(crate) fn organization(&self) -> Id {
        self.key.organization_id
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.asked.request_id
    }

    pub(crate) fn query(&self) -> Result<Query, Error> {
        Ok(Query::of(&self.uri)?)
    }

    pub(crate) fn body(&self) -> Result<Object, Error> {
        let taken = self.taken.as_ref().ok_or_else(|| Error::new(Code::BadRequest, "a body is needed"))?;
        Ok(taken.object()?)
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }

    /// Carries a wish out.
    pub(crate) async fn perform<U, T>(&self, wish: U) -> Result<T, Error>
    where
        U: UseCase<Output = Outcome<T>>,
        T: Send + 'static,
    {
        Ok(self.engine().perform(wish).await??)
    }
}

/// A telephone number in E.164; the `+` may be missing, or have become a space on its way through a query.
pub(crate) fn phone(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(1..=32)?;
    e164(text).ok_or_else(|| at.refuse("must be a phone number in E.164 format, like +14155552671").into())
}

/// The same, when a carrier is to reach it: carriers are asked for numbers that can exist only.
pub(crate) fn reachable(at: &At<'_>) -> Result<String, Error> {
    let number = phone(at)?;
    if !regions::is_valid(&number) {
        return Err(at.refuse("is not a phone number that can exist").into());
    }
    Ok(number)
}

/// The same for a text that stands in a path.
pub(crate) fn e164(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches('+');
    let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (plausible && !digits.starts_with('0')).then(|| format!("+{digits}"))
}
