//! The pacing state of a sender and the right to work on it.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

/// A lane that this process holds.
#[derive(Clone, Debug)]
pub struct Lane {
    pub sender_id: Id,
    /// When the bucket would be full again, in microseconds (GCRA's theoretical arrival time).
    pub free_at_us: i64,
    /// Nothing is sent before this moment.
    pub held_until: i64,
    pub hold_reason: Option<String>,
    pub fence: i64,
}

fn read(mut row: Row) -> Result<Lane> {
    Ok(Lane {
        sender_id: row.take()?,
        free_at_us: row.take()?,
        held_until: row.take()?,
        hold_reason: row.take()?,
        fence: row.take()?,
    })
}

pub async fn ensure(tx: &mut Tx, sender: &Id) -> Result<()> {
    let sql = "INSERT INTO lanes (sender_id, free_at_us, held_until, fence, lease_until) VALUES (?1, 0, 0, 0, 0)
               ON CONFLICT (sender_id) DO NOTHING";
    tx.post(sql, params![sender]).await
}

/// Senders that have something due and that nobody else is working on.
pub async fn with_work(tx: &mut Tx, holder: &str, now: i64) -> Result<Vec<Id>> {
    let sql = "SELECT sender_id FROM lanes WHERE (holder = ?1 OR lease_until < ?2) AND held_until <= ?2
               AND EXISTS (SELECT 1 FROM jobs WHERE kind = 'send' AND lane = lanes.sender_id AND due_at <= ?2)";
    tx.query(sql, params![holder, now]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Takes or renews the right to work on a lane; `None` when another process has it.
pub async fn lease(tx: &mut Tx, sender: &Id, holder: &str, now: i64, until: i64) -> Result<Option<Lane>> {
    let sql =
        "UPDATE lanes SET fence = CASE WHEN holder = ?2 THEN fence ELSE fence + 1 END, holder = ?2, lease_until = ?4
               WHERE sender_id = ?1 AND (holder = ?2 OR lease_until < ?3)
               RETURNING sender_id, free_at_us, held_until, hold_reason, fence";
    tx.query_opt(sql, params![sender, holder, now, until]).await?.map(read).transpose()
}

/// Keeps the pace across restarts.
pub async fn advance(tx: &mut Tx, sender: &Id, free_at_us: i64) -> Result<()> {
    tx.post("UPDATE lanes SET free_at_us = ?2 WHERE sender_id = ?1", params![sender, free_at_us]).await
}

/// Stops a sender until a moment, for a reason that can be shown.
pub async fn hold(tx: &mut Tx, sender: &Id, until: i64, reason: Option<&str>) -> Result<()> {
    let sql = "UPDATE lanes SET held_until = ?2, hold_reason = ?3 WHERE sender_id = ?1";
    tx.post(sql, params![sender, until, reason]).await
}

pub async fn release(tx: &mut Tx, holder: &str) -> Result<()> {
    tx.post("UPDATE lanes SET holder = NULL, lease_until = 0 WHERE holder = ?1", params![holder]).await
}

/// Held lanes, for people: sender, until, reason.
pub async fn held(tx: &mut Tx, now: i64) -> Result<Vec<(Id, i64, Option<String>)>> {
    let sql = "SELECT sender_id, held_until, hold_reason FROM lanes WHERE held_until > ?1";
    let rows = tx.query(sql, params![now]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take()?))).collect()
}

/// How many senders of each provider are held, without those whose accounts have one status: removed ones are held
/// for good.
pub async fn held_by_provider(tx: &mut Tx, now: i64, except: &str) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT a.provider, COUNT(*) FROM lanes l JOIN senders s ON s.id = l.sender_id
               JOIN accounts a ON a.id = s.account_id WHERE l.held_until > ?1 AND a.status <> ?2 GROUP BY a.provider";
    let rows = tx.query(sql, params![now, except]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// Nobody works on any lane.
pub async fn end_leases(tx: &mut Tx) -> Result<()> {
    tx.post("UPDATE lanes SET holder = NULL, lease_until = 0 WHERE lease_until > 0", &[]).await
}
