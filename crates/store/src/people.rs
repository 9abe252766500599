//! What a sender's own address book and its chats call people, and how its owner has his chats.

use crate::contacts::Address;
use crate::db::{Result, Row, Tx};
use crate::{Id, params};

/// Names of one address, empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub address: Address,
    pub first_name: String,
    pub full_name: String,
    /// What they call themselves.
    pub push_name: String,
    pub business_name: String,
}

/// What is told of a person; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub first_name: Option<String>,
    pub full_name: Option<String>,
    pub push_name: Option<String>,
    pub business_name: Option<String>,
}

/// How the owner has a chat. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    pub address: Address,
    pub pinned: bool,
    pub archived: bool,
    /// `None`: it is not; the greatest number: for ever.
    pub muted_until: Option<i64>,
}

/// What is told of a chat; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    /// `Some(None)`: not muted any more.
    pub muted_until: Option<Option<i64>>,
}

pub async fn name(tx: &mut Tx, sender: &Id, address: &Address, names: &Names, now: i64) -> Result<()> {
    let sql = "INSERT INTO people (sender_id, kind, value, first_name, full_name, push_name, business_name, updated_at)
               VALUES (?1, ?2, ?3, COALESCE(CAST(?4 AS TEXT), ''), COALESCE(CAST(?5 AS TEXT), ''),
                 COALESCE(CAST(?6 AS TEXT), ''), COALESCE(CAST(?7 AS TEXT), ''), ?8)
               ON CONFLICT (sender_id, kind, value) DO UPDATE SET
                 first_name = COALESCE(CAST(?4 AS TEXT), people.first_name),
                 full_name = COALESCE(CAST(?5 AS TEXT), people.full_name),
                 push_name = COALESCE(CAST(?6 AS TEXT), people.push_name),
                 business_name = COALESCE(CAST(?7 AS TEXT), people.business_name), updated_at = ?8";
    let values = params![
        sender,
        &address.kind,
        &address.value,
        names.first_name.as_deref(),
        names.full_name.as_deref(),
        names.push_name.as_deref(),
        names.business_name.as_deref(),
        now,
    ];
    tx.post(sql, values).await
}

/// By address.
pub async fn of_sender(tx: &mut Tx, sender: &Id) -> Result<Vec<Person>> {
    let sql = "SELECT kind, value, first_name, full_name, push_name, business_name FROM people
               WHERE sender_id = ?1 ORDER BY kind, value";
    tx.query(sql, params![sender]).await?.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<Person> {
    Ok(Person {
        address: Address { kind: row.take()?, value: row.take()? },
        first_name: row.take()?,
        full_name: row.take()?,
        push_name: row.take()?,
        business_name: row.take()?,
    })
}

pub async fn stand(tx: &mut Tx, sender: &Id, address: &Address, standing: &Standing, now: i64) -> Result<()> {
    let sql = "SELECT pinned, archived, muted_until FROM chats WHERE sender_id = ?1 AND kind = ?2 AND value = ?3";
    let found = tx.query_opt(sql, params![sender, &address.kind, &address.value]).await?;
    let (pinned, archived, muted): (bool, bool, Option<i64>) = match found {
        Some(mut row) => (row.take()?, row.take()?, row.take()?),
        None => (false, false, None),
    };
    let sql = "INSERT INTO chats (sender_id, kind, value, pinned, archived, muted_until, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (sender_id, kind, value) DO UPDATE SET pinned = excluded.pinned,
                 archived = excluded.archived, muted_until = excluded.muted_until, updated_at = excluded.updated_at";
    let values = params![
        sender,
        &address.kind,
        &address.value,
        standing.pinned.unwrap_or(pinned),
        standing.archived.unwrap_or(archived),
        standing.muted_until.unwrap_or(muted),
        now,
    ];
    tx.post(sql, values).await
}

pub async fn forget(tx: &mut Tx, sender: &Id, address: &Address) -> Result<()> {
    let sql = "DELETE FROM chats WHERE sender_id = ?1 AND kind = ?2 AND value = ?3";
    tx.post(sql, params![sender, &address.kind, &address.value]).await
}

/// By address.
pub async fn chats(tx: &mut Tx, sender: &Id) -> Result<Vec<Chat>> {
    let sql = "SELECT kind, value, pinned, archived, muted_until FROM chats WHERE sender_id = ?1 ORDER BY kind, value";
    let read = |mut row: Row| {
        Ok(Chat {
            address: Address { kind: row.take()?, value: row.take()? },
            pinned: row.take()?,
            archived: row.take()?,
            muted_until: row.take()?,
        })
    };
    tx.query(sql, params![sender]).await?.into_iter().map(read).collect()
}

/// Nothing is known of a sender's people and chats any more.
pub async fn wipe(tx: &mut Tx, sender: &Id) -> Result<()> {
    tx.post("DELETE FROM people WHERE sender_id = ?1", params![sender]).await?;
    tx.post("DELETE FROM chats WHERE sender_id = ?1", params![sender]).await
}
