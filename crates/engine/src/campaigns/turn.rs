//! A campaign's turns: who takes them, and what one does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use store::campaigns as rows;
use store::campaigns::counts::{self, Counts};
use store::campaigns::recipients::{self, Standing};
use store::jobs::{self, Job};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Fate, Purpose};
use super::reach::{Leave, Left};
use super::{Campaign, JOB, State, tell};
use crate::failure::{Code, Failure};
use crate::{Engine, UseCase, clock, events, outbound};

/// How often campaigns are looked for without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Campaigns that have a turn at the same time.
const AT_ONCE: usize = 8;
/// Recipients in one turn, so that nobody waits long for its commit.
const BATCH: i64 = 64;
/// How soon it is looked again whether a campaign can go on that has to wait for something.
const HELD_MS: i64 = 10_000;
/// Limits may be lifted before their time is over.
const ASK_AGAIN_MS: i64 = 10 * 60 * 1000;
/// A campaign that was due this long before anything ran is not begun any more.
const TOO_LATE_MS: i64 = 60 * 60 * 1000;
/// Progress is told at most so often.
const TELL_EVERY_MS: i64 = 1000;

pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let mut bell = engine.wake.campaigns.listen();
    while !stop.is_cancelled() {
        bell.mark();
        let next = match step(&engine).await {
            Ok(0) => next_due(&engine).await,
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        let look = engine.now() + LOOK_EVERY.as_millis() as i64;
        let until = next.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "campaigns could not be looked for");
            None
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = bell.heard() => {}
            () = engine.clock.sleep_until(until.map_or(look, |at| at.clamp(engine.now() + 1, look))) => {}
        }
    }
}

async fn next_due(engine: &Engine) -> Result<Option<i64>> {
    rows::next_due(&mut *engine.db.reader().await?, JOB).await
}

/// Gives each campaign of which something is due its turn; returns how many came further.
pub(crate) async fn step(engine: &Engine) -> Result<usize> {
    let due = rows::due(&mut *engine.db.reader().await?, JOB, engine.now(), 64).await?;
    let mut turns = futures_util::stream::iter(due.into_iter().map(|id| turn(engine, id))).buffer_unordered(AT_ONCE);
    let (mut worked, mut failed) = (0, None);
    // One that fails does not cut the others off.
    while let Some(turned) = turns.next().await {
        match turned {
            Ok(further) => worked += usize::from(further),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(worked), Err)
}

async fn turn(engine: &Engine, id: Id) -> Result<bool> {
    let found = rows::find(&mut *engine.db.reader().await?, &id).await?;
    let sender = match &found {
        Some(it) => engine.sender_by_id(&it.sender_id).await?,
        None => None,
    };
    let leave = match &sender {
        Some(sender) => engine.reaches.share(engine, sender, BATCH).await?,
        None => Leave::Go(Left::default(), None),
    };
    let Leave::Go(left, share) = leave else { return Ok(false) };
    let turned = engine.perform(Turn { engine: engine.clone(), id, left }).await?;
    if let Some(share) = share {
        share.used(turned.accepted);
    }
    Ok(turned.further)
}

struct Turn {
    engine: Engine,
    id: Id,
    /// How many people may still be written to.
    left: Left,
}

/// What a turn did.
#[derive(Default)]
struct Turned {
    sender: Option<Id>,
    origin: Option<&'static str>,
    accepted: i64,
    /// It did more than look.
    further: bool,
}

impl Work for Turn {
    type Output = Turned;

    async fn run(&self, tx: &mut Tx) -> Result<Turned> {
        let now = self.engine.now();
        let Some(mut it) = rows::get_if_free(tx, &self.id).await? else { return Ok(Turned::default()) };
        let job = jobs::about(tx, &self.id).await?;
        let Some(job) = job.filter(|job| job.kind == JOB && job.due_at <= now) else { return Ok(Turned::default()) };
        if !matches!(it.state, State::Scheduled | State::Sending) {
            return jobs::delete(tx, &it.id).await.map(|()| Turned::default());
        }
        let before = (it.state, it.reason.take(), it.resumes_at.take());
        if it.state == State::Scheduled {
            self.begin(&mut it);
        }
        let mut turned = Turned { sender: Some(it.sender_id), ..Turned::default() };
        let wait = match it.state {
            State::Sending => self.go_on(tx, &mut it, &job, &mut turned).await?,
            _ => Wait::default(),
        };
        match it.state {
            State::Sending => {
                jobs::update(tx, &Job { due_at: now + wait.millis, attempts: wait.looks, ..job }).await?;
            }
            _ => jobs::delete(tx, &it.id).await?,
        }
        let changed = before != (it.state, it.reason.clone(), it.resumes_at);
        turned.further |= changed;
        if changed || (wait.looks < 8 && self.is_news(tx, &it).await?) {
            it.told_at = now;
            tell(tx, &self.engine, &it).await?;
        }
        it.updated_at = if turned.further { now } else { it.updated_at };
        rows::update(tx, &it).await?;
        Ok(turned)
    }
}

impl UseCase for Turn {
    fn committed(&self, engine: &Engine, turned: &Turned) {
        if let (Some(sender), Some(origin), 1..) = (turned.sender, turned.origin, turned.accepted) {
            (0..turned.accepted).for_each(|_| crate::metrics::accepted(origin));
            engine.wake.senders.ring(sender);
        }
        if turned.further {
            engine.wake.dispatch.ring();
            engine.wake.turns.ring(&self.id);
        }
    }
}

/// When the next turn is.
#[derive(Clone, Copy, Default)]
struct Wait {
    millis: i64,
    /// How many turns in a row had only to look.
    looks: i64,
}

impl Turn {
    /// Its time has come. Nobody may have been there when it did; then it is a question of how long ago that was. A clock that
    /// jumped while we were there makes nothing late.
    fn begin(&self, it: &mut Campaign) {
        let due_at = it.scheduled_at.unwrap_or(it.created_at);
        if self.engine.up_since - due_at < TOO_LATE_MS {
            (it.state, it.started_at) = (State::Sending, Some(self.engine.now()));
            return;
        }
        it.reason = Some(format!("nothing ran when it was due, {}, nor in the hour after", clock::rfc3339(due_at)));
        (it.state, it.completed_at) = (State::Failed, Some(self.engine.now()));
    }

    async fn go_on(&self, tx: &mut Tx, it: &mut Campaign, job: &Job, turned: &mut Turned) -> Result<Wait> {
        let sender = store::senders::get(tx, &it.sender_id).await?.map(Arc::new);
        let pace = self.pace(sender.as_deref());
        let room = pace.ahead - jobs::waiting(tx, outbound::SEND, &it.sender_id, pace.ahead).await?;
        let (wanted, most) = (it.counts.pending > 0, room.min(BATCH));
        let purpose = Purpose::of(tx, &self.engine, it, sender).await?;
        let held = match &purpose {
            _ if !wanted => None,
            Purpose::Wait(reason) => Some((reason.clone(), None)),
            Purpose::Write(_) if self.left.people == Some(0) => Some((self.left.reason(), self.left.opens_at)),
            _ => None,
        };
        if let Some((reason, until)) = held {
            (it.reason, it.resumes_at) = (Some(reason), until);
            let millis = until.map_or(HELD_MS, |at| (at - self.engine.now()).clamp(1, ASK_AGAIN_MS));
            return Ok(Wait { millis, looks: job.attempts });
        }
        if wanted && most > 0 {
            let people = self.left.people.filter(|_| matches!(purpose, Purpose::Write(_)));
            self.take(tx, it, &purpose, most.min(people.unwrap_or(most)), turned).await?;
        }
        if it.reason.is_some() {
            return Ok(Wait { millis: HELD_MS, looks: job.attempts });
        }
        if it.counts.waiting() == 0 {
            self.end(it);
        }
        // As many as were asked for: there are more, and perhaps room for them.
        let again = most == BATCH && it.counts.pending > 0;
        if turned.further {
            return Ok(Wait { millis: if again { 0 } else { pace.look }, looks: 0 });
        }
        if it.counts.pending == 0 && job.attempts % 8 == 7 {
            self.forget_orphans(tx, it, turned).await?;
        }
        Ok(Wait { millis: (pace.look << job.attempts.clamp(0, 3)).min(2000), looks: job.attempts + 1 })
    }

    /// Decides about the next recipients, and writes down what became of them.
    async fn take(
        &self,
        tx: &mut Tx,
        it: &mut Campaign,
        purpose: &Purpose,
        most: i64,
        turned: &mut Turned,
    ) -> Result<()> {
        let mut people = recipients::next(tx, &it.id, it.taken, most).await?;
        let last = people.last().map(|last| last.position);
        // Conversations are locked in one order, whoever has which place.
        people.sort_by(|one, other| one.address.value.cmp(&other.address.value));
        let mut difference = Counts::default();
        let batch = Batch { engine: &self.engine, campaign: it, purpose };
        let spared = batch.spared(tx, &people).await?;
        let (mut stopped, now) = (None, self.engine.now());
        for mut person in people {
            match batch.decide(tx, &person, &spared).await? {
                Fate::Accepted(message) => {
                    (person.standing, person.message_id, person.queued_at) =
                        (Standing::Queued, Some(message), Some(now));
                    turned.accepted += 1;
                }
                Fate::Refused(failure) => {
                    person.error = serde_json::to_string(&failure).ok();
                    (person.standing, person.failed_at) = (Standing::Failed, Some(now));
                }
                Fate::NotNow(reason) => {
                    stopped = Some(reason);
                    break;
                }
            }
            difference.step(Standing::Pending, person.standing);
            recipients::update(tx, &it.id, &person).await?;
        }
        turned.origin = Some(batch.origin());
        turned.further |= difference != Counts::default();
        match stopped {
            // Those behind it in the other order were not looked at: the place stays, they are found by their standing.
            Some(reason) => it.reason = Some(reason),
            None => it.taken = last.unwrap_or(it.taken),
        }
        counts::add(tx, &it.id, counts::OWN, &difference).await?;
        it.counts = it.counts.and(difference);
        Ok(())
    }

    fn end(&self, it: &mut Campaign) {
        let reached = it.counts.sent_in_all() > 0;
        it.state = if reached { State::Completed } else { State::Failed };
        it.reason = (!reached).then(|| "nobody could be written to".to_owned());
        (it.resumes_at, it.completed_at) = (None, Some(self.engine.now()));
    }

    /// Whose message was deleted with its contact or its sender will hear nothing more.
    async fn forget_orphans(&self, tx: &mut Tx, it: &mut Campaign, turned: &mut Turned) -> Result<()> {
        let failure = Failure {
            code: Code::Withdrawn,
            message: "The message was deleted before it was sent.".into(),
            provider_code: None,
            details: None,
        };
        let mut difference = Counts::default();
        for mut person in recipients::orphans(tx, &it.id, BATCH).await? {
            difference.step(person.standing, Standing::Failed);
            person.error = serde_json::to_string(&failure).ok();
            (person.standing, person.failed_at) = (Standing::Failed, Some(self.engine.now()));
            recipients::update(tx, &it.id, &person).await?;
        }
        turned.further |= difference != Counts::default();
        counts::add(tx, &it.id, counts::OWN, &difference).await?;
        it.counts = it.counts.and(difference);
        Ok(())
    }

    /// Whether its progress should be told now. What nobody wants to hear is not even written down.
    async fn is_news(&self, tx: &mut Tx, it: &Campaign) -> Result<bool> {
        if it.state != State::Sending || it.reason.is_some() || self.engine.now() - it.told_at < TELL_EVERY_MS {
            return Ok(false);
        }
        let (organization, sender) = (&it.organization_id, Some(&it.sender_id));
        store::subscriptions::wanted(tx, organization, events::CAMPAIGN_UPDATED, sender).await
    }

    fn pace(&self, sender: Option<&Sender>) -> Pace {
        let provider = sender.and_then(|sender| self.engine.provider(&sender.provider));
        let own = provider.map_or(1, |provider| provider.pace().per_second);
        Pace::of(self.engine.settings.senders.messages_per_second.unwrap_or(own))
    }
}

/// How a lane is kept busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    /// How many messages may wait in it.
    ahead: i64,
    /// Milliseconds after which there will be room again.
    look: i64,
}

impl Pace {
    /// Two seconds' worth, and a look whenever a quarter of that may be gone.
    fn of(per_second: u32) -> Self {
        let rate = i64::from(per_second.max(1));
        let ahead = (rate * 2).clamp(16, 1000);
        Self { ahead, look: (ahead * 250 / rate).clamp(20, 250) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Until the next look a lane never runs dry, and what waits in it is soon gone.
    #[test]
    fn a_lane_always_has_enough_and_never_too_much() {
        for rate in [1_u32, 10, 80, 250, 500, 1000, 100_000] {
            let Pace { ahead, look } = Pace::of(rate);
            let used = i64::from(rate) * look / 1000;
            assert!(ahead >= (used * 2).min(1000), "{rate}");
            assert!(ahead <= 16 || ahead <= i64::from(rate) * 2, "{rate}");
        }
        assert_eq!(Pace::of(80), Pace { ahead: 160, look: 250 });
    }
}
