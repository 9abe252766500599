//! Facts that happened, appended in the transactions that made them true.

use crate::db::{Insert, Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Event {
    pub id: Id,
    pub organization_id: Id,
    pub kind: String,
    /// What it is about: a message, a contact, a conversation, a template, …
    pub subject_id: Id,
    /// The key that order is kept by.
    pub conversation_id: Option<Id>,
    pub sender_id: Option<Id>,
    /// A name for the fact that is the same however often it is told.
    pub fact_id: Option<String>,
    /// JSON.
    pub data: String,
    /// What the provider said, in its own words.
    pub document: Option<Document>,
    /// Deliveries have not been made of it yet.
    pub pending: bool,
    pub created_at: i64,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub format: String,
    pub bytes: Vec<u8>,
}

const COLUMNS: &str = "id, organization_id, kind, subject_id, conversation_id, sender_id, fact_id, data, \
                       document_format, document, pending, created_at";

fn read(mut row: Row) -> Result<Event> {
    Ok(Event {
        id: row.take()?,
        organization_id: row.take()?,
        kind: row.take()?,
        subject_id: row.take()?,
        conversation_id: row.take()?,
        sender_id: row.take()?,
        fact_id: row.take()?,
        data: row.take()?,
        document: match (row.take::<Option<String>>()?, row.take::<Option<Vec<u8>>>()?) {
            (Some(format), Some(bytes)) => Some(Document { format, bytes }),
            _ => None,
        },
        pending: row.take()?,
        created_at: row.take()?,
    })
}

static INSERT: Insert = Insert::new(
    "events (id, organization_id, kind, subject_id, conversation_id, sender_id, fact_id, data,
       document_format, document, pending, created_at)",
    12,
    "",
);

pub async fn insert(tx: &mut Tx, event: &Event) -> Result<()> {
    let values = params![
        &event.id,
        &event.organization_id,
        &event.kind,
        &event.subject_id,
        event.conversation_id.as_ref(),
        event.sender_id.as_ref(),
        event.fact_id.as_deref(),
        &event.data,
        event.document.as_ref().map(|document| &document.format),
        event.document.as_ref().map(|document| &document.bytes),
        event.pending,
        event.created_at,
    ];
    tx.append(&INSERT, values).await.map(drop)
}

/// The oldest events of which no deliveries have been made.
pub async fn pending(tx: &mut Tx, limit: i64) -> Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE pending = 1 ORDER BY id LIMIT ?1");
    tx.query(&sql, params![limit]).await?.into_iter().map(read).collect()
}

/// Takes an event off the list; `false` when another process did so before.
pub async fn dispatched(tx: &mut Tx, id: &Id) -> Result<bool> {
    Ok(tx.execute("UPDATE events SET pending = 0 WHERE id = ?1 AND pending = 1", params![id]).await? > 0)
}

/// Lets events be told that were held back for something about their subject.
pub async fn release(tx: &mut Tx, subject: &Id) -> Result<()> {
    let sql = "UPDATE events SET pending = 1, data = REPLACE(data, '\"held\":true', '\"held\":false')
               WHERE subject_id = ?1 AND data LIKE '%\"held\":true%'";
    tx.post(sql, params![subject]).await
}

pub async fn get(tx: &mut Tx, id: &Id) -> Result<Option<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// The story of something, oldest first.
pub async fn about(tx: &mut Tx, subject: &Id) -> Result<Vec<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE subject_id = ?1 ORDER BY id LIMIT 1000");
    tx.query(&sql, params![subject]).await?.into_iter().map(read).collect()
}

/// How many events of a kind there are about something.
pub async fn count_about(tx: &mut Tx, subject: &Id, kind: &str) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM events WHERE subject_id = ?1 AND kind = ?2";
    let row = tx.query_opt(sql, params![subject, kind]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}

/// A stretch of an organization's past after `after`, oldest first.
pub async fn between(tx: &mut Tx, organization: &Id, after: &Id, until: &Id, limit: i64) -> Result<Vec<Event>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM events"))
        .and("id > ?", after)
        .and("id < ?", until)
        .and("organization_id = ?", organization);
    select.order("id").rows(tx, limit).await?.into_iter().map(read).collect()
}

/// How many wait, and since when.
pub async fn backlog(tx: &mut Tx) -> Result<(i64, Option<i64>)> {
    let row =
        tx.query_slow("SELECT COUNT(*), MIN(created_at) FROM events WHERE pending = 1", &[]).await?.into_iter().next();
    row.map_or(Ok((0, None)), |mut row| Ok((row.take()?, row.take()?)))
}
