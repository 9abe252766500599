//! What a caller wants to be done with a campaign, and when that can be.

use std::time::Duration;

use store::campaigns as rows;
use store::jobs::{self, Job};
use store::{Result, Tx, Work};

use super::{Campaign, JOB, Outcome, Refusal, State, Whose, locked, tell};
use crate::{Engine, UseCase};

#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// It begins by itself at that moment (milliseconds), which is not further ahead than `within`. What is scheduled
    /// already is moved.
    Schedule {
        at: i64,
        within: Duration,
    },
    /// It is a draft again.
    Unschedule,
    /// It begins now.
    Start,
    /// Nothing more is accepted for it; what was accepted is still sent.
    Pause,
    Resume,
    /// The same as a pause, for good.
    Cancel,
    /// It is forgotten, with its recipients.
    Delete,
}

pub struct Change {
    pub engine: Engine,
    pub whose: Whose,
    pub wish: Wish,
}

impl Work for Change {
    type Output = Outcome<Campaign>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Campaign>> {
        let mut it = match locked(tx, &self.whose).await? {
            Ok(it) => it,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.wish.objection(&it, self.engine.now()) {
            return Ok(Err(refusal));
        }
        if matches!(self.wish, Wish::Delete) {
            rows::delete(tx, &it.id).await?;
            return Ok(Ok(it));
        }
        self.apply(&mut it);
        rows::update(tx, &it).await?;
        put_job(tx, &it, self.engine.now()).await?;
        tell(tx, &self.engine, &it).await?;
        Ok(Ok(it))
    }
}

impl UseCase for Change {
    fn committed(&self, engine: &Engine, _: &Outcome<Campaign>) {
        engine.wake.campaigns.ring();
        engine.wake.turns.ring(&self.whose.id);
        engine.wake.dispatch.ring();
    }
}

impl Change {
    fn apply(&self, it: &mut Campaign) {
        let now = self.engine.now();
        (it.reason, it.resumes_at, it.updated_at) = (None, None, now);
        match self.wish {
            Wish::Schedule { at, .. } => (it.state, it.scheduled_at) = (State::Scheduled, Some(at)),
            Wish::Unschedule => (it.state, it.scheduled_at) = (State::Draft, None),
            Wish::Start => (it.state, it.started_at) = (State::Sending, Some(now)),
            Wish::Pause => it.state = State::Paused,
            Wish::Resume => it.state = State::Sending,
            Wish::Cancel => (it.state, it.completed_at) = (State::Cancelled, Some(now)),
            Wish::Delete => {}
        }
    }
}

impl Wish {
    /// What is wished for, as one would say that it was done.
    fn word(self) -> &'static str {
        match self {
            Self::Schedule { .. } => "scheduled",
            Self::Unschedule => "unscheduled",
            Self::Start => "started",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Cancel => "cancelled",
            Self::Delete => "deleted",
        }
    }

    /// In which states it can be granted.
    fn granted_in(self) -> &'static [State] {
        match self {
            Self::Schedule { .. } | Self::Start => &[State::Draft, State::Scheduled],
            Self::Unschedule => &[State::Scheduled],
            Self::Pause => &[State::Sending],
            Self::Resume => &[State::Paused],
            Self::Cancel => &[State::Scheduled, State::Sending, State::Paused],
            Self::Delete => &[State::Draft, State::Cancelled],
        }
    }

    fn objection(self, it: &Campaign, now: i64) -> Outcome<()> {
        if !self.granted_in().contains(&it.state) {
            return Err(Refusal::WrongState { state: it.state, wish: self.word() });
        }
        if matches!(self, Self::Schedule { .. } | Self::Start) && it.counts.total() == 0 {
            return Err(Refusal::NoRecipients);
        }
        match self {
            Self::Schedule { at, .. } if at <= now => Err(Refusal::NotInFuture),
            Self::Schedule { at, within } if at - now > i64::try_from(within.as_millis()).unwrap_or(i64::MAX) => {
                Err(Refusal::TooFar)
            }
            _ => Ok(()),
        }
    }
}

/// Has the campaign's job fit its state: there is one as long as something will happen by itself.
pub(super) async fn put_job(tx: &mut Tx, it: &Campaign, now: i64) -> Result<()> {
    let due_at = match it.state {
        State::Scheduled => it.scheduled_at.unwrap_or(now),
        State::Sending => now,
        _ => return jobs::delete(tx, &it.id).await,
    };
    let job = Job {
        id: it.id,
        organization_id: it.organization_id,
        kind: JOB.into(),
        // Not the sender's: what is still to be told of a campaign outlives its sender.
        lane: it.id,
        state: jobs::State::Ready,
        attempts: 0,
        due_at,
        called_at: None,
        created_at: now,
    };
    match jobs::about(tx, &it.id).await? {
        Some(_) => jobs::update(tx, &job).await,
        None => jobs::insert(tx, &job).await,
    }
}
