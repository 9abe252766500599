//! What messages cost, and out of which money.
//!
//! Whoever runs the installation loads a table of prices and, where he meters, gives organizations money. The price of a
//! message is found when it is accepted. Where it is metered, the price is set aside in the very commit that accepts the
//! message, and the commit that records the outcome charges it or gives it back. So a process that is killed leaves
//! either both or neither, and whoever records an outcome again finds it settled: the message's row, which he has
//! locked, says so. A balance is the sum of its entries and never below zero, for nothing is taken but what is there,
//! and what a message costs in the end is at most what was set aside for it.

mod amount;
mod prices;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
pub use store::billing::{Balance, Entry, Price};
use store::messages::{Message, Status};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use crate::contacts::{Address, PHONE};
use crate::content::Content;
use crate::events::Document;
use crate::{Engine, Outcome, Refusal, UseCase, regions};
pub use amount::{micros, spelt};
pub use prices::{Fault, Load, Prices};

/// Kinds of entries.
pub const ADDED: &str = "added";
pub const REMOVED: &str = "removed";
pub const RESERVED: &str = "reserved";
/// It arrived; the amount is what was set aside and is not charged.
pub const SETTLED: &str = "settled";
/// It failed; the amount is all that was set aside.
pub const RETURNED: &str = "returned";

/// Where nothing says another.
pub const CURRENCY: &str = "USD";
/// What no balance grows beyond: floating-point numbers tell all amounts up to there apart.
const MOST: i64 = 9_000_000_000_000_000;
/// The category of everything that is no template.
const SERVICE: &str = "service";

/// What a message costs. Amounts are millionths of the currency's unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// A template's category in lower case, or `service`.
    pub category: String,
    /// How many parts its channel counts.
    pub units: i64,
    /// Of all parts together: the estimate, and the cost once it is settled.
    pub amount: i64,
    pub currency: String,
    /// It was set aside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reserved: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    settled: bool,
    /// What the provider said it will come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<i64>,
}

/// What a provider says of the price of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tariff {
    /// In lower case.
    pub category: Option<String>,
    pub free: bool,
}

impl Bill {
    /// As it stands with a message; `None` where there were no prices.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        message.billing.as_deref().and_then(|text| serde_json::from_str(text).ok())
    }

    /// What is shown for a message: what failed costs nothing.
    #[must_use]
    pub fn price_of(message: &Message) -> (f64, String) {
        let Some(bill) = Self::of(message) else { return (0.0, CURRENCY.to_owned()) };
        let amount = if message.status == Status::Failed { 0 } else { bill.amount };
        (in_units(amount), bill.currency)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// The cost by a provider's word: not more than was estimated.
    fn by(&self, tariff: &Tariff, price: i64) -> i64 {
        if tariff.free { 0 } else { price.saturating_mul(self.units).min(self.amount) }
    }
}

/// An amount as JSON shows it.
#[must_use]
pub fn in_units(amount: i64) -> f64 {
    amount as f64 / 1_000_000.0
}

/// The prices that are loaded.
pub(crate) async fn prices(tx: &mut Tx, engine: &Engine) -> Result<Arc<Prices>> {
    if let Some(known) = engine.cache.prices.get(&()) {
        return Ok(known);
    }
    let generation = engine.cache.generation();
    let loaded = Prices::of(store::billing::prices(tx).await?);
    Ok(engine.cache.keep(&engine.cache.prices, generation, (), loaded))
}

/// What a message that is about to be accepted costs. Linked accounts pay nobody.
pub(crate) async fn estimate(
    tx: &mut Tx,
    engine: &Engine,
    sender: &Sender,
    to: &Address,
    content: &Content,
    category: Option<&str>,
) -> Result<Option<Bill>> {
    let prices = prices(tx, engine).await?;
    if prices.is_empty() {
        return Ok(None);
    }
    let Some(provider) = engine.provider(&sender.provider).filter(|provider| provider.sessions().is_none()) else {
        return Ok(None);
    };
    let category = category.map_or_else(|| SERVICE.to_owned(), str::to_lowercase);
    let number = Some(to.value.as_str()).filter(|_| to.kind == PHONE);
    let units = provider.units(content).max(1);
    let amount = price(&prices, &sender.channel, number, &category).saturating_mul(units);
    let reserved = engine.settings.billing.metering && amount > 0;
    let currency = prices.currency().to_owned();
    Ok(Some(Bill { category, units, amount, currency, reserved, settled: false, due: None }))
}

fn price(prices: &Prices, channel: &str, number: Option<&str>, category: &str) -> i64 {
    // Only who needs countries pays for knowing them.
    let region = number.filter(|_| prices.has_regions(channel)).and_then(regions::of_number);
    prices.find(channel, region.as_deref().unwrap_or_default(), category)
}

/// Takes what a message costs from its organization's money; `false`: there is not so much.
pub(crate) async fn take(tx: &mut Tx, engine: &Engine, organization: &Id, bill: &Bill) -> Result<bool> {
    store::billing::take(tx, organization, bill.amount, &bill.currency, engine.now()).await
}

/// Whether an organization has as much as several messages cost together; nobody takes of it before the transaction
/// ends.
pub(crate) async fn covers(tx: &mut Tx, organization: &Id, bills: &[Bill]) -> Result<bool> {
    let Some(first) = bills.first() else { return Ok(true) };
    let wanted = bills.iter().fold(0_i64, |sum, bill| sum.saturating_add(bill.amount));
    let found = store::billing::balance_for_update(tx, organization).await?;
    Ok(found.is_some_and(|found| found.currency == first.currency && found.amount >= wanted))
}

impl Bill {
    /// Whether it is paid from a balance.
    pub(crate) fn is_reserved(&self) -> bool {
        self.reserved
    }

    /// As an estimate only.
    pub(crate) fn unreserved(self) -> Self {
        Self { reserved: false, ..self }
    }
}

/// Writes down that a message's price was taken.
pub(crate) async fn reserved(tx: &mut Tx, engine: &Engine, message: &Message, bill: &Bill) -> Result<()> {
    store::billing::enter(tx, &entry(engine, message, RESERVED, -bill.amount, &bill.currency)).await.map(drop)
}

/// Charges a message or gives back what was set aside for it, where what came of it is known. Whoever asks has locked
/// it. What failed stays free even if it turns out to have arrived.
pub(crate) async fn settle(tx: &mut Tx, engine: &Engine, message: &Message, said: Option<&Document>) -> Result<()> {
    if message.status == Status::Pending || message.billing.is_none() {
        return Ok(());
    }
    let Some(mut bill) = Bill::of(message).filter(|bill| bill.reserved && !bill.settled) else { return Ok(()) };
    let heard = bill.hear(tx, engine, message, said).await?;
    let (kind, cost) = match message.status {
        Status::Pending | Status::Sent if !heard => return Ok(()),
        Status::Pending | Status::Sent => return store::billing::bill(tx, &message.id, &bill.to_json()).await,
        Status::Failed => (RETURNED, 0),
        Status::Delivered | Status::Read | Status::Played => (SETTLED, bill.due.unwrap_or(bill.amount)),
    };
    close(tx, engine, message, bill, kind, cost).await
}

/// Gives back what was set aside for what a contact, who is about to be forgotten, was not sent.
pub(crate) async fn give_back_of(tx: &mut Tx, engine: &Engine, organization: &Id, contact: &Id) -> Result<()> {
    for message in store::billing::unsent_of(tx, organization, contact).await? {
        if let Some(bill) = Bill::of(&message).filter(|bill| bill.reserved && !bill.settled) {
            close(tx, engine, &message, bill, RETURNED, 0).await?;
        }
    }
    Ok(())
}

async fn close(
    tx: &mut Tx,
    engine: &Engine,
    message: &Message,
    bill: Bill,
    kind: &'static str,
    cost: i64,
) -> Result<()> {
    let back = bill.amount - cost;
    let fresh = store::billing::enter(tx, &entry(engine, message, kind, back, &bill.currency)).await?;
    if fresh && back > 0 {
        store::billing::give(tx, &message.organization_id, back, &bill.currency, engine.now()).await?;
    }
    let bill = Bill { amount: cost, settled: true, due: None, ..bill };
    store::billing::bill(tx, &message.id, &bill.to_json()).await
}

impl Bill {
    /// Takes a provider's word on the price down, if it has one.
    async fn hear(&mut self, tx: &mut Tx, engine: &Engine, message: &Message, said: Option<&Document>) -> Result<bool> {
        let Some(document) = said else { return Ok(false) };
        let Some(sender) = store::senders::get(tx, &message.sender_id).await? else { return Ok(false) };
        let Some(tariff) = engine.provider(&sender.provider).and_then(|provider| provider.tariff(document)) else {
            return Ok(false);
        };
        let number = Some(message.address.as_str()).filter(|address| address.starts_with('+'));
        self.category = tariff.category.clone().unwrap_or_else(|| self.category.clone());
        let price = price(&*prices(tx, engine).await?, &sender.channel, number, &self.category);
        self.due = Some(self.by(&tariff, price));
        Ok(true)
    }
}

fn entry(engine: &Engine, message: &Message, kind: &str, amount: i64, currency: &str) -> Entry {
    Entry { message_id: Some(message.id), ..own_entry(engine, &message.organization_id, kind, amount, currency) }
}

fn own_entry(engine: &Engine, organization: &Id, kind: &str, amount: i64, currency: &str) -> Entry {
    let id = engine.new_id();
    Entry {
        id,
        organization_id: *organization,
        kind: kind.to_owned(),
        amount,
        currency: currency.to_owned(),
        message_id: None,
        note: None,
        created_at: id.millis(),
    }
}

/// An operator gives an organization money, or takes some away.
pub struct Add {
    pub engine: Engine,
    pub organization: Id,
    /// Millionths; below zero: taken away.
    pub amount: i64,
    /// `None`: the balance's, or that of the prices.
    pub currency: Option<String>,
    pub note: Option<String>,
}

impl Work for Add {
    type Output = Outcome<Balance>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Balance>> {
        let (organization, now) = (&self.organization, self.engine.now());
        let found = store::billing::balance_for_update(tx, organization).await?;
        let of_prices = prices(tx, &self.engine).await?.currency().to_owned();
        let known = found.as_ref().map_or(of_prices, |found| found.currency.clone());
        let currency = self.currency.clone().unwrap_or(known);
        let before = found.map_or(0, |found| found.amount);
        let Some(after) = before.checked_add(self.amount).filter(|after| *after <= MOST) else {
            return Ok(Err(Refusal::Invalid { field: "amount", why: "the balance would grow too large".into() }));
        };
        if after < 0 {
            return Ok(Err(Refusal::BalanceTooLow));
        }
        let done = match self.amount < 0 {
            true => store::billing::take(tx, organization, -self.amount, &currency, now).await?,
            false => store::billing::give(tx, organization, self.amount, &currency, now).await?,
        };
        if !done {
            let why = "the balance is in another currency".to_owned();
            return Ok(Err(Refusal::Invalid { field: "currency", why }));
        }
        let kind = if self.amount < 0 { REMOVED } else { ADDED };
        let entry = own_entry(&self.engine, organization, kind, self.amount, &currency);
        store::billing::enter(tx, &Entry { note: self.note.clone(), ..entry }).await?;
        Ok(Ok(store::billing::balance(tx, organization).await?.ok_or(store::Error::Dangling)?))
    }
}

impl UseCase for Add {}

impl Engine {
    /// What an organization has left; `None`: nothing is metered.
    pub async fn balance(&self, organization: &Id) -> Result<Option<Balance>> {
        if !self.settings.billing.metering {
            return Ok(None);
        }
        self.money(organization).await.map(Some)
    }

    /// What an organization has left, whether it is metered or not.
    pub async fn money(&self, organization: &Id) -> Result<Balance> {
        let mut reader = self.db.reader().await?;
        if let Some(found) = store::billing::balance(&mut reader, organization).await? {
            return Ok(found);
        }
        let prices = Prices::of(store::billing::prices(&mut reader).await?);
        Ok(Balance { amount: 0, currency: prices.currency().to_owned() })
    }

    /// The changes of an organization's balance, newest first.
    pub async fn ledger(&self, organization: &Id, limit: i64) -> Result<Vec<Entry>> {
        store::billing::entries(&mut *self.db.reader().await?, organization, limit).await
    }
}
