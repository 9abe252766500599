//! Attempts as their owners are shown them, where their dialect shows them at all.

use crate::Id;
use crate::db::{Result, Row, Tx};
use crate::deliveries::DELIVERED;
use crate::select::Select;

/// One try at a delivery.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub delivery_id: Id,
    pub number: i64,
    pub started_at: i64,
    pub duration_ms: i64,
    pub url: String,
    pub response_status: Option<i64>,
    pub response_body: Option<String>,
    /// Why it failed, in words; `None`: it did not.
    pub error: Option<String>,
    pub subscription_id: Id,
    /// What the subscription is called now.
    pub description: Option<String>,
    /// The format's word for the event.
    pub name: String,
    pub fact_id: String,
    /// What was sent.
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub subscription: Option<Id>,
    pub name: Option<String>,
    pub fact_id: Option<String>,
    pub succeeded: Option<bool>,
    /// None that began before.
    pub since: i64,
}

const COLUMNS: &str = "a.delivery_id, a.number, a.started_at, a.duration_ms, a.url, a.response_status, a.response_body, \
    a.outcome, d.subscription_id, s.description, d.name, d.fact_id, d.body";

fn read(mut row: Row) -> Result<Attempt> {
    Ok(Attempt {
        delivery_id: row.take()?,
        number: row.take()?,
        started_at: row.take()?,
        duration_ms: row.take()?,
        url: row.take::<Option<String>>()?.unwrap_or_default(),
        response_status: row.take()?,
        response_body: row.take()?,
        error: Some(row.take::<String>()?).filter(|outcome| outcome != DELIVERED),
        subscription_id: row.take()?,
        description: row.take()?,
        name: row.take()?,
        fact_id: row.take()?,
        body: row.take()?,
    })
}

/// Those of a dialect's subscriptions, newest first.
pub async fn list(
    tx: &mut Tx,
    organization: &Id,
    dialect: &str,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<Attempt>> {
    let select = shown(COLUMNS, organization, dialect, filter).order("a.started_at DESC, a.delivery_id DESC");
    select.slow(true).rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

/// How many there are, counted up to a limit.
pub async fn count(tx: &mut Tx, organization: &Id, dialect: &str, filter: &Filter, limit: i64) -> Result<i64> {
    let found = shown("1", organization, dialect, filter).slow(true).rows(tx, limit).await?;
    Ok(i64::try_from(found.len()).unwrap_or(limit))
}

fn shown<'a>(columns: &str, organization: &'a Id, dialect: &'a str, filter: &'a Filter) -> Select<'a> {
    let from = format!(
        "SELECT {columns} FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
         JOIN subscriptions s ON s.id = d.subscription_id"
    );
    let outcome = filter.succeeded.map(|succeeded| match succeeded {
        true => "a.outcome = ?",
        false => "a.outcome <> ?",
    });
    let select = Select::new(from)
        .and("a.organization_id = ?", organization)
        .and("a.started_at >= ?", filter.since)
        .and("s.dialect = ?", dialect)
        .and_some("d.subscription_id = ?", filter.subscription.as_ref())
        .and_some("d.name = ?", filter.name.as_deref())
        .and_some("d.fact_id = ?", filter.fact_id.as_deref());
    match outcome {
        Some(condition) => select.and(condition, DELIVERED),
        None => select,
    }
}
