//! Who does not want to hear from us, on which channel and for which purpose; and the ledger of how that came about.

use crate::contacts::Address;
use crate::db::{Result, Row, Tx, Value, places};
use crate::select::Select;
use crate::{Id, params};

/// One change of somebody's mind. Entries are never changed.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: Id,
    pub organization_id: Id,
    pub address: Address,
    pub channel: String,
    pub purpose: String,
    pub wanted: bool,
    /// Who says so: `keyword`, `provider`, `api`, …
    pub source: String,
    /// What shows it: a message's id, a request's.
    pub proof: Option<String>,
    pub created_at: i64,
}

/// What the ledger comes to for one address.
#[derive(Clone, Debug)]
pub struct OptOut {
    pub id: Id,
    pub organization_id: Id,
    pub address: Address,
    pub channel: String,
    pub purpose: String,
    /// ISO 3166-1 alpha-2.
    pub region: Option<String>,
    pub source: String,
    pub created_at: i64,
}

/// What a list of opt-outs is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub value: Option<String>,
    pub channel: Option<String>,
    pub region: Option<String>,
    pub before: Option<Id>,
}

const COLUMNS: &str = "id, organization_id, kind, value, channel, purpose, region, source, created_at";

fn read(mut row: Row) -> Result<OptOut> {
    Ok(OptOut {
        id: row.take()?,
        organization_id: row.take()?,
        address: Address { kind: row.take()?, value: row.take()? },
        channel: row.take()?,
        purpose: row.take()?,
        region: row.take()?,
        source: row.take()?,
        created_at: row.take()?,
    })
}

pub async fn enter(tx: &mut Tx, entry: &Entry) -> Result<()> {
    let sql = "INSERT INTO consent_entries (id, organization_id, kind, value, channel, purpose, wanted, source, proof, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![
        &entry.id,
        &entry.organization_id,
        &entry.address.kind,
        &entry.address.value,
        &entry.channel,
        &entry.purpose,
        entry.wanted,
        &entry.source,
        entry.proof.as_deref(),
        entry.created_at,
    ];
    tx.post(sql, values).await
}

/// All that an address said, oldest first.
pub async fn entries(tx: &mut Tx, organization: &Id, address: &Address) -> Result<Vec<Entry>> {
    let sql = "SELECT id, organization_id, kind, value, channel, purpose, wanted, source, proof, created_at
               FROM consent_entries WHERE organization_id = ?1 AND kind = ?2 AND value = ?3 ORDER BY id";
    let read = |mut row: Row| {
        Ok(Entry {
            id: row.take()?,
            organization_id: row.take()?,
            address: Address { kind: row.take()?, value: row.take()? },
            channel: row.take()?,
            purpose: row.take()?,
            wanted: row.take()?,
            source: row.take()?,
            proof: row.take()?,
            created_at: row.take()?,
        })
    };
    tx.query(sql, params![organization, &address.kind, &address.value]).await?.into_iter().map(read).collect()
}

/// `false` when it stood already.
pub async fn put(tx: &mut Tx, opt_out: &OptOut) -> Result<bool> {
    let sql = format!(
        "INSERT INTO opt_outs ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (organization_id, kind, value, channel, purpose) DO NOTHING"
    );
    let values = params![
        &opt_out.id,
        &opt_out.organization_id,
        &opt_out.address.kind,
        &opt_out.address.value,
        &opt_out.channel,
        &opt_out.purpose,
        opt_out.region.as_deref(),
        &opt_out.source,
        opt_out.created_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

/// Takes an opt-out back and returns it as it stood.
pub async fn remove(
    tx: &mut Tx,
    organization: &Id,
    address: &Address,
    channel: &str,
    purpose: &str,
) -> Result<Option<OptOut>> {
    let sql = format!(
        "DELETE FROM opt_outs WHERE organization_id = ?1 AND kind = ?2 AND value = ?3 AND channel = ?4 AND purpose = ?5
         RETURNING {COLUMNS}"
    );
    let values = params![organization, &address.kind, &address.value, channel, purpose];
    tx.query_opt(&sql, values).await?.map(read).transpose()
}

/// All that stand on one address, oldest first.
pub async fn on(tx: &mut Tx, organization: &Id, address: &Address) -> Result<Vec<OptOut>> {
    let sql =
        format!("SELECT {COLUMNS} FROM opt_outs WHERE organization_id = ?1 AND kind = ?2 AND value = ?3 ORDER BY id");
    tx.query(&sql, params![organization, &address.kind, &address.value]).await?.into_iter().map(read).collect()
}

/// Whether somebody opted out, under this address or any other that we know of theirs.
pub async fn exists(tx: &mut Tx, organization: &Id, address: &Address, channel: &str, purpose: &str) -> Result<bool> {
    Ok(!among(tx, organization, &address.kind, &[&address.value], channel, purpose).await?.is_empty())
}

/// Those of addresses of one kind whose owners opted out, under these or others that we know of theirs.
pub async fn among(
    tx: &mut Tx,
    organization: &Id,
    kind: &str,
    values: &[&str],
    channel: &str,
    purpose: &str,
) -> Result<Vec<String>> {
    let places = places(5, values.len());
    let sql = format!(
        "SELECT o.value FROM opt_outs o
         WHERE o.organization_id = ?1 AND o.kind = ?2 AND o.value IN ({places}) AND o.channel = ?3 AND o.purpose = ?4
         UNION
         SELECT mine.value FROM addresses mine
         JOIN addresses theirs ON theirs.contact_id = mine.contact_id
         JOIN opt_outs o ON o.organization_id = mine.organization_id AND o.kind = theirs.kind AND o.value = theirs.value
         WHERE mine.organization_id = ?1 AND mine.kind = ?2 AND mine.value IN ({places})
           AND o.channel = ?3 AND o.purpose = ?4"
    );
    let mut all = params![organization, kind, channel, purpose].to_vec();
    all.extend(values.iter().map(|value| Value::from(*value)));
    tx.beside().query(&sql, &all).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Newest first.
pub async fn list(tx: &mut Tx, organization: &Id, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<OptOut>> {
    let select = narrowed(Select::new(format!("SELECT {COLUMNS} FROM opt_outs")), organization, filter);
    let select = select.and_some("id < ?", filter.before.as_ref());
    select.order("id DESC").rows_from(tx, limit, offset).await?.into_iter().map(read).collect()
}

pub async fn count(tx: &mut Tx, organization: &Id, filter: &Filter) -> Result<i64> {
    let rows = narrowed(Select::new("SELECT COUNT(*) FROM opt_outs"), organization, filter).rows(tx, 1).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.take())
}

fn narrowed<'a>(select: Select<'a>, organization: &'a Id, filter: &'a Filter) -> Select<'a> {
    select
        .and("organization_id = ?", organization)
        .and_some("kind = ?", filter.kind.as_deref())
        .and_some("value = ?", filter.value.as_deref())
        .and_some("channel = ?", filter.channel.as_deref())
        .and_some("region = ?", filter.region.as_deref())
}
