//! A request as handlers see it: who asks, for what, with which words.

use std::sync::Arc;

use api::Asked;
use api::intake::{Object, Taken};
use api::once::{self, Settled};
use api::path::Params;
use api::query::Query;
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use engine::idempotency::{Kept as Fate, Once};
use engine::keys::ApiKey;
use engine::senders::{CONNECTED, Sender};
use engine::{Engine, Id, Outcome, UseCase};
use serde::Serialize;

use crate::answer::{self, Answer, Kept};
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::intake::{self, Admitted};
use crate::service::Kirim;

pub(crate) type Handled = Result<Answer, Error>;

/// The channel of the numbers that this dialect speaks of.
pub(crate) const CHANNEL: &str = "whatsapp";

pub(crate) struct Call {
    pub(crate) kirim: Kirim,
    pub(crate) key: Arc<ApiKey>,
    pub(crate) uri: Uri,
    asked: Arc<Asked>,
    params: Params,
    once: Option<Once>,
    taken: Option<Taken>,
}

impl FromRequestParts<Kirim> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, kirim: &Kirim) -> Result<Self, Error> {
        let params = Params::of(parts).await.map_err(|error| Error::new(Code::InvalidRequest, error.to_string()))?;
        let Some(Admitted { key, asked, taken, once }) = parts.extensions.remove() else {
            tracing::error!("a route is not behind the guard");
            return Err(Error::new(Code::InternalError, "something went wrong on our side"));
        };
        Ok(Self { kirim: kirim.clone(), key, asked, once, taken, uri: parts.uri.clone(), params })
    }
}

impl Call {
    pub(crate) fn engine(&self) -> &Engine {
        &self.kirim.engine
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
        let taken = self.taken.as_ref().ok_or_else(|| Error::new(Code::InvalidRequest, "a body is needed"))?;
        Ok(taken.object()?)
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }

    pub(crate) fn id(&self, noun: Noun, name: &str) -> Result<Id, Error> {
        noun.parse(self.param(name), name)
    }

    /// The caller's number that the path names.
    pub(crate) async fn sender(&self) -> Result<Arc<Sender>, Error> {
        const NAME: &str = "phone_number_id";
        let text = self.param(NAME);
        if !(6..=20).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(Code::InvalidFieldValue, "phone_number_id must have 6 to 20 digits").at(NAME));
        }
        let found = self.engine().sender(&self.organization(), text).await?;
        found.filter(|sender| sender.channel == CHANNEL).ok_or_else(|| Error::not_found("phone number"))
    }

    /// The same, when something about the number is to be changed.
    pub(crate) async fn connected_sender(&self) -> Result<Arc<Sender>, Error> {
        let sender = self.sender().await?;
        if sender.status == CONNECTED {
            return Ok(sender);
        }
        Err(Error::new(Code::AccountNotConnected, format!("this number is {}", sender.status)))
    }

    pub(crate) fn one<T: Serialize>(&self, data: &T) -> Answer {
        Answer::new(answer::one(data, self.request_id()))
    }

    /// A list that is never cut into pages.
    pub(crate) fn whole<T: Serialize>(&self, data: &[T]) -> Answer {
        Answer::new(answer::list(data, None, self.request_id()))
    }

    /// Carries a wish out, where no idempotency key counts.
    pub(crate) async fn perform<U, T>(&self, wish: U) -> Result<T, Error>
    where
        U: UseCase<Output = Outcome<T>>,
        T: Send + 'static,
    {
        Ok(self.engine().perform(wish).await??)
    }

    /// Carries a wish out and answers with its shape; with an idempotency key, once.
    pub(crate) async fn commit<U, T, S, F>(&self, wish: U, shape: F) -> Handled
    where
        U: UseCase<Output = Outcome<T>>,
        T: Send + 'static,
        S: Serialize,
        F: Fn(&T) -> S + Send + Sync + 'static,
    {
        let request_id = self.request_id().to_owned();
        let render = move |outcome: &Outcome<T>| match outcome {
            Ok(done) => answer::one(&shape(done), &request_id),
            Err(refusal) => Error::from(refusal.clone()).given(&request_id),
        };
        let Some(once) = &self.once else {
            let outcome = self.engine().perform(wish).await?;
            return Ok(Answer::new(render(&outcome)));
        };
        match self.engine().perform_once(wish, once, render).await? {
            Fate::Fresh(_, given) => Ok(Answer::kept(given, Kept::Now)),
            Fate::Replayed(given) => Ok(Answer::kept(given, Kept::Before)),
            Fate::Reused => Err(intake::reused()),
        }
    }

    /// What was answered to this request before; for what is done outside of our database.
    pub(crate) async fn before(&self) -> Result<Option<Answer>, Error> {
        let Some(once) = &self.once else {
            return Ok(None);
        };
        match once::before(self.engine(), once).await? {
            None | Some(Settled::New) => Ok(None),
            Some(Settled::Before(given)) => Ok(Some(Answer::kept(given, Kept::Before))),
            Some(Settled::Reused) => Err(intake::reused()),
        }
    }

    /// Answers what was done outside of our database, and remembers it.
    pub(crate) async fn done<T: Serialize>(&self, data: &T) -> Handled {
        let given = answer::one(data, self.request_id());
        if let Some(once) = &self.once {
            self.engine().remember(once, given.clone()).await?;
            return Ok(Answer::kept(given, Kept::Now));
        }
        Ok(Answer::new(given))
    }
}
