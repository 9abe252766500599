//! API keys: found by a keyed hash, never kept in the clear.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: Id,
    pub organization_id: Id,
    /// It speaks for this sender only; `None`: for the whole organization.
    pub sender_id: Option<Id>,
    pub dialect: String,
    pub label: String,
    pub hash: Vec<u8>,
    /// The key itself, sealed, where its dialect must be able to show it again.
    pub sealed: Option<Vec<u8>>,
    pub last4: String,
    /// Not a sandbox key.
    pub live: bool,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

const COLUMNS: &str =
    "id, organization_id, sender_id, dialect, label, hash, sealed, last4, live, created_at, expires_at, revoked_at";

fn read(mut row: Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.take()?,
        organization_id: row.take()?,
        sender_id: row.take()?,
        dialect: row.take()?,
        label: row.take()?,
        hash: row.take()?,
        sealed: row.take()?,
        last4: row.take()?,
        live: row.take()?,
        created_at: row.take()?,
        expires_at: row.take()?,
        revoked_at: row.take()?,
    })
}

/// Adds a key; one with the same hash stays as it is: `false`.
pub async fn insert(tx: &mut Tx, key: &ApiKey) -> Result<bool> {
    let sql = format!(
        "INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (hash) DO NOTHING"
    );
    let values = params![
        &key.id,
        &key.organization_id,
        key.sender_id.as_ref(),
        &key.dialect,
        &key.label,
        &key.hash,
        key.sealed.as_ref(),
        &key.last4,
        key.live,
        key.created_at,
        key.expires_at,
        key.revoked_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

/// Those that speak for one sender only, oldest first.
pub async fn of_sender(tx: &mut Tx, sender: &Id) -> Result<Vec<ApiKey>> {
    let select = crate::select::Select::new(format!("SELECT {COLUMNS} FROM api_keys")).and("sender_id = ?", sender);
    select.order("id").rows(tx, 10_000).await?.into_iter().map(read).collect()
}

pub async fn by_hash(tx: &mut Tx, hash: &[u8]) -> Result<Option<ApiKey>> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ?1");
    tx.query_opt(&sql, params![hash]).await?.map(read).transpose()
}

pub async fn list(tx: &mut Tx, organization: Option<&Id>) -> Result<Vec<ApiKey>> {
    let select = crate::select::Select::new(format!("SELECT {COLUMNS} FROM api_keys"));
    let rows = select.and_some("organization_id = ?", organization).order("id").rows(tx, 10_000).await?;
    rows.into_iter().map(read).collect()
}

/// Returns whether there was such a key that was not revoked yet.
pub async fn revoke(tx: &mut Tx, id: &Id, now: i64) -> Result<bool> {
    let sql = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    Ok(tx.execute(sql, params![id, now]).await? > 0)
}

pub async fn delete(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("DELETE FROM api_keys WHERE id = ?1", params![id]).await
}
