//! API keys. A key is shown once; we keep a keyed hash of it.

use std::sync::Arc;

pub use store::keys::ApiKey;
use store::{Id, Result, Tx, Work, settings};

use crate::{Engine, UseCase};

/// Under which label keys are hashed.
const LABEL: &str = "api keys";

/// Whose key it is, or why it is not good.
#[derive(Clone, Debug)]
pub enum Check {
    Good(Arc<ApiKey>),
    Unknown,
    Expired,
    Revoked,
}

/// Adds a key whose spelling its dialect has chosen.
pub struct Create {
    engine: Engine,
    key: ApiKey,
}

/// `live`: not a sandbox key.
#[must_use]
pub fn create(
    engine: &Engine,
    organization: Id,
    dialect: &str,
    label: &str,
    token: &str,
    live: bool,
    expires_at: Option<i64>,
) -> Create {
    let id = engine.new_id();
    let last4 = token.get(token.len().saturating_sub(4)..).unwrap_or_default().to_owned();
    let key = ApiKey {
        id,
        organization_id: organization,
        sender_id: None,
        dialect: dialect.to_owned(),
        label: label.to_owned(),
        hash: hash(engine, token).to_vec(),
        sealed: None,
        last4,
        live,
        created_at: id.millis(),
        expires_at,
        revoked_at: None,
    };
    Create { engine: engine.clone(), key }
}

impl Create {
    /// It speaks for one sender only.
    #[must_use]
    pub fn for_sender(mut self, sender: Id) -> Self {
        self.key.sender_id = Some(sender);
        self
    }

    /// Keeps it sealed, so that its dialect can show it again (see [`Engine::token`]).
    pub fn shown_again(mut self, token: &str) -> Result<Self> {
        self.key.sealed = Some(self.engine.key.seal(&purpose(&self.key.id), token.as_bytes())?);
        Ok(self)
    }
}

/// What a key is found by.
pub(crate) fn hash(engine: &Engine, token: &str) -> [u8; 32] {
    engine.key.hash(LABEL, token)
}

fn purpose(key: &Id) -> String {
    format!("api key/{key}")
}

impl Work for Create {
    type Output = ApiKey;
    async fn run(&self, tx: &mut Tx) -> Result<ApiKey> {
        store::keys::insert(tx, &self.key).await?;
        settings::touch_caches(tx).await?;
        Ok(self.key.clone())
    }
}

impl UseCase for Create {
    fn committed(&self, _: &Engine, _: &ApiKey) {
        self.engine.cache.clear();
    }
}

/// Takes a key back; `true` when it was good until now.
pub struct Revoke {
    pub id: Id,
    pub now: i64,
}

impl Work for Revoke {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        settings::touch_caches(tx).await?;
        store::keys::revoke(tx, &self.id, self.now).await
    }
}

impl UseCase for Revoke {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.cache.clear();
    }
}

impl Engine {
    /// All keys, or an organization's, oldest first.
    pub async fn keys(&self, organization: Option<&Id>) -> Result<Vec<ApiKey>> {
        store::keys::list(&mut *self.db.reader().await?, organization).await
    }

    /// Those that speak for one sender only, oldest first.
    pub async fn keys_of(&self, sender: &Id) -> Result<Vec<ApiKey>> {
        store::keys::of_sender(&mut *self.db.reader().await?, sender).await
    }

    /// A key in the clear, where it was kept to be shown again.
    pub fn token(&self, key: &ApiKey) -> Result<Option<String>> {
        let Some(sealed) = &key.sealed else { return Ok(None) };
        let plain = self.key.open(&purpose(&key.id), sealed)?;
        String::from_utf8(plain).map(Some).map_err(|_| store::Error::corrupt("an API key"))
    }

    /// Looks a key up among a dialect's.
    pub async fn check_key(&self, dialect: &str, token: &str) -> Result<Check> {
        let hash = hash(self, token);
        let known = match self.cache.keys.get(&hash) {
            Some(known) => known,
            // Boxed, for it is seldom, and every request is as large as the largest thing it may do.
            None => match Box::pin(self.load_key(hash)).await? {
                Some(found) => found,
                None => return Ok(Check::Unknown),
            },
        };
        Ok(match &known {
            key if key.dialect != dialect => Check::Unknown,
            key if key.revoked_at.is_some() => Check::Revoked,
            key if key.expires_at.is_some_and(|at| at <= self.now()) => Check::Expired,
            _ => Check::Good(known),
        })
    }

    async fn load_key(&self, hash: [u8; 32]) -> Result<Option<Arc<ApiKey>>> {
        let generation = self.cache.generation();
        let found = store::keys::by_hash(&mut *self.db.reader().await?, &hash).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.keys, generation, hash, found)))
    }
}
