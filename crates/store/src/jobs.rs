//! Work to be done later or again. A claim moves `due_at` to its own end, so that a dead process's
//! claim runs out; `called_at` says that the outside world may have been asked.

use crate::db::{Error, Insert, Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Job {
    /// The id of what it is about: a message, an account. A thing has one job at most.
    pub id: Id,
    pub organization_id: Id,
    /// `send`, `media`, …
    pub kind: String,
    /// What paces it: a sender.
    pub lane: Id,
    pub state: State,
    pub attempts: i64,
    pub due_at: i64,
    pub called_at: Option<i64>,
    pub created_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready = 0,
    /// Claimed; the outside world may have been asked and no answer is recorded.
    Called = 1,
    /// Claimed, and behind another call; the outside world has not been asked.
    Reserved = 3,
    /// Its process died or heard no answer: what came of it is unknown until something tells.
    Unknown = 2,
}

impl State {
    fn read(number: i64) -> Result<Self> {
        match number {
            0 => Ok(Self::Ready),
            1 => Ok(Self::Called),
            2 => Ok(Self::Unknown),
            3 => Ok(Self::Reserved),
            _ => Err(Error::corrupt("a job's state")),
        }
    }
}

const COLUMNS: &str = "id, organization_id, kind, lane, state, attempts, due_at, called_at, created_at";

fn read(mut row: Row) -> Result<Job> {
    Ok(Job {
        id: row.take()?,
        organization_id: row.take()?,
        kind: row.take()?,
        lane: row.take()?,
        state: State::read(row.take()?)?,
        attempts: row.take()?,
        due_at: row.take()?,
        called_at: row.take()?,
        created_at: row.take()?,
    })
}

static INSERT: Insert =
    Insert::new("jobs (id, organization_id, kind, lane, state, attempts, due_at, called_at, created_at)", 9, "");

pub async fn insert(tx: &mut Tx, job: &Job) -> Result<()> {
    let values = params![
        &job.id,
        &job.organization_id,
        &job.kind,
        &job.lane,
        job.state as i64,
        job.attempts,
        job.due_at,
        job.called_at,
        job.created_at,
    ];
    tx.append(&INSERT, values).await.map(drop)
}

/// What is due in a lane, longest due first. Whoever asks holds the lane.
pub async fn due_in_lane(tx: &mut Tx, kind: &str, lane: &Id, now: i64, limit: i64) -> Result<Vec<Job>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE kind = ?1 AND lane = ?2 AND due_at <= ?3 ORDER BY due_at, id LIMIT ?4"
    );
    tx.query(&sql, params![kind, lane, now, limit]).await?.into_iter().map(read).collect()
}

/// When the first of a lane is due.
pub async fn next_due(tx: &mut Tx, kind: &str, lane: &Id) -> Result<Option<i64>> {
    let sql = "SELECT due_at FROM jobs WHERE kind = ?1 AND lane = ?2 ORDER BY due_at LIMIT 1";
    tx.query_opt(sql, params![kind, lane]).await?.map(|mut row| row.take()).transpose()
}

/// What is due of a kind, whosever lane; nobody else gets it before the transaction ends.
pub async fn due(tx: &mut Tx, kind: &str, now: i64, limit: i64) -> Result<Vec<Job>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM jobs WHERE kind = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3 /* for update skip locked */"
    );
    tx.query(&sql, params![kind, now, limit]).await?.into_iter().map(read).collect()
}

/// Writes a job's state, attempts and times.
pub async fn update(tx: &mut Tx, job: &Job) -> Result<()> {
    let sql = "UPDATE jobs SET state = ?2, attempts = ?3, due_at = ?4, called_at = ?5 WHERE id = ?1";
    tx.post(sql, params![&job.id, job.state as i64, job.attempts, job.due_at, job.called_at]).await
}

/// Whether a job is still at the attempt that the caller knows; locked for a change.
pub async fn is_at(tx: &mut Tx, job: &Job) -> Result<bool> {
    let sql = "SELECT 1 FROM jobs WHERE id = ?1 AND attempts = ?2 /* for update */";
    Ok(tx.query_opt(sql, params![&job.id, job.attempts]).await?.is_some())
}

/// Whether a claim that the caller knows still stands: nobody has worked on the job since; locked for a change. Where
/// attempts are counted anew on the way only the end of a claim tells it from all others.
pub async fn is_held(tx: &mut Tx, job: &Job) -> Result<bool> {
    let sql = "SELECT 1 FROM jobs WHERE id = ?1 AND attempts = ?2 AND due_at = ?3 /* for update */";
    Ok(tx.query_opt(sql, params![&job.id, job.attempts, job.due_at]).await?.is_some())
}

/// The claims of processes that are gone end now: only where nobody else can be working.
pub async fn end_claims(tx: &mut Tx, now: i64) -> Result<()> {
    let sql = "UPDATE jobs SET due_at = ?1 WHERE state IN (1, 3) AND due_at > ?1";
    tx.post(sql, params![now]).await
}

/// The same for one lane: whoever had claims there must not need them any more.
pub async fn end_claims_of(tx: &mut Tx, kind: &str, lane: &Id, now: i64) -> Result<()> {
    let sql = "UPDATE jobs SET due_at = ?3 WHERE kind = ?1 AND lane = ?2 AND state IN (1, 3) AND due_at > ?3";
    tx.post(sql, params![kind, lane, now]).await
}

/// It may be done already.
pub async fn delete(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("DELETE FROM jobs WHERE id = ?1", params![id]).await
}

/// The job about something, if there is one.
pub async fn about(tx: &mut Tx, id: &Id) -> Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Makes everything of a lane due now: the reason to wait is gone.
pub async fn hurry(tx: &mut Tx, kind: &str, lane: &Id, now: i64) -> Result<()> {
    let sql = "UPDATE jobs SET due_at = ?3 WHERE kind = ?1 AND lane = ?2 AND state = 0 AND due_at > ?3";
    tx.post(sql, params![kind, lane, now]).await
}

/// How many of a kind there are, and since when the first has been due.
pub async fn backlog(tx: &mut Tx, kind: &str) -> Result<(i64, Option<i64>)> {
    let row = tx
        .query_slow("SELECT COUNT(*), MIN(due_at) FROM jobs WHERE kind = ?1", params![kind])
        .await?
        .into_iter()
        .next();
    row.map_or(Ok((0, None)), |mut row| Ok((row.take()?, row.take()?)))
}

/// A job that is due, unless somebody else is taking it; nobody gets it before the transaction ends.
pub async fn due_of(tx: &mut Tx, id: &Id, now: i64) -> Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1 AND due_at <= ?2 /* for update skip locked */");
    tx.query_opt(&sql, params![id, now]).await?.map(read).transpose()
}

/// How many of a lane wait for their turn or for another try, but not more than `most`.
pub async fn waiting(tx: &mut Tx, kind: &str, lane: &Id, most: i64) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = ?1 AND lane = ?2 AND state IN (0, 3) LIMIT ?3) AS waiting";
    let row = tx.query_opt(sql, params![kind, lane, most]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}
