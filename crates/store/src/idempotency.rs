//! Answers that were given under a caller's idempotency key, committed together with what they tell of.

use crate::db::{Insert, Result, Tx};
use crate::params;

#[derive(Clone, Debug)]
pub struct Answer {
    /// A hash over what was asked.
    pub fingerprint: Vec<u8>,
    pub status: i64,
    /// Sealed: it may hold secrets.
    pub answer: Vec<u8>,
}

/// How long a key is remembered, in milliseconds.
pub const LIFE: i64 = 24 * 60 * 60 * 1000;

static INSERT: Insert = Insert::new(
    "idempotency (key, fingerprint, status, answer, created_at)",
    5,
    "ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
       answer = excluded.answer, created_at = excluded.created_at
     WHERE idempotency.created_at <= excluded.created_at - 86400000",
);

/// Remembers an answer; `false` when the key is still taken.
pub async fn put(tx: &mut Tx, key: &[u8], answer: &Answer, now: i64) -> Result<bool> {
    tx.append(&INSERT, params![key, &answer.fingerprint, answer.status, &answer.answer, now]).await
}

/// What was answered under a key, if that is not forgotten.
pub async fn get(tx: &mut Tx, key: &[u8], now: i64) -> Result<Option<Answer>> {
    const SQL: &str = "SELECT fingerprint, status, answer FROM idempotency WHERE key = ?1 AND created_at > ?2";
    let tx = tx.looking_for(&INSERT, &[(0, key.into())])?;
    let row = tx.query_opt(SQL, params![key, now - LIFE]).await?;
    row.map(|mut row| Ok(Answer { fingerprint: row.take()?, status: row.take()?, answer: row.take()? })).transpose()
}
