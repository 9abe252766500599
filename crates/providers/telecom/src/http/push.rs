//! What carriers push to us.
//!
//! Who acts: the carrier posts to the address of one account, at least once and in no order, until it gets a 2xx. A post is
//! believed if the account's own secret signed it. All that it says is committed before we answer. A call that waits to
//! be told what to say (Telnyx) is told before the answer too: the command carries an id, so that a repeated post says
//! nothing twice. A call to one of our numbers (Twilio) is told in the answer.

use std::sync::Arc;

use engine::Engine;
use engine::facts::Fact;
use engine::failure::Retry;
use engine::provider::{Account, Push, PushError, Pushed, Reply};
use engine::receive::Received;
use futures_util::future::BoxFuture;

use super::api::{Api, Heard, Next};
use super::facts::Hearing;
use super::{Carrier, errand, incoming};

impl<A: Api> Push for Carrier<A> {
    fn handshake<'a>(
        &'a self,
        _: &'a Engine,
        _: Option<&'a str>,
        _: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<String, PushError>> {
        Box::pin(async { Err(PushError::Unreadable("this carrier asks nothing of the kind".to_owned())) })
    }

    fn receive<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<(), PushError>> {
        Box::pin(async move { self.take(engine, push).await.map(drop) })
    }

    fn reply<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<Option<Reply>, PushError>> {
        Box::pin(self.take(engine, push))
    }
}

impl<A: Api> Carrier<A> {
    async fn take(&self, engine: &Engine, push: Pushed<'_>) -> Result<Option<Reply>, PushError> {
        let name = self.of(A::NAMES);
        let (account, access) = self.signer(engine, name, &push).await?;
        let hearing = Hearing {
            account: &account.external_id,
            provider: name,
            now: engine.now(),
            body: &push.body,
            options: &self.options,
        };
        let heard = A::heard(&access, self.channel, &hearing, &push);
        let Heard { mut facts, next, call } = heard.map_err(|error| PushError::Unreadable(error.to_string()))?;
        if let Some(next) = next {
            facts.extend(go_on(next).await);
        }
        let received = Received { facts, accounts: vec![account.external_id.clone()] };
        engine.receive(name, received).await?;
        let Some(call) = call else { return Ok(None) };
        let url = errand::inbound(&self.options.public_url, name, &account.external_id);
        Ok(A::told(incoming::turn(engine, &account, call).await?, &url))
    }

    /// The account that a push is for, which has signed it. Its secrets may have been changed this very second.
    async fn signer(
        &self,
        engine: &Engine,
        name: &str,
        push: &Pushed<'_>,
    ) -> Result<(Arc<Account>, A::Access), PushError> {
        let known = self.accounts.known(engine, name, push.account).await?;
        if let Some(access) = signed::<A>(&known, push, engine.now()) {
            return Ok((known, access));
        }
        let fresh = self.accounts.fresh(engine, name, push.account).await?;
        let access = signed::<A>(&fresh, push, engine.now()).ok_or(PushError::Refused)?;
        Ok((fresh, access))
    }
}

fn signed<A: Api>(account: &Account, push: &Pushed<'_>, now: i64) -> Option<A::Access> {
    match A::read(&account.config, &account.secrets) {
        Ok(access) => A::is_signed(&access, push, now).then_some(access),
        Err(error) => {
            tracing::warn!(account = %account.id, %error, "an account cannot get pushes");
            None
        }
    }
}

/// Asks for the next step, twice where the first request cannot have arrived: the person is on the line. What is to be
/// told when it was not taken.
async fn go_on(next: Next) -> Option<Fact> {
    let again = next.request.try_clone();
    let outcome = match errand::perform(next.request).await {
        Err(error) if error.retry == Retry::BackOff => match again {
            Some(again) => errand::perform(again).await,
            None => Err(error),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(answer) if answer.is_success() => None,
        Ok(answer) => {
            tracing::warn!(status = answer.status, "a carrier refused the next step of a call");
            next.otherwise
        }
        Err(error) => {
            tracing::warn!(%error, "a carrier could not be told the next step of a call");
            next.otherwise
        }
    }
}
