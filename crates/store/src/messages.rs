//! What was sent and received. The messages of a conversation are a chain: the conversation knows the newest
//! (`conversations::wrote`), and each message the one before it.

use crate::db::{Error, Insert, Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Message {
    pub id: Id,
    pub organization_id: Id,
    pub sender_id: Id,
    pub conversation_id: Id,
    pub contact_id: Id,
    pub direction: Direction,
    /// `text`, `image`, `template`, …
    pub kind: String,
    /// JSON of the engine's neutral content.
    pub content: String,
    /// The provider's id of the message this one answers.
    pub reply_to: Option<String>,
    /// The other side's address, as it was used.
    pub address: String,
    pub status: Status,
    /// Which receipts were seen; see [`Status::bit`].
    pub receipts: i64,
    /// JSON of the engine's failure.
    pub error: Option<String>,
    /// The provider's id for it; chosen by us before the first attempt where the provider lets us.
    pub provider_id: Option<String>,
    /// The provider's name of the chat, where its ids are unique only within; else empty.
    pub chat: String,
    /// The provider's name of whoever wrote it there; else empty.
    pub author: String,
    /// The dialect that it came through, `push`, or `device`: another device of ours.
    pub origin: String,
    pub request_id: Option<String>,
    /// JSON of what its caller wants handed back.
    pub echo: Option<String>,
    /// JSON of what it costs.
    pub billing: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Ordered: a message only ever moves to a greater one. A failure is overtaken by proof of arrival only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Sent,
    Failed,
    Delivered,
    Read,
    Played,
}

/// Stands among the receipts seen when a message turned out to have been taken twice.
pub const DOUBLED: i64 = 1 << 32;

impl Status {
    const ALL: [Self; 6] = [Self::Pending, Self::Sent, Self::Failed, Self::Delivered, Self::Read, Self::Played];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        ["pending", "sent", "failed", "delivered", "read", "played"][self as usize]
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Its place in the set of receipts seen.
    #[must_use]
    pub fn bit(self) -> i64 {
        1 << self as i64
    }

    pub(crate) fn read(number: i64) -> Result<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .ok_or_else(|| Error::corrupt("a message's status"))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub conversation: Option<Id>,
    pub direction: Option<Direction>,
    pub statuses: Vec<Status>,
    /// Milliseconds, both exclusive.
    pub created_after: Option<i64>,
    pub created_before: Option<i64>,
    pub before: Option<Id>,
}

const COLUMNS: &str = "id, organization_id, sender_id, conversation_id, contact_id, direction, kind, content, reply_to, \
                       address, status, receipts, error, provider_id, chat, author, origin, request_id, \
                       echo, billing, created_at, updated_at";

fn read(mut row: Row) -> Result<Message> {
    Ok(Message {
        id: row.take()?,
        organization_id: row.take()?,
        sender_id: row.take()?,
        conversation_id: row.take()?,
        contact_id: row.take()?,
        direction: if row.take()? { Direction::Outbound } else { Direction::Inbound },
        kind: row.take()?,
        content: row.take()?,
        reply_to: row.take()?,
        address: row.take()?,
        status: Status::read(row.take()?)?,
        receipts: row.take()?,
        error: row.take()?,
        provider_id: row.take()?,
        chat: row.take()?,
        author: row.take()?,
        origin: row.take()?,
        request_id: row.take()?,
        echo: row.take()?,
        billing: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

static INSERT: Insert = Insert::new(
    "messages (id, organization_id, sender_id, conversation_id, contact_id, direction, kind, content,
       reply_to, address, status, receipts, error, provider_id, chat, author, origin, request_id, echo, billing,
       created_at, updated_at, previous_id)",
    23,
    "ON CONFLICT DO NOTHING",
);

/// Adds a message after the newest one of its conversation, which is locked; `false` when the provider's id is there
/// already, or another transaction has just taken it. If it is added, the conversation must be told.
pub async fn insert(tx: &mut Tx, message: &Message, previous: Option<&Id>) -> Result<bool> {
    let values = params![
        &message.id,
        &message.organization_id,
        &message.sender_id,
        &message.conversation_id,
        &message.contact_id,
        message.direction == Direction::Outbound,
        &message.kind,
        &message.content,
        message.reply_to.as_deref(),
        &message.address,
        message.status as i64,
        message.receipts,
        message.error.as_deref(),
        message.provider_id.as_deref(),
        &message.chat,
        &message.author,
        &message.origin,
        message.request_id.as_deref(),
        message.echo.as_deref(),
        message.billing.as_deref(),
        message.created_at,
        message.updated_at,
        previous,
    ];
    tx.append(&INSERT, values).await
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE organization_id = ?1 AND id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// Whosever it is: for people who look into the database.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Locked for a change; whose it is the caller knows.
pub async fn get_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE id = ?1 /* for update */");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

pub async fn by_provider_id(tx: &mut Tx, sender: &Id, provider_id: &str) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE sender_id = ?1 AND provider_id = ?2 /* for update */");
    named(tx, &sql, sender, provider_id).await
}

/// The same, for looking only.
pub async fn peek_by_provider_id(tx: &mut Tx, sender: &Id, provider_id: &str) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE sender_id = ?1 AND provider_id = ?2");
    named(tx, &sql, sender, provider_id).await
}

async fn named(tx: &mut Tx, sql: &str, sender: &Id, provider_id: &str) -> Result<Option<Message>> {
    let tx = tx.looking_for(&INSERT, &[(13, provider_id.into()), (2, sender.into())]).await?;
    tx.query_opt(sql, params![sender, provider_id]).await?.map(read).transpose()
}

/// Whether a message is there already: this very one, or one of ours with its id.
pub async fn is_known(tx: &mut Tx, sender: &Id, provider_id: &str, chat: &str, author: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM messages WHERE sender_id = ?1 AND provider_id = ?2
               AND (direction = 1 OR (chat = ?3 AND author = ?4)) LIMIT 1";
    let tx = tx.looking_for(&INSERT, &[(13, provider_id.into()), (2, sender.into())]).await?;
    Ok(tx.query_opt(sql, params![sender, provider_id, chat, author]).await?.is_some())
}

/// Every message with a provider's id, whosever: for people who look into the database.
pub async fn anywhere_by_provider_id(tx: &mut Tx, provider_id: &str) -> Result<Vec<Message>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE (sender_id, provider_id) IN (SELECT id, CAST(?1 AS TEXT) FROM senders)"
    );
    tx.query(&sql, params![provider_id]).await?.into_iter().map(read).collect()
}

/// Moves a message on. The caller has locked it and decided.
pub async fn advance(tx: &mut Tx, message: &Message) -> Result<()> {
    let sql = "UPDATE messages SET status = ?2, receipts = ?3, error = ?4, provider_id = COALESCE(provider_id, ?5), updated_at = ?6
               WHERE id = ?1";
    let values = params![
        &message.id,
        message.status as i64,
        message.receipts,
        message.error.as_deref(),
        message.provider_id.as_deref(),
        message.updated_at,
    ];
    tx.post(sql, values).await
}

/// Gives the provider's id back that was chosen for a message of which nothing was sent.
pub async fn unname(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.post("UPDATE messages SET provider_id = NULL WHERE id = ?1", params![id]).await
}

/// Newest first.
pub async fn list(tx: &mut Tx, organization: &Id, sender: &Id, filter: &Filter, limit: i64) -> Result<Vec<Message>> {
    let floor = Id::floor(filter.created_after.map_or(0, |at| at + 1));
    let ceiling = filter.created_before.map(Id::floor);
    let select = match &filter.conversation {
        None => Select::new(format!("SELECT {COLUMNS} FROM messages")),
        Some(conversation) => {
            let before = filter.before.as_ref().unwrap_or(conversation);
            Select::with(in_conversation(), params![conversation, before, &floor]).slow(true)
        }
    };
    let mut select = select
        .and("sender_id = ?", sender)
        .and("organization_id = ?", organization)
        .and_some("direction = ?", filter.direction.map(|direction| direction == Direction::Outbound))
        .and("id >= ?", &floor)
        .and_some("id < ?", ceiling.as_ref())
        .and_some("id < ?", filter.before.as_ref());
    if !filter.statuses.is_empty() {
        let numbers: Vec<_> = filter.statuses.iter().map(|status| (*status as i64).to_string()).collect();
        select = select.and_that(&format!("status IN ({})", numbers.join(", ")));
    }
    // The chain is in order already, and sorting it would mean walking it to its end.
    let select = if filter.conversation.is_some() { select } else { select.order("id DESC") };
    select.rows(tx, limit).await?.into_iter().map(read).collect()
}

/// What an organization sent over a channel, newest first; without the first `offset`.
pub async fn sent_on(
    tx: &mut Tx,
    organization: &Id,
    channel: &str,
    span: &Span,
    limit: i64,
    offset: i64,
) -> Result<Vec<Message>> {
    let (floor, ceiling) = span.ids();
    let select = on_channel(Select::new(format!("SELECT {COLUMNS} FROM messages")), organization, channel);
    let select = select.and_some("id >= ?", floor.as_ref()).and_some("id < ?", ceiling.as_ref());
    select.order("id DESC").rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

pub async fn count_sent_on(tx: &mut Tx, organization: &Id, channel: &str, span: &Span) -> Result<i64> {
    let (floor, ceiling) = span.ids();
    let select = on_channel(Select::new("SELECT COUNT(*) FROM messages"), organization, channel);
    let rows = select.and_some("id >= ?", floor.as_ref()).and_some("id < ?", ceiling.as_ref()).rows(tx, 1).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

fn on_channel<'a>(select: Select<'a>, organization: &'a Id, channel: &'a str) -> Select<'a> {
    select
        .and("organization_id = ?", organization)
        .and_that("direction = 1")
        .and("sender_id IN (SELECT s.id FROM senders s WHERE s.organization_id = messages.organization_id AND s.channel = ?)", channel)
}

/// A stretch of time, in milliseconds, both ends included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

impl Span {
    fn ids(&self) -> (Option<Id>, Option<Id>) {
        (self.from.map(Id::floor), self.to.map(|to| Id::floor(to.saturating_add(1))))
    }
}

/// Marks everything received in a conversation up to a message as read by us; returns how many are still unread.
/// Whatever stands behind a read one was read together with it, so nobody looks further.
pub async fn read_up_to(tx: &mut Tx, conversation: &Id, id: &Id, now: i64) -> Result<i64> {
    let sql = "WITH RECURSIVE chain (id, previous_id, direction, status) AS (
                 SELECT id, previous_id, direction, status FROM messages WHERE id = ?2 AND conversation_id = ?1
                 UNION ALL
                 SELECT m.id, m.previous_id, m.direction, m.status FROM chain c JOIN messages m ON m.id = c.previous_id
                 WHERE c.direction = 1 OR c.status < ?3)
               UPDATE messages SET status = ?3, updated_at = ?4
               WHERE id IN (SELECT id FROM chain WHERE direction = 0 AND status < ?3)";
    tx.post(sql, params![conversation, id, Status::Read as i64, now]).await?;
    let sql = "WITH RECURSIVE chain (id, previous_id, direction, status) AS (
                 SELECT m.id, m.previous_id, m.direction, m.status
                 FROM conversations v JOIN messages m ON m.id = v.last_message_id WHERE v.id = ?1
                 UNION ALL
                 SELECT m.id, m.previous_id, m.direction, m.status FROM chain c JOIN messages m ON m.id = c.previous_id
                 WHERE c.id > ?2)
               SELECT COUNT(*) FROM chain WHERE id > ?2 AND direction = 0 AND status < ?3";
    let row = tx.query_opt(sql, params![conversation, id, Status::Read as i64]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}

/// The messages of a conversation, which is locked, that have a bill and were not handed over.
pub(crate) async fn pending_with_bill(tx: &mut Tx, conversation: &Id) -> Result<Vec<Message>> {
    let sql = format!(
        "WITH RECURSIVE chain (id, previous_id) AS (
           SELECT m.id, m.previous_id FROM conversations v JOIN messages m ON m.id = v.last_message_id WHERE v.id = ?1
           UNION ALL
           SELECT m.id, m.previous_id FROM chain c JOIN messages m ON m.id = c.previous_id)
         SELECT {COLUMNS} FROM messages
         WHERE id IN (SELECT id FROM chain) AND status = ?2 AND direction = 1 AND billing IS NOT NULL"
    );
    tx.query(&sql, params![conversation, Status::Pending as i64]).await?.into_iter().map(read).collect()
}

/// Deletes all messages of a conversation, which is locked, and what was still to be done for them.
pub(crate) async fn delete_chain(tx: &mut Tx, conversation: &Id) -> Result<()> {
    let chain = "WITH RECURSIVE chain (id, previous_id) AS (
                   SELECT m.id, m.previous_id FROM conversations v JOIN messages m ON m.id = v.last_message_id WHERE v.id = ?1
                   UNION ALL
                   SELECT m.id, m.previous_id FROM chain c JOIN messages m ON m.id = c.previous_id)";
    for table in ["jobs", "messages"] {
        let sql = format!("{chain} DELETE FROM {table} WHERE id IN (SELECT id FROM chain)");
        tx.post(&sql, params![conversation]).await?;
    }
    Ok(())
}

/// `?1`'s messages, newest first, from `?2` on if that is one of them, and not those older than `?3`.
fn in_conversation() -> String {
    format!(
        "WITH RECURSIVE chain AS (
           SELECT * FROM messages WHERE id = COALESCE(
             (SELECT id FROM messages WHERE id = ?2 AND conversation_id = ?1),
             (SELECT last_message_id FROM conversations WHERE id = ?1))
           UNION ALL
           SELECT m.* FROM chain c JOIN messages m ON m.id = c.previous_id WHERE m.id >= ?3)
         SELECT {COLUMNS} FROM chain"
    )
}
