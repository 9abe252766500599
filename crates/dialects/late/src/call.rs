//! A request as handlers see it: who asks, for what, with which words.

use std::sync::Arc;

use api::intake::{BodyError, Object, Taken};
use api::path::Params;
use api::query::Query;
use api::{Asked, At};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use engine::keys::ApiKey;
use engine::senders::Sender;
use engine::{Engine, Id, Outcome, UseCase, regions};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::errors::{Code, Error};
use crate::guard::Admitted;
use crate::service::Late;

pub(crate) type Handled = Result<Answer, Error>;

/// The channel that this dialect speaks for.
pub(crate) const CHANNEL: &str = "whatsapp";

pub(crate) struct Call {
    pub(crate) late: Late,
    pub(crate) key: Arc<ApiKey>,
    asked: Arc<Asked>,
    uri: Uri,
    params: Params,
    taken: Option<Taken>,
}

impl FromRequestParts<Late> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, late: &Late) -> Result<Self, Error> {
        let params = Params::of(parts).await.map_err(|error| Error::new(Code::Validation, error.to_string()))?;
        let Some(Admitted { key, asked, taken }) = parts.extensions.remove() else {
            tracing::error!("a route is not behind the guard");
            return Err(Error::new(Code::InternalError, "Something went wrong on our side"));
        };
        Ok(Self { late: late.clone(), key, asked, taken, uri: parts.uri.clone(), params })
    }
}

impl Call {
    pub(crate) fn engine(&self) -> &Engine {
        &self.late.engine
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

    /// An object; without a body an empty one.
    pub(crate) fn body(&self) -> Result<Object, Error> {
        let not_json = || Error::from(BodyError::NotJson);
        let taken = self.taken.as_ref().ok_or_else(not_json)?;
        Ok(taken.object()?)
    }

    /// What some clients say in the body of a DELETE, and others, whose libraries drop such bodies, in the query.
    /// In the query a list is a name given several times, or one text with commas.
    pub(crate) fn body_or_query(&self, lists: &[&str]) -> Result<Value, Error> {
        let body = self.body()?;
        let said = body.at().object()?;
        if !said.is_empty() {
            return Ok(Value::Object(said.clone()));
        }
        Query::of(&self.uri)?;
        let mut members = Map::new();
        for (name, value) in url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes()) {
            let name = name.trim_end_matches("[]");
            if !lists.contains(&name) {
                members.entry(name).or_insert_with(|| Value::from(&*value));
            } else if let Value::Array(items) = members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                items.extend(value.split(',').filter(|item| !item.is_empty()).map(Value::from));
            }
        }
        Ok(Value::Object(members))
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

    /// The connected number that `accountId` names, in a query or a body.
    pub(crate) async fn account(&self, at: &At<'_>) -> Result<Arc<Sender>, Error> {
        let text = at.need("accountId")?.string(1..=64)?;
        self.sender(&text).await?.ok_or_else(|| Error::new(Code::NotFound, "Account not found").at("accountId"))
    }

    /// A number of the caller's by this dialect's spelling of its id.
    pub(crate) async fn sender(&self, text: &str) -> Result<Option<Arc<Sender>>, Error> {
        let Some(id) = Id::parse_hex24(text) else { return Ok(None) };
        let found = self.engine().sender_by_id(&id).await?;
        Ok(found.filter(|sender| sender.organization_id == self.organization() && sender.channel == CHANNEL))
    }
}

/// A telephone number as people write it, in E.164. A `+` may have become a space on its way through a query.
pub(crate) fn phone(at: &At<'_>) -> Result<String, Error> {
    let refuse = || at.refuse("must be a phone number in E.164 format, like +14155552671");
    Ok(regions::read(at.text(1..=64)?).ok_or_else(refuse)?)
}
