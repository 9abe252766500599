//! Tenants.

use std::sync::Arc;

pub use store::organizations::Organization;
use store::{Id, Result, Tx, Work};

use crate::{Engine, UseCase};

/// Makes an organization.
pub struct Create(Organization);

#[must_use]
pub fn create(engine: &Engine, name: &str) -> Create {
    let id = engine.new_id();
    Create(Organization { id, name: name.to_owned(), created_at: id.millis() })
}

impl Work for Create {
    type Output = Organization;
    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        store::organizations::insert(tx, &self.0).await?;
        Ok(self.0.clone())
    }
}

impl UseCase for Create {}

impl Engine {
    pub async fn organization(&self, id: &Id) -> Result<Option<Arc<Organization>>> {
        if let Some(known) = self.cache.organizations.get(id) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let found = store::organizations::get(&mut *self.db.reader().await?, id).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.organizations, generation, *id, found)))
    }

    pub async fn organizations(&self) -> Result<Vec<Organization>> {
        store::organizations::list(&mut *self.db.reader().await?).await
    }
}
