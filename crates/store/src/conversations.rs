//! One sender with one contact.

use crate::db::{Error, Result, Row, Tx, Value};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Conversation {
    pub id: Id,
    pub organization_id: Id,
    pub sender_id: Id,
    pub contact_id: Id,
    pub status: Status,
    pub assignee: Option<String>,
    pub unread_count: i64,
    pub last_message_at: Option<i64>,
    /// Where the chain of its messages begins.
    pub last_message: Option<Id>,
    pub last_inbound_at: Option<i64>,
    /// Until when the channel lets us write freely.
    pub window_until: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Pending,
    Resolved,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Pending, Self::Resolved].into_iter().find(|status| status.as_str() == text)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub contact: Option<Id>,
    /// The last row of the page before: its activity and its id.
    pub after: Option<(Option<i64>, Id)>,
}

const COLUMNS: &str = "id, organization_id, sender_id, contact_id, status, assignee, unread_count, last_message_at, \
                       last_message_id, last_inbound_at, window_until, created_at, updated_at";

fn read(mut row: Row) -> Result<Conversation> {
    Ok(Conversation {
        id: row.take()?,
        organization_id: row.take()?,
        sender_id: row.take()?,
        contact_id: row.take()?,
        status: Status::parse(&row.take::<String>()?).ok_or_else(|| Error::corrupt("a conversation's status"))?,
        assignee: row.take()?,
        unread_count: row.take()?,
        last_message_at: row.take()?,
        last_message: row.take()?,
        last_inbound_at: row.take()?,
        window_until: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// The conversation of a sender with a contact, locked; made when there is none.
pub async fn ensure(
    tx: &mut Tx,
    fresh: &Id,
    organization: &Id,
    sender: &Id,
    contact: &Id,
    now: i64,
) -> Result<Conversation> {
    let find = format!("SELECT {COLUMNS} FROM conversations WHERE contact_id = ?1 AND sender_id = ?2 /* for update */");
    if let Some(row) = tx.beside().query_opt(&find, params![contact, sender]).await? {
        return read(row);
    }
    let insert = format!(
        "INSERT INTO conversations (id, organization_id, sender_id, contact_id, status, unread_count, pair_free_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, 'open', 0, 0, ?5, ?5) ON CONFLICT (contact_id, sender_id) DO NOTHING RETURNING {COLUMNS}"
    );
    let made = tx.beside().query_opt(&insert, params![fresh, organization, sender, contact, now]).await?;
    let row = match made {
        Some(row) => Some(row),
        None => tx.beside().query_opt(&find, params![contact, sender]).await?,
    };
    row.map(read).transpose()?.ok_or(Error::Dangling)
}

/// A conversation, whom it is with, and the newest of its messages.
#[derive(Clone, Copy, Debug)]
pub struct With {
    pub conversation: Id,
    pub contact: Id,
    pub last_message: Option<Id>,
}

/// A sender's conversation with whoever has an address, locked; `None` when there is none.
pub async fn with_address(
    tx: &mut Tx,
    organization: &Id,
    sender: &Id,
    kind: &str,
    value: &str,
) -> Result<Option<With>> {
    const SQL: &str = "SELECT c.id, c.contact_id, c.last_message_id FROM addresses a
         JOIN conversations c ON c.contact_id = a.contact_id AND c.sender_id = ?4
         WHERE a.organization_id = ?1 AND a.kind = ?2 AND a.value = ?3 /* for update of c */";
    let row = tx.beside().query_opt(SQL, params![organization, kind, value, sender]).await?;
    row.map(|mut row| Ok(With { conversation: row.take()?, contact: row.take()?, last_message: row.take()? }))
        .transpose()
}

/// Activity is indexed by the minute, and that index is left alone for as long as the minute lasts: SQLite needs a
/// statement of its own for that, PostgreSQL sees by itself that nothing changes.
const MINUTE: i64 = 60_000;

async fn moved(tx: &mut Tx, same_minute: &str, next: &str, values: &[Value<'_>]) -> Result<()> {
    if !tx.is_postgres() && tx.beside().execute(same_minute, values).await? > 0 {
        return Ok(());
    }
    tx.beside().post(next, values).await
}

/// A message was sent, the newest now.
pub async fn wrote(tx: &mut Tx, id: &Id, message: &Id, now: i64) -> Result<()> {
    const SAME_MINUTE: &str = "UPDATE conversations SET last_message_at = ?2, updated_at = ?2, last_message_id = ?4,
         sent_count = sent_count + 1, last_sent_at = ?2 WHERE id = ?1 AND active_minute = ?3";
    const NEXT: &str = "UPDATE conversations SET last_message_at = ?2, updated_at = ?2, last_message_id = ?4,
         sent_count = sent_count + 1, last_sent_at = ?2, active_minute = ?3 WHERE id = ?1";
    let values = params![id, now, now.div_euclid(MINUTE), message];
    moved(tx, SAME_MINUTE, NEXT, values).await
}

macro_rules! heard {
    () => {
        "UPDATE conversations SET unread_count = unread_count + 1, received_count = received_count + 1, updated_at = ?4, last_message_id = ?6,
           status = CASE WHEN status = 'resolved' THEN 'open' ELSE status END,
           last_message_at = CASE WHEN last_message_at > ?2 THEN last_message_at ELSE ?2 END,
           last_inbound_at = CASE WHEN last_inbound_at > ?2 THEN last_inbound_at ELSE ?2 END,
           window_until = CASE WHEN window_until > ?3 THEN window_until ELSE ?3 END"
    };
}
/// A message came in, the newest now: the window opens again and a resolved conversation with it.
pub async fn heard(tx: &mut Tx, id: &Id, message: &Id, at: i64, window_until: i64, now: i64) -> Result<()> {
    const SAME_MINUTE: &str = concat!(heard!(), " WHERE id = ?1 AND active_minute >= ?5");
    const NEXT: &str = concat!(
        heard!(),
        ", active_minute = CASE WHEN active_minute > ?5 THEN active_minute ELSE ?5 END WHERE id = ?1"
    );
    let values = params![id, at, window_until, now, at.div_euclid(MINUTE), message];
    moved(tx, SAME_MINUTE, NEXT, values).await
}

/// When the pair of sender and contact may be used next; `None` for an unknown conversation.
pub async fn pair_free_at(tx: &mut Tx, id: &Id) -> Result<Option<i64>> {
    let row = tx.query_opt("SELECT pair_free_at FROM conversations WHERE id = ?1", params![id]).await?;
    row.map(|mut row| row.take()).transpose()
}

pub async fn set_pair_free_at(tx: &mut Tx, id: &Id, at: i64) -> Result<()> {
    tx.post("UPDATE conversations SET pair_free_at = ?2 WHERE id = ?1", params![id, at]).await
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Conversation>> {
    let sql = format!("SELECT {COLUMNS} FROM conversations WHERE organization_id = ?1 AND id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// The same, locked for a change.
pub async fn get_for_update(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Conversation>> {
    let sql = format!("SELECT {COLUMNS} FROM conversations WHERE organization_id = ?1 AND id = ?2 /* for update */");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// Most lately active first, those without any message last.
pub async fn list(
    tx: &mut Tx,
    organization: &Id,
    sender: &Id,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Conversation>> {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM conversations"))
        .and("sender_id = ?", sender)
        .and("organization_id = ?", organization)
        .and_some("status = ?", filter.status.map(Status::as_str))
        .and_some("contact_id = ?", filter.contact.as_ref());
    if let Some((at, id)) = &filter.after {
        select = match at {
            Some(at) => select
                .and("(active_minute IS NULL OR active_minute <= ?)", at.div_euclid(MINUTE))
                .and("(last_message_at IS NULL OR last_message_at <= ?)", *at)
                .and_each("(last_message_at IS NULL OR last_message_at < ? OR id < ?)", [(*at).into(), id.into()]),
            None => select.and_that("last_message_at IS NULL").and("id < ?", id),
        };
    }
    let rows =
        select.order("active_minute DESC NULLS LAST, last_message_at DESC NULLS LAST, id DESC").rows(tx, limit).await?;
    rows.into_iter().map(read).collect()
}

pub async fn update(tx: &mut Tx, conversation: &Conversation) -> Result<()> {
    let sql =
        "UPDATE conversations SET status = ?3, assignee = ?4, updated_at = ?5 WHERE organization_id = ?1 AND id = ?2";
    let values = params![
        &conversation.organization_id,
        &conversation.id,
        conversation.status.as_str(),
        conversation.assignee.as_deref(),
        conversation.updated_at,
    ];
    tx.post(sql, values).await
}

/// Holds a conversation until the transaction ends, so that what is counted in it now is what is written down.
pub async fn lock(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("SELECT 1 FROM conversations WHERE id = ?1 /* for no key update */", params![id]).await
}

pub async fn set_unread(tx: &mut Tx, id: &Id, unread: i64) -> Result<()> {
    tx.post("UPDATE conversations SET unread_count = ?2 WHERE id = ?1", params![id, unread]).await
}
