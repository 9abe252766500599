//! One session at its work, from its taking to what comes of its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use store::senders::Sender;
use store::sessions as rows;
use store::{Result, Tx, Work};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::calls::Asked;
use super::change::Teller;
use super::lease::Lease;
use super::{Session, State, enter};
use crate::provider::{Account, Provider};
use crate::{Engine, UseCase};

/// How long a session may take to stop.
const GRACE: Duration = Duration::from_secs(4);
/// The pauses before a session that ended by itself is tried again: 2ⁿ seconds, this long at most.
const LONGEST_PAUSE_MS: i64 = 5 * 60 * 1000;
/// One that was up for so long did not fail.
const STABLE_MS: i64 = 60_000;

/// What a provider gets to run a session with.
pub struct Opened {
    pub sender: Arc<Sender>,
    pub account: Arc<Account>,
    /// How it stood when it was taken.
    pub session: Session,
    /// For everything that is written for it, see `store::sessions::guard`.
    pub fence: i64,
    /// For everything that leaves for the other side.
    pub lease: Lease,
    pub stop: CancellationToken,
    pub asked: mpsc::Receiver<Asked>,
    pub teller: Teller,
}

pub(super) struct Running {
    pub engine: Engine,
    pub provider: Arc<dyn Provider>,
    pub row: rows::Session,
    /// Milliseconds.
    pub began: i64,
    pub lease: Lease,
    pub stop: CancellationToken,
    pub ended: CancellationToken,
}

impl Running {
    pub(super) async fn run(self, asked: mpsc::Receiver<Asked>) {
        let (engine, sender, fence) = (self.engine.clone(), self.row.sender_id, self.row.fence);
        if let Err(error) = self.keep_up(asked).await {
            tracing::warn!(%sender, error = &error as &dyn std::error::Error, "a session could not be opened");
        }
        let end = End {
            engine: engine.clone(),
            row: self.row,
            began: self.began,
            stopped: self.stop.is_cancelled(),
            chance: rand::random(),
        };
        if !end.stopped {
            engine.sessions.ends(&sender);
        }
        self.stop.cancel();
        if let Err(error) = engine.perform(end).await {
            // Whoever renews next sees that it does not run, and gives it back.
            tracing::warn!(%sender, error = &error as &dyn std::error::Error, "a session could not be given back");
        }
        engine.sessions.forget(&sender, fence);
        self.ended.cancel();
        engine.wake.sessions.ring();
    }

    async fn keep_up(&self, asked: mpsc::Receiver<Asked>) -> Result<()> {
        let engine = &self.engine;
        let Some(sessions) = self.provider.sessions() else { return Ok(()) };
        let Some(sender) = engine.sender_by_id(&self.row.sender_id).await? else { return Ok(()) };
        let Some(account) = engine.account(&sender.account_id).await? else { return Ok(()) };
        let teller = Teller {
            engine: engine.clone(),
            sender: sender.id,
            fence: self.row.fence,
            opening: self.row.opening,
            stop: self.stop.clone(),
        };
        let session = Session::of(&self.row, engine.now());
        let (fence, lease, stop) = (self.row.fence, self.lease.clone(), self.stop.clone());
        let opened = Opened { sender, account, session, fence, lease, stop, asked, teller };
        let late = async {
            self.stop.cancelled().await;
            engine.clock.sleep(GRACE).await;
        };
        tokio::select! {
            done = AssertUnwindSafe(sessions.run(engine, opened)).catch_unwind() => {
                if done.is_err() {
                    tracing::error!(sender = %self.row.sender_id, "a session panicked");
                }
            }
            () = late => tracing::warn!(sender = %self.row.sender_id, "a session did not stop in time"),
        }
        Ok(())
    }
}

/// A session has stopped: it is given back, and what comes of it is decided.
struct End {
    engine: Engine,
    /// As it was taken.
    row: rows::Session,
    /// When it was begun.
    began: i64,
    /// It was told to.
    stopped: bool,
    /// From 0 to 1, for jitter.
    chance: f64,
}

impl Work for End {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(mut row) = rows::get_for_update(tx, &self.row.sender_id).await? else { return Ok(()) };
        if !rows::give_back(tx, &row.sender_id, self.row.fence).await? {
            return Ok(());
        }
        let resting = State::parse(&row.state).is_some_and(State::rests);
        if row.wanted && row.opening == self.row.opening && !resting && !self.stopped {
            self.failed(tx, &mut row).await?;
            rows::update(tx, &row).await?;
        }
        Ok(())
    }
}

impl UseCase for End {
    fn committed(&self, engine: &Engine, (): &()) {
        engine.sessions.changed(&self.row.sender_id);
        engine.wake.dispatch.ring();
    }
}

impl End {
    /// It ended by itself.
    async fn failed(&self, tx: &mut Tx, row: &mut rows::Session) -> Result<()> {
        let now = self.engine.now();
        let stable = row.connected_at.is_some_and(|at| at >= self.began && now - at >= STABLE_MS);
        row.failures = if stable { 1 } else { row.failures + 1 };
        let power = u32::try_from(row.failures - 1).unwrap_or(0).min(10);
        let pause = (1000_i64 << power).min(LONGEST_PAUSE_MS) as f64 * (0.5 + self.chance);
        row.retry_at = now + pause as i64;
        let reason = row.reason.clone().or_else(|| Some("it ended by itself".into()));
        let next = format!("it is tried again at {}", crate::clock::rfc3339(row.retry_at));
        enter(tx, &self.engine, row, State::Failed, reason, Some(next)).await
    }
}
