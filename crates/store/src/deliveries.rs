//! One event for one subscription, and the tries at it. An open delivery is its own entry in the queue:
//! claiming it moves `next_attempt_at` to the end of the claim, so that a claim of a dead process runs out.

use crate::db::{Error, Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: Id,
    pub organization_id: Id,
    pub subscription_id: Id,
    pub event_id: Id,
    pub conversation_id: Option<Id>,
    /// The engine's word for the event.
    pub event_kind: String,
    /// The format's word for it.
    pub name: String,
    pub fact_id: String,
    /// What is sent, byte for byte the same on every attempt.
    pub body: Vec<u8>,
    /// JSON object of the headers that the format adds.
    pub headers: String,
    pub status: Status,
    pub ordered: bool,
    pub attempt_count: i64,
    pub last_attempt_at: Option<i64>,
    pub next_attempt_at: Option<i64>,
    pub response_status: Option<i64>,
    pub response_snippet: Option<String>,
    /// Why the last attempt failed, in words.
    pub error: Option<String>,
    pub duration_ms: Option<i64>,
    pub replayed_from: Option<Id>,
    /// A later delivery has taken its place.
    pub replayed: bool,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending,
    /// An attempt failed and another will follow.
    Failed,
    Succeeded,
    Dead,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
            Self::Dead => "dead",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Failed, Self::Succeeded, Self::Dead].into_iter().find(|status| status.as_str() == text)
    }

    fn open(self) -> bool {
        matches!(self, Self::Pending | Self::Failed)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub subscription: Option<Id>,
    pub status: Option<Status>,
    pub name: Option<String>,
    pub created_after: Option<i64>,
    pub created_before: Option<i64>,
    pub before: Option<Id>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub id: Id,
    /// The attempt it belongs to: a claim that ran out may not overwrite a later one.
    pub attempt: i64,
    pub status: Status,
    pub started_at: i64,
    pub duration_ms: i64,
    pub next_attempt_at: Option<i64>,
    pub response_status: Option<i64>,
    pub response_snippet: Option<String>,
    pub error: Option<String>,
    /// Where attempts are shown to their owner: who that is, where this one went, and what was answered, which then is
    /// kept with the attempt alone.
    pub shown: Option<Shown>,
}

#[derive(Clone, Debug)]
pub struct Shown {
    pub organization: Id,
    pub url: String,
    pub answer: Option<String>,
}

const COLUMNS: &str = "id, organization_id, subscription_id, event_id, conversation_id, event_kind, name, fact_id, body, \
    headers, status, ordered, attempt_count, last_attempt_at, next_attempt_at, response_status, response_snippet, error, \
    duration_ms, replayed_from, replayed, created_at, updated_at";

fn read(mut row: Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.take()?,
        organization_id: row.take()?,
        subscription_id: row.take()?,
        event_id: row.take()?,
        conversation_id: row.take()?,
        event_kind: row.take()?,
        name: row.take()?,
        fact_id: row.take()?,
        body: row.take()?,
        headers: row.take()?,
        status: Status::parse(&row.take::<String>()?).ok_or_else(|| Error::corrupt("a delivery's status"))?,
        ordered: row.take()?,
        attempt_count: row.take()?,
        last_attempt_at: row.take()?,
        next_attempt_at: row.take()?,
        response_status: row.take()?,
        response_snippet: row.take()?,
        error: row.take()?,
        duration_ms: row.take()?,
        replayed_from: row.take()?,
        replayed: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, delivery: &Delivery) -> Result<()> {
    const SQL: &str =
        "INSERT INTO deliveries (id, organization_id, subscription_id, event_id, conversation_id, event_kind, name,
          fact_id, body, headers, status, open, ordered, attempt_count, last_attempt_at, next_attempt_at, replayed_from,
          replayed, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, ?18, ?18)";
    let values = params![
        &delivery.id,
        &delivery.organization_id,
        &delivery.subscription_id,
        &delivery.event_id,
        delivery.conversation_id.as_ref(),
        &delivery.event_kind,
        &delivery.name,
        &delivery.fact_id,
        &delivery.body,
        &delivery.headers,
        delivery.status.as_str(),
        delivery.status.open(),
        delivery.ordered,
        delivery.attempt_count,
        delivery.last_attempt_at,
        delivery.next_attempt_at,
        delivery.replayed_from.as_ref(),
        delivery.created_at,
    ];
    tx.post(SQL, values).await
}

/// Where order matters, nothing goes before what is older in its conversation.
fn in_order(ordered: bool) -> &'static str {
    match ordered {
        false => "",
        true => {
            "AND (d.ordered = 0 OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscription_id = d.subscription_id
               AND e.conversation_id = d.conversation_id AND e.open = 1 AND e.ordered = 1 AND e.id < d.id))"
        }
    }
}

/// Takes due deliveries of one subscription; the claim ends at `until`.
pub async fn claim(
    tx: &mut Tx,
    subscription: &Id,
    ordered: bool,
    now: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let in_order = in_order(ordered);
    let sql = format!(
        "UPDATE deliveries SET next_attempt_at = ?3, attempt_count = attempt_count + 1, last_attempt_at = ?2 WHERE id IN (
           SELECT d.id FROM deliveries d WHERE d.subscription_id = ?1 AND d.open = 1 AND d.next_attempt_at <= ?2 {in_order}
           ORDER BY d.next_attempt_at LIMIT ?4 /* for update skip locked */)
         RETURNING {COLUMNS}"
    );
    let rows = tx.query(&sql, params![subscription, now, until, limit]).await?;
    let mut claimed = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    claimed.sort_by_key(|delivery| delivery.id);
    Ok(claimed)
}

/// The claims of processes that are gone end now: only where nobody else can be working. A claim is an attempt
/// of which no end is written down.
pub async fn end_claims(tx: &mut Tx, now: i64) -> Result<()> {
    let sql = "UPDATE deliveries SET next_attempt_at = ?1 WHERE open = 1 AND next_attempt_at > ?1 AND attempt_count > 0
               AND NOT EXISTS (SELECT 1 FROM attempts a
                 WHERE a.delivery_id = deliveries.id AND a.number = deliveries.attempt_count)";
    tx.post(sql, params![now]).await
}

/// Records how an attempt ended; `false` when another attempt has begun since.
pub async fn record(tx: &mut Tx, outcome: &Outcome) -> Result<bool> {
    const SQL: &str = "UPDATE deliveries SET status = ?3, open = ?4, next_attempt_at = ?5, response_status = ?6,
          response_snippet = ?7, error = ?8, duration_ms = ?9, updated_at = ?10
        WHERE id = ?1 AND attempt_count = ?2 AND open = 1";
    let values = params![
        &outcome.id,
        outcome.attempt,
        outcome.status.as_str(),
        outcome.status.open(),
        outcome.next_attempt_at,
        outcome.response_status,
        outcome.response_snippet.as_deref(),
        outcome.error.as_deref(),
        outcome.duration_ms,
        outcome.started_at + outcome.duration_ms,
    ];
    let recorded = tx.execute(SQL, values).await? > 0;
    // A first attempt that succeeds is told whole by the delivery itself.
    if recorded && (outcome.status != Status::Succeeded || outcome.attempt > 1 || outcome.shown.is_some()) {
        log_attempt(tx, outcome).await?;
    }
    Ok(recorded)
}

async fn log_attempt(tx: &mut Tx, outcome: &Outcome) -> Result<()> {
    const SQL: &str = "INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status, outcome,
          organization_id, url, response_body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
    let shown = outcome.shown.as_ref();
    let values = params![
        &outcome.id,
        outcome.attempt,
        outcome.started_at,
        outcome.duration_ms,
        outcome.response_status,
        outcome.error.as_deref().unwrap_or(DELIVERED),
        shown.map(|shown| &shown.organization),
        shown.map(|shown| shown.url.as_str()),
        shown.and_then(|shown| shown.answer.as_deref()),
    ];
    tx.post(SQL, values).await
}

/// The outcome of an attempt that succeeded.
pub const DELIVERED: &str = "delivered";

/// One try, for people.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub number: i64,
    pub started_at: i64,
    pub duration_ms: i64,
    pub response_status: Option<i64>,
    pub outcome: String,
}

pub async fn attempts(tx: &mut Tx, delivery: &Id) -> Result<Vec<Attempt>> {
    let sql = "SELECT number, started_at, duration_ms, response_status, outcome FROM attempts WHERE delivery_id = ?1 ORDER BY number";
    let rows = tx.query(sql, params![delivery]).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Attempt {
                number: row.take()?,
                started_at: row.take()?,
                duration_ms: row.take()?,
                response_status: row.take()?,
                outcome: row.take()?,
            })
        })
        .collect()
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE organization_id = ?1 AND id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// Whosever it is: for people who look into the database.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

pub async fn of_event(tx: &mut Tx, event: &Id) -> Result<Vec<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE event_id = ?1 ORDER BY id LIMIT 1000");
    tx.query(&sql, params![event]).await?.into_iter().map(read).collect()
}

/// Newest first, those of a dialect's subscriptions.
pub async fn list(tx: &mut Tx, organization: &Id, dialect: &str, filter: &Filter, limit: i64) -> Result<Vec<Delivery>> {
    let (floor, ceiling) = bounds(filter);
    let select = filtered(organization, dialect, filter, &floor, &ceiling);
    select.order("id DESC").rows(tx, limit).await?.into_iter().map(read).collect()
}

/// Oldest first, those that no replay has taken the place of.
pub async fn replayable(
    tx: &mut Tx,
    organization: &Id,
    dialect: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let (floor, ceiling) = bounds(filter);
    let select = filtered(organization, dialect, filter, &floor, &ceiling).and_that("replayed = 0");
    select.order("id").rows(tx, limit).await?.into_iter().map(read).collect()
}

fn bounds(filter: &Filter) -> (Option<Id>, Option<Id>) {
    (filter.created_after.map(|at| Id::floor(at + 1)), filter.created_before.map(Id::floor))
}

fn filtered<'a>(
    organization: &'a Id,
    dialect: &'a str,
    filter: &'a Filter,
    floor: &'a Option<Id>,
    ceiling: &'a Option<Id>,
) -> Select<'a> {
    Select::new(format!("SELECT {COLUMNS} FROM deliveries"))
        .and("organization_id = ?", organization)
        .and("subscription_id IN (SELECT s.id FROM subscriptions s WHERE s.dialect = ?)", dialect)
        .and_some("subscription_id = ?", filter.subscription.as_ref())
        .and_some("status = ?", filter.status.map(Status::as_str))
        .and_some("name = ?", filter.name.as_deref())
        .and_some("id >= ?", floor.as_ref())
        .and_some("id < ?", ceiling.as_ref())
        .and_some("id < ?", filter.before.as_ref())
}

/// The first delivery of an event to a subscription.
pub async fn first_of_event(tx: &mut Tx, subscription: &Id, event: &Id) -> Result<Option<Delivery>> {
    let sql =
        format!("SELECT {COLUMNS} FROM deliveries WHERE event_id = ?1 AND subscription_id = ?2 ORDER BY id LIMIT 1");
    tx.query_opt(&sql, params![event, subscription]).await?.map(read).transpose()
}

/// Marks a delivery as replaced; an open one is closed, so that it is not sent beside its replacement.
pub async fn replaced(tx: &mut Tx, id: &Id, now: i64) -> Result<bool> {
    let sql = "UPDATE deliveries SET replayed = 1, updated_at = ?2,
                 status = CASE WHEN open = 1 THEN 'dead' ELSE status END,
                 next_attempt_at = CASE WHEN open = 1 THEN NULL ELSE next_attempt_at END, open = 0
               WHERE id = ?1 AND replayed = 0";
    Ok(tx.execute(sql, params![id, now]).await? > 0)
}

/// What another delivery of an event to a subscription has brought is tried no more.
pub async fn brought(tx: &mut Tx, subscription: &Id, event: &Id, now: i64) -> Result<()> {
    let sql = "UPDATE deliveries SET replayed = 1, status = 'dead', open = 0, next_attempt_at = NULL, updated_at = ?3
               WHERE event_id = ?1 AND subscription_id = ?2 AND open = 1";
    tx.post(sql, params![event, subscription, now]).await
}

/// Gives up everything that waits for a subscription; returns how many.
pub async fn bury(tx: &mut Tx, subscription: &Id, reason: &str, now: i64) -> Result<u64> {
    let sql = "UPDATE deliveries SET status = 'dead', open = 0, next_attempt_at = NULL, error = ?2, updated_at = ?3
               WHERE subscription_id = ?1 AND open = 1";
    tx.execute(sql, params![subscription, reason, now]).await
}

/// When the next delivery of a subscription is due; what waits behind another is not.
pub async fn next_due(tx: &mut Tx, subscription: &Id, ordered: bool) -> Result<Option<i64>> {
    let in_order = in_order(ordered);
    let sql = format!(
        "SELECT d.next_attempt_at FROM deliveries d WHERE d.subscription_id = ?1 AND d.open = 1 {in_order}
         ORDER BY d.next_attempt_at LIMIT 1"
    );
    tx.query_opt(&sql, params![subscription]).await?.map(|mut row| row.take()).transpose()
}

/// Active subscriptions that have something due.
pub async fn subscriptions_due(tx: &mut Tx, now: i64) -> Result<Vec<Id>> {
    let in_order = in_order(true);
    let sql = format!(
        "SELECT id FROM subscriptions WHERE status = 'active' AND suspended_until <= ?1 AND EXISTS (SELECT 1 FROM deliveries d
           WHERE d.subscription_id = subscriptions.id AND d.open = 1 AND d.next_attempt_at <= ?1 {in_order})"
    );
    tx.query(&sql, params![now]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// How many are open, and the earliest moment at which one was due.
pub async fn backlog(tx: &mut Tx) -> Result<(i64, Option<i64>)> {
    let row = tx
        .query_slow("SELECT COUNT(*), MIN(next_attempt_at) FROM deliveries WHERE open = 1", &[])
        .await?
        .into_iter()
        .next();
    row.map_or(Ok((0, None)), |mut row| Ok((row.take()?, row.take()?)))
}
