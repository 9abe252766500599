//! What callers tell us of their customers' doings: definitions, their properties, and what happened.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Definition {
    pub organization_id: Id,
    pub name: String,
    pub label: String,
    /// What such events are about: `contact`.
    pub object_type: String,
    pub description: Option<String>,
    pub created_at: i64,
}

#[derive(Clone, Debug)]
pub struct Property {
    pub name: String,
    pub label: String,
    /// `string`, `number`, `timestamp` or `url`.
    pub kind: String,
    pub description: Option<String>,
    pub created_at: i64,
}

/// One that happened.
#[derive(Clone, Debug)]
pub struct Happened {
    pub id: Id,
    pub organization_id: Id,
    pub name: String,
    pub contact_id: Id,
    /// A JSON object.
    pub properties: String,
    pub occurred_at: i64,
    pub created_at: i64,
}

/// `false` when the name is taken.
pub async fn define(tx: &mut Tx, definition: &Definition) -> Result<bool> {
    let sql = "INSERT INTO event_definitions (organization_id, name, label, object_type, description, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (organization_id, name) DO NOTHING";
    let values = params![
        &definition.organization_id,
        &definition.name,
        &definition.label,
        &definition.object_type,
        definition.description.as_deref(),
        definition.created_at,
    ];
    Ok(tx.execute(sql, values).await? > 0)
}

/// Locked for a change.
pub async fn get(tx: &mut Tx, organization: &Id, name: &str) -> Result<Option<Definition>> {
    let sql = "SELECT organization_id, name, label, object_type, description, created_at FROM event_definitions
               WHERE organization_id = ?1 AND name = ?2 /* for update */";
    definition(tx, sql, organization, name).await
}

/// The same, for looking only.
pub async fn peek(tx: &mut Tx, organization: &Id, name: &str) -> Result<Option<Definition>> {
    let sql = "SELECT organization_id, name, label, object_type, description, created_at FROM event_definitions
               WHERE organization_id = ?1 AND name = ?2";
    definition(tx, sql, organization, name).await
}

async fn definition(tx: &mut Tx, sql: &str, organization: &Id, name: &str) -> Result<Option<Definition>> {
    let read = |mut row: Row| {
        Ok(Definition {
            organization_id: row.take()?,
            name: row.take()?,
            label: row.take()?,
            object_type: row.take()?,
            description: row.take()?,
            created_at: row.take()?,
        })
    };
    tx.query_opt(sql, params![organization, name]).await?.map(read).transpose()
}

/// Writes label and description.
pub async fn update(tx: &mut Tx, definition: &Definition) -> Result<()> {
    let sql = "UPDATE event_definitions SET label = ?3, description = ?4 WHERE organization_id = ?1 AND name = ?2";
    let values =
        params![&definition.organization_id, &definition.name, &definition.label, definition.description.as_deref()];
    tx.post(sql, values).await
}

/// `false` when the definition has a property of this name.
pub async fn add_property(tx: &mut Tx, organization: &Id, definition: &str, property: &Property) -> Result<bool> {
    let sql = "INSERT INTO event_properties (organization_id, definition, name, label, type, description, position, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6,
                 (SELECT COALESCE(MAX(position), 0) + 1 FROM event_properties WHERE organization_id = ?1 AND definition = ?2), ?7)
               ON CONFLICT (organization_id, definition, name) DO NOTHING";
    let values = params![
        organization,
        definition,
        &property.name,
        &property.label,
        &property.kind,
        property.description.as_deref(),
        property.created_at,
    ];
    Ok(tx.execute(sql, values).await? > 0)
}

/// In the order in which they were added.
pub async fn properties(tx: &mut Tx, organization: &Id, definition: &str) -> Result<Vec<Property>> {
    let sql = "SELECT name, label, type, description, created_at FROM event_properties
               WHERE organization_id = ?1 AND definition = ?2 ORDER BY position, name";
    let read = |mut row: Row| {
        Ok(Property {
            name: row.take()?,
            label: row.take()?,
            kind: row.take()?,
            description: row.take()?,
            created_at: row.take()?,
        })
    };
    tx.query(sql, params![organization, definition]).await?.into_iter().map(read).collect()
}

/// Writes label and description.
pub async fn update_property(tx: &mut Tx, organization: &Id, definition: &str, property: &Property) -> Result<()> {
    let sql = "UPDATE event_properties SET label = ?4, description = ?5
               WHERE organization_id = ?1 AND definition = ?2 AND name = ?3";
    let values = params![organization, definition, &property.name, &property.label, property.description.as_deref()];
    tx.post(sql, values).await
}

pub async fn remove_property(tx: &mut Tx, organization: &Id, definition: &str, name: &str) -> Result<bool> {
    let sql = "DELETE FROM event_properties WHERE organization_id = ?1 AND definition = ?2 AND name = ?3";
    Ok(tx.execute(sql, params![organization, definition, name]).await? > 0)
}

pub async fn insert(tx: &mut Tx, event: &Happened) -> Result<()> {
    let sql = "INSERT INTO custom_events (id, organization_id, name, contact_id, properties, occurred_at, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        &event.id,
        &event.organization_id,
        &event.name,
        &event.contact_id,
        &event.properties,
        event.occurred_at,
        event.created_at,
    ];
    tx.post(sql, values).await
}

/// What happened to a contact, newest first.
pub async fn of_contact(tx: &mut Tx, organization: &Id, contact: &Id, limit: i64) -> Result<Vec<Happened>> {
    let sql = "SELECT id, organization_id, name, contact_id, properties, occurred_at, created_at FROM custom_events
               WHERE organization_id = ?1 AND contact_id = ?2 ORDER BY id DESC LIMIT ?3";
    let read = |mut row: Row| {
        Ok(Happened {
            id: row.take()?,
            organization_id: row.take()?,
            name: row.take()?,
            contact_id: row.take()?,
            properties: row.take()?,
            occurred_at: row.take()?,
            created_at: row.take()?,
        })
    };
    tx.query(sql, params![organization, contact, limit]).await?.into_iter().map(read).collect()
}
