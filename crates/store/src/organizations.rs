//! Tenants.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Organization {
    pub id: Id,
    pub name: String,
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, created_at";

fn read(mut row: Row) -> Result<Organization> {
    Ok(Organization { id: row.take()?, name: row.take()?, created_at: row.take()? })
}

pub async fn insert(tx: &mut Tx, organization: &Organization) -> Result<()> {
    let sql = "INSERT INTO organizations (id, name, created_at) VALUES (?1, ?2, ?3)";
    tx.post(sql, params![&organization.id, &organization.name, organization.created_at]).await
}

pub async fn get(tx: &mut Tx, id: &Id) -> Result<Option<Organization>> {
    let sql = format!("SELECT {COLUMNS} FROM organizations WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// Oldest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<Organization>> {
    let sql = format!("SELECT {COLUMNS} FROM organizations ORDER BY id");
    tx.query(&sql, &[]).await?.into_iter().map(read).collect()
}

/// Makes everybody else who locks this organization wait until the transaction ends.
pub async fn lock(tx: &mut Tx, id: &Id) -> Result<()> {
    tx.query_opt("SELECT id FROM organizations WHERE id = ?1 /* for update */", params![id]).await.map(drop)
}
