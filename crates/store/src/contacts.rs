//! People and businesses we talk to, and the addresses they have.

use crate::db::{Result, Row, Tx, Value, places};
use crate::select::{Select, like};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Contact {
    pub id: Id,
    pub organization_id: Id,
    pub name: Option<String>,
    pub email: Option<String>,
    /// A JSON object.
    pub metadata: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The email address of whoever of us looks after it.
    pub owner: Option<String>,
    /// We do not want to write to it.
    pub blocked: bool,
    /// A JSON object: what callers keep with it.
    pub attributes: String,
    /// Where they work.
    pub company: Option<String>,
    /// What we wrote down about them.
    pub notes: Option<String>,
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

impl Contact {
    /// One of whom nothing is known.
    #[must_use]
    pub fn new(id: Id, organization: Id, now: i64) -> Self {
        Self {
            id,
            organization_id: organization,
            name: None,
            email: None,
            metadata: None,
            country: None,
            owner: None,
            blocked: false,
            attributes: "{}".into(),
            company: None,
            notes: None,
            created_at: now,
            updated_at: now,
            phone: None,
        }
    }
}

pub(crate) const COLUMNS: &str = "c.id, c.organization_id, c.name, c.email, c.metadata, c.country, c.owner, c.blocked, c.attributes, c.company, c.notes, c.created_at, c.updated_at, \
    (SELECT MIN(a.value) FROM addresses a WHERE a.contact_id = c.id AND a.kind = 'phone')";

pub(crate) fn read(mut row: Row) -> Result<Contact> {
    Ok(Contact {
        id: row.take()?,
        organization_id: row.take()?,
        name: row.take()?,
        email: row.take()?,
        metadata: row.take()?,
        country: row.take()?,
        owner: row.take()?,
        blocked: row.take()?,
        attributes: row.take()?,
        company: row.take()?,
        notes: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
        phone: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, contact: &Contact) -> Result<()> {
    let sql = "INSERT INTO contacts (id, organization_id, name, email, metadata, country, owner, blocked, attributes, company, notes, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let values = params![
        &contact.id,
        &contact.organization_id,
        contact.name.as_deref(),
        contact.email.as_deref(),
        contact.metadata.as_deref(),
        contact.country.as_deref(),
        contact.owner.as_deref(),
        contact.blocked,
        &contact.attributes,
        contact.company.as_deref(),
        contact.notes.as_deref(),
        contact.created_at,
        contact.updated_at,
    ];
    tx.beside().post(sql, values).await
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

/// Those of addresses of one kind whose owners are blocked by us.
pub async fn blocked_among(tx: &mut Tx, organization: &Id, kind: &str, values: &[&str]) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT a.value FROM addresses a JOIN contacts c ON c.id = a.contact_id
         WHERE a.organization_id = ?1 AND a.kind = ?2 AND c.blocked = 1 AND a.value IN ({})",
        places(3, values.len())
    );
    let mut all = params![organization, kind].to_vec();
    all.extend(values.iter().map(|value| Value::from(*value)));
    tx.beside().query(&sql, &all).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Whether whoever has an address is blocked by us.
pub async fn is_blocked(tx: &mut Tx, organization: &Id, address: &Address) -> Result<bool> {
    Ok(!blocked_among(tx, organization, &address.kind, &[&address.value]).await?.is_empty())
}

pub async fn remove_address(tx: &mut Tx, organization: &Id, kind: &str, value: &str) -> Result<()> {
    let sql = "DELETE FROM addresses WHERE organization_id = ?1 AND kind = ?2 AND value = ?3";
    tx.post(sql, params![organization, kind, value]).await
}

pub async fn addresses(tx: &mut Tx, contact: &Id) -> Result<Vec<Address>> {
    let sql = "SELECT kind, value FROM addresses WHERE contact_id = ?1 ORDER BY kind, value";
    let rows = tx.query(sql, params![contact]).await?;
    rows.into_iter().map(|mut row| Ok(Address { kind: row.take()?, value: row.take()? })).collect()
}

const LINK: &str = "INSERT INTO contact_senders (sender_id, contact_id) VALUES (?1, ?2)
                    ON CONFLICT (sender_id, contact_id) DO NOTHING";

/// Makes a contact known to a sender; `false` when it was.
pub async fn link(tx: &mut Tx, contact: &Id, sender: &Id) -> Result<bool> {
    Ok(tx.beside().execute(LINK, params![sender, contact]).await? > 0)
}

/// The same where it does not matter whether it was.
pub async fn ensure_link(tx: &mut Tx, contact: &Id, sender: &Id) -> Result<()> {
    tx.beside().post(LINK, params![sender, contact]).await
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Contact>> {
    let sql = format!("SELECT {COLUMNS} FROM contacts c WHERE c.organization_id = ?1 AND c.id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// Holds a contact until the transaction ends, so that what is read of it now is what is changed; `false`: there is none.
pub async fn lock(tx: &mut Tx, organization: &Id, id: &Id) -> Result<bool> {
    let sql = "SELECT 1 FROM contacts WHERE organization_id = ?1 AND id = ?2 /* for update */";
    Ok(tx.query_opt(sql, params![organization, id]).await?.is_some())
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

/// What a list of all an organization's contacts is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Wide {
    /// All of these.
    pub tags: Vec<String>,
    pub country: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub after: Option<Id>,
}

/// Oldest first, whichever sender knows them.
pub async fn wide(tx: &mut Tx, organization: &Id, filter: &Wide, limit: i64, offset: i64) -> Result<Vec<Contact>> {
    let select = widely(Select::new(format!("SELECT {COLUMNS} FROM contacts c")), organization, filter);
    let select = select.and_some("c.id > ?", filter.after.as_ref());
    select.order("c.id").rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

pub async fn count_wide(tx: &mut Tx, organization: &Id, filter: &Wide) -> Result<i64> {
    let rows = widely(Select::new("SELECT COUNT(*) FROM contacts c"), organization, filter).rows(tx, 1).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

fn widely<'a>(select: Select<'a>, organization: &'a Id, filter: &'a Wide) -> Select<'a> {
    let select = select
        .and("c.organization_id = ?", organization)
        .and_some("c.country = ?", filter.country.as_deref())
        .and_some("c.email = ?", filter.email.as_deref())
        .and_some(
            "c.id IN (SELECT contact_id FROM addresses a WHERE a.organization_id = c.organization_id AND a.kind = 'phone' AND a.value = ?)",
            filter.phone.as_deref(),
        );
    filter.tags.iter().fold(select, |select, tag| {
        select.and(
            "c.id IN (SELECT contact_id FROM contact_tags t WHERE t.organization_id = c.organization_id AND t.tag = ?)",
            tag,
        )
    })
}

/// Whose email address it is, if anybody's.
pub async fn by_email(tx: &mut Tx, organization: &Id, email: &str) -> Result<Option<Id>> {
    let sql = "SELECT id FROM contacts WHERE organization_id = ?1 AND email = ?2 ORDER BY id LIMIT 1";
    tx.query_opt(sql, params![organization, email]).await?.map(|mut row| row.take()).transpose()
}

/// In the order in which they were given.
pub async fn tags(tx: &mut Tx, contact: &Id) -> Result<Vec<String>> {
    let sql = "SELECT tag FROM contact_tags WHERE contact_id = ?1 ORDER BY position";
    tx.query(sql, params![contact]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Whether anybody has a tag.
pub async fn is_tag(tx: &mut Tx, organization: &Id, tag: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM contact_tags WHERE organization_id = ?1 AND tag = ?2 LIMIT 1";
    Ok(tx.query_opt(sql, params![organization, tag]).await?.is_some())
}

pub async fn set_tags(tx: &mut Tx, organization: &Id, contact: &Id, tags: &[String]) -> Result<()> {
    tx.post("DELETE FROM contact_tags WHERE contact_id = ?1", params![contact]).await?;
    for (position, tag) in tags.iter().enumerate() {
        let sql = "INSERT INTO contact_tags (contact_id, organization_id, tag, position) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (contact_id, tag) DO NOTHING";
        tx.post(sql, params![contact, organization, tag, position as i64]).await?;
    }
    Ok(())
}

/// When a contact last wrote, and the address of ours that it last had to do with.
pub async fn activity(tx: &mut Tx, contact: &Id) -> Result<(Option<i64>, Option<String>)> {
    let sql = "SELECT MAX(last_inbound_at) FROM conversations WHERE contact_id = ?1";
    let seen = tx.query_opt(sql, params![contact]).await?.map(|mut row| row.take()).transpose()?.flatten();
    let sql = "SELECT s.address FROM conversations c JOIN senders s ON s.id = c.sender_id WHERE c.contact_id = ?1
               AND c.last_message_at IS NOT NULL ORDER BY c.last_message_at DESC LIMIT 1";
    let address = tx.query_opt(sql, params![contact]).await?.map(|mut row| row.take()).transpose()?;
    Ok((seen, address))
}

pub async fn update(tx: &mut Tx, contact: &Contact) -> Result<()> {
    let sql = "UPDATE contacts SET name = ?3, email = ?4, metadata = ?5, country = ?6, owner = ?7, blocked = ?8,
                 attributes = ?9, company = ?10, notes = ?11, updated_at = ?12 WHERE organization_id = ?1 AND id = ?2";
    let values = params![
        &contact.organization_id,
        &contact.id,
        contact.name.as_deref(),
        contact.email.as_deref(),
        contact.metadata.as_deref(),
        contact.country.as_deref(),
        contact.owner.as_deref(),
        contact.blocked,
        &contact.attributes,
        contact.company.as_deref(),
        contact.notes.as_deref(),
        contact.updated_at,
    ];
    tx.post(sql, values).await
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
        crate::messages::delete_chain(tx, &conversation).await?;
    }
    let sql = "DELETE FROM contacts WHERE organization_id = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![organization, id]).await? > 0)
}
