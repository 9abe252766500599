//! Answers that were given under a caller's idempotency key, committed together with what they tell of.

use crate::db::{Result, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Answer {
    /// SHA-256 over what was asked.
    pub fingerprint: Vec<u8>,
    pub status: i64,
    /// Sealed: it may hold secrets.
    pub answer: Vec<u8>,
}

/// Remembers an answer; `false` when the key is taken by one that is younger than `since`.
pub async fn put(
    tx: &mut Tx,
    organization: &Id,
    key_hash: &[u8],
    answer: &Answer,
    now: i64,
    since: i64,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO idempotency (organization_id, key_hash, fingerprint, status, answer, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (organization_id, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint,
          status = excluded.status, answer = excluded.answer, created_at = excluded.created_at
          WHERE idempotency.created_at <= ?7";
    let values = params![organization, key_hash, &answer.fingerprint, answer.status, &answer.answer, now, since];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// What was answered under a key since `since`.
pub async fn get(tx: &mut Tx, organization: &Id, key_hash: &[u8], since: i64) -> Result<Option<Answer>> {
    let sql = "SELECT fingerprint, status, answer FROM idempotency WHERE organization_id = ?1 AND key_hash = ?2 AND created_at > ?3";
    let row = tx.query_opt(sql, params![organization, key_hash, since]).await?;
    row.map(|mut row| Ok(Answer { fingerprint: row.take()?, status: row.take()?, answer: row.take()? })).transpose()
}
