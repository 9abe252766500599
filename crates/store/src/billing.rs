//! Money, in millionths of a unit: what messages cost, what organizations have, and every change of that.

use crate::db::{Result, Row, Tx};
use crate::messages::Message;
use crate::{Id, params};

/// What one message costs, or one of the parts that its channel counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub channel: String,
    /// ISO 3166-1 alpha-2; empty: everywhere else.
    pub region: String,
    /// Empty: every other.
    pub category: String,
    pub amount: i64,
    pub currency: String,
}

pub async fn prices(tx: &mut Tx) -> Result<Vec<Price>> {
    let sql = "SELECT channel, region, category, amount, currency FROM prices ORDER BY channel, region, category";
    let read = |mut row: Row| {
        Ok(Price {
            channel: row.take()?,
            region: row.take()?,
            category: row.take()?,
            amount: row.take()?,
            currency: row.take()?,
        })
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// These take the place of all others.
pub async fn replace_prices(tx: &mut Tx, prices: &[Price]) -> Result<()> {
    tx.lock_table("prices").await?;
    tx.post("DELETE FROM prices", &[]).await?;
    let sql = "INSERT INTO prices (channel, region, category, amount, currency) VALUES (?1, ?2, ?3, ?4, ?5)";
    for price in prices {
        let Price { channel, region, category, amount, currency } = price;
        tx.post(sql, params![channel, region, category, *amount, currency]).await?;
    }
    Ok(())
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub amount: i64,
    pub currency: String,
}

pub async fn balance(tx: &mut Tx, organization: &Id) -> Result<Option<Balance>> {
    let sql = "SELECT amount, currency FROM balances WHERE organization_id = ?1";
    found(tx, sql, organization).await
}

/// Locked for a change.
pub async fn balance_for_update(tx: &mut Tx, organization: &Id) -> Result<Option<Balance>> {
    let sql = "SELECT amount, currency FROM balances WHERE organization_id = ?1 /* for update */";
    found(tx, sql, organization).await
}

async fn found(tx: &mut Tx, sql: &str, organization: &Id) -> Result<Option<Balance>> {
    let row = tx.query_opt(sql, params![organization]).await?;
    row.map(|mut row| Ok(Balance { amount: row.take()?, currency: row.take()? })).transpose()
}

/// Takes an amount away; `false` when there is not so much in this currency.
pub async fn take(tx: &mut Tx, organization: &Id, amount: i64, currency: &str, now: i64) -> Result<bool> {
    let sql = "UPDATE balances SET amount = amount - ?2, updated_at = ?4
               WHERE organization_id = ?1 AND currency = ?3 AND amount >= ?2";
    Ok(tx.execute(sql, params![organization, amount, currency, now]).await? > 0)
}

/// Adds an amount; `false` when the balance is in another currency.
pub async fn give(tx: &mut Tx, organization: &Id, amount: i64, currency: &str, now: i64) -> Result<bool> {
    let sql = "INSERT INTO balances (organization_id, amount, currency, updated_at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (organization_id) DO UPDATE
               SET amount = balances.amount + excluded.amount, updated_at = excluded.updated_at
               WHERE balances.currency = excluded.currency";
    Ok(tx.execute(sql, params![organization, amount, currency, now]).await? > 0)
}

/// A change of a balance; the balance is the sum of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: Id,
    pub organization_id: Id,
    pub kind: String,
    /// Negative: taken away.
    pub amount: i64,
    pub currency: String,
    pub message_id: Option<Id>,
    pub note: Option<String>,
    pub created_at: i64,
}

const ENTRY: &str = "id, organization_id, kind, amount, currency, message_id, note, created_at";

/// `false` when the message has one of this kind already.
pub async fn enter(tx: &mut Tx, entry: &Entry) -> Result<bool> {
    let sql = format!(
        "INSERT INTO ledger_entries ({ENTRY}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (message_id, kind) DO NOTHING"
    );
    let values = params![
        &entry.id,
        &entry.organization_id,
        &entry.kind,
        entry.amount,
        &entry.currency,
        entry.message_id.as_ref(),
        entry.note.as_deref(),
        entry.created_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

fn read_entry(mut row: Row) -> Result<Entry> {
    Ok(Entry {
        id: row.take()?,
        organization_id: row.take()?,
        kind: row.take()?,
        amount: row.take()?,
        currency: row.take()?,
        message_id: row.take()?,
        note: row.take()?,
        created_at: row.take()?,
    })
}

/// Newest first.
pub async fn entries(tx: &mut Tx, organization: &Id, limit: i64) -> Result<Vec<Entry>> {
    let sql = format!("SELECT {ENTRY} FROM ledger_entries WHERE organization_id = ?1 ORDER BY id DESC LIMIT ?2");
    tx.query(&sql, params![organization, limit]).await?.into_iter().map(read_entry).collect()
}

/// Those about a message, oldest first.
pub async fn entries_about(tx: &mut Tx, message: &Id) -> Result<Vec<Entry>> {
    let sql = format!("SELECT {ENTRY} FROM ledger_entries WHERE message_id = ?1 ORDER BY id");
    tx.query(&sql, params![message]).await?.into_iter().map(read_entry).collect()
}

/// Writes down what a message costs. The caller has locked it and decided.
pub async fn bill(tx: &mut Tx, message: &Id, billing: &str) -> Result<()> {
    tx.post("UPDATE messages SET billing = ?2 WHERE id = ?1", params![message, billing]).await
}

/// The messages with a bill that a contact was never sent. Its conversations are locked from now on.
pub async fn unsent_of(tx: &mut Tx, organization: &Id, contact: &Id) -> Result<Vec<Message>> {
    let sql = "SELECT id FROM conversations WHERE contact_id = ?2 AND organization_id = ?1 /* for update */";
    let mut unsent = Vec::new();
    for mut row in tx.query(sql, params![organization, contact]).await? {
        let conversation: Id = row.take()?;
        unsent.extend(crate::messages::pending_with_bill(tx, &conversation).await?);
    }
    Ok(unsent)
}
