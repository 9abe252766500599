//! Writing down what a provider answered, and what follows from it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use store::jobs::{Job, State};
use store::messages::{Message, Status};
use store::{Id, Result, Tx, Work, jobs, lanes};

use super::claim::Call;
use super::told;
use crate::campaigns::Moves;
use crate::events::{self, MessageData, Note};
use crate::failure::{Retry, SendError};
use crate::provider::Sent;
use crate::{Engine, UseCase, accounts, billing, senders, verification};

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// How long a sender rests after an answer that blames its account.
const ACCOUNT_REST_MS: i64 = 60 * 60 * 1000;

pub(super) struct Record {
    pub engine: Engine,
    pub account: Id,
    pub call: Call,
    pub outcome: std::result::Result<Sent, SendError>,
    /// From 0 to 1, for jitter.
    pub chance: f64,
    /// The sender was stopped when the call began: a success says that it need not be.
    pub recovering: bool,
    /// A sender that has a message to carry because this one failed.
    pub follows: Mutex<Option<Id>>,
}

/// What an answer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upshot {
    /// The message was sent, or is tried again.
    GoesOn,
    GaveUp,
    /// It is tried again; the account, or the sender, went until this answer came.
    StoppedAccount,
    StoppedSender,
}

impl Work for Record {
    type Output = Upshot;

    async fn run(&self, tx: &mut Tx) -> Result<Upshot> {
        let found = store::messages::get_for_update(tx, &self.call.message.id).await?;
        match (found, &self.outcome) {
            (None, _) => jobs::delete(tx, &self.call.job.id).await?,
            (Some(message), Ok(sent)) => self.sent(tx, message, sent).await?,
            // A receipt came before the answer: the message did go out.
            (Some(message), Err(_)) if message.provider_id.is_some() && message.status != Status::Pending => {
                jobs::delete(tx, &self.call.job.id).await?;
            }
            // The answer comes so late that another attempt has begun or the message was given up: that one counts.
            (Some(_), Err(_)) if !jobs::is_at(tx, self.job()).await? => {}
            (Some(message), Err(error)) => return self.failed(tx, message, error).await,
        }
        Ok(Upshot::GoesOn)
    }
}

impl UseCase for Record {
    fn committed(&self, engine: &Engine, upshot: &Upshot) {
        self.tell(*upshot);
        engine.wake.dispatch.ring();
        engine.wake.settled.ring(&self.call.message.id);
        if let Some(sender) = *self.follows.lock().unwrap_or_else(PoisonError::into_inner) {
            engine.wake.senders.ring(sender);
        }
        let stopped = matches!(&self.outcome, Err(SendError { retry: Retry::Stop | Retry::StopSender, .. }));
        if stopped || self.recovering {
            engine.cache.clear();
        }
    }
}

impl Record {
    fn job(&self) -> &Job {
        &self.call.job
    }

    fn tell(&self, upshot: Upshot) {
        let (message, Err(SendError { failure, .. })) = (&self.call.message, &self.outcome) else { return };
        match upshot {
            Upshot::GoesOn => {}
            Upshot::GaveUp => told::gave_up(message, failure),
            Upshot::StoppedAccount => told::stopped("account", &self.account, message, failure),
            Upshot::StoppedSender => told::stopped("sender", &message.sender_id, message, failure),
        }
    }

    async fn sent(&self, tx: &mut Tx, message: Message, sent: &Sent) -> Result<()> {
        let id = message.id;
        self.taken(tx, message, sent).await?;
        crate::receive::part::named(tx, &self.engine, &self.account, &id, &sent.parts).await
    }

    async fn taken(&self, tx: &mut Tx, mut message: Message, sent: &Sent) -> Result<()> {
        jobs::delete(tx, &self.job().id).await?;
        if self.recovering {
            accounts::unblock(tx, &self.account, self.engine.now()).await?;
        }
        if let Some(known) = &message.provider_id
            && message.status != Status::Pending
        {
            if *known != sent.provider_id {
                super::doubled(tx, &self.engine, &mut message, &sent.provider_id).await?;
            }
            return Ok(());
        }
        message.provider_id.get_or_insert_with(|| sent.provider_id.clone());
        message.status = message.status.max(Status::Sent);
        message.updated_at = self.engine.now();
        store::messages::advance(tx, &message).await?;
        let data = MessageData {
            provider_id: message.provider_id.clone(),
            attempt: Some(self.job().attempts),
            ..MessageData::default()
        };
        self.note(tx, events::MESSAGE_SUBMITTED, &message, data).await?;
        Moves::of(tx, &message).await
    }

    async fn failed(&self, tx: &mut Tx, message: Message, error: &SendError) -> Result<Upshot> {
        let (now, settings) = (self.engine.now(), &self.engine.settings.senders);
        let give_up = i64::try_from(settings.give_up_after.as_millis()).unwrap_or(i64::MAX / 4);
        let too_old = now - message.created_at > give_up;
        match error.retry {
            Retry::Never => self.give_up(tx, message, error).await,
            Retry::Once if self.job().attempts > 1 => self.give_up(tx, message, error).await,
            // Another attempt with the same id is the same message: nothing has to be found out first.
            Retry::Unknown if message.provider_id.is_some() => {
                self.later(tx, &message, error, State::Ready, self.pause(2)).await
            }
            Retry::Unknown => {
                let wait = i64::try_from(settings.outcome_wait.as_millis()).unwrap_or(i64::MAX / 4);
                self.later(tx, &message, error, State::Unknown, wait).await
            }
            _ if too_old => self.give_up(tx, message, error).await,
            Retry::Stop => {
                let before = store::accounts::status_for_update(tx, &self.account).await?;
                accounts::block(tx, &self.account, &error.failure.message, now, now + ACCOUNT_REST_MS).await?;
                self.rest(tx, &message, error).await?;
                Ok(if before.as_deref() == Some(accounts::ACTIVE) { Upshot::StoppedAccount } else { Upshot::GoesOn })
            }
            Retry::StopSender => {
                let before = store::senders::status_for_update(tx, &message.sender_id).await?;
                let reason = Some(error.failure.message.as_str());
                store::senders::set_status(tx, &message.sender_id, senders::DEGRADED, reason, now).await?;
                store::settings::touch_caches(tx).await?;
                self.rest(tx, &message, error).await?;
                Ok(if before.as_deref() == Some(senders::DEGRADED) { Upshot::GoesOn } else { Upshot::StoppedSender })
            }
            Retry::BackOff | Retry::Once => self.later(tx, &message, error, State::Ready, self.pause(2)).await,
            Retry::Pair => self.later(tx, &message, error, State::Ready, self.pause(4)).await,
            Retry::After(wait) => {
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 4);
                self.later(tx, &message, error, State::Ready, wait).await
            }
        }
    }

    /// Nothing of this sender is tried before a person has looked, or the rest is over.
    async fn rest(&self, tx: &mut Tx, message: &Message, error: &SendError) -> Result<Upshot> {
        let until = self.engine.now() + ACCOUNT_REST_MS;
        lanes::hold(tx, &message.sender_id, until, Some(&error.failure.message)).await?;
        self.later(tx, message, error, State::Ready, ACCOUNT_REST_MS).await
    }

    /// `base`ⁿ seconds, up to a longest pause, each drawn from half to one and a half times that.
    fn pause(&self, base: u32) -> i64 {
        let power = u32::try_from(self.job().attempts - 1).unwrap_or(0).min(15);
        let seconds = f64::from(base).powi(power.try_into().unwrap_or(15)).min(LONGEST_PAUSE.as_secs_f64());
        (seconds * 1000.0 * (0.5 + self.chance)) as i64
    }

    async fn later(
        &self,
        tx: &mut Tx,
        message: &Message,
        error: &SendError,
        state: State,
        wait: i64,
    ) -> Result<Upshot> {
        let next = self.engine.now() + wait;
        // An answer settles this attempt, but not one before it that was never answered.
        let answered = !matches!(error.retry, Retry::Unknown);
        let called_at = if answered { self.call.before.called_at } else { self.job().called_at };
        let job = Job { state, due_at: next, called_at, ..self.job().clone() };
        jobs::update(tx, &job).await?;
        let data = MessageData {
            attempt: Some(job.attempts),
            failure: Some(error.failure.clone()),
            next_at: Some(next),
            ..MessageData::default()
        };
        let kind = if state == State::Unknown { events::MESSAGE_UNKNOWN } else { events::MESSAGE_RETRYING };
        self.note(tx, kind, message, data).await?;
        Ok(Upshot::GoesOn)
    }

    async fn give_up(&self, tx: &mut Tx, mut message: Message, error: &SendError) -> Result<Upshot> {
        jobs::delete(tx, &self.job().id).await?;
        message.status = Status::Failed;
        message.receipts |= Status::Failed.bit();
        message.error = serde_json::to_string(&error.failure).ok();
        message.updated_at = self.engine.now();
        store::messages::advance(tx, &message).await?;
        billing::settle(tx, &self.engine, &message, None).await?;
        let data = MessageData {
            attempt: Some(self.job().attempts),
            failure: Some(error.failure.clone()),
            ..MessageData::default()
        };
        self.note(tx, events::MESSAGE_FAILED, &message, data).await?;
        if let Some(sender) = verification::moved(tx, &self.engine, &message).await? {
            *self.follows.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        }
        Moves::of(tx, &message).await?;
        Ok(Upshot::GaveUp)
    }

    async fn note(&self, tx: &mut Tx, kind: &'static str, message: &Message, data: MessageData) -> Result<()> {
        let note = Note::about(&message.organization_id, kind, message);
        events::append(tx, &self.engine, note, &data).await.map(drop)
    }
}
