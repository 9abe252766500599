//! Answers that were given under a caller's idempotency key, committed together with what they tell of.

use crate::db::{Result, Tx};
use crate::params;

#[derive(Clone, Debug)]
pub struct Answer {
    /// A hash over what was asked.
    pub fingerprint: Vec<u8>,
    pub status: i64,
    /// Sealed: it may hold secrets.
    pub answer: Vec<u8>,
}

/// Remembers an answer; `false` when the key is taken by one that is younger than `since`.
pub async fn put(tx: &mut Tx, key: &[u8], answer: &Answer, now: i64, since: i64) -> Result<bool> {
    const SQL: &str =
        "INSERT INTO idempotency (key, fingerprint, status, answer, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
          answer = excluded.answer, created_at = excluded.created_at
          WHERE idempotency.created_at <= ?6";
    let values = params![key, &answer.fingerprint, answer.status, &answer.answer, now, since];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// What was answered under a key since `since`.
pub async fn get(tx: &mut Tx, key: &[u8], since: i64) -> Result<Option<Answer>> {
    let sql = "SELECT fingerprint, status, answer FROM idempotency WHERE key = ?1 AND created_at > ?2";
    let row = tx.query_opt(sql, params![key, since]).await?;
    row.map(|mut row| Ok(Answer { fingerprint: row.take()?, status: row.take()?, answer: row.take()? })).transpose()
}
