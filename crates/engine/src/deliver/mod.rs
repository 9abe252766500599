//! Deliveries to receivers.
//!
//! Every active subscription with something due gets a task of its own with a bounded number of attempts
//! in flight (`window`), so that a receiver that hangs holds up only itself. A claim is committed before an attempt
//! is made and runs out by itself: killed in between, the attempt is made again (at least once). The body
//! was rendered once; only what belongs to the attempt, the signature above all, is made now.

mod once;
mod parcel;
mod trouble;
mod window;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use store::deliveries::{self, Delivery, Outcome, Shown, Status};
use store::subscriptions::{self, Subscription};
use store::{Id, Result, Tx, Work};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::policy::{DeliveryPolicy, Dialect, Disabling};
use crate::subscriptions::Headers;
use crate::transport::{Answer, Transport};
use crate::wake::Listener;
use crate::{Engine, UseCase, metrics};

use self::trouble::Suspend;
pub use self::trouble::Troubles;
use self::window::Window;

/// Longer than any policy's timeout, with time to be recorded.
const CLAIM_MS: i64 = 120_000;
const LOOK_EVERY: Duration = Duration::from_millis(1000);
/// A subscription's task stays for what is due this soon.
const SOON_MS: i64 = 2000;

pub(crate) async fn run(engine: Engine, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let endpoints = Endpoints::new(&engine);
    let mut bell = engine.wake.subscriptions.listen();
    let mut look = true;
    while !stop.is_cancelled() {
        if look {
            match due(&engine).await {
                Ok(found) => found.into_iter().for_each(|id| endpoints.start(&engine, &tasks, &stop, id)),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "deliveries could not be looked for")
                }
            }
        }
        look = tokio::select! {
            () = stop.cancelled() => false,
            () = engine.clock.sleep(LOOK_EVERY) => true,
            () = bell.heard() => {
                let named = engine.wake.subscriptions.take();
                named.ids.into_iter().for_each(|id| endpoints.start(&engine, &tasks, &stop, id));
                named.all
            }
        };
    }
    tasks.close();
    tasks.wait().await;
}

async fn due(engine: &Engine) -> Result<Vec<Id>> {
    deliveries::subscriptions_due(&mut *engine.db.reader().await?, engine.now()).await
}

/// Makes every attempt that is due now and returns how many: for tests, where time stands still.
pub(crate) async fn drain(engine: &Engine) -> Result<usize> {
    let mut made = 0;
    for id in due(engine).await? {
        let mut endpoint = Endpoint::new(engine.clone(), id, Arc::new(Semaphore::new(64)));
        made += endpoint.drain().await?;
    }
    Ok(made)
}

/// Subscriptions that this process is delivering to.
#[derive(Clone)]
struct Endpoints {
    running: Arc<Mutex<HashSet<Id>>>,
    /// Shared by all, given out one attempt at a time.
    in_flight: Arc<Semaphore>,
}

impl Endpoints {
    fn new(engine: &Engine) -> Self {
        Self { running: Arc::default(), in_flight: Arc::new(Semaphore::new(engine.settings.deliveries.in_flight)) }
    }

    fn start(&self, engine: &Engine, tasks: &TaskTracker, stop: &CancellationToken, id: Id) {
        if !self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return;
        }
        let (endpoints, engine, stop) = (self.clone(), engine.clone(), stop.clone());
        tasks.spawn(async move {
            let mut endpoint = Endpoint::new(engine.clone(), id, endpoints.in_flight.clone());
            if let Err(error) = endpoint.work_off(&stop).await {
                tracing::warn!(subscription = %id, error = &error as &dyn std::error::Error, "delivering stopped");
            }
            endpoints.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            if endpoint.bell.rang() {
                engine.wake.subscriptions.ring(id);
            }
        });
    }
}

/// One subscription's attempts.
struct Endpoint {
    engine: Engine,
    id: Id,
    permits: Arc<Semaphore>,
    window: Window,
    /// Each tells whether the receiver answered.
    in_flight: FuturesUnordered<BoxFuture<'static, Result<bool>>>,
    bell: Listener,
}

/// What all attempts at one subscription share.
struct Aim {
    subscription: Subscription,
    dialect: Dialect,
    transport: Arc<dyn Transport>,
    secrets: Vec<String>,
    headers: Headers,
}

impl Aim {
    /// `None` when its dialect or transport is not part of this program.
    async fn of(engine: &Engine, subscription: Subscription) -> Result<Option<Self>> {
        let dialect = engine.dialect(&subscription.dialect).cloned();
        let transport = engine.transport(&subscription.transport).cloned();
        let (Some(dialect), Some(transport)) = (dialect, transport) else { return Ok(None) };
        let secrets = engine.signing_secrets(&mut *engine.db.reader().await?, &subscription.id).await?;
        let headers = engine.headers_of(&subscription)?;
        Ok(Some(Self { subscription, dialect, transport, secrets, headers }))
    }
}

impl Endpoint {
    fn new(engine: Engine, id: Id, permits: Arc<Semaphore>) -> Self {
        let bell = engine.wake.subscriptions.listen();
        let window = Window::new(engine.settings.deliveries.per_subscription);
        Self { engine, id, permits, window, in_flight: FuturesUnordered::new(), bell }
    }

    async fn work_off(&mut self, stop: &CancellationToken) -> Result<()> {
        let worked = self.work(stop).await;
        while let Some(done) = self.in_flight.next().await {
            done?;
        }
        worked
    }

    async fn work(&mut self, stop: &CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            let room = self.window.room(self.in_flight.len());
            if room == 0 {
                self.finish_some().await?;
                continue;
            }
            self.bell.mark();
            let Some(claimed) = self.claim(room).await? else { return Ok(()) };
            let full = claimed.found.len() == room;
            let next_at = claimed.next_at.filter(|at| *at <= self.engine.now() + SOON_MS);
            self.start(claimed).await?;
            if self.in_flight.is_empty() && next_at.is_none() && !self.bell.rang() {
                return Ok(());
            }
            if !full {
                self.wait(next_at, stop).await?;
            }
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<usize> {
        let Some(claimed) = self.claim(1000).await? else { return Ok(0) };
        let count = claimed.found.len();
        self.start(claimed).await?;
        while let Some(done) = self.in_flight.next().await {
            done?;
        }
        Ok(count)
    }

    async fn claim(&mut self, room: usize) -> Result<Option<Claimed>> {
        let claim = Claim { engine: self.engine.clone(), id: self.id, limit: i64::try_from(room).unwrap_or(64) };
        self.engine.perform(claim).await
    }

    /// Begins all attempts of a claim.
    async fn start(&mut self, claimed: Claimed) -> Result<()> {
        if claimed.found.is_empty() {
            return Ok(());
        }
        let Some(aim) = Aim::of(&self.engine, claimed.subscription).await?.map(Arc::new) else {
            tracing::error!(subscription = %self.id, "its dialect or transport is not part of this program");
            return Ok(());
        };
        for group in in_order(claimed.found) {
            let (engine, aim, permits) = (self.engine.clone(), aim.clone(), self.permits.clone());
            self.in_flight.push(Box::pin(async move {
                let mut answered = true;
                for delivery in group {
                    let _permit = permits.acquire().await;
                    answered &= attempt(&engine, &aim, delivery).await?;
                }
                Ok(answered)
            }));
        }
        Ok(())
    }

    async fn finish_some(&mut self) -> Result<()> {
        use futures_util::FutureExt;
        if let Some(done) = self.in_flight.next().await {
            self.window.moved(done?);
        }
        while let Some(Some(done)) = self.in_flight.next().now_or_never() {
            self.window.moved(done?);
        }
        Ok(())
    }

    async fn wait(&mut self, next_at: Option<i64>, stop: &CancellationToken) -> Result<()> {
        let clock = self.engine.clock.clone();
        let due = async {
            match next_at {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(done) = self.in_flight.next() => {
                self.window.moved(done?);
                Ok(())
            }
            () = due => Ok(()),
            () = self.bell.heard() => Ok(()),
            () = stop.cancelled() => Ok(()),
        }
    }
}

/// Where order matters one follows the other; all else goes side by side. What happened first begins first.
fn in_order(found: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let (mut groups, mut of_conversation): (Vec<Vec<Delivery>>, HashMap<Option<Id>, usize>) = Default::default();
    for delivery in found {
        let known = of_conversation.get(&delivery.conversation_id).filter(|_| delivery.ordered);
        match known {
            Some(group) => groups[*group].push(delivery),
            None => {
                if delivery.ordered {
                    of_conversation.insert(delivery.conversation_id, groups.len());
                }
                groups.push(vec![delivery]);
            }
        }
    }
    groups
}

struct Claim {
    engine: Engine,
    id: Id,
    limit: i64,
}

struct Claimed {
    subscription: Subscription,
    found: Vec<Delivery>,
    next_at: Option<i64>,
}

impl Work for Claim {
    type Output = Option<Claimed>;
    async fn run(&self, tx: &mut Tx) -> Result<Option<Claimed>> {
        let now = self.engine.now();
        let Some(subscription) = subscriptions::find(tx, &self.id).await? else { return Ok(None) };
        if subscription.status != subscriptions::Status::Active || subscription.suspended_until > now {
            return Ok(None);
        }
        let found = deliveries::claim(tx, &self.id, subscription.ordered, now, now + CLAIM_MS, self.limit).await?;
        let next_at = match found.is_empty() {
            true => deliveries::next_due(tx, &self.id, subscription.ordered).await?,
            false => Some(now),
        };
        Ok(Some(Claimed { subscription, found, next_at }))
    }
}

impl UseCase for Claim {}

/// Prepares, posts and records one attempt; tells whether there was an answer, of whatever kind.
async fn attempt(engine: &Engine, aim: &Aim, delivery: Delivery) -> Result<bool> {
    let (outcome, answered) = post(engine, aim, &delivery).await;
    let (at, duration_ms) = (outcome.started_at, outcome.duration_ms);
    let failed = !matches!(outcome.status, Status::Succeeded);
    let record = Record {
        outcome,
        organization: aim.subscription.organization_id,
        subscription: aim.subscription.id,
        replay: delivery.replayed_from.is_some(),
        disabling: aim.dialect.delivery.disabling,
        now: at + duration_ms,
    };
    engine.perform(record).await?;
    if failed {
        suspend(engine, aim, at, duration_ms).await?;
    }
    Ok(answered)
}

/// Makes an attempt; tells what it means, and whether there was an answer.
async fn post(engine: &Engine, aim: &Aim, delivery: &Delivery) -> (Outcome, bool) {
    let at = engine.now();
    let parcel = parcel::prepare(aim, delivery, at);
    let answer = aim.transport.deliver(&parcel).await;
    let duration_ms = (engine.now() - at).max(0);
    let policy = &aim.dialect.delivery;
    let mut outcome = judge(policy, delivery, &answer, at, duration_ms, rand::random());
    if policy.shows_attempts {
        let answer = outcome.response_snippet.take();
        outcome.shown = Some(Shown { organization: delivery.organization_id, url: parcel.url, answer });
    }
    metrics::delivered(outcome.status.as_str(), duration_ms);
    (outcome, matches!(answer, Answer::Status { .. }))
}

/// Leaves an address alone for a while that failed too often.
async fn suspend(engine: &Engine, aim: &Aim, at: i64, duration_ms: i64) -> Result<()> {
    let Some(policy) = aim.dialect.delivery.suspension else { return Ok(()) };
    let url = &aim.subscription.url;
    match engine.troubles.note(policy, url, at, duration_ms) {
        Some(until) => engine.perform(Suspend { dialect: aim.dialect.name, url: url.clone(), until }).await,
        None => Ok(()),
    }
}

/// What an answer means under a dialect's policy.
fn judge(
    policy: &DeliveryPolicy,
    delivery: &Delivery,
    answer: &Answer,
    at: i64,
    duration_ms: i64,
    chance: f64,
) -> Outcome {
    let mut outcome = Outcome {
        id: delivery.id,
        attempt: delivery.attempt_count,
        status: Status::Succeeded,
        started_at: at,
        duration_ms,
        next_attempt_at: None,
        response_status: None,
        response_snippet: None,
        error: None,
        shown: None,
    };
    let mut at_least = Duration::ZERO;
    let terminal = match answer {
        Answer::Status { status, snippet, retry_after } => {
            outcome.response_status = Some(i64::from(*status));
            outcome.response_snippet = Some(snippet.clone());
            if (200..300).contains(status) {
                return outcome;
            }
            outcome.error = Some(format!("the receiver answered {status}"));
            if policy.honours_retry_after.contains(status) {
                at_least = retry_after.unwrap_or_default();
            }
            policy.is_terminal(*status)
        }
        Answer::Failed { error } => {
            outcome.error = Some(error.clone());
            false
        }
    };
    let pause = policy.pause_before(delivery.attempt_count + 1, chance).filter(|_| !terminal);
    match pause {
        Some(pause) => {
            let pause = i64::try_from(pause.max(at_least).as_millis()).unwrap_or(i64::MAX / 4);
            (outcome.status, outcome.next_attempt_at) = (Status::Failed, Some(at + duration_ms + pause));
        }
        None => outcome.status = Status::Dead,
    }
    outcome
}

struct Record {
    outcome: Outcome,
    organization: Id,
    subscription: Id,
    replay: bool,
    disabling: Disabling,
    now: i64,
}

/// What a failure led to, beyond another attempt.
struct Upshot {
    given_up: bool,
    /// Why the subscription was switched off, if it was.
    disabled: Option<String>,
}

impl Work for Record {
    type Output = Upshot;
    async fn run(&self, tx: &mut Tx) -> Result<Upshot> {
        let succeeded = self.outcome.status == Status::Succeeded;
        let counts = !succeeded && !self.replay;
        // The subscription comes before its deliveries, as where it is switched off and they with it.
        if succeeded {
            subscriptions::succeeded(tx, &self.subscription, self.now).await?;
        } else if counts {
            subscriptions::lock(tx, &self.subscription).await?;
        }
        let recorded = deliveries::record(tx, &self.outcome).await?;
        let given_up = recorded && self.outcome.status == Status::Dead;
        let disabled = if recorded && counts { self.count(tx, given_up).await? } else { None };
        Ok(Upshot { given_up, disabled })
    }
}

impl Record {
    async fn count(&self, tx: &mut Tx, given_up: bool) -> Result<Option<String>> {
        let standing = subscriptions::failed(tx, &self.subscription, given_up, self.now).await?;
        let Some(reason) = standing.and_then(|standing| self.disabling.verdict(&standing, self.now)) else {
            return Ok(None);
        };
        subscriptions::disable(tx, &self.subscription, &reason, self.now).await?;
        deliveries::bury(tx, &self.subscription, "the subscription was disabled", self.now).await?;
        store::settings::touch_caches(tx).await?;
        Ok(Some(reason))
    }
}

impl UseCase for Record {
    fn committed(&self, _: &Engine, upshot: &Upshot) {
        let (organization, subscription, delivery) = (&self.organization, &self.subscription, &self.outcome.id);
        if upshot.given_up {
            let reason = self.outcome.error.as_deref();
            tracing::warn!(%organization, %subscription, %delivery, reason, "a delivery was given up");
        }
        if let Some(reason) = &upshot.disabled {
            tracing::warn!(%organization, %subscription, reason, "a subscription was switched off");
        }
    }
}
