//! How SQLite finds keys: the newest in memory, all others in a table of their own.
//!
//! Keys are hashes, so an index of them is written all over, for each key another page of a log to which all else is
//! appended. Therefore answers are only appended (`row` grows), and where the newest stand is known in memory. When
//! these are [`MANY`], they go into `idempotency_keys` in its order, within the commit under way ([`fold`]); how far that
//! has come stands in `revisions`. Only the writer knows what is in memory. After a crash, and when a transaction was undone,
//! what is not in the table is read once more ([`load`]).

use std::collections::HashMap;

use super::{Answer, Key, LIFE};
use crate::db::{Insert, Result, Row, Tx};
use crate::params;

/// So many keys go into the table at once. More would be fewer writes, and a longer wait for those who write meanwhile.
const MANY: usize = 16_384;

/// The newest keys and the rows of their answers.
#[derive(Default)]
pub(crate) struct Recent {
    /// `None`: to be read.
    rows: Option<HashMap<Key, i64>>,
    /// The next row.
    next: i64,
}

impl Recent {
    pub(crate) fn is_full(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.len() >= MANY)
    }

    /// Whether one of these rows is not in the table yet.
    fn has_until(&self, last: i64) -> bool {
        self.rows.iter().flat_map(HashMap::values).any(|row| *row <= last)
    }
}

static INSERT: Insert = Insert::new("idempotency (row, key, fingerprint, status, answer, created_at)", 6, "");
static FOLD: Insert = Insert::replacing("idempotency_keys (key, row)", 2);

pub(super) async fn put(tx: &mut Tx, key: &Key, answer: &Answer, now: i64) -> Result<()> {
    let row = load(tx).await?.next;
    tx.append(&INSERT, params![row, &key[..], &answer.fingerprint, answer.status, &answer.answer, now]).await?;
    tx.recent.next = row + 1;
    tx.recent.rows.get_or_insert_default().insert(*key, row);
    Ok(())
}

pub(super) async fn get(tx: &mut Tx, key: &Key, now: i64) -> Result<Option<Row>> {
    const KNOWN: &str = "SELECT fingerprint, status, answer FROM idempotency WHERE row = ?1 AND created_at > ?2";
    const SQL: &str = "SELECT i.fingerprint, i.status, i.answer FROM idempotency_keys k
         JOIN idempotency i ON i.row = k.row WHERE k.key = ?1 AND i.created_at > ?2";
    let known = load(tx).await?.rows.as_ref().and_then(|rows| rows.get(key)).copied();
    match known {
        Some(row) => {
            tx.looking_for(&INSERT, &[(0, row.into())]).await?.query_opt(KNOWN, params![row, now - LIFE]).await
        }
        None => tx.beside().query_opt(SQL, params![&key[..], now - LIFE]).await,
    }
}

/// What is in memory, read if need be.
async fn load(tx: &mut Tx) -> Result<&mut Recent> {
    if tx.recent.rows.is_none() {
        let folded = "SELECT value FROM revisions WHERE name = 'idempotency'";
        let folded: i64 = tx.query_opt(folded, &[]).await?.map_or(Ok(0), |mut row| row.take())?;
        let (mut rows, mut next) = (HashMap::new(), folded + 1);
        for mut row in tx.query("SELECT row, key FROM idempotency WHERE row > ?1 ORDER BY row", params![folded]).await?
        {
            let (row, key): (i64, Vec<u8>) = (row.take()?, row.take()?);
            let key = key.try_into().map_err(|_| crate::Error::corrupt("an idempotency key"))?;
            next = row + 1;
            rows.insert(key, row);
        }
        tx.recent = Recent { rows: Some(rows), next };
    }
    Ok(&mut tx.recent)
}

/// Moves the keys from memory into the table.
pub(crate) async fn fold(tx: &mut Tx) -> Result<()> {
    let mut rows: Vec<(Key, i64)> = tx.recent.rows.replace(HashMap::new()).into_iter().flatten().collect();
    rows.sort_unstable();
    for (key, row) in &rows {
        tx.append(&FOLD, params![&key[..], *row]).await?;
    }
    let last = tx.recent.next - 1;
    tx.post("UPDATE revisions SET value = ?1 WHERE name = 'idempotency'", params![last]).await
}

/// Oldest first; a row is older than its successors, save where the clock was set back.
pub(super) async fn purge(tx: &mut Tx, before: i64, limit: i64) -> Result<u64> {
    let last = "SELECT MAX(row) FROM (SELECT row, created_at FROM idempotency ORDER BY row LIMIT ?2)
                WHERE created_at < ?1";
    let last: Option<i64> = tx.query_opt(last, params![before, limit]).await?.map_or(Ok(None), |mut row| row.take())?;
    let Some(last) = last else { return Ok(0) };
    if load(tx).await?.has_until(last) {
        fold(tx).await?;
    }
    let keys = "DELETE FROM idempotency_keys WHERE row <= ?1 AND key IN (
                  SELECT key FROM idempotency WHERE row <= ?1 AND created_at < ?2)";
    tx.post(keys, params![last, before]).await?;
    tx.execute("DELETE FROM idempotency WHERE row <= ?1 AND created_at < ?2", params![last, before]).await
}
