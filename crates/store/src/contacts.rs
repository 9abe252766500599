//! People and businesses we talk to, and the addresses they have.

use crate::db::{Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Contact {
    pub id: Id,
    pub organization_id: Id,
    pub name: Option<String>,
    pub email: Option<String>,
    /// A JSON object.
    pub metadata: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    /// E.164 with `+`; read along, kept as an address.
    pub phone: Option<String>,
}

/// `phone` (E.164 with `+`), `user` (an id scoped to our business), …
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub kind: String,
    pub value: String,
}

/// What a list of contacts is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub phone: Option<String>,
    /// Part of a name or an email, in any case.
    pub search: Option<String>,
    pub before: Option<Id>,
}

const COLUMNS: &str = "c.id, c.organization_id, c.name, c.email, c.metadata, c.created_at, c.updated_at, \
    (SELECT MIN(a.value) FROM addresses a WHERE a.contact_id = c.id AND a.kind = 'phone')";

fn read(mut row: Row) -> Result<Contact> {
    Ok(Contact {
        id: row.take()?,
        organization_id: row.take()?,
        name: row.take()?,
        email: row.take()?,
        metadata: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        phone: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, contact: &Contact) -> Result<()> {
    let sql = "INSERT INTO contacts (id, organization_id, name, email, metadata, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        &contact.id,
        &contact.organization_id,
        contact.name.as_deref(),
        contact.email.as_deref(),
        contact.metadata.as_deref(),
        contact.created_at,
        contact.updated_at,
    ];
    tx.beside().execute(sql, values).await.map(drop)
}

/// Who has an address.
pub async fn by_address(tx: &mut Tx, organization: &Id, kind: &str, value: &str) -> Result<Option<Id>> {
    let sql = "SELECT contact_id FROM addresses WHERE organization_id = ?1 AND kind = ?2 AND value = ?3";
    tx.beside().query_opt(sql, params![organization, kind, value]).await?.map(|mut row| row.take()).transpose()
}

/// Gives a contact an address; `false` when somebody has it already.
pub async fn add_address(
    tx: &mut Tx,
    organization: &Id,
    contact: &Id,
    kind: &str,
    value: &str,
    now: i64,
) -> Result<bool> {
    let sql = "INSERT INTO addresses (organization_id, kind, value, contact_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (organization_id, kind, value) DO NOTHING";
    Ok(tx.beside().execute(sql, params![organization, kind, value, contact, now]).await? > 0)
}

pub async fn remove_address(tx: &mut Tx, organization: &Id, kind: &str, value: &str) -> Result<()> {
    let sql = "DELETE FROM addresses WHERE organization_id = ?1 AND kind = ?2 AND value = ?3";
    tx.execute(sql, params![organization, kind, value]).await.map(drop)
}

pub async fn addresses(tx: &mut Tx, contact: &Id) -> Result<Vec<Address>> {
    let sql = "SELECT kind, value FROM addresses WHERE contact_id = ?1 ORDER BY kind, value";
    let rows = tx.query(sql, params![contact]).await?;
    rows.into_iter().map(|mut row| Ok(Address { kind: row.take()?, value: row.take()? })).collect()
}

/// Makes a contact known to a sender; `false` when it was.
pub async fn link(tx: &mut Tx, contact: &Id, sender: &Id) -> Result<bool> {
    let sql = "INSERT INTO contact_senders (sender_id, contact_id) VALUES (?1, ?2)
               ON CONFLICT (sender_id, contact_id) DO NOTHING";
    Ok(tx.beside().execute(sql, params![sender, contact]).await? > 0)
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Contact>> {
    let sql = format!("SELECT {COLUMNS} FROM contacts c WHERE c.organization_id = ?1 AND c.id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// A contact that a sender knows.
pub async fn of_sender(tx: &mut Tx, organization: &Id, sender: &Id, id: &Id) -> Result<Option<Contact>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contacts c JOIN contact_senders s ON s.contact_id = c.id AND s.sender_id = ?2
         WHERE c.organization_id = ?1 AND c.id = ?3"
    );
    tx.query_opt(&sql, params![organization, sender, id]).await?.map(read).transpose()
}

/// Newest first, those a sender knows.
pub async fn list(tx: &mut Tx, organization: &Id, sender: &Id, filter: &Filter, limit: i64) -> Result<Vec<Contact>> {
    let pattern = filter.search.as_deref().map(like);
    let from = format!("SELECT {COLUMNS} FROM contacts c JOIN contact_senders s ON s.contact_id = c.id");
    let select = Select::new(from)
        .and("s.sender_id = ?", sender)
        .and("c.organization_id = ?", organization)
        .and_some("c.id < ?", filter.before.as_ref())
        .and_some(
            "c.id IN (SELECT contact_id FROM addresses a WHERE a.organization_id = c.organization_id AND a.kind = 'phone' AND a.value = ?)",
            filter.phone.as_deref(),
        )
        .and_some(
            "LOWER(COALESCE(c.name, '') || ' ' || COALESCE(c.email, '')) LIKE ? ESCAPE '!'",
            pattern.as_deref(),
        );
    select.slow(filter.search.is_some()).order("c.id DESC").rows(tx, limit).await?.into_iter().map(read).collect()
}

fn like(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

pub async fn update(tx: &mut Tx, contact: &Contact) -> Result<()> {
    let sql = "UPDATE contacts SET name = ?3, email = ?4, metadata = ?5, updated_at = ?6 WHERE organization_id = ?1 AND id = ?2";
    let values = params![
        &contact.organization_id,
        &contact.id,
        contact.name.as_deref(),
        contact.email.as_deref(),
        contact.metadata.as_deref(),
        contact.updated_at,
    ];
    tx.execute(sql, values).await.map(drop)
}

/// Gives a name to a contact that has none; `false` when it has one.
pub async fn name_if_unknown(tx: &mut Tx, id: &Id, name: &str, now: i64) -> Result<bool> {
    let sql = "UPDATE contacts SET name = ?2, updated_at = ?3 WHERE id = ?1 AND name IS NULL";
    Ok(tx.beside().execute(sql, params![id, name, now]).await? > 0)
}

/// Deletes a contact with its conversations, messages and labels.
pub async fn delete(tx: &mut Tx, organization: &Id, id: &Id) -> Result<bool> {
    // Once they are locked, nobody adds a message.
    let sql = "SELECT id FROM conversations WHERE contact_id = ?2 AND organization_id = ?1 /* for update */";
    for mut row in tx.query(sql, params![organization, id]).await? {
        let conversation: Id = row.take()?;
        let sql = "DELETE FROM jobs WHERE id IN (SELECT id FROM messages WHERE conversation_id = ?1)";
        tx.execute(sql, params![&conversation]).await?;
        tx.execute("DELETE FROM messages WHERE conversation_id = ?1", params![&conversation]).await?;
    }
    let sql = "DELETE FROM contacts WHERE organization_id = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![organization, id]).await? > 0)
}
