//! What a live session must remember from one start to the next: sealed values by sender, kind and key.
//!
//! Only the holder of the session's lease writes. [`Scope::write`] asks for its fence in the transaction that writes;
//! when it is not good any more, that ends with [`Error::LeaseLost`] before anything is changed. On PostgreSQL the
//! session's row is locked by it: whoever takes the session waits for the write that is under way, and none follows. By
//! that lock the writes of one session come one after another, as SQLite's do, so that nobody changes what a write has
//! read.
//!
//! A value is sealed to its row: copied to another sender, kind or key it does not open. Kinds and keys are clear, as
//! are `mark`, a number to find values by that have a second name, and `at`, a time to find old ones by.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use crate::db::{Error, Result, Row, Tx, Value, places};
use crate::select::Select;
use crate::{Id, SecretKey, params, sessions};

/// How many rows one statement writes or looks for. Few sizes, so that few statements are to be kept prepared.
const SIZES: [usize; 3] = [64, 8, 1];

/// Whose state, under which fence, sealed with which key.
#[derive(Clone, Debug)]
pub struct Scope {
    sender: Id,
    fence: i64,
    key: SecretKey,
}

/// A value on its way in, sealed for its row.
#[derive(Clone, Debug)]
pub struct Entry {
    kind: &'static str,
    key: Vec<u8>,
    sealed: Vec<u8>,
    mark: Option<i64>,
    at: Option<i64>,
}

/// A value that was found, opened.
#[derive(Clone)]
pub struct Found {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub mark: Option<i64>,
    /// Milliseconds since 1970.
    pub at: Option<i64>,
}

/// The state of a sender as a transaction sees it.
pub struct Reading<'a> {
    tx: &'a mut Tx,
    scope: &'a Scope,
}

/// The same for the holder of the lease, who may change it.
pub struct Writing<'a>(Reading<'a>);

impl Scope {
    /// `fence` is that of the session as it was taken.
    #[must_use]
    pub fn new(sender: Id, fence: i64, key: SecretKey) -> Self {
        Self { sender, fence, key }
    }

    /// Seals a value. Not a matter of the transaction: the one writer of SQLite has better things to do.
    pub fn seal(&self, kind: &'static str, key: impl Into<Vec<u8>>, value: &[u8]) -> Result<Entry> {
        let key = key.into();
        let sealed = self.key.seal(&self.purpose(kind, &key), value)?;
        Ok(Entry { kind, key, sealed, mark: None, at: None })
    }

    pub fn read<'a>(&'a self, tx: &'a mut Tx) -> Reading<'a> {
        Reading { tx, scope: self }
    }

    /// The right to change the state in this transaction.
    pub async fn write<'a>(&'a self, tx: &'a mut Tx) -> Result<Writing<'a>> {
        match sessions::guard(tx, &self.sender, self.fence).await? {
            true => Ok(Writing(self.read(tx))),
            false => Err(Error::LeaseLost),
        }
    }

    fn purpose(&self, kind: &str, key: &[u8]) -> String {
        format!("session state/{}/{kind}/{}", self.sender.hex24(), hex::encode(key))
    }

    fn opened(&self, kind: &str, mut row: Row) -> Result<Found> {
        let (key, sealed): (Vec<u8>, Vec<u8>) = (row.take()?, row.take()?);
        let value = self.key.open(&self.purpose(kind, &key), &sealed)?;
        Ok(Found { key, value, mark: row.take()?, at: row.take()? })
    }

    /// The condition for some rows of a kind, and its values.
    fn among<'a>(&'a self, kind: &'a str, keys: &'a [Vec<u8>]) -> (String, Vec<Value<'a>>) {
        let condition = format!("sender_id = ?1 AND kind = ?2 AND key IN ({})", places(3, keys.len()));
        let values = [Value::from(&self.sender), Value::from(kind)].into_iter();
        (condition, values.chain(keys.iter().map(Value::from)).collect())
    }

    fn values_of<'a>(&'a self, entries: &[&'a Entry]) -> Vec<Value<'a>> {
        let rows = entries.iter().flat_map(|entry| {
            let Entry { kind, key, sealed, mark, at } = *entry;
            [Value::from(*kind), Value::from(key), Value::from(sealed), Value::from(*mark), Value::from(*at)]
        });
        std::iter::once(Value::from(&self.sender)).chain(rows).collect()
    }
}

impl Entry {
    /// Can be found by this number too; see [`Reading::marked`].
    #[must_use]
    pub fn marked(self, mark: i64) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// Of a time, in milliseconds since 1970; see [`Reading::older`] and [`Writing::delete_older`].
    #[must_use]
    pub fn at(self, at: i64) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl Reading<'_> {
    pub async fn get(&mut self, kind: &str, key: &[u8]) -> Result<Option<Found>> {
        let sql = "SELECT key, value, mark, at FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND key = ?3";
        let row = self.tx.query_opt(sql, params![&self.scope.sender, kind, key]).await?;
        row.map(|row| self.scope.opened(kind, row)).transpose()
    }

    /// Those of them that exist, in no order. The keys differ.
    pub async fn get_many(&mut self, kind: &str, keys: &[Vec<u8>]) -> Result<Vec<Found>> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in pieces(keys) {
            let (condition, values) = self.scope.among(kind, keys);
            let sql = format!("SELECT key, value, mark, at FROM session_state WHERE {condition}");
            for row in self.tx.query(&sql, &values).await? {
                found.push(self.scope.opened(kind, row)?);
            }
        }
        Ok(found)
    }

    pub async fn has(&mut self, kind: &str, key: &[u8]) -> Result<bool> {
        let sql = "SELECT 1 FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND key = ?3";
        Ok(self.tx.query_opt(sql, params![&self.scope.sender, kind, key]).await?.is_some())
    }

    /// Everything of a kind whose key begins so, in the order of keys.
    pub async fn scan(&mut self, kind: &str, prefix: &[u8]) -> Result<Vec<Found>> {
        let rows = self.range("key, value, mark, at", kind, prefix, i64::MAX).await?;
        rows.into_iter().map(|row| self.scope.opened(kind, row)).collect()
    }

    /// The keys alone, in order, no more than `limit`.
    pub async fn keys(&mut self, kind: &str, prefix: &[u8], limit: i64) -> Result<Vec<Vec<u8>>> {
        let rows = self.range("key", kind, prefix, limit).await?;
        rows.into_iter().map(|mut row| row.take()).collect()
    }

    /// The greatest key of a kind.
    pub async fn last_key(&mut self, kind: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT key FROM session_state WHERE sender_id = ?1 AND kind = ?2 ORDER BY key DESC LIMIT 1";
        let row = self.tx.query_opt(sql, params![&self.scope.sender, kind]).await?;
        row.map(|mut row| row.take()).transpose()
    }

    /// Everything of a kind with a mark.
    pub async fn marked(&mut self, kind: &str, mark: i64) -> Result<Vec<Found>> {
        let sql = "SELECT key, value, mark, at FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND mark = ?3";
        let rows = self.tx.query(sql, params![&self.scope.sender, kind, mark]).await?;
        rows.into_iter().map(|row| self.scope.opened(kind, row)).collect()
    }

    /// Everything of a kind from before a time.
    pub async fn older(&mut self, kind: &str, at: i64) -> Result<Vec<Found>> {
        let sql = "SELECT key, value, mark, at FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND at < ?3";
        let rows = self.tx.query(sql, params![&self.scope.sender, kind, at]).await?;
        rows.into_iter().map(|row| self.scope.opened(kind, row)).collect()
    }

    async fn range(&mut self, columns: &str, kind: &str, prefix: &[u8], limit: i64) -> Result<Vec<Row>> {
        let end = end_of(prefix);
        Select::new(format!("SELECT {columns} FROM session_state"))
            .and("sender_id = ?", &self.scope.sender)
            .and("kind = ?", kind)
            .and("key >= ?", prefix)
            .and_some("key < ?", end.as_ref())
            .order("key")
            .rows(self.tx, limit)
            .await
    }
}

impl Writing<'_> {
    /// Writes values over whatever is there. Of several for the same row the last one counts.
    pub async fn put(&mut self, entries: &[Entry]) -> Result<()> {
        let entries = latest(entries);
        for entries in pieces(&entries) {
            let sql = upsert(entries.len());
            let values = self.0.scope.values_of(entries);
            self.0.tx.execute(&sql, &values).await?;
        }
        Ok(())
    }

    /// `false` when there is a value already; it stays.
    pub async fn put_new(&mut self, entry: &Entry) -> Result<bool> {
        const SQL: &str = "INSERT INTO session_state (sender_id, kind, key, value, mark, at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (sender_id, kind, key) DO NOTHING";
        let values = self.0.scope.values_of(&[entry]);
        Ok(self.0.tx.execute(SQL, &values).await? > 0)
    }

    /// Returns how many of them there were.
    pub async fn delete(&mut self, kind: &str, keys: &[Vec<u8>]) -> Result<u64> {
        let mut count = 0;
        for keys in pieces(keys) {
            let (condition, values) = self.0.scope.among(kind, keys);
            let sql = format!("DELETE FROM session_state WHERE {condition}");
            count += self.0.tx.execute(&sql, &values).await?;
        }
        Ok(count)
    }

    /// Deletes a value and returns it: nobody else gets it.
    pub async fn take(&mut self, kind: &str, key: &[u8]) -> Result<Option<Found>> {
        let sql = "DELETE FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND key = ?3
                   RETURNING key, value, mark, at";
        let row = self.0.tx.query_opt(sql, params![&self.0.scope.sender, kind, key]).await?;
        row.map(|row| self.0.scope.opened(kind, row)).transpose()
    }

    /// Everything of a kind whose key begins so.
    pub async fn delete_prefix(&mut self, kind: &str, prefix: &[u8]) -> Result<u64> {
        const FROM: &str = "DELETE FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND key >= ?3";
        let sender = &self.0.scope.sender;
        match end_of(prefix) {
            Some(end) => {
                let values = params![sender, kind, prefix, &end];
                self.0.tx.execute(&format!("{FROM} AND key < ?4"), values).await
            }
            None => self.0.tx.execute(FROM, params![sender, kind, prefix]).await,
        }
    }

    /// Everything of a kind from before a time; what has no time stays.
    pub async fn delete_older(&mut self, kind: &str, at: i64) -> Result<u64> {
        let sql = "DELETE FROM session_state WHERE sender_id = ?1 AND kind = ?2 AND at < ?3";
        self.0.tx.execute(sql, params![&self.0.scope.sender, kind, at]).await
    }

    /// Forgets everything.
    pub async fn wipe(&mut self) -> Result<()> {
        let sql = "DELETE FROM session_state WHERE sender_id = ?1";
        self.0.tx.post(sql, params![&self.0.scope.sender]).await
    }
}

impl<'a> Deref for Writing<'a> {
    type Target = Reading<'a>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

fn upsert(rows: usize) -> String {
    let row = |index: usize| format!("(?1, {})", places(index * 5 + 2, 5));
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO session_state (sender_id, kind, key, value, mark, at) VALUES {}
         ON CONFLICT (sender_id, kind, key) DO UPDATE SET
           value = excluded.value, mark = excluded.mark, at = excluded.at",
        rows.join(", ")
    )
}

/// PostgreSQL refuses to write a row twice in one statement.
fn latest(entries: &[Entry]) -> Vec<&Entry> {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut latest: Vec<_> = entries.iter().rev().filter(|entry| seen.insert((entry.kind, &entry.key))).collect();
    latest.reverse();
    latest
}

fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

/// The first key after all that begin so; none when there is no such key.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_one_begins() {
        let cases: &[(&[u8], Option<&[u8]>)] = &[
            (b"ab", Some(b"ac")),
            (b"a\xff", Some(b"b")),
            (b"a\xff\xff", Some(b"b")),
            (b"\xff\xff", None),
            (b"", None),
        ];
        for (prefix, end) in cases {
            assert_eq!(end_of(prefix).as_deref(), *end, "{prefix:?}");
        }
    }

    #[test]
    fn pieces_are_of_few_sizes_and_lose_nothing() {
        let numbers: Vec<usize> = (0..139).collect();
        let sizes: Vec<usize> = pieces(&numbers).map(<[usize]>::len).collect();
        assert_eq!(sizes, [64, 64, 8, 1, 1, 1]);
        assert_eq!(pieces(&numbers).flatten().copied().collect::<Vec<_>>(), numbers);
        assert_eq!(pieces::<u8>(&[]).count(), 0);
    }
}
