//! Senders that callers make for themselves, each with a key of its own.
//!
//! What belongs together is one commit: the account it hangs on (one for each organization and provider), the sender,
//! its key, and who is told of its events. A key that somebody has already is refused and nothing is stored.

use secrecy::SecretString;
use store::keys as key_rows;
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use crate::{Engine, Outcome, Refusal, UseCase, accounts, keys, senders, subscriptions};

/// A sender with its key.
pub struct Enrol {
    pub engine: Engine,
    pub organization: Id,
    pub provider: &'static str,
    pub dialect: &'static str,
    pub name: String,
    /// The key, in its dialect's spelling; it can be shown again.
    pub token: String,
    /// JSON of the provider's own making.
    pub config: String,
    /// What the dialect keeps with it.
    pub settings: serde_json::Value,
    /// Who is told of its events; `sender` is filled in.
    pub subscription: Option<subscriptions::New>,
}

impl Work for Enrol {
    type Output = Outcome<Sender>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Sender>> {
        let engine = &self.engine;
        // Refusals come before anything is written.
        let subscription = match self.subscription.clone().map(|new| subscriptions::create(engine, new)).transpose() {
            Ok(subscription) => subscription,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if is_taken(tx, engine, &self.token).await? {
            return Ok(Err(Refusal::Taken { field: "token" }));
        }
        let account = self.account(tx).await?;
        let new = senders::New {
            organization: self.organization,
            account,
            provider: self.provider,
            external_id: engine.new_id().hex32(),
            address: String::new(),
            name: Some(self.name.clone()),
            config: self.config.clone(),
            settings: serde_json::json!({ self.dialect: self.settings }),
        };
        let sender = match senders::create(engine, new).run(tx).await? {
            Ok(sender) => sender,
            Err(refusal) => return Ok(Err(refusal)),
        };
        give(tx, engine, &sender, self.dialect, &self.token).await?;
        if let Some(subscription) = subscription {
            subscription.for_sender(sender.id).run(tx).await?.ok();
        }
        Ok(Ok(sender))
    }
}

impl UseCase for Enrol {
    fn committed(&self, engine: &Engine, _: &Outcome<Sender>) {
        engine.cache.clear();
    }
}

impl Enrol {
    async fn account(&self, tx: &mut Tx) -> Result<Id> {
        let known = store::accounts::list(tx, Some(&self.organization), Some(self.provider)).await?;
        if let Some(account) = known.first() {
            return Ok(account.id);
        }
        let new = accounts::NewAccount {
            organization: self.organization,
            provider: self.provider.into(),
            external_id: self.organization.hex24(),
            name: self.provider.into(),
            config: "{}".into(),
            secrets: SecretString::from("{}"),
        };
        accounts::put(&self.engine, new).run(tx).await
    }
}

async fn is_taken(tx: &mut Tx, engine: &Engine, token: &str) -> Result<bool> {
    Ok(key_rows::by_hash(tx, &keys::hash(engine, token)).await?.is_some())
}

async fn give(tx: &mut Tx, engine: &Engine, sender: &Sender, dialect: &str, token: &str) -> Result<()> {
    let label = sender.name.clone().unwrap_or_default();
    let live = !engine.settings.sandbox;
    let key = keys::create(engine, sender.organization_id, dialect, &label, token, live, None);
    key.for_sender(sender.id).shown_again(token)?.run(tx).await.map(drop)
}

/// Another name, another key, or both. Whoever holds the old key has none from this commit on.
pub struct Rename {
    pub engine: Engine,
    pub sender: Id,
    pub dialect: &'static str,
    /// `updated_at` of the sender as the caller saw it.
    pub seen: i64,
    pub name: Option<String>,
    pub token: Option<String>,
}

impl Work for Rename {
    type Output = Outcome<Sender>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Sender>> {
        let engine = &self.engine;
        let Some(found) = store::senders::get_for_update(tx, &self.sender).await? else {
            return Ok(Err(Refusal::NotFound("sender")));
        };
        if found.updated_at != self.seen {
            return Ok(Err(Refusal::Taken { field: "updated_at" }));
        }
        if let Some(token) = &self.token {
            if is_taken(tx, engine, token).await? {
                return Ok(Err(Refusal::Taken { field: "token" }));
            }
            for key in key_rows::of_sender(tx, &self.sender).await? {
                key_rows::delete(tx, &key.id).await?;
            }
            give(tx, engine, &found, self.dialect, token).await?;
        }
        let name = self.name.clone().map(Some);
        senders::Update { name, ..senders::Update::new(engine, self.sender) }.run(tx).await
    }
}

impl UseCase for Rename {
    fn committed(&self, engine: &Engine, _: &Outcome<Sender>) {
        engine.cache.clear();
    }
}
