//! Who wants which events.

use crate::db::{Asked, Error, Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: Id,
    pub organization_id: Id,
    /// Only what happens to this sender; `None`: to all of the organization.
    pub sender_id: Option<Id>,
    pub dialect: String,
    pub transport: String,
    pub format: String,
    pub url: String,
    pub description: Option<String>,
    /// The format's names of the events wanted.
    pub events: Vec<String>,
    /// The engine's kinds of events that these names stand for.
    pub kinds: Vec<String>,
    pub status: Status,
    pub disabled_reason: Option<String>,
    pub consecutive_failures: i64,
    /// Strict order within a conversation.
    pub ordered: bool,
    /// A JSON object of its dialect's own making.
    pub options: String,
    /// Nothing is sent before.
    pub suspended_until: i64,
    /// Headers that go along with every delivery, sealed.
    pub headers: Option<Vec<u8>>,
    /// When it was last switched on.
    pub enabled_at: i64,
    /// When a delivery last succeeded, to the second.
    pub succeeded_at: Option<i64>,
    /// When the first attempt failed since then.
    pub failing_since: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Paused,
    Disabled,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Paused, Self::Disabled].into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Secret {
    pub id: Id,
    pub subscription_id: Id,
    pub sealed: Vec<u8>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

const COLUMNS: &str = "id, organization_id, sender_id, dialect, transport, format, url, description, events, kinds, status, \
                       disabled_reason, consecutive_failures, ordered, options, suspended_until, headers, enabled_at, \
                       succeeded_at, failing_since, created_at, updated_at";

fn read(mut row: Row) -> Result<Subscription> {
    Ok(Subscription {
        id: row.take()?,
        organization_id: row.take()?,
        sender_id: row.take()?,
        dialect: row.take()?,
        transport: row.take()?,
        format: row.take()?,
        url: row.take()?,
        description: row.take()?,
        events: serde_json::from_str(&row.take::<String>()?).map_err(|_| Error::corrupt("a subscription's events"))?,
        kinds: row.take::<String>()?.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        status: Status::parse(&row.take::<String>()?).ok_or_else(|| Error::corrupt("a subscription's status"))?,
        disabled_reason: row.take()?,
        consecutive_failures: row.take()?,
        ordered: row.take()?,
        options: row.take()?,
        suspended_until: row.take()?,
        headers: row.take()?,
        enabled_at: row.take()?,
        succeeded_at: row.take()?,
        failing_since: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

fn names(events: &[String]) -> String {
    serde_json::to_string(events).expect("a list of texts is JSON")
}

/// With a comma on both sides of each, so that a part of the text can be looked for.
fn fenced(kinds: &[String]) -> String {
    format!(",{},", kinds.join(","))
}

/// Whether anybody in an organization wants a kind of event of a sender's now or once they are active again.
pub async fn wanted(tx: &mut Tx, organization: &Id, kind: &str, sender: Option<&Id>) -> Result<bool> {
    const SQL: &str = "SELECT DISTINCT kinds FROM subscriptions WHERE organization_id = ?1 AND status <> 'disabled'
        AND (sender_id IS NULL OR sender_id = ?2)";
    let about = |asked: &&Asked| asked.organization == *organization && asked.sender.as_ref() == sender;
    let is_it = |known: &str| known == kind;
    let wants = |asked: &Asked| asked.kinds.iter().any(|kinds| kinds.split(',').any(is_it));
    if let Some(asked) = tx.wanted.iter().find(about) {
        return Ok(wants(asked));
    }
    let rows = tx.beside().query(SQL, params![organization, sender]).await?;
    let kinds = rows.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    let asked = Asked { organization: *organization, sender: sender.copied(), kinds };
    let wanted = wants(&asked);
    tx.wanted.push(asked);
    Ok(wanted)
}

/// Those in an organization who want a kind of event of a sender's, paused ones included.
pub async fn wanting(tx: &mut Tx, organization: &Id, kind: &str, sender: Option<&Id>) -> Result<Vec<Subscription>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscriptions WHERE organization_id = ?1 AND status <> 'disabled'
         AND kinds LIKE '%,' || CAST(?2 AS TEXT) || ',%' AND (sender_id IS NULL OR sender_id = ?3) ORDER BY id"
    );
    tx.query(&sql, params![organization, kind, sender]).await?.into_iter().map(read).collect()
}

pub async fn insert(tx: &mut Tx, subscription: &Subscription) -> Result<()> {
    let sql = format!(
        "INSERT INTO subscriptions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
    );
    let (events, kinds) = (names(&subscription.events), fenced(&subscription.kinds));
    let values = params![
        &subscription.id,
        &subscription.organization_id,
        subscription.sender_id.as_ref(),
        &subscription.dialect,
        &subscription.transport,
        &subscription.format,
        &subscription.url,
        subscription.description.as_deref(),
        &events,
        &kinds,
        subscription.status.as_str(),
        subscription.disabled_reason.as_deref(),
        subscription.consecutive_failures,
        subscription.ordered,
        &subscription.options,
        subscription.suspended_until,
        subscription.headers.as_deref(),
        subscription.enabled_at,
        subscription.succeeded_at,
        subscription.failing_since,
        subscription.created_at,
        subscription.updated_at,
    ];
    tx.post(&sql, values).await
}

/// For looking only.
pub async fn read_only(tx: &mut Tx, organization: &Id, dialect: &str, id: &Id) -> Result<Option<Subscription>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE organization_id = ?1 AND dialect = ?2 AND id = ?3");
    tx.query_opt(&sql, params![organization, dialect, id]).await?.map(read).transpose()
}

/// Locked for a change.
pub async fn get(tx: &mut Tx, organization: &Id, dialect: &str, id: &Id) -> Result<Option<Subscription>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscriptions WHERE organization_id = ?1 AND dialect = ?2 AND id = ?3 /* for update */"
    );
    tx.query_opt(&sql, params![organization, dialect, id]).await?.map(read).transpose()
}

/// Whosever it is: for the deliverer and for operators.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Subscription>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// The same, locked: nobody disables it before the transaction ends.
pub async fn find_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Subscription>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ?1 /* for update */");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Whether an organization has one in a dialect that leads to an address.
pub async fn leads_to(tx: &mut Tx, organization: &Id, dialect: &str, url: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM subscriptions WHERE organization_id = ?1 AND dialect = ?2 AND url = ?3 LIMIT 1";
    Ok(tx.query_opt(sql, params![organization, dialect, url]).await?.is_some())
}

/// Newest first.
pub async fn list(
    tx: &mut Tx,
    organization: &Id,
    dialect: &str,
    status: Option<Status>,
    before: Option<&Id>,
    limit: i64,
) -> Result<Vec<Subscription>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM subscriptions"))
        .and("organization_id = ?", organization)
        .and("dialect = ?", dialect)
        .and_some("status = ?", status.map(Status::as_str))
        .and_some("id < ?", before);
    select.order("id DESC").rows(tx, limit).await?.into_iter().map(read).collect()
}

/// Those of one sender only, oldest first.
pub async fn of_sender(tx: &mut Tx, dialect: &str, sender: &Id) -> Result<Vec<Subscription>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM subscriptions"))
        .and("sender_id = ?", sender)
        .and("dialect = ?", dialect);
    select.order("id").rows(tx, 1_000).await?.into_iter().map(read).collect()
}

/// Those of a dialect that hear of all senders of their organization, oldest first.
pub async fn of_no_sender(tx: &mut Tx, dialect: &str) -> Result<Vec<Subscription>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM subscriptions"))
        .and_that("sender_id IS NULL")
        .and("dialect = ?", dialect);
    select.order("id").rows(tx, 10_000).await?.into_iter().map(read).collect()
}

/// Everybody's that are disabled.
pub async fn all_disabled(tx: &mut Tx) -> Result<Vec<Subscription>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM subscriptions")).and_that("status = 'disabled'");
    select.order("id").rows(tx, 10_000).await?.into_iter().map(read).collect()
}

/// Writes url, description, events, status, order, options, headers, and since when it is on and failing.
pub async fn update(tx: &mut Tx, subscription: &Subscription) -> Result<()> {
    let sql = "UPDATE subscriptions SET url = ?3, description = ?4, events = ?5, status = ?6, disabled_reason = ?7,
                 consecutive_failures = ?8, ordered = ?9, updated_at = ?10, kinds = ?11, options = ?12, headers = ?13,
                 enabled_at = ?14, failing_since = ?15
               WHERE organization_id = ?1 AND id = ?2";
    let (events, kinds) = (names(&subscription.events), fenced(&subscription.kinds));
    let values = params![
        &subscription.organization_id,
        &subscription.id,
        &subscription.url,
        subscription.description.as_deref(),
        &events,
        subscription.status.as_str(),
        subscription.disabled_reason.as_deref(),
        subscription.consecutive_failures,
        subscription.ordered,
        subscription.updated_at,
        &kinds,
        &subscription.options,
        subscription.headers.as_deref(),
        subscription.enabled_at,
        subscription.failing_since,
    ];
    tx.post(sql, values).await
}

/// How a subscription has been faring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Deliveries in a row that were given up.
    pub given_up: i64,
    /// The later of its making, its being switched on, and its last success.
    pub well_at: i64,
    /// When the first attempt failed since then.
    pub failing_since: i64,
}

/// Holds a subscription until the transaction ends. Whoever changes it and its deliveries takes it first, so that nobody waits
/// for somebody who waits for him.
pub async fn lock(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("SELECT 1 FROM subscriptions WHERE id = ?1 /* for no key update */", params![id]).await
}

/// Notes an attempt that failed, and whether its delivery was given up with it; `None` when the subscription is gone.
pub async fn failed(tx: &mut Tx, id: &Id, given_up: bool, now: i64) -> Result<Option<Standing>> {
    let sql = "UPDATE subscriptions SET consecutive_failures = consecutive_failures + ?2,
                 failing_since = COALESCE(failing_since, ?3) WHERE id = ?1
               RETURNING consecutive_failures, created_at, enabled_at, succeeded_at, failing_since";
    let row = tx.query_opt(sql, params![id, given_up, now]).await?;
    row.map(|mut row| {
        let given_up = row.take()?;
        let (made, enabled, succeeded): (i64, i64, Option<i64>) = (row.take()?, row.take()?, row.take()?);
        let well_at = made.max(enabled).max(succeeded.unwrap_or(0));
        Ok(Standing { given_up, well_at, failing_since: row.take()? })
    })
    .transpose()
}

/// Notes that a delivery succeeded: at once after a failure, else once a second at most, so that many at a time
/// do not wait for each other.
pub async fn succeeded(tx: &mut Tx, id: &Id, now: i64) -> Result<()> {
    let sql = "UPDATE subscriptions SET consecutive_failures = 0, failing_since = NULL, succeeded_at = ?2
               WHERE id = ?1 AND (failing_since IS NOT NULL OR consecutive_failures <> 0 OR succeeded_at IS NULL
                 OR succeeded_at <= ?3)";
    tx.post(sql, params![id, now, now - 1000]).await
}

pub async fn disable(tx: &mut Tx, id: &Id, reason: &str, now: i64) -> Result<()> {
    let sql = "UPDATE subscriptions SET status = 'disabled', disabled_reason = ?2, updated_at = ?3 WHERE id = ?1";
    tx.post(sql, params![id, reason, now]).await
}

pub async fn delete(tx: &mut Tx, organization: &Id, dialect: &str, id: &Id) -> Result<bool> {
    let sql = "DELETE FROM subscriptions WHERE organization_id = ?1 AND dialect = ?2 AND id = ?3";
    Ok(tx.execute(sql, params![organization, dialect, id]).await? > 0)
}

pub async fn add_secret(tx: &mut Tx, secret: &Secret) -> Result<()> {
    let sql = "INSERT INTO subscription_secrets (id, subscription_id, sealed, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![&secret.id, &secret.subscription_id, &secret.sealed, secret.created_at, secret.expires_at];
    tx.post(sql, values).await
}

/// Secrets that have not expired, oldest first.
pub async fn live_secrets(tx: &mut Tx, subscription: &Id, now: i64) -> Result<Vec<Secret>> {
    let sql = "SELECT id, subscription_id, sealed, created_at, expires_at FROM subscription_secrets
               WHERE subscription_id = ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY id";
    let rows = tx.query(sql, params![subscription, now]).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Secret {
                id: row.take()?,
                subscription_id: row.take()?,
                sealed: row.take()?,
                created_at: row.take()?,
                expires_at: row.take()?,
            })
        })
        .collect()
}

pub async fn delete_secret(tx: &mut Tx, subscription: &Id, id: &Id) -> Result<bool> {
    let sql = "DELETE FROM subscription_secrets WHERE subscription_id = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![subscription, id]).await? > 0)
}

pub async fn delete_secrets(tx: &mut Tx, subscription: &Id) -> Result<()> {
    tx.post("DELETE FROM subscription_secrets WHERE subscription_id = ?1", params![subscription]).await
}

/// The one that is left never expires.
pub async fn keep_secret(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("UPDATE subscription_secrets SET expires_at = NULL WHERE id = ?1", params![id]).await
}

/// Leaves an address alone until a moment.
pub async fn suspend(tx: &mut Tx, dialect: &str, url: &str, until: i64) -> Result<()> {
    let sql = "UPDATE subscriptions SET suspended_until = ?3 WHERE dialect = ?1 AND url = ?2 AND suspended_until < ?3";
    tx.post(sql, params![dialect, url, until]).await
}
