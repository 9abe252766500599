//! Which accounts carry a sender's messages where.

use crate::db::{Result, Tx};
use crate::{Id, params};

/// One account on the way of a sender's messages to a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub sender_id: Id,
    /// ISO 3166-1 alpha-2; empty: everywhere that no other route is for.
    pub region: String,
    /// The smallest is tried first.
    pub position: i64,
    pub account_id: Id,
}

/// All routes of a sender, in the order in which they are tried, country by country.
pub async fn of_sender(tx: &mut Tx, sender: &Id) -> Result<Vec<Route>> {
    let sql =
        "SELECT sender_id, region, position, account_id FROM routes WHERE sender_id = ?1 ORDER BY region, position";
    let rows = tx.query(sql, params![sender]).await?;
    let read = |mut row: crate::db::Row| {
        Ok(Route { sender_id: row.take()?, region: row.take()?, position: row.take()?, account_id: row.take()? })
    };
    rows.into_iter().map(read).collect()
}

/// Sets the accounts for a country, in order; none: the routes for it are gone.
pub async fn set(tx: &mut Tx, sender: &Id, region: &str, accounts: &[Id]) -> Result<()> {
    tx.post("DELETE FROM routes WHERE sender_id = ?1 AND region = ?2", params![sender, region]).await?;
    for (position, account) in accounts.iter().enumerate() {
        let sql = "INSERT INTO routes (sender_id, region, position, account_id) VALUES (?1, ?2, ?3, ?4)";
        tx.post(sql, params![sender, region, position as i64, account]).await?;
    }
    Ok(())
}
