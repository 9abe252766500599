//! Whom a campaign goes to. Each address stands in it once, at the place at which it was added.

use crate::contacts::Address;
use crate::db::{Error, Result, Row, Tx, Value, places};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Recipient {
    pub position: i64,
    pub address: Address,
    pub name: Option<String>,
    /// A JSON object.
    pub variables: String,
    pub standing: Standing,
    pub message_id: Option<Id>,
    /// JSON of the engine's failure.
    pub error: Option<String>,
    pub queued_at: Option<i64>,
    pub sent_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub read_at: Option<i64>,
    pub failed_at: Option<i64>,
}

/// Ordered, as a message's statuses are: nobody moves to a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing was done yet.
    Pending,
    /// There is a message that waits to be sent.
    Queued,
    Sent,
    Failed,
    Delivered,
    Read,
}

impl Standing {
    pub const ALL: [Self; 6] = [Self::Pending, Self::Queued, Self::Sent, Self::Failed, Self::Delivered, Self::Read];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        ["pending", "queued", "sent", "failed", "delivered", "read"][self as usize]
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }

    fn read(number: i64) -> Result<Self> {
        let found = usize::try_from(number).ok().and_then(|index| Self::ALL.get(index).copied());
        found.ok_or_else(|| Error::corrupt("a recipient's standing"))
    }
}

const COLUMNS: &str = "position, kind, value, name, variables, standing, message_id, error, \
                       queued_at, sent_at, delivered_at, read_at, failed_at";

fn read(mut row: Row) -> Result<Recipient> {
    Ok(Recipient {
        position: row.take()?,
        address: Address { kind: row.take()?, value: row.take()? },
        name: row.take()?,
        variables: row.take()?,
        standing: Standing::read(row.take()?)?,
        message_id: row.take()?,
        error: row.take()?,
        queued_at: row.take()?,
        sent_at: row.take()?,
        delivered_at: row.take()?,
        read_at: row.take()?,
        failed_at: row.take()?,
    })
}

/// Somebody to be added.
#[derive(Clone, Debug)]
pub struct New {
    pub address: Address,
    pub name: Option<String>,
    /// A JSON object.
    pub variables: String,
}

/// How many are added with one statement.
const AT_ONCE: usize = 50;

/// Adds people after the place `after`, each at the next one; returns how many were not there yet. The campaign is locked.
pub async fn add(tx: &mut Tx, campaign: &Id, after: i64, new: &[New]) -> Result<i64> {
    let mut added = 0;
    for (chunk, people) in new.chunks(AT_ONCE).enumerate() {
        let mut values = Vec::with_capacity(people.len() * 6);
        let mut rows = Vec::with_capacity(people.len());
        for (index, it) in people.iter().enumerate() {
            let position = after + 1 + (chunk * AT_ONCE + index) as i64;
            rows.push(format!("({}, 0)", places(values.len() + 1, 6)));
            values.extend([
                Value::from(campaign),
                Value::from(position),
                Value::from(&it.address.kind),
                Value::from(&it.address.value),
                Value::from(it.name.as_deref()),
                Value::from(&it.variables),
            ]);
        }
        let sql = format!(
            "INSERT INTO campaign_recipients (campaign_id, position, kind, value, name, variables, standing) VALUES {}
             ON CONFLICT (campaign_id, kind, value) DO NOTHING",
            rows.join(", ")
        );
        added += tx.beside().execute(&sql, &values).await? as i64;
    }
    Ok(added)
}

/// Takes somebody out who was not written to; `false` when there was no such. The campaign is locked.
pub async fn remove(tx: &mut Tx, campaign: &Id, address: &Address) -> Result<bool> {
    let sql = "DELETE FROM campaign_recipients WHERE campaign_id = ?1 AND kind = ?2 AND value = ?3 AND standing = 0";
    Ok(tx.beside().execute(sql, params![campaign, &address.kind, &address.value]).await? > 0)
}

/// Those after a place of whom nothing was done yet, in their order. The campaign is locked.
pub async fn next(tx: &mut Tx, campaign: &Id, after: i64, limit: i64) -> Result<Vec<Recipient>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM campaign_recipients WHERE campaign_id = ?1 AND position > ?2 AND standing = 0
         ORDER BY position LIMIT ?3"
    );
    tx.beside().query(&sql, params![campaign, after, limit]).await?.into_iter().map(read).collect()
}

/// Locked for a change. Who has a message is changed by whoever has locked that.
pub async fn get_for_update(tx: &mut Tx, campaign: &Id, position: i64) -> Result<Option<Recipient>> {
    let sql =
        format!("SELECT {COLUMNS} FROM campaign_recipients WHERE campaign_id = ?1 AND position = ?2 /* for update */");
    tx.beside().query_opt(&sql, params![campaign, position]).await?.map(read).transpose()
}

/// Writes what came of somebody.
pub async fn update(tx: &mut Tx, campaign: &Id, it: &Recipient) -> Result<()> {
    let sql = "UPDATE campaign_recipients SET standing = ?3, message_id = ?4, error = ?5, queued_at = ?6, sent_at = ?7,
                 delivered_at = ?8, read_at = ?9, failed_at = ?10
               WHERE campaign_id = ?1 AND position = ?2";
    let values = params![
        campaign,
        it.position,
        it.standing as i64,
        it.message_id.as_ref(),
        it.error.as_deref(),
        it.queued_at,
        it.sent_at,
        it.delivered_at,
        it.read_at,
        it.failed_at,
    ];
    tx.beside().post(sql, values).await
}

/// In the order in which they were added, without the first `offset`; all if no standing is named.
pub async fn list(
    tx: &mut Tx,
    campaign: &Id,
    standings: &[Standing],
    limit: i64,
    offset: i64,
) -> Result<Vec<Recipient>> {
    let mut select =
        Select::new(format!("SELECT {COLUMNS} FROM campaign_recipients")).and("campaign_id = ?", campaign).slow(true);
    if !standings.is_empty() {
        let numbers: Vec<_> = standings.iter().map(|standing| (*standing as i64).to_string()).collect();
        select = select.and_that(&format!("standing IN ({})", numbers.join(", ")));
    }
    select.order("position").rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

/// Those who wait for a message that is not there any more, from a place on, locked for a change.
pub async fn orphans(tx: &mut Tx, campaign: &Id, limit: i64) -> Result<Vec<Recipient>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM campaign_recipients WHERE campaign_id = ?1 AND standing = 1
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = campaign_recipients.message_id)
         ORDER BY position LIMIT ?2 /* for update */"
    );
    tx.query(&sql, params![campaign, limit]).await?.into_iter().map(read).collect()
}

pub(super) async fn purge(tx: &mut Tx, campaign: &Id, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM campaign_recipients WHERE campaign_id = ?1 AND position IN (
                 SELECT position FROM campaign_recipients WHERE campaign_id = ?1 ORDER BY position LIMIT ?2)";
    tx.execute(sql, params![campaign, limit]).await
}
