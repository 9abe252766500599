//! Deleting what is older than its kind may grow, a bounded number of rows at a time.

use crate::db::{Result, Tx};
use crate::{Id, params};

/// What can be too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Messages,
    Events,
    Deliveries,
    IdempotencyKeys,
    Verifications,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::Messages, Self::Events, Self::Deliveries, Self::IdempotencyKeys, Self::Verifications];
}

/// Deletes up to `limit` rows made before a moment; returns how many went. Work that is not done stays.
pub async fn purge(tx: &mut Tx, kind: Kind, before: i64, limit: i64) -> Result<u64> {
    let floor = Id::floor(before);
    match kind {
        Kind::Messages => {
            let sql = "DELETE FROM messages WHERE id IN (SELECT m.id FROM messages m WHERE m.id < ?1
                         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = m.id) ORDER BY m.id LIMIT ?2)";
            let gone = tx.execute(sql, params![&floor, limit]).await?;
            Ok(gone + crate::campaigns::purge(tx, &floor, limit).await?)
        }
        Kind::Events => {
            let sql = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ?1 AND pending = 0 ORDER BY id LIMIT ?2)";
            tx.execute(sql, params![&floor, limit]).await
        }
        Kind::Deliveries => {
            let sql = "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id < ?1 AND open = 0 ORDER BY id LIMIT ?2)";
            tx.execute(sql, params![&floor, limit]).await
        }
        // What nobody asked for again in so long, and what nobody came to own.
        Kind::IdempotencyKeys => {
            crate::parts::forget_early(tx, before).await?;
            crate::idempotency::purge(tx, before, limit).await
        }
        Kind::Verifications => crate::verifications::purge(tx, &floor, limit).await,
    }
}
