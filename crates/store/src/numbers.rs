//! Orders for phone numbers, and when a profile last made one.

use crate::db::{Result, Row, Tx};
use crate::{Id, params};

#[derive(Clone)]
pub struct Order {
    pub id: Id,
    pub organization_id: Id,
    /// The dialect it came through.
    pub origin: String,
    /// Whose it is within the organization, in the dialect's spelling.
    pub profile: String,
    /// The caller's own name for this purchase: asked for twice, it is one.
    pub intent: Option<String>,
    pub state: String,
    /// Nobody else may want its number.
    pub open: bool,
    /// E.164 with `+`, once it is chosen.
    pub number: Option<String>,
    /// The account that the number is brought to.
    pub account_id: Id,
    /// The account that it is bought with.
    pub carrier_id: Id,
    /// JSON of the engine's own making.
    pub details: String,
    /// The code that came for it, sealed, until it is used.
    pub code: Option<Vec<u8>>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, organization_id, origin, profile, intent, state, open, number, account_id, carrier_id, details, \
                       code, created_at, updated_at";

fn read(mut row: Row) -> Result<Order> {
    Ok(Order {
        id: row.take()?,
        organization_id: row.take()?,
        origin: row.take()?,
        profile: row.take()?,
        intent: row.take()?,
        state: row.take()?,
        open: row.take()?,
        number: row.take()?,
        account_id: row.take()?,
        carrier_id: row.take()?,
        details: row.take()?,
        code: row.take()?,
        created_at: row.take()?,
        updated_at: row.take()?,
    })
}

/// `false`: the organization had this intent before, and nothing is changed.
pub async fn insert(tx: &mut Tx, new: &Order) -> Result<bool> {
    let sql = format!(
        "INSERT INTO number_orders ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (organization_id, intent) DO NOTHING"
    );
    let values = params![
        &new.id,
        &new.organization_id,
        &new.origin,
        &new.profile,
        new.intent.as_deref(),
        &new.state,
        i64::from(new.open),
        new.number.as_deref(),
        &new.account_id,
        &new.carrier_id,
        &new.details,
        new.code.as_ref(),
        new.created_at,
        new.updated_at,
    ];
    Ok(tx.execute(&sql, values).await? > 0)
}

/// Whosever it is: for whoever works on it.
pub async fn find(tx: &mut Tx, id: &Id) -> Result<Option<Order>> {
    let sql = format!("SELECT {COLUMNS} FROM number_orders WHERE id = ?1");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

/// The same, locked for a change.
pub async fn get_for_update(tx: &mut Tx, id: &Id) -> Result<Option<Order>> {
    let sql = format!("SELECT {COLUMNS} FROM number_orders WHERE id = ?1 /* for update */");
    tx.query_opt(&sql, params![id]).await?.map(read).transpose()
}

pub async fn by_intent(tx: &mut Tx, organization: &Id, intent: &str) -> Result<Option<Order>> {
    let sql = format!("SELECT {COLUMNS} FROM number_orders WHERE organization_id = ?1 AND intent = ?2");
    tx.query_opt(&sql, params![organization, intent]).await?.map(read).transpose()
}

/// The open order for a number.
pub async fn open_for(tx: &mut Tx, number: &str) -> Result<Option<Id>> {
    let sql = "SELECT id FROM number_orders WHERE number = ?1 AND open = 1";
    tx.query_opt(sql, params![number]).await?.map(|mut row| row.take()).transpose()
}

/// What a list is narrowed to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub organization: Option<&'a Id>,
    pub profile: Option<&'a str>,
    /// None named: any.
    pub states: &'a [String],
}

/// Newest first.
pub async fn list(tx: &mut Tx, filter: &Filter<'_>, limit: i64) -> Result<Vec<Order>> {
    let Filter { organization, profile, states } = *filter;
    let mut select = crate::select::Select::new(format!("SELECT {COLUMNS} FROM number_orders"))
        .and_some("organization_id = ?", organization)
        .and_some("profile = ?", profile);
    if !states.is_empty() {
        select = select.and_any(&vec!["state = ?"; states.len()], states).slow(true);
    }
    select.order("id DESC").rows(tx, limit).await?.into_iter().map(read).collect()
}

/// Writes down what can change. The caller has locked it.
pub async fn update(tx: &mut Tx, it: &Order) -> Result<()> {
    let sql = "UPDATE number_orders SET state = ?2, open = ?3, number = ?4, details = ?5, code = ?6, updated_at = ?7,
               account_id = ?8 WHERE id = ?1";
    let values = params![
        &it.id,
        &it.state,
        i64::from(it.open),
        it.number.as_deref(),
        &it.details,
        it.code.as_ref(),
        it.updated_at,
        &it.account_id
    ];
    tx.post(sql, values).await
}

/// Notes a purchase of a profile's, unless its last one was after `since`: then that one's time is the answer, and nothing
/// is changed.
pub async fn note_purchase(tx: &mut Tx, order: &Order, since: i64) -> Result<std::result::Result<(), i64>> {
    let sql = "INSERT INTO number_purchases (organization_id, profile, order_id, at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (organization_id, profile) DO UPDATE SET order_id = excluded.order_id, at = excluded.at
               WHERE number_purchases.at <= ?5";
    let values = params![&order.organization_id, &order.profile, &order.id, order.created_at, since];
    if tx.execute(sql, values).await? > 0 {
        return Ok(Ok(()));
    }
    let sql = "SELECT at FROM number_purchases WHERE organization_id = ?1 AND profile = ?2";
    let row = tx.query_opt(sql, params![&order.organization_id, &order.profile]).await?;
    row.map_or(Ok(Ok(())), |mut row| row.take().map(Err))
}

/// A purchase came to nothing: another may follow at once.
pub async fn forget_purchase(tx: &mut Tx, order: &Id) -> Result<()> {
    tx.post("DELETE FROM number_purchases WHERE order_id = ?1", params![order]).await
}
