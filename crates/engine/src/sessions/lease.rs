//! Taking, prolonging and giving back the right to keep sessions up.

use store::sessions as rows;
use store::{Id, Result, Tx, Work, jobs};
use tokio::sync::watch;

use super::{State, enter};
use crate::outbound::SEND;
use crate::{Clock, Engine, UseCase};

/// How long a session is held without being renewed: another process has it back within 15 s.
pub(super) const LEASE_MS: i64 = 13_000;

/// What a running session knows of its lease without asking. A process that was paused finds here that it cannot be sure
/// any more, before it does anything else.
#[derive(Clone)]
pub struct Lease {
    clock: Clock,
    /// Milliseconds.
    until: watch::Receiver<i64>,
}

impl Lease {
    #[must_use]
    pub fn new(clock: Clock, until: watch::Receiver<i64>) -> Self {
        Self { clock, until }
    }

    /// Nobody else can have taken the session.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.clock.now() < *self.until.borrow()
    }

    /// Waits until that is sure again: for the next renewal, or for ever where the lease was lost.
    pub async fn sure(&self) {
        let mut until = self.until.clone();
        while self.clock.now() >= *until.borrow_and_update() {
            if until.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }
}

/// Takes some that nobody holds.
pub(super) struct Take {
    pub engine: Engine,
    pub provider: &'static str,
    pub limit: i64,
}

impl Work for Take {
    type Output = Vec<rows::Session>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<rows::Session>> {
        let (process, now) = (&self.engine.settings.process, self.engine.now());
        let mut taken = rows::take(tx, self.provider, process, now, now + LEASE_MS, self.limit).await?;
        for row in &mut taken {
            let reason = match State::parse(&row.state) {
                Some(State::Connecting) => row.reason.clone(),
                Some(State::Failed) => Some("it is tried again".to_owned()),
                Some(state) if state.rests() => Some("it is worth another try".to_owned()),
                _ => Some(super::ORPHANED.to_owned()),
            };
            enter(tx, &self.engine, row, State::Connecting, reason, Some("it connects".into())).await?;
            rows::update(tx, row).await?;
            // What its last holder had begun to send: tried again, with the ids chosen beforehand, it stays one message.
            jobs::end_claims_of(tx, SEND, &row.sender_id, now).await?;
        }
        Ok(taken)
    }
}

impl UseCase for Take {
    fn committed(&self, engine: &Engine, taken: &Vec<rows::Session>) {
        taken.iter().for_each(|row| engine.sessions.changed(&row.sender_id));
        engine.wake.dispatch.ring();
    }
}

/// Prolongs all that this process holds.
pub(super) struct Renew {
    pub engine: Engine,
    pub until: i64,
}

impl Work for Renew {
    type Output = Vec<(Id, i64)>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<(Id, i64)>> {
        rows::renew(tx, &self.engine.settings.process, self.until).await
    }
}

impl UseCase for Renew {}

/// One that is held and does not run.
pub(super) struct GiveBack {
    pub sender: Id,
    pub fence: i64,
}

impl Work for GiveBack {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        rows::give_back(tx, &self.sender, self.fence).await
    }
}

impl UseCase for GiveBack {}

/// Gives everything back.
pub(super) struct Release {
    pub process: String,
}

impl Work for Release {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        rows::release(tx, &self.process).await
    }
}

impl UseCase for Release {}
