//! One template to many people: what is sent, whom it goes to ([`recipients`]), and how far it is ([`counts`]).
//!
//! Whoever changes a campaign has locked its row. What becomes of single recipients does not touch it.

pub mod counts;
pub mod recipients;

pub use counts::Counts;

use crate::db::{Error, Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Campaign {
    pub id: Id,
    pub organization_id: Id,
    pub sender_id: Id,
    /// The dialect it came through.
    pub origin: String,
    pub name: String,
    pub description: Option<String>,
    /// JSON of the engine's neutral content, before anybody's variables are filled in.
    pub content: String,
    pub state: State,
    /// Why it stands as it does, in plain words.
    pub reason: Option<String>,
    /// When it goes on by itself, where it is being sent and has to wait.
    pub resumes_at: Option<i64>,
    pub scheduled_at: Option<i64>,
    pub started_at: Option<i64>,
    pub completed_at: Option<i64>,
    /// The newest recipient's place.
    pub last_position: i64,
    /// The place of the last recipient that was looked at for sending.
    pub taken: i64,
    /// When its progress was told last.
    pub told_at: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// How many recipients stand how.
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Draft,
    Scheduled,
    Sending,
    Paused,
    Completed,
    Failed,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Draft, Self::Scheduled, Self::Sending, Self::Paused, Self::Completed, Self::Failed, Self::Cancelled];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        ["draft", "scheduled", "sending", "paused", "completed", "failed", "cancelled"][self as usize]
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing will be sent any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub sender: Option<Id>,
    pub state: Option<State>,
}

const COLUMNS: &str = "id, organization_id, sender_id, origin, name, description, content, state, reason, resumes_at, \
                       scheduled_at, started_at, completed_at, last_position, taken, told_at, created_at, updated_at";

fn read(mut row: Row) -> Result<Campaign> {
    Ok(Campaign {
        id: row.take()?,
        organization_id: row.take()?,
        sender_id: row.take()?,
        origin: row.take()?,
        name: row.take()?,
        description: row.take()?,
        content: row.take()?,
        state: State::parse(&row.take::<String>()?).ok_or_else(|| Error::corrupt("a campaign's state"))?,
        reason: row.take()?,
        resumes_at: row.take()?,
        scheduled_at: row.take()?,
        started_at: row.take()?,
        completed_at: row.take()?,
        last_position: row.take()?,
        taken: row.take()?,
        told_at: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        counts: Counts::default(),
    })
}

/// Its counts are not written: they are added up from what recipients do (`counts::add`).
pub async fn insert(tx: &mut Tx, new: &Campaign) -> Result<()> {
    let sql = format!(
        "INSERT INTO campaigns ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
    );
    let values = params![
        &new.id,
        &new.organization_id,
        &new.sender_id,
        &new.origin,
        &new.name,
        new.description.as_deref(),
        &new.content,
        new.state.as_str(),
        new.reason.as_deref(),
        new.resumes_at,
        new.scheduled_at,
        new.started_at,
        new.completed_at,
        new.last_position,
        new.taken,
        new.told_at,
        new.created_at,
        new.updated_at,
    ];
    tx.beside().post(&sql, values).await
}

/// Writes everything that can change. The caller has locked it.
pub async fn update(tx: &mut Tx, it: &Campaign) -> Result<()> {
    let sql = "UPDATE campaigns SET name = ?2, description = ?3, content = ?4, state = ?5, reason = ?6, resumes_at = ?7,
                 scheduled_at = ?8, started_at = ?9, completed_at = ?10, last_position = ?11, taken = ?12, told_at = ?13,
                 updated_at = ?14
               WHERE id = ?1";
    let values = params![
        &it.id,
        &it.name,
        it.description.as_deref(),
        &it.content,
        it.state.as_str(),
        it.reason.as_deref(),
        it.resumes_at,
        it.scheduled_at,
        it.started_at,
        it.completed_at,
        it.last_position,
        it.taken,
        it.told_at,
        it.updated_at,
    ];
    tx.beside().post(sql, values).await
}

/// Whosever it is.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Campaign>> {
    one(tx, &format!("SELECT {COLUMNS} FROM campaigns WHERE id = ?1"), id).await
}

/// The same, locked for a change.
pub async fn get_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Campaign>> {
    one(tx, &format!("SELECT {COLUMNS} FROM campaigns WHERE id = ?1 /* for update */"), id).await
}

/// The same, unless somebody else has it at this moment.
pub async fn get_if_free(tx: &mut Tx, id: &Id) -> Result<Option<Campaign>> {
    one(tx, &format!("SELECT {COLUMNS} FROM campaigns WHERE id = ?1 /* for update skip locked */"), id).await
}

/// The counts are read after the lock was got, so that they are not older than it.
async fn one(tx: &mut Tx, sql: &str, id: &Id) -> Result<Option<Campaign>> {
    let Some(row) = tx.beside().query_opt(sql, params![id]).await? else { return Ok(None) };
    let counts = counts::of(tx, id).await?;
    Ok(Some(Campaign { counts, ..read(row)? }))
}

/// Newest first, without the first `offset`.
pub async fn list(tx: &mut Tx, organization: &Id, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<Campaign>> {
    let select = filtered(Select::new(format!("SELECT {COLUMNS} FROM campaigns")), organization, filter);
    let rows = select.order("id DESC").rows_from(tx, limit, offset).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let it = read(row)?;
        let counts = counts::of(tx, &it.id).await?;
        found.push(Campaign { counts, ..it });
    }
    Ok(found)
}

pub async fn count(tx: &mut Tx, organization: &Id, filter: &Filter) -> Result<i64> {
    let select = filtered(Select::new("SELECT COUNT(*) FROM campaigns"), organization, filter);
    select.rows(tx, 1).await?.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

fn filtered<'a>(select: Select<'a>, organization: &'a Id, filter: &'a Filter) -> Select<'a> {
    select
        .and("organization_id = ?", organization)
        .and_some("sender_id = ?", filter.sender.as_ref())
        .and_some("state = ?", filter.state.map(State::as_str))
}

/// Deletes a campaign with its recipients. The caller has locked it.
pub async fn delete(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("DELETE FROM campaigns WHERE id = ?1", params![id]).await
}

/// Deletes up to `limit` recipients of campaigns made before a moment with which nothing will happen any more, and those
/// campaigns that have none left; returns how many rows went.
pub(crate) async fn purge(tx: &mut Tx, floor: &Id, limit: i64) -> Result<u64> {
    let old = "SELECT id FROM campaigns WHERE id < ?1 AND state IN ('draft', 'completed', 'failed', 'cancelled')
               ORDER BY id LIMIT 10";
    let mut gone = 0;
    for mut row in tx.query(old, params![floor]).await? {
        let id: Id = row.take()?;
        let left = limit - i64::try_from(gone).unwrap_or(limit);
        let taken = recipients::purge(tx, &id, left).await?;
        gone += taken;
        if i64::try_from(taken).is_ok_and(|taken| taken >= left) {
            break;
        }
        delete(tx, &id).await?;
        gone += 1;
    }
    Ok(gone)
}

/// Campaigns of which something is to be done now, longest due first.
pub async fn due(tx: &mut Tx, kind: &str, now: i64, limit: i64) -> Result<Vec<Id>> {
    let sql = "SELECT id FROM jobs WHERE kind = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3";
    tx.query(sql, params![kind, now, limit]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// When the next is due.
pub async fn next_due(tx: &mut Tx, kind: &str) -> Result<Option<i64>> {
    let sql = "SELECT due_at FROM jobs WHERE kind = ?1 ORDER BY due_at LIMIT 1";
    tx.query_opt(sql, params![kind]).await?.map(|mut row| row.take()).transpose()
}

/// How many people the senders of an account have written to with templates since a moment.
pub async fn reached(tx: &mut Tx, account: &Id, since: i64) -> Result<i64> {
    let sql = format!("SELECT COUNT(DISTINCT contact_id) {REACHED}");
    let rows = tx.query_slow(&sql, params![account, &Id::floor(since)]).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

/// When the last was written to whom only `others` of them have not heard from for longer.
pub async fn reached_at(tx: &mut Tx, account: &Id, since: i64, others: i64) -> Result<Option<i64>> {
    let sql = format!("SELECT MAX(created_at) AS last {REACHED} GROUP BY contact_id ORDER BY last LIMIT 1 OFFSET ?3");
    let rows = tx.query_slow(&sql, params![account, &Id::floor(since), others]).await?;
    rows.into_iter().next().map(|mut row| row.take()).transpose()
}

const REACHED: &str = "FROM messages WHERE sender_id IN (SELECT id FROM senders WHERE account_id = ?1) AND id >= ?2
                       AND direction = 1 AND kind = 'template' AND status <> 2";
