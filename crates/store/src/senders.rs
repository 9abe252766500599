//! Addresses that we own.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Sender {
    pub id: Id,
    pub organization_id: Id,
    pub account_id: Id,
    pub channel: String,
    pub provider: String,
    /// The provider's name for it.
    pub external_id: String,
    /// E.164 with `+` for phone numbers.
    pub address: String,
    pub name: Option<String>,
    /// `connected`, `degraded`, `disconnected` or `onboarding`.
    pub status: String,
    pub status_reason: Option<String>,
    /// JSON of the provider's own making.
    pub config: String,
    /// A JSON object with one member for each dialect that has something of its own to keep.
    pub settings: String,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: &str = "id, organization_id, account_id, channel, provider, external_id, address, name, status, \
                       status_reason, config, settings, created_at, updated_at";

fn read(mut row: Row) -> Result<Sender> {
    Ok(Sender {
        id: row.take()?,
        organization_id: row.take()?,
        account_id: row.take()?,
        channel: row.take()?,
        provider: row.take()?,
        external_id: row.take()?,
        address: row.take()?,
        name: row.take()?,
        status: row.take()?,
        status_reason: row.take()?,
        config: row.take()?,
        settings: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// Adds a sender with its lane, or brings the one with the same identity up to date.
pub async fn put(tx: &mut Tx, sender: &Sender) -> Result<Sender> {
    let sql = format!(
        "INSERT INTO senders ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (provider, external_id) DO UPDATE SET account_id = excluded.account_id, address = excluded.address,
           name = excluded.name, status = excluded.status, status_reason = excluded.status_reason,
           config = excluded.config, updated_at = excluded.updated_at
           WHERE senders.organization_id = excluded.organization_id
         RETURNING {COLUMNS}"
    );
    let values = params![
        &sender.id,
        &sender.organization_id,
        &sender.account_id,
        &sender.channel,
        &sender.provider,
        &sender.external_id,
        &sender.address,
        sender.name.as_deref(),
        &sender.status,
        sender.status_reason.as_deref(),
        &sender.config,
        &sender.settings,
        sender.created_at,
        sender.updated_at,
    ];
    let row = tx.query_opt(&sql, values).await?;
    let stored = row.map(read).transpose()?.ok_or_else(|| crate::Error::Exists("senders_by_external_id".into()))?;
    crate::lanes::ensure(tx, &stored.id).await?;
    Ok(stored)
}

pub async fn get(tx: &mut Tx, id: &Id) -> Result<Option<Sender>> {
    let sql = format!("SELECT {COLUMNS} FROM senders WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// The same, locked for a change.
pub async fn get_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Sender>> {
    let sql = format!("SELECT {COLUMNS} FROM senders WHERE id = ?1 /* for update */");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Writes address, name, config and settings. The caller has locked it.
pub async fn update(tx: &mut Tx, sender: &Sender) -> Result<()> {
    let sql = "UPDATE senders SET address = ?2, name = ?3, config = ?4, settings = ?5, updated_at = ?6 WHERE id = ?1";
    let values = params![
        &sender.id,
        &sender.address,
        sender.name.as_deref(),
        &sender.config,
        &sender.settings,
        sender.updated_at,
    ];
    tx.post(sql, values).await
}

/// Deletes a sender with everything that hangs on it; events and contacts stay.
pub async fn delete(tx: &mut Tx, id: &Id) -> Result<bool> {
    for sql in [
        "DELETE FROM jobs WHERE lane = ?1",
        "DELETE FROM conversations WHERE sender_id = ?1",
        "DELETE FROM contact_senders WHERE sender_id = ?1",
        "DELETE FROM calls WHERE sender_id = ?1",
        "DELETE FROM people WHERE sender_id = ?1",
        "DELETE FROM chats WHERE sender_id = ?1",
        "DELETE FROM subscriptions WHERE sender_id = ?1",
        "DELETE FROM api_keys WHERE sender_id = ?1",
        "DELETE FROM sessions WHERE sender_id = ?1",
        "DELETE FROM session_state WHERE sender_id = ?1",
        "DELETE FROM lanes WHERE sender_id = ?1",
    ] {
        tx.post(sql, params![id]).await?;
    }
    Ok(tx.execute("DELETE FROM senders WHERE id = ?1", params![id]).await? > 0)
}

/// A caller's sender by the provider's name for it.
pub async fn of_organization(tx: &mut Tx, organization: &Id, external_id: &str) -> Result<Option<Sender>> {
    let sql = format!("SELECT {COLUMNS} FROM senders WHERE organization_id = ?1 AND external_id = ?2");
    tx.query_opt(&sql, params![organization, external_id]).await?.map(read).transpose()
}

/// The sender that a provider's push is about.
pub async fn by_external_id(tx: &mut Tx, provider: &str, external_id: &str) -> Result<Option<Sender>> {
    let sql = format!("SELECT {COLUMNS} FROM senders WHERE provider = ?1 AND external_id = ?2");
    tx.beside().query_opt(&sql, params![provider, external_id]).await?.map(read).transpose()
}

/// The oldest with an address on a channel.
pub async fn by_address(tx: &mut Tx, organization: &Id, channel: &str, address: &str) -> Result<Option<Sender>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM senders WHERE organization_id = ?1 AND channel = ?2 AND address = ?3 ORDER BY id LIMIT 1"
    );
    tx.query_opt(&sql, params![organization, channel, address]).await?.map(read).transpose()
}

/// Oldest first; all organizations' and accounts' unless named.
pub async fn list(tx: &mut Tx, organization: Option<&Id>, account: Option<&Id>) -> Result<Vec<Sender>> {
    let select = crate::select::Select::new(format!("SELECT {COLUMNS} FROM senders"))
        .and_some("organization_id = ?", organization)
        .and_some("account_id = ?", account);
    select.order("id").rows(tx, 100_000).await?.into_iter().map(read).collect()
}

/// How a sender stands, locked until the commit.
pub async fn status_for_update(tx: &mut Tx, id: &Id) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT status FROM senders WHERE id = ?1 /* for update */", params![id]).await?;
    row.map(|mut row| row.take()).transpose()
}

pub async fn set_status(tx: &mut Tx, id: &Id, status: &str, reason: Option<&str>, now: i64) -> Result<()> {
    let sql = "UPDATE senders SET status = ?2, status_reason = ?3, updated_at = ?4 WHERE id = ?1";
    tx.post(sql, params![id, status, reason, now]).await
}

/// All senders of an account share its fate when its token dies.
pub async fn set_status_of_account(
    tx: &mut Tx,
    account: &Id,
    from: &str,
    to: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<()> {
    let sql =
        "UPDATE senders SET status = ?3, status_reason = ?4, updated_at = ?5 WHERE account_id = ?1 AND status = ?2";
    tx.post(sql, params![account, from, to, reason, now]).await
}
