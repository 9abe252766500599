//! Messages to providers.
//!
//! Each sender has a lane, and one process at a time works on it (a lease in the database). The lane's
//! pace and every claim are committed before the provider is called, so a restart or a second process
//! makes no burst. A claim marks its job as *called*: whoever finds such a job after its claim ran out
//! does not know whether the provider took the message, and waits for a receipt that carries our id
//! (`unknown`) before it is sent once more, with the same id. A recorded answer is never asked for again.
//!
//! Messages of one conversation go one after the other, in the order in which they were accepted, except that one
//! which has to be tried again later holds back none that follow.

mod claim;
mod lane;
mod pace;
mod record;
mod route;
mod told;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store::messages::{DOUBLED, Message};
use store::{Id, Result, Tx};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Engine;
use crate::events::{self, MessageData, Note};
pub(crate) use lane::{Lane, address};
pub use route::Resting;

/// The kind of job.
pub(crate) const SEND: &str = "send";
/// How long a lane is held without being renewed.
const LANE_LEASE_MS: i64 = 15_000;
/// Longer than any provider's call may take.
const CALL_LEASE_MS: i64 = 90_000;
/// How often lanes are looked for without being woken.
const LOOK_EVERY: Duration = Duration::from_millis(1000);

/// Looks for lanes with work and runs each as a task, until told to stop; then lets calls in flight finish.
pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let (lanes, tasks) = (Lanes::default(), TaskTracker::new());
    let mut bell = engine.wake.senders.listen();
    let mut look = true;
    while !stop.is_cancelled() {
        if look {
            match with_work(&engine).await {
                Ok(found) => found.into_iter().for_each(|sender| lanes.start(&engine, &tasks, &stop, sender)),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "lanes could not be looked for"),
            }
        }
        look = tokio::select! {
            () = stop.cancelled() => false,
            () = engine.clock.sleep(LOOK_EVERY) => true,
            () = bell.heard() => {
                let named = engine.wake.senders.take();
                named.ids.into_iter().for_each(|sender| lanes.start(&engine, &tasks, &stop, sender));
                named.all
            }
        };
    }
    tasks.close();
    tasks.wait().await;
}

async fn with_work(engine: &Engine) -> Result<Vec<Id>> {
    store::lanes::with_work(&mut *engine.db.reader().await?, &engine.settings.process, engine.now()).await
}

/// Works off everything that is due now and returns how many calls it made: for tests, where time stands still.
pub(crate) async fn drain(engine: &Engine) -> Result<usize> {
    let mut made = 0;
    for sender in with_work(engine).await? {
        made += Lane::new(engine.clone(), sender).drain().await?;
    }
    Ok(made)
}

/// A provider took a message twice, under two ids: the first is kept, the message and a metric say so, once.
pub(crate) async fn doubled(tx: &mut Tx, engine: &Engine, message: &mut Message, second: &str) -> Result<()> {
    if message.receipts & DOUBLED != 0 {
        return Ok(());
    }
    message.receipts |= DOUBLED;
    store::messages::advance(tx, message).await?;
    crate::metrics::doubled();
    tracing::error!(message = %message.id, "a message was taken twice by the provider");
    let data = MessageData {
        provider_id: Some(second.to_owned()),
        reason: Some("the provider took it a second time".into()),
        ..MessageData::default()
    };
    let note = Note::about(&message.organization_id, events::MESSAGE_DOUBLED, message);
    events::append(tx, engine, note, &data).await.map(drop)
}

/// Lanes that this process is working on.
#[derive(Clone, Default)]
struct Lanes(Arc<Mutex<HashSet<Id>>>);

impl Lanes {
    fn start(&self, engine: &Engine, tasks: &TaskTracker, stop: &CancellationToken, sender: Id) {
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sender) {
            return;
        }
        let (lanes, engine, stop) = (self.clone(), engine.clone(), stop.clone());
        tasks.spawn(async move {
            let mut lane = Lane::new(engine.clone(), sender);
            let here = lane.is_here().await.unwrap_or(true);
            if here && let Err(error) = lane.work_off(&stop).await {
                tracing::warn!(%sender, error = &error as &dyn std::error::Error, "a lane stopped");
            }
            lanes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&sender);
            // Rung for while it was leaving: it would not have been started again.
            if here && lane.rang() {
                engine.wake.senders.ring(sender);
            }
        });
    }
}
