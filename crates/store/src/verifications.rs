//! Codes that prove that an address is somebody's, and the pace at which they are asked for.

use crate::contacts::Address;
use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone)]
pub struct Verification {
    pub id: Id,
    pub organization_id: Id,
    /// The dialect it came through.
    pub origin: String,
    pub channel: String,
    pub address: Address,
    /// A keyed hash of the code: what an answer is compared with.
    pub hash: Vec<u8>,
    /// The code itself, kept only while it may have to be sent.
    pub sealed: Option<Vec<u8>>,
    /// `pending`, `approved`, `expired`, `undelivered` or `blocked`.
    pub status: String,
    /// Wrong answers so far.
    pub wrong: i64,
    /// What carries the code; `None`: nothing was sent.
    pub message_id: Option<Id>,
    /// What carries it another way, after the first message had failed.
    pub fallback_id: Option<Id>,
    /// JSON of the engine's own making.
    pub options: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub updated_at: i64,
}

impl std::fmt::Debug for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verification").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, organization_id, origin, channel, kind, value, hash, sealed, status, wrong, message_id, \
                       fallback_id, options, created_at, expires_at, updated_at";

fn read(mut row: Row) -> Result<Verification> {
    Ok(Verification {
        id: row.take()?,
        organization_id: row.take()?,
        origin: row.take()?,
        channel: row.take()?,
        address: Address { kind: row.take()?, value: row.take()? },
        hash: row.take()?,
        sealed: row.take()?,
        status: row.take()?,
        wrong: row.take()?,
        message_id: row.take()?,
        fallback_id: row.take()?,
        options: row.take()?,
        created_at: row.take()?,
        expires_at: row.take()?,
        updated_at: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, new: &Verification) -> Result<()> {
    let sql = format!(
        "INSERT INTO verifications ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    );
    let values = params![
        &new.id,
        &new.organization_id,
        &new.origin,
        &new.channel,
        &new.address.kind,
        &new.address.value,
        &new.hash,
        new.sealed.as_ref(),
        &new.status,
        new.wrong,
        new.message_id.as_ref(),
        new.fallback_id.as_ref(),
        &new.options,
        new.created_at,
        new.expires_at,
        new.updated_at,
    ];
    tx.post(&sql, values).await
}

/// Whosever it is: for what carries its code.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Verification>> {
    let sql = format!("SELECT {COLUMNS} FROM verifications WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Locked for a change; whose it is the caller looks at.
pub async fn get_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Verification>> {
    let sql = format!("SELECT {COLUMNS} FROM verifications WHERE id = ?1 /* for update */");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// The newest of an address that waits for its code at this moment, else the newest.
pub async fn latest(tx: &mut Tx, organization: &Id, address: &Address, now: i64) -> Result<Option<Id>> {
    let sql = "SELECT id FROM verifications WHERE organization_id = ?1 AND kind = ?2 AND value = ?3
               ORDER BY CASE WHEN status = 'pending' AND expires_at > ?4 THEN 0 ELSE 1 END, id DESC LIMIT 1";
    let row = tx.query_opt(sql, params![organization, &address.kind, &address.value, now]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// Writes down what can change. The caller has locked it.
pub async fn update(tx: &mut Tx, it: &Verification) -> Result<()> {
    let sql = "UPDATE verifications SET sealed = ?2, status = ?3, wrong = ?4, fallback_id = ?5, updated_at = ?6 WHERE id = ?1";
    let values = params![&it.id, it.sealed.as_ref(), &it.status, it.wrong, it.fallback_id.as_ref(), it.updated_at];
    tx.post(sql, values).await
}

/// A bucket for those who ask, kept as the moment at which it is full again. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many may ask at once after a pause.
    pub burst: i64,
    /// The time after which one more may.
    pub interval: i64,
}

/// Takes one from a bucket. `Err`: there was none, and nothing is changed; one will be there at this moment.
pub async fn take(
    tx: &mut Tx,
    organization: &Id,
    name: &str,
    pace: Pace,
    now: i64,
) -> Result<std::result::Result<(), i64>> {
    let latest = now + pace.interval * (pace.burst - 1);
    let sql = "INSERT INTO verification_paces (organization_id, name, full_at) VALUES (?1, ?2, CAST(?3 AS BIGINT) + CAST(?4 AS BIGINT))
               ON CONFLICT (organization_id, name) DO UPDATE SET full_at =
                 CASE WHEN verification_paces.full_at > ?3 THEN verification_paces.full_at ELSE ?3 END + ?4
               WHERE verification_paces.full_at <= ?5";
    if tx.execute(sql, params![organization, name, now, pace.interval, latest]).await? > 0 {
        return Ok(Ok(()));
    }
    let sql = "SELECT full_at FROM verification_paces WHERE organization_id = ?1 AND name = ?2";
    let row = tx.query_opt(sql, params![organization, name]).await?;
    let full_at: i64 = row.map_or(Ok(now), |mut row| row.take())?;
    Ok(Err(full_at - pace.interval * (pace.burst - 1)))
}

/// Forgets codes that nobody may send any more, and buckets that are full.
pub async fn forget(tx: &mut Tx, now: i64) -> Result<()> {
    let sql = "UPDATE verifications SET sealed = NULL WHERE sealed IS NOT NULL AND expires_at <= ?1";
    tx.post(sql, params![now]).await?;
    tx.post("DELETE FROM verification_paces WHERE full_at <= ?1", params![now]).await
}

/// Deletes up to `limit` made before a moment; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: &Id, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM verifications WHERE id IN (SELECT id FROM verifications WHERE id < ?1 ORDER BY id LIMIT ?2)";
    tx.execute(sql, params![before, limit]).await
}
