//! One sender's lane: claim, call, record, for as long as there is something to do.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use store::contacts::Address;
use store::messages::Message;
use store::senders::Sender;
use store::{Id, Result};
use tokio_util::sync::CancellationToken;

use super::claim::{Begin, Call, Claim, Claimed, PutBack};
use super::pace::Bucket;
use super::record::Record;
use super::route::{Way, Ways, may_go_elsewhere};
use super::told;
use crate::content::Content;
use crate::failure::{Code, SendError};
use crate::provider::{Outgoing, Pace, Sent};
use crate::wake::Listener;
use crate::{Engine, contacts, verification};

/// A lane stays at its post for what is due this soon.
const SOON_MS: i64 = 2000;

pub(crate) struct Lane {
    engine: Engine,
    sender: Id,
    calling: FuturesUnordered<BoxFuture<'static, Done>>,
    in_flight: HashSet<Id>,
    /// Conversations with a call in flight, and what waits behind it.
    behind: HashMap<Id, VecDeque<Call>>,
    bell: Listener,
}

/// A call that was recorded, or could not be.
struct Done {
    job: Id,
    conversation: Id,
    recorded: Result<()>,
}

/// Everything a call needs besides the message.
#[derive(Clone)]
struct Route {
    sender: Arc<Sender>,
    ways: Ways,
}

impl Lane {
    pub(crate) fn new(engine: Engine, sender: Id) -> Self {
        let bell = engine.wake.senders.listen();
        Self {
            engine,
            sender,
            calling: FuturesUnordered::new(),
            in_flight: HashSet::new(),
            behind: HashMap::new(),
            bell,
        }
    }

    /// Whether work was announced that no claim has looked for.
    pub(crate) fn rang(&self) -> bool {
        self.bell.rang()
    }

    /// Works off what is due and may go now, then returns how many calls that took.
    pub(crate) async fn drain(&mut self) -> Result<usize> {
        let mut made = 0;
        loop {
            let Some(route) = self.route().await? else { return Ok(made) };
            let claim = self.claim(&route, self.most(&route));
            let claimed = self.engine.perform(claim).await?;
            let Claimed::Some { calls, paced_until, next_at } = claimed else { return Ok(made) };
            if calls.is_empty() && next_at.is_none_or(|at| at.max(paced_until) > self.engine.now()) {
                return Ok(made);
            }
            made += calls.len();
            calls.into_iter().for_each(|call| self.start(&route, call));
            while let Some(done) = self.calling.next().await {
                self.finish(done, Some(&route))?;
            }
        }
    }

    /// Runs until nothing is due or the lane is lost, then lets calls in flight finish and puts the rest back.
    pub(crate) async fn work_off(&mut self, stop: &CancellationToken) -> Result<()> {
        let worked = self.work(stop).await;
        let never_made: Vec<Call> = self.behind.values_mut().flat_map(std::mem::take).collect();
        if !never_made.is_empty() {
            self.engine.perform(PutBack(never_made)).await?;
        }
        while let Some(done) = self.calling.next().await {
            self.finish(done, None)?;
        }
        worked
    }

    async fn work(&mut self, stop: &CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            let Some(route) = self.route().await? else { return Ok(()) };
            let room = self.most(&route).saturating_sub(self.in_flight.len());
            if room == 0 {
                self.settle_one(&route).await?;
                continue;
            }
            self.bell.mark();
            let (calls, paced_until, next_at) = match self.engine.perform(self.claim(&route, room)).await? {
                Claimed::Lost | Claimed::Held => return Ok(()),
                Claimed::Some { calls, paced_until, next_at } => (calls, paced_until, next_at),
            };
            calls.into_iter().for_each(|call| self.start(&route, call));
            // What is due far off is found again by the search for lanes.
            let soon = next_at.map(|at| at.max(paced_until)).filter(|at| *at <= self.engine.now() + SOON_MS);
            if self.calling.is_empty() && soon.is_none() && !self.bell.rang() {
                return Ok(());
            }
            self.wait(&route, soon, paced_until, stop).await?;
        }
        Ok(())
    }

    /// Whether this process can send for its sender now.
    pub(crate) async fn is_here(&mut self) -> Result<bool> {
        let Some(sender) = self.engine.sender_by_id(&self.sender).await? else { return Ok(false) };
        Ok(self.engine.provider(&sender.provider).is_some_and(|provider| provider.here(&sender.id)))
    }

    async fn route(&mut self) -> Result<Option<Route>> {
        let Some(sender) = self.engine.sender_by_id(&self.sender).await? else { return Ok(None) };
        if !self.engine.provider(&sender.provider).is_some_and(|provider| provider.here(&sender.id)) {
            return Ok(None);
        }
        Ok(Ways::of(&self.engine, &sender).await?.map(|ways| Route { sender, ways }))
    }

    /// How many calls may be under way.
    fn most(&self, route: &Route) -> usize {
        let own = route.ways.own();
        self.engine.settings.senders.in_flight.min(own.provider.at_once(&own.account)).max(1)
    }

    fn claim(&self, route: &Route, room: usize) -> Claim {
        let (settings, pace): (_, Pace) = (&self.engine.settings.senders, route.ways.own().provider.pace());
        let rate = settings.messages_per_second.unwrap_or(pace.per_second);
        let pair = pace.pair.filter(|_| settings.pair_limit).map(|pair| Bucket {
            interval_us: i64::try_from(pair.interval.as_micros()).unwrap_or(i64::MAX / 1024),
            burst: i64::from(pair.burst),
        });
        Claim {
            engine: self.engine.clone(),
            sender: route.sender.clone(),
            account: route.ways.own().account.id,
            bucket: Bucket::per_second(rate, settings.burst.unwrap_or(rate)),
            pair,
            room: i64::try_from(room).unwrap_or(i64::MAX),
            in_flight: self.in_flight.clone(),
            busy: self.behind.keys().copied().collect(),
            given_up: Mutex::default(),
        }
    }

    /// Calls now, or after the call of the same conversation that is in flight.
    fn start(&mut self, route: &Route, call: Call) {
        self.in_flight.insert(call.job.id);
        match self.behind.get_mut(&call.message.conversation_id) {
            Some(waiting) => waiting.push_back(call),
            None => {
                self.behind.insert(call.message.conversation_id, VecDeque::new());
                self.calling.push(Box::pin(carry(self.engine.clone(), route.clone(), call)));
            }
        }
    }

    /// Until a call is done, something is due or, when the pace allows more, work is announced.
    async fn wait(
        &mut self,
        route: &Route,
        next_at: Option<i64>,
        paced_until: i64,
        stop: &CancellationToken,
    ) -> Result<()> {
        let clock = &self.engine.clock;
        let due = async {
            match next_at {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let announced = async {
            clock.sleep_until(paced_until).await;
            self.bell.heard().await;
        };
        let done = tokio::select! {
            Some(done) = self.calling.next() => Some(done),
            () = due => None,
            () = announced => None,
            () = stop.cancelled() => None,
        };
        match done {
            Some(done) => {
                self.finish(done, Some(route))?;
                self.finish_ready(route)
            }
            None => Ok(()),
        }
    }

    async fn settle_one(&mut self, route: &Route) -> Result<()> {
        if let Some(done) = self.calling.next().await {
            self.finish(done, Some(route))?;
        }
        self.finish_ready(route)
    }

    /// Takes in everything else that is done already: one claim serves them all.
    fn finish_ready(&mut self, route: &Route) -> Result<()> {
        use futures_util::FutureExt;
        while let Some(Some(done)) = self.calling.next().now_or_never() {
            self.finish(done, Some(route))?;
        }
        Ok(())
    }

    /// Makes room; what waits behind goes next. Without a route nothing does any more.
    fn finish(&mut self, done: Done, route: Option<&Route>) -> Result<()> {
        self.in_flight.remove(&done.job);
        let next = self.behind.get_mut(&done.conversation).and_then(VecDeque::pop_front);
        match (next, route) {
            (Some(call), Some(route)) => {
                self.calling.push(Box::pin(carry_next(self.engine.clone(), route.clone(), call)));
            }
            _ => {
                self.behind.remove(&done.conversation);
            }
        }
        done.recorded
    }
}

/// The same for a call that was reserved: it is marked as called first.
async fn carry_next(engine: Engine, route: Route, call: Call) -> Done {
    let (job, conversation) = (call.job.id, call.message.conversation_id);
    match engine.perform(Begin { engine: engine.clone(), call }).await {
        Ok(Some(call)) => carry(engine, route, call).await,
        Ok(None) => Done { job, conversation, recorded: Ok(()) },
        Err(error) => Done { job, conversation, recorded: Err(error) },
    }
}

/// Hands one message over and records the answer.
async fn carry(engine: Engine, route: Route, call: Call) -> Done {
    let (job, conversation) = (call.job.id, call.message.conversation_id);
    let (started, recovering) = (engine.now(), route.sender.status != crate::senders::CONNECTED);
    let (account, outcome) = hand_over(&engine, &route, &call).await;
    let word = match &outcome {
        Ok(_) => "sent",
        Err(error) if error.retry == crate::failure::Retry::Never => "refused",
        Err(error) if error.retry == crate::failure::Retry::Unknown => "unknown",
        Err(_) => "retried",
    };
    crate::metrics::sent(word, engine.now() - started);
    let (chance, follows) = (rand::random(), Mutex::default());
    let record = Record { engine: engine.clone(), account, call, outcome, chance, recovering, follows };
    Done { job, conversation, recorded: engine.perform(record).await.map(drop) }
}

/// Tries one way after the other for as long as nothing was taken; tells over whose account it went.
async fn hand_over(engine: &Engine, route: &Route, call: &Call) -> (Id, std::result::Result<Sent, SendError>) {
    let own = route.ways.own().account.id;
    let outgoing = match outgoing(&route.sender, &call.message) {
        Ok(outgoing) => verification::with_code(engine, &call.message, outgoing).await,
        Err(error) => Err(error),
    };
    let outgoing = match outgoing {
        Ok(outgoing) => outgoing,
        Err(error) => return (own, Err(error)),
    };
    let mut last = (own, Err(SendError::unreached("there is no way to the recipient")));
    let ways = route.ways.to(&call.message.address, &engine.resting, engine.now());
    let several = ways.len() > 1;
    for Way { account, provider } in ways {
        let outcome = provider.send(&account, &route.sender, &outgoing).await;
        let begins_to_rest = engine.resting.learn(&account.id, outcome.as_ref().err(), engine.now());
        match outcome {
            Err(error) if may_go_elsewhere(&error) => {
                if several && begins_to_rest {
                    told::did_not_carry(&account.id, &call.message, &error.failure);
                }
                last = (account.id, Err(error));
            }
            Ok(sent) if provider.by_address() => return (account.id, Ok(in_parts(sent))),
            outcome => return (account.id, outcome),
        }
    }
    last
}

/// Carriers report on parts: what went in one piece is one part.
fn in_parts(mut sent: Sent) -> Sent {
    if sent.parts.is_empty() {
        sent.parts.push(sent.provider_id.clone());
    }
    sent
}

fn outgoing(sender: &Sender, message: &Message) -> std::result::Result<Outgoing, SendError> {
    let content = Content::parse(&message.content)
        .map_err(|error| SendError::refused(Code::Other, format!("the stored message cannot be read: {error}")))?;
    Ok(Outgoing {
        id: message.id,
        to: address(sender, message),
        content,
        reply_to: message.reply_to.clone(),
        provider_id: message.provider_id.clone(),
    })
}

/// Where a message goes.
pub(crate) fn address(sender: &Sender, message: &Message) -> Address {
    let kind = match message.address.starts_with('+') {
        true => contacts::PHONE,
        false if sender.channel == EMAIL => contacts::EMAIL,
        false => contacts::USER,
    };
    Address { kind: kind.into(), value: message.address.clone() }
}

/// The channel whose addresses are mailboxes.
const EMAIL: &str = "email";
