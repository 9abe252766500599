//! Addresses that we own.

use std::sync::Arc;

pub use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use crate::{Engine, Outcome, Refusal, UseCase};

/// A sender's standing.
pub const CONNECTED: &str = "connected";
pub const DEGRADED: &str = "degraded";
pub const DISCONNECTED: &str = "disconnected";
pub const ONBOARDING: &str = "onboarding";

/// A sender that a caller makes, on an account that is there.
pub struct New {
    pub organization: Id,
    pub account: Id,
    pub provider: &'static str,
    /// The provider's name for it, unlike all others of the provider's.
    pub external_id: String,
    /// E.164 with `+`; empty while it is not known.
    pub address: String,
    pub name: Option<String>,
    /// JSON of the provider's own making.
    pub config: String,
    /// One member for each dialect.
    pub settings: serde_json::Value,
}

pub struct Create {
    engine: Engine,
    new: New,
}

#[must_use]
pub fn create(engine: &Engine, new: New) -> Create {
    Create { engine: engine.clone(), new }
}

impl Work for Create {
    type Output = Outcome<Sender>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Sender>> {
        let (new, id) = (&self.new, self.engine.new_id());
        let Some(provider) = self.engine.provider(new.provider) else { return Ok(Err(Refusal::NotFound("provider"))) };
        if store::senders::by_external_id(tx, new.provider, &new.external_id).await?.is_some() {
            return Ok(Err(Refusal::Taken { field: "external_id" }));
        }
        let sender = Sender {
            id,
            organization_id: new.organization,
            account_id: new.account,
            channel: provider.channel().into(),
            provider: new.provider.into(),
            external_id: new.external_id.clone(),
            address: new.address.clone(),
            name: new.name.clone(),
            status: ONBOARDING.into(),
            status_reason: None,
            config: new.config.clone(),
            settings: new.settings.to_string(),
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        let stored = store::senders::put(tx, &sender).await?;
        store::settings::touch_caches(tx).await?;
        Ok(Ok(stored))
    }
}

impl UseCase for Create {
    fn committed(&self, engine: &Engine, _: &Outcome<Sender>) {
        engine.cache.clear();
    }
}

/// Changes a sender; what is `None` stays.
pub struct Update {
    pub engine: Engine,
    pub id: Id,
    pub address: Option<String>,
    pub name: Option<Option<String>>,
    pub config: Option<String>,
    /// A dialect and what it keeps from now on.
    pub settings: Option<(&'static str, serde_json::Value)>,
}

impl Update {
    #[must_use]
    pub fn new(engine: &Engine, id: Id) -> Self {
        Self { engine: engine.clone(), id, address: None, name: None, config: None, settings: None }
    }
}

impl Work for Update {
    type Output = Outcome<Sender>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Sender>> {
        let found = store::senders::get_for_update(tx, &self.id).await?;
        let Some(mut row) = found else { return Ok(Err(Refusal::NotFound("sender"))) };
        row.address = self.address.clone().unwrap_or(row.address);
        row.name = self.name.clone().unwrap_or(row.name);
        row.config = self.config.clone().unwrap_or(row.config);
        if let Some((dialect, settings)) = &self.settings {
            let mut all: serde_json::Map<_, _> = serde_json::from_str(&row.settings).unwrap_or_default();
            all.insert((*dialect).to_owned(), settings.clone());
            row.settings = serde_json::Value::Object(all).to_string();
        }
        row.updated_at = self.engine.now();
        store::senders::update(tx, &row).await?;
        store::settings::touch_caches(tx).await?;
        Ok(Ok(row))
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Outcome<Sender>) {
        engine.cache.clear();
    }
}

/// Deletes a sender with its keys, subscriptions, conversations and session; `true` when there was one. It should be
/// closed before: whoever runs it is told that it was lost.
pub struct Remove(pub Id);

impl Work for Remove {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let removed = store::senders::delete(tx, &self.0).await?;
        store::settings::touch_caches(tx).await?;
        Ok(removed)
    }
}

impl UseCase for Remove {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.cache.clear();
        // No row says any more that it was closed; another process finds out when it renews its leases.
        engine.sessions.stop(&self.0);
    }
}

/// What a dialect keeps with a sender; `null` when it keeps nothing.
#[must_use]
pub fn settings_of(sender: &Sender, dialect: &str) -> serde_json::Value {
    let all: serde_json::Map<_, _> = serde_json::from_str(&sender.settings).unwrap_or_default();
    all.get(dialect).cloned().unwrap_or_default()
}

impl Engine {
    /// A caller's sender by the provider's name for it.
    pub async fn sender(&self, organization: &Id, external_id: &str) -> Result<Option<Arc<Sender>>> {
        let key = (*organization, external_id.to_owned());
        if let Some(known) = self.cache.senders.get(&key) {
            return Ok(Some(known));
        }
        // Boxed for the same reason as in `check_key`.
        Box::pin(self.load_sender(key)).await
    }

    async fn load_sender(&self, key: (Id, String)) -> Result<Option<Arc<Sender>>> {
        let generation = self.cache.generation();
        let found = store::senders::of_organization(&mut *self.db.reader().await?, &key.0, &key.1).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.senders, generation, key, found)))
    }

    /// Whosever sender it is.
    pub async fn sender_by_id(&self, id: &Id) -> Result<Option<Arc<Sender>>> {
        if let Some(known) = self.cache.senders_by_id.get(id) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let found = store::senders::get(&mut *self.db.reader().await?, id).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.senders_by_id, generation, *id, found)))
    }

    /// Everybody's senders, oldest first.
    pub async fn all_senders(&self) -> Result<Vec<Sender>> {
        store::senders::list(&mut *self.db.reader().await?, None, None).await
    }

    /// Senders that are stopped now: until when (milliseconds), and why.
    pub async fn held_senders(&self) -> Result<Vec<(Id, i64, Option<String>)>> {
        store::lanes::held(&mut *self.db.reader().await?, self.now()).await
    }

    /// All senders of an organization, oldest first.
    pub async fn senders(&self, organization: &Id) -> Result<Vec<Sender>> {
        store::senders::list(&mut *self.db.reader().await?, Some(organization), None).await
    }
}
