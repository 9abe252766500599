//! Everything that works in the background, started and stopped together.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use store::{Result, Tx, Work};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{Engine, UseCase, campaigns, deliver, dispatch, media, numbers, outbound, retention, sessions, templates};

/// How soon another process's commits are noticed.
const WATCH_EVERY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Downloads at the same time.
const DOWNLOADS: usize = 8;
/// How long what needs doing now and then rests between two rounds.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs all workers until `stop`; returns when what was in flight has finished and is recorded.
pub async fn run(engine: Engine, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    tasks.spawn(outbound::run(engine.clone(), stop.clone()));
    tasks.spawn(dispatch::run(engine.clone(), stop.clone()));
    tasks.spawn(deliver::run(engine.clone(), stop.clone()));
    tasks.spawn(jobs(engine.clone(), stop.clone()));
    tasks.spawn(campaigns::run(engine.clone(), stop.clone()));
    tasks.spawn(numbers::run(engine.clone(), stop.clone()));
    tasks.spawn(watch(engine.clone(), stop.clone()));
    tasks.spawn(tidy(engine.clone(), stop));
    tasks.close();
    // Calls in flight may need their sessions until they are answered.
    let unused = CancellationToken::new();
    let sessions = async {
        sessions::run(engine.clone(), unused.clone()).await;
    };
    let others = async {
        tasks.wait().await;
        unused.cancel();
    };
    tokio::join!(sessions, others);
    if let Err(error) = engine.perform(Release { process: engine.settings.process.clone() }).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "leases could not be given back");
    }
}

/// Works off everything that is due now, in all queues, until nothing is left: for tests, where time stands still.
pub async fn drain(engine: &Engine) -> Result<()> {
    for _ in 0..10_000 {
        let mut worked = campaigns::step(engine).await?;
        worked += outbound::drain(engine).await?;
        worked += dispatch::step(engine).await?;
        worked += deliver::drain(engine).await?;
        worked += jobs_once(engine).await?;
        worked += numbers::step(engine).await?;
        if worked == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// Ends the claims that an earlier process left behind, so that nobody waits for them to run out. Only for a
/// database that no other process can be working on.
pub async fn recover(engine: &Engine) -> Result<()> {
    engine.perform(EndClaims { now: engine.now() }).await
}

struct EndClaims {
    now: i64,
}

impl Work for EndClaims {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::jobs::end_claims(tx, self.now).await?;
        store::deliveries::end_claims(tx, self.now).await?;
        store::lanes::end_leases(tx).await?;
        store::sessions::end_leases(tx).await?;
        store::leases::end_all(tx).await
    }
}

impl UseCase for EndClaims {}

struct Release {
    process: String,
}

impl Work for Release {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::lanes::release(tx, &self.process).await?;
        store::leases::release(tx, &self.process).await
    }
}

impl UseCase for Release {}

/// Notices what other processes committed.
async fn watch(engine: Engine, stop: CancellationToken) {
    let mut seen = None;
    while !stop.is_cancelled() {
        catch_up(&engine, &mut seen).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.clock.sleep(WATCH_EVERY) => {}
        }
    }
}

/// Forgets what may be old and rings all bells, if another process has committed anything since the last time.
pub async fn catch_up(engine: &Engine, seen: &mut Option<i64>) {
    let found = engine.db.foreign_version().await.ok();
    if found != *seen {
        *seen = found;
        engine.cache.clear();
        engine.wake.all();
    }
}

async fn tidy(engine: Engine, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = retention::round(&engine).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old rows could not be deleted");
        }
        if let Err(error) = templates::sync::plan(&engine).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "template syncs could not be planned");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = engine.clock.sleep(TIDY_EVERY) => {}
        }
    }
}

/// Downloads and template syncs.
async fn jobs(engine: Engine, stop: CancellationToken) {
    let mut bell = engine.wake.jobs.listen();
    while !stop.is_cancelled() {
        bell.mark();
        match jobs_once(&engine).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "jobs could not be worked off"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.heard() => {}
            () = engine.clock.sleep(LOOK_EVERY) => {}
        }
    }
}

async fn jobs_once(engine: &Engine) -> Result<usize> {
    let claim = media::Claim { now: engine.now(), limit: DOWNLOADS as i64 };
    let downloads = engine.perform(claim).await?;
    let syncs = engine.perform(templates::sync::Claim { now: engine.now() }).await?;
    let count = downloads.len() + syncs.len();
    let mut running: FuturesUnordered<_> = downloads.into_iter().map(|job| media::fetch(engine, job)).collect();
    while let Some(done) = running.next().await {
        done?;
    }
    for job in syncs {
        templates::sync::fetch(engine, job).await?;
    }
    Ok(count)
}

impl UseCase for media::Claim {}
