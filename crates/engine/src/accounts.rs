//! Our standing with providers: opening and closing accounts.

mod setup;

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use store::accounts as rows;
use store::{Id, Result, Tx, Work, settings};

use crate::provider::Account;
use crate::{Engine, UseCase, senders};

pub use setup::{Admitted, ConnectError, admit, check, connect, fetch_templates, register};

/// An account's standing: it works, or it needs a person.
pub const ACTIVE: &str = "active";
pub const BLOCKED: &str = "blocked";
pub const REMOVED: &str = "removed";

const GONE: &str = "the account was removed";
/// The end of the year 9999.
const FOR_GOOD_MS: i64 = 253_402_300_799_000;

/// What an operator says of an account.
pub struct NewAccount {
    pub organization: Id,
    pub provider: String,
    pub external_id: String,
    pub name: String,
    /// JSON, see the provider.
    pub config: String,
    /// JSON, see the provider.
    pub secrets: SecretString,
}

impl Engine {
    /// An account with its secrets opened; a removed one has none left.
    pub async fn account(&self, id: &Id) -> Result<Option<Arc<Account>>> {
        if let Some(known) = self.cache.accounts.get(id) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let row = rows::get(&mut *self.db.reader().await?, id).await?;
        let Some(row) = row.filter(|row| row.status != REMOVED) else { return Ok(None) };
        let account = self.opened(&row)?;
        Ok(Some(self.cache.keep(&self.cache.accounts, generation, *id, account)))
    }

    /// All accounts of a provider with their secrets opened, oldest first; removed ones left out.
    pub async fn accounts_of(&self, provider: &str) -> Result<Vec<Arc<Account>>> {
        let found = rows::list(&mut *self.db.reader().await?, None, Some(provider)).await?;
        let live = found.iter().filter(|row| row.status != REMOVED);
        // One account that cannot be opened must not silence the others.
        let opened = live.filter_map(|row| match self.opened(row) {
            Ok(account) => Some(Arc::new(account)),
            Err(error) => {
                tracing::error!(account = %row.id, error = &error as &dyn std::error::Error, "an account cannot be opened");
                None
            }
        });
        Ok(opened.collect())
    }

    /// An organization's accounts with their secrets opened, oldest first; removed ones left out.
    pub async fn accounts_in(&self, organization: &Id) -> Result<Vec<Arc<Account>>> {
        let found = rows::list(&mut *self.db.reader().await?, Some(organization), None).await?;
        found.iter().filter(|row| row.status != REMOVED).map(|row| self.opened(row).map(Arc::new)).collect()
    }

    /// Everybody's accounts as they are kept, oldest first: for operators.
    pub async fn account_rows(&self) -> Result<Vec<rows::Account>> {
        rows::list(&mut *self.db.reader().await?, None, None).await
    }

    fn opened(&self, row: &rows::Account) -> Result<Account> {
        let secrets = self.key.open(&purpose(&row.provider, &row.external_id), &row.secrets)?;
        let secrets = String::from_utf8(secrets).map_err(|_| store::Error::corrupt("an account's secrets"))?;
        Ok(Account {
            id: row.id,
            organization_id: row.organization_id,
            provider: row.provider.clone(),
            external_id: row.external_id.clone(),
            name: row.name.clone(),
            config: row.config.clone(),
            secrets: secrets.into(),
            status: row.status.clone(),
        })
    }
}

fn purpose(provider: &str, external_id: &str) -> String {
    format!("account/{provider}/{external_id}")
}

/// Adds an account, or gives a known one new settings and secrets, and wakes what waited for it.
pub struct Put {
    engine: Engine,
    new: NewAccount,
}

#[must_use]
pub fn put(engine: &Engine, new: NewAccount) -> Put {
    Put { engine: engine.clone(), new }
}

impl Work for Put {
    type Output = Id;
    async fn run(&self, tx: &mut Tx) -> Result<Id> {
        let (engine, new, id) = (&self.engine, &self.new, self.engine.new_id());
        let sealed =
            engine.key.seal(&purpose(&new.provider, &new.external_id), new.secrets.expose_secret().as_bytes())?;
        let row = rows::Account {
            id,
            organization_id: new.organization,
            provider: new.provider.clone(),
            external_id: new.external_id.clone(),
            name: new.name.clone(),
            config: new.config.clone(),
            secrets: sealed,
            status: ACTIVE.into(),
            status_reason: None,
            heard_at: None,
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        let stored = rows::put(tx, &row).await?;
        resume(tx, &stored.id, id.millis()).await?;
        settings::touch_caches(tx).await?;
        Ok(stored.id)
    }
}

impl UseCase for Put {
    fn committed(&self, engine: &Engine, _: &Id) {
        engine.cache.clear();
        engine.wake.all();
    }
}

/// A new token: senders that its death had stopped go on.
async fn resume(tx: &mut Tx, account: &Id, now: i64) -> Result<()> {
    store::senders::set_status_of_account(tx, account, senders::DEGRADED, senders::CONNECTED, None, now).await?;
    for sender in store::senders::list(tx, None, Some(account)).await? {
        store::lanes::hold(tx, &sender.id, 0, None).await?;
        store::jobs::hurry(tx, crate::outbound::SEND, &sender.id, now).await?;
    }
    Ok(())
}

/// Stops an account, its senders until `rest_until`, for a reason that an operator can see.
pub(crate) async fn block(tx: &mut Tx, account: &Id, reason: &str, now: i64, rest_until: i64) -> Result<()> {
    rows::set_status(tx, account, BLOCKED, Some(reason), now).await?;
    hold(tx, account, rest_until, reason).await?;
    store::senders::set_status_of_account(tx, account, senders::CONNECTED, senders::DEGRADED, Some(reason), now)
        .await?;
    settings::touch_caches(tx).await
}

/// It works again: whatever stopped it is over.
pub(crate) async fn unblock(tx: &mut Tx, account: &Id, now: i64) -> Result<()> {
    match rows::get(tx, account).await? {
        Some(row) if row.status == BLOCKED => rows::set_status(tx, account, ACTIVE, None, now).await?,
        Some(row) if row.status == ACTIVE => {}
        _ => return Ok(()),
    }
    resume(tx, account, now).await?;
    settings::touch_caches(tx).await
}

async fn hold(tx: &mut Tx, account: &Id, until: i64, reason: &str) -> Result<()> {
    for sender in store::senders::list(tx, None, Some(account)).await? {
        store::lanes::hold(tx, &sender.id, until, Some(reason)).await?;
    }
    Ok(())
}

/// Closes an account: its secrets are forgotten, its senders disconnected, its past stays. What waits to be sent
/// waits until the account is added again.
pub struct Remove {
    pub id: Id,
    pub now: i64,
}

impl Work for Remove {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let Some(row) = rows::get(tx, &self.id).await? else { return Ok(false) };
        rows::set_status(tx, &row.id, REMOVED, None, self.now).await?;
        rows::set_secrets(tx, &row.id, &[], self.now).await?;
        for from in [senders::CONNECTED, senders::DEGRADED, senders::ONBOARDING] {
            store::senders::set_status_of_account(tx, &row.id, from, senders::DISCONNECTED, Some(GONE), self.now)
                .await?;
        }
        hold(tx, &row.id, FOR_GOOD_MS, GONE).await?;
        settings::touch_caches(tx).await?;
        Ok(true)
    }
}

impl UseCase for Remove {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.cache.clear();
    }
}
