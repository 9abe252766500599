//! What carriers call the parts of a message, what came of each, and receipts that came before we knew the name.

use crate::db::{Result, Row, Tx};
use crate::messages::Status;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Part {
    pub account_id: Id,
    pub provider_id: String,
    pub message_id: Id,
    /// From 0.
    pub number: i64,
    pub status: Status,
    /// Which receipts were seen; see [`Status::bit`].
    pub receipts: i64,
    /// JSON of the engine's failure.
    pub error: Option<String>,
    pub created_at: i64,
}

const COLUMNS: &str = "account_id, provider_id, message_id, number, status, receipts, error, created_at";

fn read(mut row: Row) -> Result<Part> {
    Ok(Part {
        account_id: row.take()?,
        provider_id: row.take()?,
        message_id: row.take()?,
        number: row.take()?,
        status: Status::read(row.take()?)?,
        receipts: row.take()?,
        error: row.take()?,
        created_at: row.take()?,
    })
}

/// `false` when the name is taken.
pub async fn insert(tx: &mut Tx, part: &Part) -> Result<bool> {
    let sql = format!(
        "INSERT INTO parts ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account_id, provider_id) DO NOTHING"
    );
    let values = params![
        &part.account_id,
        &part.provider_id,
        &part.message_id,
        part.number,
        part.status as i64,
        part.receipts,
        part.error.as_deref(),
        part.created_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

/// Locked for a change.
pub async fn get(tx: &mut Tx, account: &Id, provider_id: &str) -> Result<Option<Part>> {
    let sql = format!("SELECT {COLUMNS} FROM parts WHERE account_id = ?1 AND provider_id = ?2 /* for update */");
    tx.query_opt(&sql, params![account, provider_id]).await?.map(read).transpose()
}

/// All of a message, in order.
pub async fn of_message(tx: &mut Tx, message: &Id) -> Result<Vec<Part>> {
    let sql = format!("SELECT {COLUMNS} FROM parts WHERE message_id = ?1 ORDER BY number, created_at");
    tx.query(&sql, params![message]).await?.into_iter().map(read).collect()
}

/// Moves a part on. The caller has locked it and decided.
pub async fn advance(tx: &mut Tx, part: &Part) -> Result<()> {
    let sql = "UPDATE parts SET status = ?3, receipts = ?4, error = ?5 WHERE account_id = ?1 AND provider_id = ?2";
    let values = params![&part.account_id, &part.provider_id, part.status as i64, part.receipts, part.error.as_deref()];
    tx.post(sql, values).await
}

/// A receipt for a name that nobody has yet.
#[derive(Clone, Debug)]
pub struct Early {
    pub status: Status,
    pub at: i64,
    /// JSON of the engine's failure.
    pub error: Option<String>,
}

/// Stands where statuses stand, in a row that keeps none.
const MEETING: i64 = -1;

/// Whoever hears of a name that he does not know, and whoever gives it to a part, meet here first: PostgreSQL shows
/// neither what the other has not committed yet. Who comes second waits, and then sees what the first one did.
pub async fn meet(tx: &mut Tx, account: &Id, provider_id: &str, now: i64) -> Result<()> {
    let sql = "INSERT INTO early_receipts (account_id, provider_id, status, at, error, created_at)
               VALUES (?1, ?2, ?3, ?4, NULL, ?4)
               ON CONFLICT (account_id, provider_id, status) DO UPDATE SET created_at = excluded.created_at";
    tx.post(sql, params![account, provider_id, MEETING, now]).await
}

pub async fn keep_early(tx: &mut Tx, account: &Id, provider_id: &str, early: &Early, now: i64) -> Result<()> {
    let sql = "INSERT INTO early_receipts (account_id, provider_id, status, at, error, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account_id, provider_id, status) DO NOTHING";
    let values = params![account, provider_id, early.status as i64, early.at, early.error.as_deref(), now];
    tx.post(sql, values).await
}

/// Takes what came early for a name, in the order of statuses.
pub async fn take_early(tx: &mut Tx, account: &Id, provider_id: &str) -> Result<Vec<Early>> {
    let sql = "DELETE FROM early_receipts WHERE account_id = ?1 AND provider_id = ?2 RETURNING status, at, error";
    let mut found = Vec::new();
    for mut row in tx.query(sql, params![account, provider_id]).await? {
        let status: i64 = row.take()?;
        if status != MEETING {
            found.push(Early { status: Status::read(status)?, at: row.take()?, error: row.take()? });
        }
    }
    found.sort_by_key(|early| early.status);
    Ok(found)
}

/// Forgets receipts that nothing came to own.
pub async fn forget_early(tx: &mut Tx, before: i64) -> Result<u64> {
    tx.execute("DELETE FROM early_receipts WHERE created_at < ?1", params![before]).await
}
