//! Taking in what providers tell us.
//!
//! All facts of one push are one transaction; the provider gets its 200 only after the commit. Each fact
//! may come again, late or out of order: messages are unique by the provider's id, receipts are counted
//! once per status and a message's status only grows, so that a repetition changes nothing.

mod changes;
mod known;
mod message;
pub(crate) mod part;
mod receipt;

use std::collections::HashMap;
use std::sync::Arc;

use store::accounts::Account;
use store::contacts::Address;
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use crate::campaigns::Moves;
use crate::facts::Fact;
use crate::{Engine, UseCase};

/// One push.
pub struct Received {
    pub facts: Vec<Fact>,
    /// The provider's names of the accounts that vouch for it; facts about any other account are dropped.
    pub accounts: Vec<String>,
}

impl Engine {
    /// Commits everything in a push.
    pub async fn receive(&self, provider: &str, push: Received) -> Result<()> {
        let count = push.facts.iter().filter(|fact| matches!(fact, Fact::Message(_))).count();
        self.know(provider, &push).await?;
        let use_case = Receive { engine: self.clone(), provider: provider.to_owned(), push };
        let followed = self.perform(use_case).await?;
        crate::metrics::received(count);
        if followed.changed_senders {
            self.cache.clear();
        }
        Ok(())
    }
}

struct Receive {
    engine: Engine,
    provider: String,
    push: Received,
}

/// What the commit leaves to be done.
#[derive(Clone, Debug, Default)]
struct Followed {
    changed_senders: bool,
    files: bool,
    /// Messages whose sending is known to have succeeded now.
    settled: Vec<Id>,
    /// Senders with messages that came of it.
    senders: Vec<Id>,
}

impl Work for Receive {
    type Output = Followed;

    async fn run(&self, tx: &mut Tx) -> Result<Followed> {
        let mut intake = Intake {
            engine: &self.engine,
            provider: &self.provider,
            accounts: Vec::new(),
            senders: HashMap::new(),
            followed: Followed::default(),
            moves: Moves::default(),
        };
        intake.hear(tx, &self.push.accounts).await?;
        for fact in in_lock_order(&self.push.facts) {
            intake.take(tx, fact).await?;
        }
        intake.moves.count(tx).await?;
        Ok(intake.followed)
    }
}

impl UseCase for Receive {
    fn committed(&self, engine: &Engine, followed: &Followed) {
        engine.wake.dispatch.ring();
        followed.settled.iter().for_each(|message| engine.wake.settled.ring(message));
        followed.senders.iter().for_each(|sender| engine.wake.senders.ring(*sender));
        if followed.files {
            engine.wake.jobs.ring();
        }
    }
}

/// Two pushes that touch the same rows must lock them in the same order: by sender and provider's id.
/// Facts about one message keep the order in which they came.
fn in_lock_order(facts: &[Fact]) -> Vec<&Fact> {
    let mut ordered: Vec<&Fact> = facts.iter().collect();
    ordered.sort_by_key(|fact| match fact {
        Fact::Message(message) => (0, message.sender.as_str(), message.from.first().map_or("", |from| &from.value)),
        Fact::Receipt(receipt) => (1, receipt.sender.as_str(), receipt.provider_id.as_str()),
        Fact::Part(receipt) => (1, receipt.account.as_str(), receipt.provider_id.as_str()),
        _ => (2, "", ""),
    });
    ordered
}

/// One push on its way into the database.
struct Intake<'a> {
    engine: &'a Engine,
    provider: &'a str,
    /// Those that vouch for the push.
    accounts: Vec<Arc<Account>>,
    senders: HashMap<String, Option<Arc<Sender>>>,
    followed: Followed,
    /// What became of campaigns' messages.
    moves: Moves,
}

impl Intake<'_> {
    async fn take(&mut self, tx: &mut Tx, fact: &Fact) -> Result<()> {
        match fact {
            Fact::Message(message) if !is_usable(&message.provider_id) => nameless(),
            Fact::Receipt(receipt) if !is_usable(&receipt.provider_id) => nameless(),
            Fact::Part(receipt) if !is_usable(&receipt.provider_id) => nameless(),
            Fact::Template(change) if !is_usable(&change.name) || !is_usable(&change.language) => nameless(),
            Fact::Message(message) => self.message(tx, message).await,
            Fact::Receipt(receipt) => self.receipt(tx, receipt).await,
            Fact::Part(receipt) => self.part(tx, receipt).await,
            Fact::Template(change) => self.template(tx, change).await,
            Fact::Preference(preference) => self.preference(tx, preference).await,
            Fact::Identity(change) => self.identity(tx, change).await,
            Fact::Sender(change) => self.sender_change(tx, change).await,
            Fact::Person(person) => self.person(tx, person).await,
            Fact::Chat(chat) => self.chat(tx, chat).await,
            Fact::Told(told) => self.told(tx, told).await,
            Fact::Notice(notice) => self.notice(tx, notice).await,
        }
    }

    /// Remembers that an account's pushes reach us.
    async fn hear(&mut self, tx: &mut Tx, accounts: &[String]) -> Result<()> {
        for external_id in accounts {
            let account = known::account(tx, self.engine, self.provider, external_id).await?;
            if account.as_ref().is_none_or(|account| self.engine.cache.is_news_of(&account.id, self.engine.now())) {
                store::accounts::heard(tx, self.provider, external_id, self.engine.now()).await?;
            }
            self.accounts.extend(account);
        }
        Ok(())
    }

    /// An account that vouches for the push.
    fn account(&self, external_id: &str) -> Option<Arc<Account>> {
        self.accounts.iter().find(|account| account.external_id == external_id).cloned()
    }

    /// Our sender by the provider's name; facts about senders that we do not have are dropped, with a word in the log.
    async fn sender(&mut self, tx: &mut Tx, external_id: &str) -> Result<Option<Arc<Sender>>> {
        if let Some(known) = self.senders.get(external_id) {
            return Ok(known.clone());
        }
        let found = known::sender(tx, self.engine, self.provider, external_id).await?;
        let vouched = |sender: &Arc<Sender>| self.accounts.iter().any(|account| account.id == sender.account_id);
        let found = match found.filter(vouched) {
            Some(found) => Some(found),
            None => self.addressed(tx, external_id).await?.map(Arc::new),
        };
        if found.is_none() {
            tracing::warn!(
                provider = self.provider,
                sender = external_id,
                "a push is about a sender that we do not have"
            );
        }
        self.senders.insert(external_id.to_owned(), found.clone());
        Ok(found)
    }
}

impl Intake<'_> {
    /// Carriers know our senders by their addresses, and several may carry for one.
    async fn addressed(&self, tx: &mut Tx, address: &str) -> Result<Option<Sender>> {
        let Some(provider) = self.engine.provider(self.provider).filter(|provider| provider.by_address()) else {
            return Ok(None);
        };
        for account in &self.accounts {
            let (organization, channel) = (&account.organization_id, provider.channel());
            if let Some(found) = store::senders::by_address(tx, organization, channel, address).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// No provider sends such a thing; the rest of the push must not suffer from it.
fn nameless() -> Result<()> {
    tracing::warn!("a fact without a usable name was dropped");
    Ok(())
}

/// Longer names than any provider gives; PostgreSQL could not index them.
const LONGEST_NAME: usize = 512;

/// Whether the database can look a name up.
fn is_usable(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains('\0')
}

/// Addresses as the database can hold them.
fn clean(addresses: &[Address]) -> Vec<Address> {
    addresses.iter().filter(|address| is_usable(&address.value)).cloned().collect()
}

/// Text as the database can hold it.
fn clean_text(text: &str) -> String {
    text.replace('\0', "")
}
