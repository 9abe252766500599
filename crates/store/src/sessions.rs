//! Senders whose provider needs a live connection: what is wanted, how it stands, and whose it is to keep it up.
//!
//! One process holds a session for as long as it renews its lease. The fence grows with every taking; whoever writes
//! on behalf of a session asks for its fence in the same transaction ([`guard`]), so that a process that lost it
//! without noticing changes nothing any more.

use crate::db::{Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Session {
    pub sender_id: Id,
    pub organization_id: Id,
    /// Its owner wants it connected.
    pub wanted: bool,
    /// Grows each time the owner closes it: what was begun for an earlier opening ends.
    pub opening: i64,
    /// The engine's word for how it stands.
    pub state: String,
    pub reason: Option<String>,
    pub next_step: Option<String>,
    /// JSON of the provider's own making: who it is.
    pub identity: Option<String>,
    /// JSON of the provider's own making: what waits for the owner.
    pub offer: Option<String>,
    /// In a row.
    pub failures: i64,
    /// Not taken before.
    pub retry_at: i64,
    /// When it last came to be connected.
    pub connected_at: Option<i64>,
    /// When it was last used, to the minute.
    pub active_at: i64,
    pub updated_at: i64,
    pub holder: Option<String>,
    pub fence: i64,
    pub lease_until: i64,
}

const COLUMNS: &str = "sender_id, organization_id, wanted, opening, state, reason, next_step, identity, offer, failures, \
                       retry_at, connected_at, active_at, updated_at, holder, fence, lease_until";

fn read(mut row: Row) -> Result<Session> {
    Ok(Session {
        sender_id: row.take()?,
        organization_id: row.take()?,
        wanted: row.take()?,
        opening: row.take()?,
        state: row.take()?,
        reason: row.take()?,
        next_step: row.take()?,
        identity: row.take()?,
        offer: row.take()?,
        failures: row.take()?,
        retry_at: row.take()?,
        connected_at: row.take()?,
        active_at: row.take()?,
        updated_at: row.take()?,
        holder: row.take()?,
        fence: row.take()?,
        lease_until: row.take()?,
    })
}

/// The session of a sender, locked for a change; made, unwanted and in `state`, when there is none.
pub async fn ensure(tx: &mut Tx, sender: &Id, organization: &Id, state: &str, now: i64) -> Result<Session> {
    if let Some(found) = get_for_update(tx, sender).await? {
        return Ok(found);
    }
    let sql = "INSERT INTO sessions (sender_id, organization_id, wanted, opening, state, failures, retry_at, active_at,
                 updated_at, fence, lease_until) VALUES (?1, ?2, 0, 0, ?3, 0, 0, ?4, ?4, 0, 0)
               ON CONFLICT (sender_id) DO NOTHING";
    tx.post(sql, params![sender, organization, state, now]).await?;
    get_for_update(tx, sender).await?.ok_or(crate::Error::Dangling)
}

pub async fn get(tx: &mut Tx, sender: &Id) -> Result<Option<Session>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE sender_id = ?1");
    tx.query_opt(&sql, params![sender]).await?.map(read).transpose()
}

/// The same, locked for a change.
pub async fn get_for_update(tx: &mut Tx, sender: &Id) -> Result<Option<Session>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE sender_id = ?1 /* for update */");
    tx.query_opt(&sql, params![sender]).await?.map(read).transpose()
}

/// Whether a fence is still good. Locked: nobody takes the session before the transaction ends.
pub async fn guard(tx: &mut Tx, sender: &Id, fence: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM sessions WHERE sender_id = ?1 AND fence = ?2 /* for update */";
    Ok(tx.query_opt(sql, params![sender, fence]).await?.is_some())
}

/// An organization's, or those named of them, oldest sender first.
pub async fn list(tx: &mut Tx, organization: &Id, ids: Option<&[Id]>, limit: i64, offset: i64) -> Result<Vec<Session>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM sessions")).and("organization_id = ?", organization);
    let select = match ids {
        Some(ids) => select.and_in("sender_id", ids),
        None => select,
    };
    select.order("sender_id").rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

pub async fn count(tx: &mut Tx, organization: &Id) -> Result<i64> {
    let row = tx.query_opt("SELECT COUNT(*) FROM sessions WHERE organization_id = ?1", params![organization]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}

/// Writes everything but the fence and the right of its holder. The caller has locked it and decided.
pub async fn update(tx: &mut Tx, session: &Session) -> Result<()> {
    let sql = "UPDATE sessions SET wanted = ?2, opening = ?3, state = ?4, reason = ?5, next_step = ?6, identity = ?7,
                 offer = ?8, failures = ?9, retry_at = ?10, connected_at = ?11, active_at = ?12, updated_at = ?13
               WHERE sender_id = ?1";
    let values = params![
        &session.sender_id,
        session.wanted,
        session.opening,
        &session.state,
        session.reason.as_deref(),
        session.next_step.as_deref(),
        session.identity.as_deref(),
        session.offer.as_deref(),
        session.failures,
        session.retry_at,
        session.connected_at,
        session.active_at,
        session.updated_at,
    ];
    tx.post(sql, values).await
}

/// Whether a wanted session of a provider's is held by nobody.
pub async fn waits(tx: &mut Tx, provider: &str, now: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM sessions s WHERE s.wanted = 1 AND s.lease_until < ?2 AND s.retry_at <= ?2
                 AND EXISTS (SELECT 1 FROM senders x WHERE x.id = s.sender_id AND x.provider = ?1) LIMIT 1";
    Ok(tx.query_opt(sql, params![provider, now]).await?.is_some())
}

/// Takes wanted sessions of a provider's that nobody holds, most lately used first.
pub async fn take(tx: &mut Tx, provider: &str, holder: &str, now: i64, until: i64, limit: i64) -> Result<Vec<Session>> {
    let sql = format!(
        "UPDATE sessions SET holder = ?2, fence = fence + 1, lease_until = ?4 WHERE sender_id IN (
           SELECT s.sender_id FROM sessions s WHERE s.wanted = 1 AND s.lease_until < ?3 AND s.retry_at <= ?3
             AND EXISTS (SELECT 1 FROM senders x WHERE x.id = s.sender_id AND x.provider = ?1)
           ORDER BY s.active_at DESC, s.sender_id LIMIT ?5 /* for update skip locked */)
         RETURNING {COLUMNS}"
    );
    let rows = tx.query(&sql, params![provider, holder, now, until, limit]).await?;
    let mut taken = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    taken.sort_by_key(|session| (std::cmp::Reverse(session.active_at), session.sender_id));
    Ok(taken)
}

/// Prolongs everything that a process holds, and tells what that is: senders with their fences.
pub async fn renew(tx: &mut Tx, holder: &str, until: i64) -> Result<Vec<(Id, i64)>> {
    let sql = "UPDATE sessions SET lease_until = ?2 WHERE holder = ?1 RETURNING sender_id, fence";
    let rows = tx.query(sql, params![holder, until]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// Gives a session back; `false` when it is somebody else's by now.
pub async fn give_back(tx: &mut Tx, sender: &Id, fence: i64) -> Result<bool> {
    let sql = "UPDATE sessions SET holder = NULL, lease_until = 0 WHERE sender_id = ?1 AND fence = ?2";
    Ok(tx.execute(sql, params![sender, fence]).await? > 0)
}

/// Gives back everything that a process holds.
pub async fn release(tx: &mut Tx, holder: &str) -> Result<()> {
    tx.post("UPDATE sessions SET holder = NULL, lease_until = 0 WHERE holder = ?1", params![holder]).await
}

/// Nobody holds any session.
pub async fn end_leases(tx: &mut Tx) -> Result<()> {
    tx.post("UPDATE sessions SET holder = NULL, lease_until = 0 WHERE lease_until > 0", &[]).await
}

/// Those a process holds whose owner has ever closed them: senders with the opening that counts now.
pub async fn closed(tx: &mut Tx, holder: &str) -> Result<Vec<(Id, i64)>> {
    let sql = "SELECT sender_id, opening FROM sessions WHERE holder = ?1 AND opening > 0";
    let rows = tx.query(sql, params![holder]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// It is used now; once in a minute is enough and keeps the row cool.
pub async fn touch(tx: &mut Tx, sender: &Id, now: i64) -> Result<()> {
    let sql = "UPDATE sessions SET active_at = ?2 WHERE sender_id = ?1 AND active_at < ?3";
    tx.post(sql, params![sender, now, now - 60_000]).await
}

/// How many are in each state, wanted or not.
pub async fn count_by_state(tx: &mut Tx) -> Result<Vec<(String, bool, i64)>> {
    let rows = tx.query_slow("SELECT state, wanted, COUNT(*) FROM sessions GROUP BY state, wanted", &[]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take()?))).collect()
}
