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

/// Remembers an answer; `false` when the key is taken.
pub async fn insert(tx: &mut Tx, organization: &Id, key_hash: &[u8], answer: &Answer, now: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO idempotency (organization_id, key_hash, fingerprint, status, answer, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (organization_id, key_hash) DO NOTHING";
    let values = params![organization, key_hash, &answer.fingerprint, answer.status, &answer.answer, now];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Writes the answer into a row taken in the same transaction.
pub async fn fill(tx: &mut Tx, organization: &Id, key_hash: &[u8], status: i64, answer: &[u8]) -> Result<()> {
    const SQL: &str = "UPDATE idempotency SET status = ?3, answer = ?4 WHERE organization_id = ?1 AND key_hash = ?2";
    tx.execute(SQL, params![organization, key_hash, status, answer]).await.map(drop)
}

/// What was answered under a key since `since`.
pub async fn get(tx: &mut Tx, organization: &Id, key_hash: &[u8], since: i64) -> Result<Option<Answer>> {
    let sql = "SELECT fingerprint, status, answer FROM idempotency WHERE organization_id = ?1 AND key_hash = ?2 AND created_at > ?3";
    let row = tx.query_opt(sql, params![organization, key_hash, since]).await?;
    row.map(|mut row| Ok(Answer { fingerprint: row.take()?, status: row.take()?, answer: row.take()? })).transpose()
}

/// Forgets a key that is older than `since`, so that it can be used anew.
pub async fn expire(tx: &mut Tx, organization: &Id, key_hash: &[u8], since: i64) -> Result<()> {
    let sql = "DELETE FROM idempotency WHERE organization_id = ?1 AND key_hash = ?2 AND created_at <= ?3";
    tx.execute(sql, params![organization, key_hash, since]).await.map(drop)
}
