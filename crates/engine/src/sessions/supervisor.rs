//! Takes wanted sessions and keeps them up, one task in each process.
//!
//! It takes what nobody holds, the most lately used first, no faster than sessions come up (`rate`), and stops what was
//! closed; its leases are renewed beside it (`renewal`). A session is given back only when it has stopped, so that two
//! never hold the connection: the stop comes first, the lease later (`running`).

use std::sync::Arc;

use store::Result;
use store::sessions as rows;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hub::Held;
use super::lease::{Lease, Release, Take};
use super::rate::Rate;
use super::renewal::Renewal;
use super::running::Running;
use super::{State, calls};
use crate::Engine;
use crate::provider::Provider;

const LOOK_EVERY_MS: i64 = 500;
/// Taken in one commit at most.
const BATCH: i64 = 50;
/// A session that is up, or waits for its owner, by then came up quickly.
const QUICK_MS: i64 = 5_000;
/// Questions that may wait for one session.
const WAITING: usize = 32;

/// Keeps sessions up until `stop`; returns when all have stopped and are given back.
pub async fn run(engine: Engine, stop: CancellationToken) {
    let providers: Vec<_> = engine.providers.iter().filter(|provider| provider.sessions().is_some()).cloned().collect();
    if providers.is_empty() {
        return;
    }
    let (renewal, unused) = (Arc::new(Renewal::new(engine.clone())), CancellationToken::new());
    let mut supervisor = Supervisor::new(engine.clone(), providers, renewal.clone());
    let keep = async {
        supervisor.work(&stop).await;
        supervisor.finish().await;
        unused.cancel();
    };
    tokio::join!(keep, renewal.work(&unused));
    let release = Release { process: engine.settings.process.clone() };
    if let Err(error) = engine.perform(release).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be given back");
    }
}

struct Supervisor {
    engine: Engine,
    providers: Vec<Arc<dyn Provider>>,
    renewal: Arc<Renewal>,
    tasks: TaskTracker,
    rate: Rate,
    /// More are wanted than may be taken now.
    more: bool,
}

impl Supervisor {
    fn new(engine: Engine, providers: Vec<Arc<dyn Provider>>, renewal: Arc<Renewal>) -> Self {
        let rate = Rate::new(engine.settings.sessions.opens_per_second, engine.now());
        Self { engine, providers, renewal, tasks: TaskTracker::new(), rate, more: false }
    }

    async fn work(&mut self, stop: &CancellationToken) {
        let engine = self.engine.clone();
        let mut bell = engine.wake.sessions.listen();
        while !stop.is_cancelled() {
            bell.mark();
            self.renewal.looks(true);
            // From before the look: what comes due while it lasts is not slept over.
            let looked_at = engine.now();
            if let Err(error) = self.look().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "sessions could not be looked for");
            }
            self.renewal.looks(false);
            let pause = if self.more { self.rate.pause_ms().clamp(20, LOOK_EVERY_MS) } else { LOOK_EVERY_MS };
            tokio::select! {
                () = stop.cancelled() => {}
                () = bell.heard() => {}
                () = engine.clock.sleep_until(looked_at + pause) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        self.count_openings();
        self.stop_closed().await?;
        calls::serve(&self.engine).await?;
        self.take().await
    }

    /// What came up, or did not, since it was taken.
    fn count_openings(&mut self) {
        let now = self.engine.now();
        if self.engine.sessions.fell() {
            self.rate.failed(now);
        }
        for held in self.engine.sessions.held().values_mut().filter(|held| !held.counted) {
            let (up, slow) = (held.state == State::Connected || held.state.awaits(), now - held.since > QUICK_MS);
            if up && !slow {
                self.rate.succeeded();
            } else if slow {
                self.rate.failed(now);
            }
            held.counted = up || slow;
        }
    }

    async fn stop_closed(&self) -> Result<()> {
        let closed = rows::closed(&mut *self.engine.db.reader().await?, &self.engine.settings.process).await?;
        for (sender, opening) in closed {
            if let Some(held) = self.engine.sessions.get(&sender).filter(|held| held.opening != opening) {
                held.stop.cancel();
            }
        }
        Ok(())
    }

    async fn take(&mut self) -> Result<()> {
        self.more = false;
        // A process that cannot be sure of its leases takes no more of them.
        if self.renewal.is_overdue() {
            return Ok(());
        }
        for provider in self.providers.clone() {
            let allowed = self.rate.allowed(self.engine.now()).min(BATCH);
            let waiting = rows::waits(&mut *self.engine.db.reader().await?, provider.name(), self.engine.now()).await?;
            if allowed < 1 || !waiting {
                self.more |= waiting;
                continue;
            }
            let take = Take { engine: self.engine.clone(), provider: provider.name(), limit: allowed };
            let taken = self.engine.perform(take).await?;
            self.rate.opened(taken.len());
            self.more |= taken.len() as i64 == allowed;
            taken.into_iter().for_each(|row| self.start(&provider, row));
        }
        Ok(())
    }

    fn start(&mut self, provider: &Arc<dyn Provider>, row: rows::Session) {
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let (asked, questions) = mpsc::channel(WAITING);
        let (until, ends) = watch::channel(row.lease_until);
        let held = Held {
            fence: row.fence,
            opening: row.opening,
            since: self.engine.now(),
            until: Arc::new(until),
            stop: stop.clone(),
            ended: ended.clone(),
            asked,
            state: State::Connecting,
            counted: false,
        };
        let earlier = self.engine.sessions.held().insert(row.sender_id, held);
        let began = self.engine.now();
        let lease = Lease::new(self.engine.clock.clone(), ends);
        let running =
            Running { engine: self.engine.clone(), provider: provider.clone(), row, began, lease, stop, ended };
        self.tasks.spawn(async move {
            // The one before it, given back a moment ago, may still be on its way out.
            if let Some(earlier) = earlier {
                earlier.stop.cancel();
                earlier.ended.cancelled().await;
            }
            running.run(questions).await;
        });
    }

    /// Stops everything.
    async fn finish(&self) {
        self.engine.sessions.held().values().for_each(|held| held.stop.cancel());
        self.tasks.close();
        self.tasks.wait().await;
    }
}
