//! What Meta pushes to us.
//!
//! Who acts: Meta posts batches, at least once and in no order, and repeats a post for days unless it gets a 200. A post
//! is believed if it is signed with the secret of an app that one of our accounts names, and then only as far as it
//! speaks of accounts under that app: owning one app gives no say over another's numbers. All of a post becomes one list
//! of facts ([`facts_of`]), committed at once; only then do we answer. A crash before that leaves the post to be
//! repeated, one after it makes the repetition change nothing.

mod change;
mod content;
mod facts;
mod message;
mod people;
mod signers;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use engine::Engine;
use engine::provider::{Push, PushError, Pushed};
use engine::receive::Received;
use futures_util::future::BoxFuture;
use meta_wire::signature;
use meta_wire::webhook::Item;

use crate::MetaCloud;
use facts::facts_of;
pub(crate) use people::e164;
pub(crate) use signers::Signers;

/// Characters of a challenge; Meta sends some ten digits.
const MAX_CHALLENGE: usize = 256;

impl Push for MetaCloud {
    fn handshake<'a>(
        &'a self,
        engine: &'a Engine,
        account: Option<&'a str>,
        query: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<String, PushError>> {
        Box::pin(self.answer_handshake(engine, account, query))
    }

    fn receive<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<(), PushError>> {
        Box::pin(self.take_push(engine, push))
    }
}

impl MetaCloud {
    async fn answer_handshake(
        &self,
        engine: &Engine,
        account: Option<&str>,
        query: &[(String, String)],
    ) -> Result<String, PushError> {
        let given = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (Some("subscribe"), Some(token), Some(challenge)) =
            (given("hub.mode"), given("hub.verify_token"), given("hub.challenge"))
        else {
            return Err(PushError::Unreadable("this is no handshake of Meta's".to_owned()));
        };
        // Handshakes are rare, and often follow at once when an account has been added.
        let signers = self.signers.fresh(engine).await?;
        if !signers.named(account)?.any(|signer| signer.verifies(token)) {
            return Err(PushError::Refused);
        }
        if challenge.len() > MAX_CHALLENGE {
            return Err(PushError::Unreadable("the challenge is too long".to_owned()));
        }
        Ok(challenge.to_owned())
    }

    async fn take_push(&self, engine: &Engine, push: Pushed<'_>) -> Result<(), PushError> {
        let header = (push.header)(signature::HEADER).ok_or(PushError::Refused)?;
        let known = self.signers.known(engine).await?;
        let mut read = Read::of(&known.signed_by(push.account, &push.body, &header)?, &push.body)?;
        if read.strangers > 0 {
            // An account may have been added this very second; once we say 200, Meta does not tell it again.
            let fresh = self.signers.fresh(engine).await?;
            read = Read::of(&fresh.signed_by(push.account, &push.body, &header)?, &push.body)?;
        }
        if read.strangers > 0 {
            tracing::warn!(items = read.strangers, "a push speaks of accounts that we do not have under its app");
        }
        Ok(engine.receive(Self::NAME, read.received).await?)
    }
}

/// A post, as far as it may be believed.
struct Read {
    received: Received,
    /// Items about other accounts.
    strangers: usize,
}

impl Read {
    fn of(accounts: &BTreeSet<&str>, body: &[u8]) -> Result<Self, PushError> {
        let batch = meta_wire::webhook::parse(body).map_err(|error| PushError::Unreadable(error.to_string()))?;
        let whole = batch.single().is_some().then_some(body);
        let mut items = batch.into_items();
        let all = items.len();
        items.retain(|item| accounts.contains(item.entry_id()));
        let heard: BTreeSet<&str> = items.iter().map(Item::entry_id).collect();
        let received =
            Received { accounts: heard.into_iter().map(str::to_owned).collect(), facts: facts_of(&items, whole) };
        Ok(Self { received, strangers: all - items.len() })
    }
}
