//! Messages that the channel has approved beforehand.

use crate::db::{Result, Row, Tx};
use crate::select::Select;
use crate::{Id, params};

#[derive(Clone, Debug)]
pub struct Template {
    pub id: Id,
    pub organization_id: Id,
    pub account_id: Id,
    pub name: String,
    pub language: String,
    pub category: String,
    /// Upper case, as the provider says it: `PENDING`, `APPROVED`, `REJECTED`, `PAUSED`, …
    pub status: String,
    pub status_reason: Option<String>,
    pub quality: Option<String>,
    /// The text of its body.
    pub body: String,
    /// A JSON array of the names of its variables.
    pub variables: String,
    /// JSON in the provider's shape.
    pub components: String,
    pub external_id: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub statuses: Vec<String>,
    pub name: Option<String>,
    pub language: Option<String>,
    pub before: Option<Id>,
}

const COLUMNS: &str = "id, organization_id, account_id, name, language, category, status, status_reason, quality, body, \
                       variables, components, external_id, created_at, updated_at";

fn read(mut row: Row) -> Result<Template> {
    Ok(Template {
        id: row.take()?,
        organization_id: row.take()?,
        account_id: row.take()?,
        name: row.take()?,
        language: row.take()?,
        category: row.take()?,
        status: row.take()?,
        status_reason: row.take()?,
        quality: row.take()?,
        body: row.take()?,
        variables: row.take()?,
        components: row.take()?,
        external_id: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// Adds a template or brings the one of the same name and language up to date.
pub async fn put(tx: &mut Tx, template: &Template) -> Result<()> {
    let sql = format!(
        "INSERT INTO templates ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (account_id, name, language) DO UPDATE SET category = excluded.category, status = excluded.status,
           status_reason = excluded.status_reason, quality = excluded.quality, body = excluded.body,
           variables = excluded.variables, components = excluded.components, external_id = excluded.external_id,
           updated_at = excluded.updated_at"
    );
    let values = params![
        &template.id,
        &template.organization_id,
        &template.account_id,
        &template.name,
        &template.language,
        &template.category,
        &template.status,
        template.status_reason.as_deref(),
        template.quality.as_deref(),
        &template.body,
        &template.variables,
        &template.components,
        template.external_id.as_deref(),
        template.created_at,
        template.updated_at,
    ];
    tx.post(&sql, values).await
}

/// Newest first, an account's.
pub async fn list(tx: &mut Tx, organization: &Id, account: &Id, filter: &Filter, limit: i64) -> Result<Vec<Template>> {
    let mut select = Select::new(format!("SELECT {COLUMNS} FROM templates"))
        .and("account_id = ?", account)
        .and("organization_id = ?", organization)
        .and_some("name = ?", filter.name.as_deref())
        .and_some("language = ?", filter.language.as_deref())
        .and_some("id < ?", filter.before.as_ref());
    if !filter.statuses.is_empty() {
        let any = vec!["status = ?"; filter.statuses.len()];
        select = select.and_any(&any, &filter.statuses);
    }
    select.order("id DESC").rows(tx, limit).await?.into_iter().map(read).collect()
}

/// By the provider's id, or by name and language where that is not known.
pub async fn find(
    tx: &mut Tx,
    account: &Id,
    external_id: Option<&str>,
    name: &str,
    language: &str,
) -> Result<Option<Template>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM templates WHERE account_id = ?1 AND (external_id = ?2 OR (name = ?3 AND language = ?4))
         ORDER BY CASE WHEN external_id = ?2 THEN 0 ELSE 1 END LIMIT 1"
    );
    tx.beside().query_opt(&sql, params![account, external_id, name, language]).await?.map(read).transpose()
}

/// The account that a template belongs to, whosever it is.
pub async fn account_of(tx: &mut Tx, id: &Id) -> Result<Option<Id>> {
    let row = tx.query_opt("SELECT account_id FROM templates WHERE id = ?1", params![id]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// Removes what the provider no longer has; returns how many.
pub async fn delete(tx: &mut Tx, account: &Id, id: &Id) -> Result<bool> {
    Ok(tx.execute("DELETE FROM templates WHERE account_id = ?1 AND id = ?2", params![account, id]).await? > 0)
}
