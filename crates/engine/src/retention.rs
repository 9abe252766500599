//! Nothing grows without bound: each kind of row has an age at which it goes.

use store::retention::Kind;
use store::{Result, Tx, Work};

use crate::{Engine, UseCase};

/// Rows deleted in one transaction, so that nobody waits long for it.
const BATCH: i64 = 500;
const LEASE: &str = "retention";
const LEASE_MS: i64 = 10 * 60 * 1000;

/// Deletes everything that is too old now; returns how many rows went.
pub async fn round(engine: &Engine) -> Result<u64> {
    engine.perform(Forget { engine: engine.clone() }).await?;
    let mut gone = 0;
    for kind in Kind::ALL {
        let Some(age) = engine.settings.retention.of(kind) else { continue };
        let before = engine.now() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 4);
        loop {
            let deleted = engine.perform(Purge { engine: engine.clone(), kind, before }).await?;
            gone += deleted;
            if deleted < BATCH as u64 {
                break;
            }
        }
    }
    Ok(gone)
}

/// Codes are not kept longer than they can be used, however long their rows are.
struct Forget {
    engine: Engine,
}

impl Work for Forget {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::verifications::forget(tx, self.engine.now()).await
    }
}

impl UseCase for Forget {}

struct Purge {
    engine: Engine,
    kind: Kind,
    before: i64,
}

impl Work for Purge {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        let (process, now) = (&self.engine.settings.process, self.engine.now());
        if store::leases::take(tx, LEASE, process, now, now + LEASE_MS).await?.is_none() {
            return Ok(0);
        }
        store::retention::purge(tx, self.kind, self.before, BATCH).await
    }
}

impl UseCase for Purge {}
