//! Keeps what this process holds: all leases in one statement, well before they run out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures_util::future::{Either, select};
use store::Id;
use tokio_util::sync::CancellationToken;

use super::State;
use super::hub::Held;
use super::lease::{GiveBack, LEASE_MS, Renew};
use crate::Engine;

const RENEW_EVERY_MS: i64 = 5_000;
/// A process that could not renew for so long stops its sessions, well before another may take them.
const OVERDUE_MS: i64 = 10_000;
/// How long one try may take when it is overdue already: the process was paused.
const LAST_TRY_MS: i64 = 2_000;
const RETRY_MS: i64 = 500;

pub(super) struct Renewal {
    engine: Engine,
    renewed_at: AtomicI64,
    /// Sessions may be about to be taken: held, and not running yet.
    looking: AtomicBool,
    /// How many were up when it was last told.
    told: AtomicI64,
}

impl Renewal {
    pub(super) fn new(engine: Engine) -> Self {
        let renewed_at = AtomicI64::new(engine.now());
        Self { engine, renewed_at, looking: AtomicBool::new(false), told: AtomicI64::new(0) }
    }

    pub(super) fn looks(&self, looking: bool) {
        self.looking.store(looking, Ordering::SeqCst);
    }

    /// The leases are not sure.
    pub(super) fn is_overdue(&self) -> bool {
        self.engine.now() >= self.overdue_at()
    }

    fn overdue_at(&self) -> i64 {
        self.renewed_at.load(Ordering::SeqCst) + OVERDUE_MS
    }

    pub(super) async fn work(&self, stop: &CancellationToken) {
        let rounds = async {
            loop {
                let due = self.renewed_at.load(Ordering::SeqCst) + RENEW_EVERY_MS;
                self.engine.clock.sleep_until(due).await;
                self.renew().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = rounds => {}
        }
    }

    /// One try; when it is overdue after that, everything stops.
    async fn renew(&self) {
        let engine = &self.engine;
        let before: Vec<_> = engine.sessions.held().iter().map(|(id, held)| (*id, held.clone())).collect();
        let (began, overdue) = (engine.now(), self.overdue_at());
        let renewal = Box::pin(engine.perform(Renew { engine: engine.clone(), until: began + LEASE_MS }));
        let limit = Box::pin(engine.clock.sleep_until(overdue.max(began + LAST_TRY_MS)));
        match select(renewal, limit).await {
            Either::Left((Ok(kept), _)) => {
                self.renewed_at.store(began, Ordering::SeqCst);
                if began >= overdue {
                    // Nothing was taken while the leases were not sure.
                    engine.wake.sessions.ring();
                }
                self.compare(before, kept.into_iter().collect(), began + LEASE_MS).await;
                return self.tell().await;
            }
            Either::Left((Err(error), _)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be renewed");
            }
            Either::Right(_) => tracing::warn!("sessions could not be renewed in time"),
        }
        if engine.now() >= overdue {
            tracing::error!(sessions = before.len(), "sessions stop: their leases could not be renewed");
            before.iter().for_each(|(_, held)| held.stop.cancel());
        }
        engine.clock.sleep(std::time::Duration::from_millis(RETRY_MS as u64)).await;
    }

    /// Stops what is held no longer, and gives back what is held and does not run.
    async fn compare(&self, before: Vec<(Id, Held)>, mut kept: HashMap<Id, i64>, until: i64) {
        for (sender, held) in before {
            if kept.remove(&sender) == Some(held.fence) {
                held.until.send_replace(until);
            } else if !held.ended.is_cancelled() {
                tracing::warn!(%sender, "a session is not held any more");
                held.until.send_replace(0);
                held.stop.cancel();
            }
        }
        if self.looking.load(Ordering::SeqCst) {
            return;
        }
        for (sender, fence) in kept {
            if self.engine.sessions.get(&sender).is_some_and(|held| held.fence == fence) {
                continue;
            }
            if let Err(error) = self.engine.perform(GiveBack { sender, fence }).await {
                tracing::warn!(%sender, error = &error as &dyn std::error::Error, "a session could not be given back");
            }
        }
    }

    /// How many there are of each, for dashboards and, while they come up, for the log.
    async fn tell(&self) {
        let Ok(counts) = self.engine.session_counts().await else { return };
        crate::metrics::sessions(&counts);
        let (up, wanted, held) = (counts.of(State::Connected), counts.wanted, counts.held);
        if self.told.swap(up, Ordering::SeqCst) != up && up < wanted {
            tracing::info!(up, wanted, held, "sessions are coming up");
        }
    }
}
