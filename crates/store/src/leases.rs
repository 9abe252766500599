//! The right of one process to do something alone for a time.

use crate::db::{Result, Tx};
use crate::params;

/// Takes or renews a lease; the fence grows whenever it changes hands.
pub async fn take(tx: &mut Tx, name: &str, holder: &str, now: i64, until: i64) -> Result<Option<i64>> {
    let sql = "INSERT INTO leases (name, holder, fence, lease_until) VALUES (?1, ?2, 1, ?4)
               ON CONFLICT (name) DO UPDATE SET
                 fence = CASE WHEN leases.holder = ?2 THEN leases.fence ELSE leases.fence + 1 END,
                 holder = ?2, lease_until = ?4
               WHERE leases.holder = ?2 OR leases.lease_until < ?3
               RETURNING fence";
    tx.query_opt(sql, params![name, holder, now, until]).await?.map(|mut row| row.take()).transpose()
}

pub async fn release(tx: &mut Tx, holder: &str) -> Result<()> {
    tx.post("UPDATE leases SET lease_until = 0 WHERE holder = ?1", params![holder]).await
}

/// Nobody holds anything.
pub async fn end_all(tx: &mut Tx) -> Result<()> {
    tx.post("UPDATE leases SET lease_until = 0 WHERE lease_until > 0", &[]).await
}
