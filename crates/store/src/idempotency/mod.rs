//! Answers that were given under a caller's idempotency key, committed together with what they tell of.

mod recent;

pub(crate) use recent::{Recent, fold};

use crate::db::{Insert, Result, Row, Tx};
use crate::params;

/// A hash of the caller's key.
pub type Key = [u8; 16];

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

/// Remembers an answer; `false` when the key is still taken. Within the same transaction the key has been looked up.
pub async fn put(tx: &mut Tx, key: &Key, answer: &Answer, now: i64) -> Result<bool> {
    if !tx.is_postgres() {
        return recent::put(tx, key, answer, now).await.map(|()| true);
    }
    tx.append(&INSERT, params![&key[..], &answer.fingerprint, answer.status, &answer.answer, now]).await
}

/// What was answered under a key, if that is not forgotten. On SQLite only whoever writes knows.
pub async fn get(tx: &mut Tx, key: &Key, now: i64) -> Result<Option<Answer>> {
    const SQL: &str = "SELECT fingerprint, status, answer FROM idempotency WHERE key = ?1 AND created_at > ?2";
    let row = match tx.is_postgres() {
        true => tx.query_opt(SQL, params![&key[..], now - LIFE]).await?,
        false => recent::get(tx, key, now).await?,
    };
    row.map(read).transpose()
}

fn read(mut row: Row) -> Result<Answer> {
    Ok(Answer { fingerprint: row.take()?, status: row.take()?, answer: row.take()? })
}

/// Deletes up to `limit` answers given before a moment; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    const SQL: &str = "DELETE FROM idempotency WHERE key IN (
                         SELECT key FROM idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
    match tx.is_postgres() {
        true => tx.execute(SQL, params![before, limit]).await,
        false => recent::purge(tx, before, limit).await,
    }
}
