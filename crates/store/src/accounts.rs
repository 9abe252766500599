//! Our standing with a provider: its identity there, its settings, its sealed secrets.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Account {
    pub id: Id,
    pub organization_id: Id,
    pub provider: String,
    pub external_id: String,
    pub name: String,
    /// JSON of the provider's own making, nothing secret in it.
    pub config: String,
    /// Sealed JSON.
    pub secrets: Vec<u8>,
    pub status: String,
    pub status_reason: Option<String>,
    /// When the provider last pushed something that carried a valid signature.
    pub heard_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: &str = "id, organization_id, provider, external_id, name, config, secrets, status, status_reason, \
                       heard_at, created_at, updated_at";

fn read(mut row: Row) -> Result<Account> {
    Ok(Account {
        id: row.take()?,
        organization_id: row.take()?,
        provider: row.take()?,
        external_id: row.take()?,
        name: row.take()?,
        config: row.take()?,
        secrets: row.take()?,
        status: row.take()?,
        status_reason: row.take()?,
        heard_at: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// Adds an account, or gives the one with the same identity its new settings and secrets.
pub async fn put(tx: &mut Tx, account: &Account) -> Result<Account> {
    let sql = format!(
        "INSERT INTO accounts ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (provider, external_id) DO UPDATE SET name = excluded.name, config = excluded.config,
           secrets = excluded.secrets, status = excluded.status, status_reason = excluded.status_reason,
           updated_at = excluded.updated_at WHERE accounts.organization_id = excluded.organization_id
         RETURNING {COLUMNS}"
    );
    let values = params![
        &account.id,
        &account.organization_id,
        &account.provider,
        &account.external_id,
        &account.name,
        &account.config,
        &account.secrets,
        &account.status,
        account.status_reason.as_deref(),
        account.heard_at,
        account.created_at,
        account.updated_at,
    ];
    let row = tx.query_opt(&sql, values).await?;
    row.map(read).transpose()?.ok_or_else(|| crate::Error::Exists("accounts_by_external_id".into()))
}

pub async fn get(tx: &mut Tx, id: &Id) -> Result<Option<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM accounts WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Oldest first; all organizations' and all providers' unless named.
pub async fn list(tx: &mut Tx, organization: Option<&Id>, provider: Option<&str>) -> Result<Vec<Account>> {
    let select = crate::select::Select::new(format!("SELECT {COLUMNS} FROM accounts"))
        .and_some("organization_id = ?", organization)
        .and_some("provider = ?", provider);
    select.order("id").rows(tx, 10_000).await?.into_iter().map(read).collect()
}

/// How many accounts of a provider stand alike, and when one of them was last heard from.
#[derive(Clone, Debug)]
pub struct Tally {
    pub provider: String,
    pub status: String,
    pub count: i64,
    pub heard_at: Option<i64>,
}

/// All organizations' accounts, by provider and status.
pub async fn tally(tx: &mut Tx) -> Result<Vec<Tally>> {
    let sql = "SELECT provider, status, COUNT(*), MAX(heard_at) FROM accounts GROUP BY provider, status";
    let read = |mut row: Row| {
        Ok(Tally { provider: row.take()?, status: row.take()?, count: row.take()?, heard_at: row.take()? })
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// How an account stands, locked until the commit.
pub async fn status_for_update(tx: &mut Tx, id: &Id) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT status FROM accounts WHERE id = ?1 /* for update */", params![id]).await?;
    row.map(|mut row| row.take()).transpose()
}

pub async fn set_status(tx: &mut Tx, id: &Id, status: &str, reason: Option<&str>, now: i64) -> Result<()> {
    let sql = "UPDATE accounts SET status = ?2, status_reason = ?3, updated_at = ?4 WHERE id = ?1";
    tx.post(sql, params![id, status, reason, now]).await
}

pub async fn set_secrets(tx: &mut Tx, id: &Id, secrets: &[u8], now: i64) -> Result<()> {
    tx.post("UPDATE accounts SET secrets = ?2, updated_at = ?3 WHERE id = ?1", params![id, secrets, now]).await
}

/// By the provider's name for it.
pub async fn by_external_id(tx: &mut Tx, provider: &str, external_id: &str) -> Result<Option<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM accounts WHERE provider = ?1 AND external_id = ?2");
    tx.beside().query_opt(&sql, params![provider, external_id]).await?.map(read).transpose()
}

/// Remembers that a push of an account's reached us.
pub async fn heard(tx: &mut Tx, provider: &str, external_id: &str, now: i64) -> Result<()> {
    // Once in a second is enough, and keeps the row cool.
    let sql = "UPDATE accounts SET heard_at = ?3
               WHERE provider = ?1 AND external_id = ?2 AND (heard_at IS NULL OR heard_at < ?4)";
    tx.beside().post(sql, params![provider, external_id, now, now - 1000]).await
}
