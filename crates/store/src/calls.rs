//! Questions to a session that another process keeps up. Each is taken once: what its taker did not answer before it
//! died is answered by nobody, and whoever asked stops waiting when its time is over.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Call {
    pub id: Id,
    pub sender_id: Id,
    pub name: String,
    /// JSON.
    pub ask: String,
    pub asked_at: i64,
    /// When nobody waits for the answer any more.
    pub until: i64,
}

fn read(mut row: Row) -> Result<Call> {
    Ok(Call {
        id: row.take()?,
        sender_id: row.take()?,
        name: row.take()?,
        ask: row.take()?,
        asked_at: row.take()?,
        until: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, call: &Call) -> Result<()> {
    let sql = "INSERT INTO calls (id, sender_id, name, ask, asked_at, until, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    let values = params![&call.id, &call.sender_id, &call.name, &call.ask, call.asked_at, call.until];
    tx.post(sql, values).await
}

/// Whether anybody asks a session that this process holds.
pub async fn waiting(tx: &mut Tx, holder: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM calls c JOIN sessions s ON s.sender_id = c.sender_id
               WHERE c.taken = 0 AND s.holder = ?1 LIMIT 1";
    Ok(tx.query_opt(sql, params![holder]).await?.is_some())
}

/// Takes all questions to sessions that a process holds, oldest first.
pub async fn take(tx: &mut Tx, holder: &str, now: i64) -> Result<Vec<Call>> {
    let sql = "UPDATE calls SET taken = 1 WHERE taken = 0 AND until > ?2
                 AND sender_id IN (SELECT sender_id FROM sessions WHERE holder = ?1)
               RETURNING id, sender_id, name, ask, asked_at, until";
    let mut calls = tx.query(sql, params![holder, now]).await?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    calls.sort_by_key(|call| call.id);
    Ok(calls)
}

/// Answers, if somebody still waits.
pub async fn answer(tx: &mut Tx, id: &Id, answer: &str, now: i64) -> Result<()> {
    tx.post("UPDATE calls SET answer = ?2, answered_at = ?3 WHERE id = ?1", params![id, answer, now]).await
}

/// The answer, if there is one.
pub async fn answered(tx: &mut Tx, id: &Id) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT answer FROM calls WHERE id = ?1", params![id]).await?;
    row.map_or(Ok(None), |mut row| row.take())
}

pub async fn delete(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("DELETE FROM calls WHERE id = ?1", params![id]).await
}

/// Forgets what nobody waits for.
pub async fn purge(tx: &mut Tx, before: i64) -> Result<()> {
    tx.post("DELETE FROM calls WHERE until < ?1", params![before]).await
}
