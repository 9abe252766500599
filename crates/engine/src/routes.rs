//! Senders that carriers know by their addresses, and which accounts carry for them where.

use std::sync::Arc;

pub use store::routes::Route;
use store::senders::Sender;
use store::{Id, Result, Tx, Work, routes as rows};

use crate::senders::CONNECTED;
use crate::{Engine, Outcome, Refusal, UseCase};

/// Adds an address to send from, or gives a known one another account.
pub struct AddSender {
    pub engine: Engine,
    pub organization: Id,
    pub account: Id,
    /// A number in E.164 with `+`, a name, a mailbox: what the channel has.
    pub address: String,
    pub name: Option<String>,
}

impl Work for AddSender {
    type Output = Outcome<Sender>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Sender>> {
        let account = store::accounts::get(tx, &self.account).await?;
        let Some(account) = account.filter(|account| account.organization_id == self.organization) else {
            return Ok(Err(Refusal::NotFound("account")));
        };
        let Some(provider) = self.engine.provider(&account.provider).filter(|provider| provider.by_address()) else {
            let why = "its provider has senders of its own making".into();
            return Ok(Err(Refusal::Invalid { field: "account", why }));
        };
        let id = self.engine.new_id();
        let known = store::senders::by_address(tx, &self.organization, provider.channel(), &self.address).await?;
        let sender = Sender {
            id,
            organization_id: self.organization,
            account_id: account.id,
            channel: provider.channel().into(),
            provider: known.as_ref().map_or_else(|| account.provider.clone(), |known| known.provider.clone()),
            external_id: known.map_or_else(|| format!("{}/{}", account.id, self.address), |known| known.external_id),
            address: self.address.clone(),
            name: self.name.clone(),
            status: CONNECTED.into(),
            status_reason: None,
            config: "{}".into(),
            settings: "{}".into(),
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        let stored = store::senders::put(tx, &sender).await?;
        store::settings::touch_caches(tx).await?;
        Ok(Ok(stored))
    }
}

impl UseCase for AddSender {
    fn committed(&self, engine: &Engine, _: &Outcome<Sender>) {
        engine.cache.clear();
    }
}

/// Says which accounts carry a sender's messages to a country, in the order in which they are tried. None: as
/// everywhere else.
pub struct Set {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    /// ISO 3166-1 alpha-2; empty: everywhere that has no accounts of its own.
    pub region: String,
    pub accounts: Vec<Id>,
}

impl Work for Set {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        let found = store::senders::get_for_update(tx, &self.sender).await?;
        let Some(sender) = found.filter(|sender| sender.organization_id == self.organization) else {
            return Ok(Err(Refusal::NotFound("sender")));
        };
        for id in &self.accounts {
            let account = store::accounts::get(tx, id).await?;
            let Some(account) = account.filter(|account| account.organization_id == self.organization) else {
                return Ok(Err(Refusal::NotFound("account")));
            };
            let carries = |provider: &Arc<dyn crate::provider::Provider>| {
                provider.by_address() && provider.channel() == sender.channel
            };
            if !self.engine.provider(&account.provider).is_some_and(carries) {
                let why = format!("{} does not carry for this sender", account.name);
                return Ok(Err(Refusal::Invalid { field: "account", why }));
            }
        }
        rows::set(tx, &self.sender, &self.region, &self.accounts).await?;
        store::settings::touch_caches(tx).await?;
        Ok(Ok(()))
    }
}

impl UseCase for Set {}

impl Engine {
    /// Country by country, in the order in which they are tried.
    pub async fn routes(&self, sender: &Id) -> Result<Vec<Route>> {
        rows::of_sender(&mut *self.db.reader().await?, sender).await
    }

    /// The oldest of an organization with an address on a channel; without an address, the oldest of the channel.
    pub async fn sender_on(
        &self,
        organization: &Id,
        channel: &str,
        address: Option<&str>,
    ) -> Result<Option<Arc<Sender>>> {
        // No address has a space.
        let key = (*organization, [channel, " ", address.unwrap_or_default()].concat());
        if let Some(known) = self.cache.senders_on.get(&key) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let found = self.find_sender_on(organization, channel, address).await?;
        Ok(found.map(|found| self.cache.keep(&self.cache.senders_on, generation, key, found)))
    }

    async fn find_sender_on(&self, organization: &Id, channel: &str, address: Option<&str>) -> Result<Option<Sender>> {
        let mut reader = self.db.reader().await?;
        match address {
            Some(address) => store::senders::by_address(&mut reader, organization, channel, address).await,
            None => {
                let all = store::senders::list(&mut reader, Some(organization), None).await?;
                Ok(all.into_iter().find(|sender| sender.channel == channel))
            }
        }
    }
}
