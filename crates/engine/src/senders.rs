//! Addresses that we own.

use std::sync::Arc;

pub use store::senders::Sender;
use store::{Id, Result};

use crate::Engine;

/// A sender's standing.
pub const CONNECTED: &str = "connected";
pub const DEGRADED: &str = "degraded";
pub const DISCONNECTED: &str = "disconnected";
pub const ONBOARDING: &str = "onboarding";

impl Engine {
    /// A caller's sender by the provider's name for it.
    pub async fn sender(&self, organization: &Id, external_id: &str) -> Result<Option<Arc<Sender>>> {
        let key = (*organization, external_id.to_owned());
        if let Some(known) = self.cache.senders.get(&key) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let found = store::senders::of_organization(&mut *self.db.reader().await?, organization, external_id).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.senders, generation, key, found)))
    }

    /// Whosever sender it is.
    pub(crate) async fn sender_by_id(&self, id: &Id) -> Result<Option<Arc<Sender>>> {
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
