//! Accounts and their providers: an operator's words are tried out there, and what hangs on an account is imported.
//!
//! The provider is asked first, about an account that is held in memory only. What it does not accept changes nothing
//! here; what it accepts is written down whole, in one commit.

use std::sync::Arc;

use store::senders::Sender;
use store::{Id, Result, Tx, Work, settings};

use super::{ACTIVE, NewAccount, Put, put};
use crate::provider::{Account, CallError, Connected, Provider, Setup};
use crate::{Engine, UseCase, facts, templates};

/// Why an account could not be connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("there is no such account")]
    UnknownAccount,
    #[error("accounts of this provider need no setting up")]
    Unsupported,
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

type Connect<T> = std::result::Result<T, ConnectError>;

impl NewAccount {
    /// The account as it will be.
    fn account(&self, id: Id) -> Account {
        Account {
            id,
            organization_id: self.organization,
            provider: self.provider.clone(),
            external_id: self.external_id.clone(),
            name: self.name.clone(),
            config: self.config.clone(),
            secrets: self.secrets.clone(),
            status: ACTIVE.into(),
        }
    }
}

/// Asks the provider about an account; nothing is written down.
pub async fn check(engine: &Engine, new: &NewAccount) -> Connect<Connected> {
    let provider = provider(engine, &new.provider)?;
    Ok(setup(provider)?.connect(&new.account(engine.new_id())).await?)
}

/// An account that its provider accepts, and what hangs on it.
pub struct Admitted {
    pub id: Id,
    pub found: Connected,
    pub senders: Vec<Sender>,
}

/// Adds an account, or gives a known one new settings and secrets, once its provider has accepted them.
pub async fn admit(engine: &Engine, new: NewAccount) -> Connect<Admitted> {
    let found = check(engine, &new).await?;
    let provider = provider(engine, &new.provider)?.clone();
    let admit = Admit { put: put(engine, new), provider, found: found.clone() };
    let (id, senders) = engine.perform(admit).await?;
    Ok(Admitted { id, found, senders })
}

struct Admit {
    put: Put,
    provider: Arc<dyn Provider>,
    found: Connected,
}

impl Work for Admit {
    type Output = (Id, Vec<Sender>);
    async fn run(&self, tx: &mut Tx) -> Result<(Id, Vec<Sender>)> {
        let id = self.put.run(tx).await?;
        let account = self.put.new.account(id);
        Ok((id, import(tx, &self.put.engine, &account, &*self.provider, &self.found).await?))
    }
}

impl UseCase for Admit {
    fn committed(&self, engine: &Engine, (id, _): &(Id, Vec<Sender>)) {
        self.put.committed(engine, id);
    }
}

/// Checks an account that is written down already, and imports what hangs on it.
pub async fn connect(engine: &Engine, id: &Id) -> Connect<(Connected, Vec<Sender>)> {
    let (account, provider) = known(engine, id).await?;
    let found = setup(&provider)?.connect(&account).await?;
    let stored = engine.perform(Import { engine: engine.clone(), account, provider, found: found.clone() }).await?;
    Ok((found, stored))
}

struct Import {
    engine: Engine,
    account: Arc<Account>,
    provider: Arc<dyn Provider>,
    found: Connected,
}

impl Work for Import {
    type Output = Vec<Sender>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<Sender>> {
        import(tx, &self.engine, &self.account, &*self.provider, &self.found).await
    }
}

impl UseCase for Import {
    fn committed(&self, engine: &Engine, _: &Vec<Sender>) {
        engine.cache.clear();
        engine.wake.all();
    }
}

/// Writes down what the provider says hangs on an account.
async fn import(
    tx: &mut Tx,
    engine: &Engine,
    account: &Account,
    provider: &dyn Provider,
    found: &Connected,
) -> Result<Vec<Sender>> {
    let (now, mut stored) = (engine.now(), Vec::new());
    for found in &found.senders {
        let sender = Sender {
            id: engine.new_id(),
            organization_id: account.organization_id,
            account_id: account.id,
            channel: provider.channel().into(),
            provider: provider.name().into(),
            external_id: found.external_id.clone(),
            address: found.address.clone(),
            name: found.name.clone(),
            status: found.status.clone(),
            status_reason: found.status_reason.clone(),
            config: found.config.clone(),
            settings: "{}".into(),
            created_at: now,
            updated_at: now,
        };
        stored.push(store::senders::put(tx, &sender).await?);
    }
    templates::write_down(tx, engine, account, &found.templates).await?;
    settings::touch_caches(tx).await?;
    Ok(stored)
}

/// Registers a number of an account for sending.
pub async fn register(engine: &Engine, id: &Id, number: &str, pin: &str) -> Connect<()> {
    let (account, provider) = known(engine, id).await?;
    Ok(setup(&provider)?.register(&account, number, pin).await?)
}

/// The templates of an account as its provider has them now.
pub async fn fetch_templates(engine: &Engine, id: &Id) -> Connect<Vec<facts::TemplateState>> {
    let (account, provider) = known(engine, id).await?;
    Ok(provider.templates().ok_or(ConnectError::Unsupported)?.list(&account).await?)
}

async fn known(engine: &Engine, id: &Id) -> Connect<(Arc<Account>, Arc<dyn Provider>)> {
    let account = engine.account(id).await?.ok_or(ConnectError::UnknownAccount)?;
    let provider = provider(engine, &account.provider)?.clone();
    Ok((account, provider))
}

fn provider<'a>(engine: &'a Engine, name: &str) -> Connect<&'a Arc<dyn Provider>> {
    engine.provider(name).ok_or(ConnectError::Unsupported)
}

fn setup(provider: &Arc<dyn Provider>) -> Connect<&dyn Setup> {
    provider.setup().ok_or(ConnectError::Unsupported)
}
