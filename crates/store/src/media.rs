//! Files that came with messages: what is known of them, and whether we have them. The bytes lie elsewhere.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Media {
    pub message_id: Id,
    pub organization_id: Id,
    /// The provider's name for it.
    pub external_id: Option<String>,
    pub mime: String,
    pub filename: Option<String>,
    /// `pending`, `ready`, `failed` or `unavailable`.
    pub status: String,
    pub reason: Option<String>,
    pub size: Option<i64>,
    pub sha256: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: &str =
    "message_id, organization_id, external_id, mime, filename, status, reason, size, sha256, created_at, updated_at";

fn read(mut row: Row) -> Result<Media> {
    Ok(Media {
        message_id: row.take()?,
        organization_id: row.take()?,
        external_id: row.take()?,
        mime: row.take()?,
        filename: row.take()?,
        status: row.take()?,
        reason: row.take()?,
        size: row.take()?,
        sha256: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

pub async fn insert(tx: &mut Tx, media: &Media) -> Result<()> {
    let sql = format!("INSERT INTO media ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    let values = params![
        &media.message_id,
        &media.organization_id,
        media.external_id.as_deref(),
        &media.mime,
        media.filename.as_deref(),
        &media.status,
        media.reason.as_deref(),
        media.size,
        media.sha256.as_deref(),
        media.created_at,
        media.updated_at,
    ];
    tx.post(&sql, values).await
}

pub async fn get(tx: &mut Tx, organization: &Id, message: &Id) -> Result<Option<Media>> {
    let sql = format!("SELECT {COLUMNS} FROM media WHERE organization_id = ?1 AND message_id = ?2");
    tx.query_opt(&sql, params![organization, message]).await?.map(read).transpose()
}

pub async fn ready(tx: &mut Tx, message: &Id, size: i64, sha256: &str, now: i64) -> Result<()> {
    let sql = "UPDATE media SET status = 'ready', reason = NULL, size = ?2, sha256 = ?3, updated_at = ?4 WHERE message_id = ?1";
    tx.post(sql, params![message, size, sha256, now]).await
}

pub async fn give_up(tx: &mut Tx, message: &Id, status: &str, reason: &str, now: i64) -> Result<()> {
    let sql = "UPDATE media SET status = ?2, reason = ?3, updated_at = ?4 WHERE message_id = ?1";
    tx.post(sql, params![message, status, reason, now]).await
}
