//! Who does not want to hear from us, on which channel and for which purpose.

use crate::db::{Result, Tx};
use crate::{Id, params};

pub async fn put(
    tx: &mut Tx,
    organization: &Id,
    contact: &Id,
    channel: &str,
    purpose: &str,
    source: &str,
    now: i64,
) -> Result<()> {
    let sql = "INSERT INTO opt_outs (organization_id, contact_id, channel, purpose, source, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (organization_id, contact_id, channel, purpose) DO NOTHING";
    tx.execute(sql, params![organization, contact, channel, purpose, source, now]).await.map(drop)
}

pub async fn remove(tx: &mut Tx, organization: &Id, contact: &Id, channel: &str, purpose: &str) -> Result<()> {
    let sql = "DELETE FROM opt_outs WHERE organization_id = ?1 AND contact_id = ?2 AND channel = ?3 AND purpose = ?4";
    tx.execute(sql, params![organization, contact, channel, purpose]).await.map(drop)
}

pub async fn exists(tx: &mut Tx, organization: &Id, contact: &Id, channel: &str, purpose: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM opt_outs WHERE organization_id = ?1 AND contact_id = ?2 AND channel = ?3 AND purpose = ?4";
    Ok(tx.beside().query_opt(sql, params![organization, contact, channel, purpose]).await?.is_some())
}
