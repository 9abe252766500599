//! Labels and what they are stuck on.

use crate::db::{Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Label {
    pub id: Id,
    pub organization_id: Id,
    pub team: String,
    pub name: String,
    pub color: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// What can carry a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Contact,
    Conversation,
}

impl Target {
    fn table(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Conversation => "conversation",
        }
    }
}

const COLUMNS: &str = "id, organization_id, team, name, color, created_at, updated_at";

fn read(mut row: Row) -> Result<Label> {
    Ok(Label {
        id: row.take()?,
        organization_id: row.take()?,
        team: row.take()?,
        name: row.take()?,
        color: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// Adds a label; `false` when its team has one of that name.
pub async fn insert(tx: &mut Tx, label: &Label) -> Result<bool> {
    let sql = format!("INSERT INTO labels ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING");
    let values = params![
        &label.id,
        &label.organization_id,
        &label.team,
        &label.name,
        &label.color,
        label.created_at,
        label.updated_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

pub async fn get(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Option<Label>> {
    let sql = format!("SELECT {COLUMNS} FROM labels WHERE organization_id = ?1 AND id = ?2");
    tx.query_opt(&sql, params![organization, id]).await?.map(read).transpose()
}

/// A team's label of this name.
pub async fn by_name(tx: &mut Tx, organization: &Id, team: &str, name: &str) -> Result<Option<Id>> {
    let sql = "SELECT id FROM labels WHERE organization_id = ?1 AND team = ?2 AND name = ?3";
    tx.query_opt(sql, params![organization, team, name]).await?.map(|mut row| row.take()).transpose()
}

/// Newest first, those made before `before`.
pub async fn list(tx: &mut Tx, organization: &Id, before: Option<&Id>, limit: i64) -> Result<Vec<Label>> {
    let select = Select::new(format!("SELECT {COLUMNS} FROM labels")).and("organization_id = ?", organization);
    let rows = select.and_some("id < ?", before).order("id DESC").rows(tx, limit).await?;
    rows.into_iter().map(read).collect()
}

/// Writes name and color; `false` when the name is another label's.
pub async fn update(tx: &mut Tx, label: &Label) -> Result<bool> {
    let sql = "UPDATE labels SET name = ?3, color = ?4, updated_at = ?5 WHERE organization_id = ?1 AND id = ?2
               AND NOT EXISTS (SELECT 1 FROM labels o WHERE o.organization_id = ?1 AND o.team = ?6 AND o.name = ?3 AND o.id <> ?2)";
    let values = params![&label.organization_id, &label.id, &label.name, &label.color, label.updated_at, &label.team];
    Ok(tx.execute(sql, values).await? > 0)
}

pub async fn delete(tx: &mut Tx, organization: &Id, id: &Id) -> Result<bool> {
    let sql = "DELETE FROM labels WHERE organization_id = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![organization, id]).await? > 0)
}

/// Sticks a label on; `false` when it was there already. Both must be of one organization: the caller has looked.
pub async fn attach(tx: &mut Tx, target: Target, id: &Id, label: &Id) -> Result<bool> {
    let table = target.table();
    let sql = format!(
        "INSERT INTO {table}_labels ({table}_id, label_id) VALUES (?1, ?2) ON CONFLICT ({table}_id, label_id) DO NOTHING"
    );
    Ok(tx.execute(&sql, params![id, label]).await? > 0)
}

/// Takes a label off; `false` when it was not there.
pub async fn detach(tx: &mut Tx, target: Target, id: &Id, label: &Id) -> Result<bool> {
    let table = target.table();
    let sql = format!("DELETE FROM {table}_labels WHERE {table}_id = ?1 AND label_id = ?2");
    Ok(tx.execute(&sql, params![id, label]).await? > 0)
}

/// Labels on something, by name.
pub async fn on(tx: &mut Tx, target: Target, id: &Id) -> Result<Vec<Label>> {
    let table = target.table();
    let sql = format!(
        "SELECT {COLUMNS} FROM labels WHERE id IN (SELECT label_id FROM {table}_labels WHERE {table}_id = ?1) ORDER BY name"
    );
    tx.query(&sql, params![id]).await?.into_iter().map(read).collect()
}
