//! The contacts that a sender knows, by name, with all that is kept beside them.

use crate::contacts::{self, Contact};
use crate::db::{Result, Tx};
use crate::select::{Select, like};
use crate::{Id, params};

/// What somebody and a sender said to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub sent: i64,
    pub received: i64,
    pub last_sent_at: Option<i64>,
    pub last_received_at: Option<i64>,
}

/// Which of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of a name, number, email address or company, in any case.
    pub search: Option<String>,
    pub tag: Option<String>,
    /// The name of a label.
    pub label: Option<String>,
    /// Whether they want to hear from us.
    pub opted_in: Option<bool>,
}

/// A label's name, how many have it, and how many of these want to hear from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    pub name: String,
    pub total: i64,
    pub opted_in: i64,
}

/// Whose contacts, on which channel, and which purpose consent is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    pub organization: &'a Id,
    pub sender: &'a Id,
    pub channel: &'a str,
    pub purpose: &'a str,
}

const FROM: &str = "FROM contacts c JOIN contact_senders s ON s.contact_id = c.id";

/// With two values before it: channel and purpose.
const OPTED_OUT: &str = "EXISTS (SELECT 1 FROM addresses a JOIN opt_outs o ON o.organization_id = a.organization_id
    AND o.kind = a.kind AND o.value = a.value WHERE a.contact_id = c.id AND o.channel = ?1 AND o.purpose = ?2)";

/// By name, then by age.
pub async fn list(tx: &mut Tx, whose: Whose<'_>, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<Contact>> {
    let pattern = filter.search.as_deref().map(like);
    let select = narrowed(format!("SELECT {} {FROM}", contacts::COLUMNS), whose, filter, pattern.as_deref());
    let rows = select.order("LOWER(COALESCE(c.name, '')), c.id").rows_from(tx, limit, offset).await?;
    rows.into_iter().map(contacts::read).collect()
}

pub async fn count(tx: &mut Tx, whose: Whose<'_>, filter: &Filter) -> Result<i64> {
    let pattern = filter.search.as_deref().map(like);
    let rows = narrowed(format!("SELECT COUNT(*) {FROM}"), whose, filter, pattern.as_deref()).rows(tx, 1).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

fn narrowed<'a>(from: String, whose: Whose<'a>, filter: &'a Filter, pattern: Option<&'a str>) -> Select<'a> {
    let consent = match filter.opted_in {
        None => Select::new(from),
        Some(true) => Select::with(from, params![whose.channel, whose.purpose]).and_that(&format!("NOT {OPTED_OUT}")),
        Some(false) => Select::with(from, params![whose.channel, whose.purpose]).and_that(OPTED_OUT),
    };
    consent
        .and("s.sender_id = ?", whose.sender)
        .and("c.organization_id = ?", whose.organization)
        .and_some(
            "LOWER(COALESCE(c.name, '') || ' ' || COALESCE(c.email, '') || ' ' || COALESCE(c.company, '') || ' ' ||
               COALESCE((SELECT MIN(p.value) FROM addresses p WHERE p.contact_id = c.id AND p.kind = 'phone'), ''))
               LIKE ? ESCAPE '!'",
            pattern,
        )
        .and_some(
            "EXISTS (SELECT 1 FROM contact_tags t WHERE t.contact_id = c.id AND t.tag = ?)",
            filter.tag.as_deref(),
        )
        .and_some(
            "EXISTS (SELECT 1 FROM contact_labels k JOIN labels l ON l.id = k.label_id WHERE k.contact_id = c.id AND l.name = ?)",
            filter.label.as_deref(),
        )
        .slow(true)
}

/// All tags that these contacts have, in the order of the alphabet.
pub async fn tags(tx: &mut Tx, organization: &Id, sender: &Id) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT t.tag FROM contact_tags t JOIN contact_senders s ON s.contact_id = t.contact_id
               WHERE t.organization_id = ?1 AND s.sender_id = ?2 ORDER BY t.tag";
    tx.query_slow(sql, params![organization, sender]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// All labels that these contacts have, by name.
pub async fn labels(tx: &mut Tx, whose: Whose<'_>) -> Result<Vec<Labelled>> {
    let sql = format!(
        "SELECT l.name, COUNT(DISTINCT c.id), COUNT(DISTINCT CASE WHEN {OPTED_OUT} THEN NULL ELSE c.id END)
         {FROM} JOIN contact_labels k ON k.contact_id = c.id JOIN labels l ON l.id = k.label_id
         WHERE c.organization_id = ?3 AND s.sender_id = ?4 GROUP BY l.name ORDER BY l.name"
    );
    let values = params![whose.channel, whose.purpose, whose.organization, whose.sender];
    let read = |mut row: crate::Row| Ok(Labelled { name: row.take()?, total: row.take()?, opted_in: row.take()? });
    tx.query_slow(&sql, values).await?.into_iter().map(read).collect()
}

/// The contacts of a sender that have a label of this name, oldest first.
pub async fn labelled(tx: &mut Tx, organization: &Id, sender: &Id, label: &str) -> Result<Vec<Id>> {
    let sql = "SELECT DISTINCT s.contact_id FROM contact_senders s JOIN contact_labels k ON k.contact_id = s.contact_id
               JOIN labels l ON l.id = k.label_id
               WHERE l.organization_id = ?1 AND s.sender_id = ?2 AND l.name = ?3 ORDER BY s.contact_id";
    tx.query_slow(sql, params![organization, sender, label]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// What was said between a contact and one sender, or all of them.
pub async fn traffic(tx: &mut Tx, contact: &Id, sender: Option<&Id>) -> Result<Traffic> {
    let sql = "SELECT CAST(COALESCE(SUM(sent_count), 0) AS BIGINT), CAST(COALESCE(SUM(received_count), 0) AS BIGINT), MAX(last_sent_at), MAX(last_inbound_at)
               FROM conversations";
    let select = Select::new(sql).and("contact_id = ?", contact).and_some("sender_id = ?", sender);
    let Some(mut row) = select.rows(tx, 1).await?.into_iter().next() else { return Ok(Traffic::default()) };
    Ok(Traffic { sent: row.take()?, received: row.take()?, last_sent_at: row.take()?, last_received_at: row.take()? })
}
