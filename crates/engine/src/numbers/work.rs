//! Who works on orders: whoever claims the job of one.

use std::sync::Arc;

use futures_util::future::join_all;
use store::jobs::{Job, State as JobState};
use store::{Id, Result, Tx, Work, numbers as rows};
use tokio_util::sync::CancellationToken;

use super::order::Order;
use super::{record, steps};
use crate::provider::CallError;
use crate::{Engine, UseCase};

/// The kind of job.
pub(crate) const KIND: &str = "number";
/// How long one step may take before another process may take it over.
const CLAIM_MS: i64 = 120_000;
const AT_ONCE: i64 = 8;
/// How often another process may be faster.
const TAKEN_AWAY: usize = 10;
/// How long a caller waits for what others do.
const PATIENCE_MS: i64 = 30_000;
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// Steps of one order that follow upon each other at once; real ones are a dozen.
const MOST_STEPS: usize = 64;

/// Works on orders until `stop`.
pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let mut bell = engine.wake.jobs.listen();
    while !stop.is_cancelled() {
        bell.mark();
        match step(&engine).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "orders of numbers could not be worked on");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.heard() => {}
            () = engine.clock.sleep(LOOK_EVERY) => {}
        }
    }
}

/// One step of each order that is due, several at a time; how many there were.
pub(crate) async fn step(engine: &Engine) -> Result<usize> {
    let jobs = engine.perform(Claim { now: engine.now(), of: None }).await?;
    let count = jobs.len();
    let done = join_all(jobs.into_iter().map(|job| go(engine, job))).await;
    done.into_iter().collect::<Result<Vec<()>>>().map(|_| count)
}

/// Works on one order, here and now, until it waits for something outside. A step that somebody else is at is waited for,
/// for a while.
pub async fn drive(engine: &Engine, order: &Id) -> Result<()> {
    let (mut bell, until) = (engine.wake.jobs.listen(), engine.now() + PATIENCE_MS);
    for _ in 0..MOST_STEPS {
        bell.mark();
        let mut jobs = engine.perform(Claim { now: engine.now(), of: Some(*order) }).await?;
        if let Some(job) = jobs.pop() {
            go(engine, job).await?;
        } else if engine.now() < until && is_under_way(engine, order).await? {
            tokio::select! {
                () = bell.heard() => {}
                () = engine.clock.sleep(LOOK_EVERY) => {}
            }
        } else {
            return Ok(());
        }
    }
    Ok(())
}

/// Somebody else is at it, or was a moment ago and has left it to be gone on with.
async fn is_under_way(engine: &Engine, order: &Id) -> Result<bool> {
    let (job, now) = (store::jobs::about(&mut *engine.db.reader().await?, order).await?, engine.now());
    Ok(job.is_some_and(|job| job.state == JobState::Called || job.due_at <= now))
}

async fn go(engine: &Engine, job: Job) -> Result<()> {
    let found = rows::find(&mut *engine.db.reader().await?, &job.id).await?;
    let Some(order) = found.map(Order::of).transpose()? else { return Ok(()) };
    let outcome = steps::take(engine, &order).await;
    let (outcome, record) = (Arc::new(outcome), |job: &Job, outcome: &Arc<steps::Outcome>| {
        engine.perform(record::Record { engine: engine.clone(), job: job.clone(), outcome: outcome.clone() })
    });
    for _ in 0..TAKEN_AWAY {
        match record(&job, &outcome).await {
            // Somebody took the same number at the same moment; now it can be seen.
            Err(store::Error::Exists(_)) => {}
            recorded => return recorded,
        }
    }
    let message = "what the order needs is somebody else's already".into();
    record(&job, &Arc::new(Err(CallError::Refused { message, code: None, details: None }))).await
}

/// Takes what is due, or one order if it is.
struct Claim {
    now: i64,
    of: Option<Id>,
}

impl Work for Claim {
    type Output = Vec<Job>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Job>> {
        let mut jobs = match &self.of {
            Some(id) => store::jobs::due_of(tx, id, self.now).await?.into_iter().collect(),
            None => store::jobs::due(tx, KIND, self.now, AT_ONCE).await?,
        };
        for job in &mut jobs {
            (job.state, job.attempts, job.due_at) = (JobState::Called, job.attempts + 1, self.now + CLAIM_MS);
            store::jobs::update(tx, job).await?;
        }
        Ok(jobs)
    }
}

impl UseCase for Claim {}
