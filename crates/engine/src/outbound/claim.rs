//! Taking what a lane may send now, committed before anything is sent.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use store::jobs::{Job, State};
use store::lanes::Lane;
use store::messages::{Message, Status};
use store::senders::Sender;
use store::{Id, Result, Tx, Work, conversations, jobs, lanes};

use super::pace::Bucket;
use super::{CALL_LEASE_MS, LANE_LEASE_MS, SEND, told};
use crate::campaigns::{self, Moves};
use crate::events::{self, MessageData, Note};
use crate::failure::{Code, Failure};
use crate::{Engine, UseCase, billing, verification};

/// How often an attempt may end without an answer, each told by an event.
const UNKNOWN_ATTEMPTS: i64 = 2;
/// How many times the wait for a receipt is prolonged while nothing at all is heard from the provider.
const DEAF_WAITS: i64 = 6;

pub(super) struct Claim {
    pub engine: Engine,
    pub sender: Arc<Sender>,
    pub account: Id,
    pub bucket: Bucket,
    pub pair: Option<Bucket>,
    /// How many calls there is room for.
    pub room: i64,
    /// Jobs whose calls this process is making.
    pub in_flight: HashSet<Id>,
    /// Conversations with a call in flight.
    pub busy: HashSet<Id>,
    /// Messages that are given up here, and why.
    pub given_up: Mutex<Vec<(Message, Failure)>>,
}

pub(super) enum Claimed {
    /// Another process has the lane.
    Lost,
    /// The lane is stopped for a reason until this moment.
    Held,
    /// `paced_until`: nothing more may go before, whatever else is accepted. `next_at`: when the next is due.
    Some { calls: Vec<Call>, paced_until: i64, next_at: Option<i64> },
}

/// One message to be handed over now.
#[derive(Clone)]
pub(super) struct Call {
    pub job: Job,
    pub message: Message,
    /// The job as it was found.
    pub before: Job,
}

/// Puts claims back whose calls were never made, so that nobody takes them for calls without an answer.
pub(super) struct PutBack(pub Vec<Call>);

impl Work for PutBack {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for call in &self.0 {
            if jobs::is_at(tx, &call.job).await? {
                jobs::update(tx, &call.before).await?;
            }
        }
        Ok(())
    }
}

impl UseCase for PutBack {}

impl Work for Claim {
    type Output = Claimed;

    async fn run(&self, tx: &mut Tx) -> Result<Claimed> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let (process, now) = (&self.engine.settings.process, self.engine.now());
        let Some(lane) = lanes::lease(tx, &self.sender.id, process, now, now + LANE_LEASE_MS).await? else {
            return Ok(Claimed::Lost);
        };
        if lane.held_until > now {
            return Ok(Claimed::Held);
        }
        self.take(tx, lane, now).await
    }
}

impl UseCase for Claim {
    fn committed(&self, _: &Engine, _: &Claimed) {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.iter().for_each(|(message, failure)| told::gave_up(message, failure));
    }
}

impl Claim {
    async fn take(&self, tx: &mut Tx, lane: Lane, now: i64) -> Result<Claimed> {
        let now_us = now * 1000;
        let limit = self.bucket.free(lane.free_at_us, now_us).min(self.room);
        let (mut calls, mut busy, mut moves) = (Vec::new(), self.busy.clone(), Moves::default());
        // Some of what is due may turn out not to be: look a little further.
        for job in jobs::due_in_lane(tx, SEND, &self.sender.id, now, limit + 16).await? {
            if (calls.len() as i64) == limit {
                break;
            }
            if self.in_flight.contains(&job.id) {
                self.prolong(tx, job, now).await?;
            } else if let Some(call) = self.consider(tx, job, &mut busy, &mut moves, now).await? {
                calls.push(call);
            }
        }
        let free_at_us = match calls.is_empty() {
            true => lane.free_at_us,
            false => self.bucket.take(lane.free_at_us, now_us, calls.len() as i64),
        };
        lanes::advance(tx, &self.sender.id, free_at_us).await?;
        moves.count(tx).await?;
        let paced_until = (self.bucket.next_at(free_at_us, now_us) + 999) / 1000;
        let next_at = jobs::next_due(tx, SEND, &self.sender.id).await?;
        Ok(Claimed::Some { calls, paced_until, next_at })
    }

    /// A call of ours takes longer than its claim, or the clock jumped.
    async fn prolong(&self, tx: &mut Tx, job: Job, now: i64) -> Result<()> {
        jobs::update(tx, &Job { due_at: now + CALL_LEASE_MS, ..job }).await
    }

    async fn consider(
        &self,
        tx: &mut Tx,
        job: Job,
        busy: &mut HashSet<Id>,
        moves: &mut Moves,
        now: i64,
    ) -> Result<Option<Call>> {
        let Some(message) = store::messages::get_for_update(tx, &job.id).await? else {
            jobs::delete(tx, &job.id).await?;
            return Ok(None);
        };
        // Withdrawn, answered or told of by a receipt while this waited for its lock: the job read before is of no worth.
        if message.status != Status::Pending {
            jobs::delete(tx, &job.id).await?;
            return Ok(None);
        }
        // Or answered with a reason to try again: then the job, too, is not what was read.
        if job.state == State::Called && !jobs::is_held(tx, &job).await? {
            return Ok(None);
        }
        if job.called_at.is_none()
            && let Some(failure) = campaigns::objection(tx, &self.sender, &message, now).await?
        {
            return self.give_up(tx, &job, message, failure, moves, now).await.map(|()| None);
        }
        match job.state {
            // Another attempt with the id chosen beforehand is the same message.
            State::Called if message.provider_id.is_some() => self.call(tx, job, message, busy, now).await,
            State::Called => self.lost_answer(tx, job, &message, now).await.map(|()| None),
            State::Unknown if !self.may_ask_again(tx, &job, &message, moves, now).await? => Ok(None),
            State::Ready | State::Reserved | State::Unknown => self.call(tx, job, message, busy, now).await,
        }
    }

    /// Its process died between the call and the record.
    async fn lost_answer(&self, tx: &mut Tx, job: Job, message: &Message, now: i64) -> Result<()> {
        let wait = i64::try_from(self.engine.settings.senders.outcome_wait.as_millis()).unwrap_or(i64::MAX / 4);
        let next = now + wait;
        let data = MessageData {
            attempt: Some(job.attempts),
            next_at: Some(next),
            reason: Some("the process stopped before the provider's answer was recorded; waiting for a receipt".into()),
            ..MessageData::default()
        };
        jobs::update(tx, &Job { state: State::Unknown, due_at: next, ..job }).await?;
        let note = Note::about(&message.organization_id, events::MESSAGE_UNKNOWN, message);
        events::append(tx, &self.engine, note, &data).await.map(drop)
    }

    /// The wait is over. Silence means "not taken" only if something was heard from the provider since.
    async fn may_ask_again(
        &self,
        tx: &mut Tx,
        job: &Job,
        message: &Message,
        moves: &mut Moves,
        now: i64,
    ) -> Result<bool> {
        let wait = i64::try_from(self.engine.settings.senders.outcome_wait.as_millis()).unwrap_or(i64::MAX / 4);
        let called_at = job.called_at.unwrap_or(job.created_at);
        let heard_at = store::accounts::get(tx, &self.account).await?.and_then(|account| account.heard_at);
        let deaf = heard_at.is_none_or(|heard| heard < called_at);
        if deaf && now < called_at + wait * DEAF_WAITS {
            jobs::update(tx, &Job { due_at: now + wait, ..job.clone() }).await?;
            return Ok(false);
        }
        if store::events::count_about(tx, &message.id, events::MESSAGE_UNKNOWN).await? < UNKNOWN_ATTEMPTS {
            return Ok(true);
        }
        self.give_up(tx, job, message.clone(), outcome_unknown(), moves, now).await?;
        Ok(false)
    }

    async fn give_up(
        &self,
        tx: &mut Tx,
        job: &Job,
        mut message: Message,
        failure: Failure,
        moves: &mut Moves,
        now: i64,
    ) -> Result<()> {
        (message.status, message.error, message.updated_at) =
            (Status::Failed, serde_json::to_string(&failure).ok(), now);
        message.receipts |= Status::Failed.bit();
        store::messages::advance(tx, &message).await?;
        billing::settle(tx, &self.engine, &message, None).await?;
        jobs::delete(tx, &job.id).await?;
        let attempt = Some(job.attempts).filter(|made| *made > 0);
        let data = MessageData { attempt, failure: Some(failure.clone()), ..MessageData::default() };
        let note = Note::about(&message.organization_id, events::MESSAGE_FAILED, &message);
        events::append(tx, &self.engine, note, &data).await?;
        verification::moved(tx, &self.engine, &message).await?;
        moves.follow(tx, &message).await?;
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).push((message, failure));
        Ok(())
    }

    /// Marks the job as called, or as reserved behind another call of its conversation, unless the pair of sender
    /// and recipient has to wait.
    async fn call(
        &self,
        tx: &mut Tx,
        job: Job,
        message: Message,
        busy: &mut HashSet<Id>,
        now: i64,
    ) -> Result<Option<Call>> {
        if let Some(pair) = self.pair {
            let full_at = conversations::pair_free_at(tx, &message.conversation_id).await?.unwrap_or(0) * 1000;
            if pair.free(full_at, now * 1000) < 1 {
                let next = (pair.next_at(full_at, now * 1000) + 999) / 1000;
                jobs::update(tx, &Job { due_at: next.max(now + 1), ..job }).await?;
                return Ok(None);
            }
            let taken = pair.take(full_at, now * 1000, 1) / 1000;
            conversations::set_pair_free_at(tx, &message.conversation_id, taken).await?;
        }
        let before = job.clone();
        let job = match busy.insert(message.conversation_id) {
            true => called(job, now),
            false => Job { state: State::Reserved, due_at: now + CALL_LEASE_MS, ..job },
        };
        jobs::update(tx, &job).await?;
        Ok(Some(Call { job, message, before }))
    }
}

fn outcome_unknown() -> Failure {
    Failure {
        code: Code::OutcomeUnknown,
        message: "The provider never said whether it took the message.".into(),
        provider_code: None,
        details: None,
    }
}

fn called(job: Job, now: i64) -> Job {
    Job { state: State::Called, attempts: job.attempts + 1, due_at: now + CALL_LEASE_MS, called_at: Some(now), ..job }
}

/// The turn of a reserved call has come; `None` when its job is gone or another process has it.
pub(super) struct Begin {
    pub engine: Engine,
    pub call: Call,
}

impl Work for Begin {
    type Output = Option<Call>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Call>> {
        if !jobs::is_at(tx, &self.call.job).await? {
            return Ok(None);
        }
        let job = called(self.call.job.clone(), self.engine.now());
        jobs::update(tx, &job).await?;
        Ok(Some(Call { job, ..self.call.clone() }))
    }
}

impl UseCase for Begin {}
