//! A request as handlers see it: who asks, for what, with which words.

use std::sync::Arc;

use api::intake::Taken;
use api::query::Query;
use api::{Asked, At};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use engine::keys::ApiKey;
use engine::{Engine, Id, Outcome, UseCase};
use serde_json::{Map, Value};

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
    params: Vec<(String, String)>,
    taken: Option<Taken>,
}

impl FromRequestParts<YCloud> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, ycloud: &YCloud) -> Result<Self, Error> {
        let params = RawPathParams::from_request_parts(parts, ycloud).await;
        let params = params.map_err(|_| Error::new(Code::BadRequest, "the path is not UTF-8"))?;
        let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let Some(Admitted { key, asked, taken }) = parts.extensions.remove() else {
            tracing::error!("a route is not behind the guard");
            return Err(Error::new(Code::Internal, "something went wrong on our side"));
        };
        Ok(Self { ycloud: ycloud.clone(), key, asked, taken, uri: parts.uri.clone(), params })
    }
}

/// A body, or an empty object where there was none.
pub(crate) struct Body(Taken, Value);

impl Body {
    pub(crate) fn at(&self) -> At<'_> {
        match &*self.0.json {
            Ok(Some(value)) => At::top(value),
            _ => At::top(&self.1),
        }
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

    pub(crate) fn body(&self) -> Result<Body, Error> {
        let taken = self.taken.clone().ok_or_else(|| Error::new(Code::BadRequest, "a body is needed"))?;
        if let Err(error) = &*taken.json {
            return Err(error.clone().into());
        }
        let body = Body(taken, Value::Object(Map::new()));
        body.at().object()?;
        Ok(body)
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
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

/// The same for a text that stands in a path.
pub(crate) fn e164(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches('+');
    let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (plausible && !digits.starts_with('0')).then(|| format!("+{digits}"))
}
