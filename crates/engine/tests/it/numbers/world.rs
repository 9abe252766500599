//! An engine among a carrier, a network and a till that do what a story says, and die where it says.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::accounts::{self, NewAccount};
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::facts::{self, Fact};
use engine::failure::{Code, SendError};
use engine::numbers::{
    Bill, Bought, Method, New, Offer, Onboarding, Order, Paid, Payments, Place, Proof, Purchased, Refund, Session,
    Shop, Spoken, Standing, Wish, purchase,
};
use engine::provider::{Account, CallError, FoundSender, Outgoing, Pace, Provider, Sent};
use engine::receive::Received;
use engine::senders::Sender;
use engine::{Clock, Engine, Id, Parts, Settings, organizations, workers};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use store::{Ids, SecretKey};
use testkit::{DIALECT, Fixture, Kind, START, Scratch};
use tokio::sync::{Notify, watch};

const CARRIER: &str = "carrier";
const NETWORK: &str = "network";
const TILL: &str = "till";
/// How long a number stays verified in the pool.
const POOL_MS: i64 = 90 * 24 * 60 * 60 * 1000;

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

/// When a call never comes back, or late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It was not heard.
    Before,
    /// It was done, and the answer is lost.
    After,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) number: String,
    pub(super) verified: bool,
    pub(super) registered: bool,
    /// Until when it is verified, in the pool.
    pub(super) until: Option<i64>,
    code: Option<String>,
}

#[derive(Default)]
pub(super) struct Outside {
    pub(super) offers: Vec<String>,
    /// Sold: the number and the order it was sold for.
    pub(super) sold: BTreeMap<String, Id>,
    /// Held, by order.
    pub(super) held: BTreeMap<Id, String>,
    pub(super) sales: usize,
    /// What is answered instead of selling.
    pub(super) buying: VecDeque<Bought>,
    pub(super) known: BTreeMap<String, Known>,
    /// Texts that wait to be brought: to whom, and what.
    pub(super) texts: VecDeque<(String, String)>,
    /// Calls that wait to be made: to whom, and what is said.
    pub(super) spoken: VecDeque<(String, String)>,
    /// Nobody writes or calls.
    pub(super) silent: bool,
    /// Nobody writes.
    pub(super) textless: bool,
    /// The carrier does not hear calls.
    pub(super) deaf: bool,
    /// By order.
    pub(super) sessions: BTreeMap<Id, (String, Standing)>,
    /// A bank takes its time: no session can be ended, and none is paid yet.
    pub(super) undecided: bool,
    pub(super) refunds: Vec<Id>,
    /// Refunds that are on their way until somebody has looked: whether they arrive.
    pub(super) slow: VecDeque<bool>,
    pub(super) calls: Vec<&'static str>,
    pub(super) errors: HashMap<&'static str, VecDeque<CallError>>,
    /// The call that never comes back, by its number among all.
    hang: Option<(usize, When)>,
}

#[derive(Clone)]
pub(super) struct Street {
    state: Arc<Mutex<Outside>>,
    hung: Arc<watch::Sender<usize>>,
    resumed: Arc<Notify>,
    clock: Clock,
    /// Which of the three it is.
    role: &'static str,
}

impl Street {
    fn new(clock: &Clock) -> Self {
        let hung = Arc::new(watch::Sender::new(0));
        Self { state: Arc::default(), hung, resumed: Arc::default(), clock: clock.clone(), role: CARRIER }
    }

    fn playing(&self, role: &'static str) -> Arc<dyn Provider> {
        Arc::new(Self { role, ..self.clone() })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Outside> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hang_at(&self, call: usize, when: When) {
        let mut state = self.state();
        state.hang = Some((state.calls.len() + call, when));
    }

    /// Whoever hung does no more.
    pub(super) fn calm(&self) {
        self.state().hang = None;
    }

    /// Does a call, as far as the story lets it.
    async fn call<T>(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut Outside) -> Result<T, CallError> + Send,
    ) -> Result<T, CallError> {
        let hang = self.enter(name)?;
        if hang == Some(When::Before) {
            self.hang().await;
        }
        let outcome = act(&mut self.state());
        if hang == Some(When::After) {
            self.hang().await;
        }
        outcome
    }

    fn enter(&self, name: &'static str) -> Result<Option<When>, CallError> {
        let mut state = self.state();
        let number = state.calls.len();
        state.calls.push(name);
        if let Some(error) = state.errors.get_mut(name).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        let hang = state.hang.filter(|(at, _)| *at == number).map(|(_, when)| when);
        if hang.is_some() {
            state.hang = None;
        }
        Ok(hang)
    }

    async fn hang(&self) {
        let resumed = self.resumed.notified();
        self.hung.send_modify(|count| *count += 1);
        resumed.await;
    }
}

impl Provider for Street {
    fn name(&self) -> &'static str {
        self.role
    }

    fn channel(&self) -> &'static str {
        if self.role == CARRIER { "sms" } else { "whatsapp" }
    }

    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(&'a self, _: &'a Account, _: &'a Sender, _: &'a Outgoing) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(async { Err(SendError::refused(Code::Rejected, "nobody sends in these stories")) })
    }

    fn shop(&self) -> Option<&dyn Shop> {
        (self.role == CARRIER).then_some(self as &dyn Shop)
    }

    fn onboarding(&self) -> Option<&dyn Onboarding> {
        (self.role == NETWORK).then_some(self as &dyn Onboarding)
    }

    fn payments(&self) -> Option<&dyn Payments> {
        (self.role == TILL).then_some(self as &dyn Payments)
    }
}

impl Shop for Street {
    fn available<'a>(&'a self, _: &'a Account, wish: &'a Wish, limit: usize) -> Called<'a, Vec<Offer>> {
        Box::pin(self.call("available", move |state| {
            let like = |number: &&String| wish.contains.as_ref().is_none_or(|part| number.contains(part.as_str()));
            let offer = |number: &String| Offer {
                number: number.clone(),
                country: wish.country.clone(),
                locality: None,
                region: None,
            };
            let free = state.offers.iter().filter(|number| !state.sold.contains_key(*number));
            Ok(free.filter(like).take(limit).map(offer).collect())
        }))
    }

    fn reserve<'a>(&'a self, _: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Option<String>> {
        Box::pin(self.call("reserve", move |state| {
            state.held.insert(*order, number.to_owned());
            Ok(Some(order.hex24()))
        }))
    }

    fn cancel<'a>(&'a self, _: &'a Account, reservation: &'a str) -> Called<'a, ()> {
        Box::pin(self.call("cancel", move |state| {
            state.held.remove(&Id::parse_hex24(reservation).unwrap());
            Ok(())
        }))
    }

    fn buy<'a>(&'a self, _: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Bought> {
        Box::pin(self.call("buy", move |state| {
            if let Some(known) = state.sold.get(number) {
                assert_eq!(known, order, "a number is sold once");
                return Ok(Bought::Ours);
            }
            if let Some(other) = state.buying.pop_front() {
                if matches!(other, Bought::Gone { .. }) {
                    state.held.remove(order);
                }
                return Ok(other);
            }
            state.held.remove(order);
            state.sold.insert(number.to_owned(), *order);
            state.sales += 1;
            Ok(Bought::Ours)
        }))
    }

    fn hears_calls(&self) -> bool {
        !self.state().deaf
    }

    fn release<'a>(&'a self, _: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, ()> {
        Box::pin(self.call("release", move |state| {
            if state.sold.get(number) == Some(order) {
                state.sold.remove(number);
            }
            Ok(())
        }))
    }
}

impl Onboarding for Street {
    fn add<'a>(&'a self, _: &'a Account, number: &'a str, _: &'a str, place: Place) -> Called<'a, String> {
        Box::pin(self.call("add", move |state| {
            let id = format!("{}{}", if place == Place::Pool { "pooled" } else { "id" }, &number[1..]);
            state.known.entry(id.clone()).or_insert_with(|| Known { number: number.into(), ..Known::default() });
            Ok(id)
        }))
    }

    fn adopt<'a>(&'a self, _: &'a Account, number: &'a str, _: &'a str, pooled: &'a str) -> Called<'a, String> {
        let now = self.clock.now();
        Box::pin(self.call("adopt", move |state| {
            let id = format!("id{}", &number[1..]);
            if state.known.contains_key(&id) {
                return Ok(id);
            }
            match state.known.remove(pooled) {
                Some(known) if known.until.is_some_and(|until| until > now) => {
                    state.known.insert(id.clone(), Known { until: None, ..known });
                    Ok(id)
                }
                _ => Err(no("the number is not in the pool")),
            }
        }))
    }

    fn proof<'a>(&'a self, _: &'a Account, id: &'a str, place: Place) -> Called<'a, Proof> {
        let now = self.clock.now();
        Box::pin(self.call("proof", move |state| {
            let known = &state.known[id];
            let holds = place == Place::Account || known.until.is_some_and(|until| until > now);
            Ok(Proof { verified: known.verified && holds, until: known.until.filter(|_| place == Place::Pool) })
        }))
    }

    fn request_code<'a>(&'a self, _: &'a Account, id: &'a str, method: Method) -> Called<'a, ()> {
        Box::pin(self.call("request_code", move |state| {
            let count = state.calls.len();
            let (silent, textless) = (state.silent, state.textless);
            let known = state.known.get_mut(id).unwrap();
            let code = format!("{:06}", 100_000 + count);
            known.code = Some(code.clone());
            let number = known.number.clone();
            match method {
                _ if silent => {}
                Method::Sms if textless => {}
                Method::Sms => state.texts.push_back((number, format!("Your code: {}-{}", &code[..3], &code[3..]))),
                Method::Voice => {
                    state.spoken.push_back((number, format!("Your code is {}, {}", &code[..3], &code[3..])))
                }
            }
            Ok(())
        }))
    }

    fn verify_code<'a>(&'a self, _: &'a Account, id: &'a str, code: &'a SecretString) -> Called<'a, ()> {
        let until = self.clock.now() + POOL_MS;
        Box::pin(self.call("verify_code", move |state| {
            let known = state.known.get_mut(id).unwrap();
            if known.code.as_deref() != Some(code.expose_secret()) {
                return Err(no("that is not the code"));
            }
            (known.verified, known.until, known.code) = (true, Some(until), None);
            Ok(())
        }))
    }

    fn register<'a>(&'a self, _: &'a Account, id: &'a str, pin: &'a SecretString) -> Called<'a, FoundSender> {
        Box::pin(self.call("register", move |state| {
            assert_eq!(pin.expose_secret().len(), 6);
            let known = state.known.get_mut(id).unwrap();
            known.registered = true;
            Ok(FoundSender {
                external_id: id.to_owned(),
                address: known.number.clone(),
                name: None,
                status: engine::senders::CONNECTED.into(),
                status_reason: None,
                config: "{}".into(),
            })
        }))
    }

    fn remove<'a>(&'a self, _: &'a Account, id: &'a str, _: Place) -> Called<'a, ()> {
        Box::pin(self.call("remove", move |state| {
            state.known.remove(id);
            Ok(())
        }))
    }
}

impl Payments for Street {
    fn open<'a>(&'a self, bill: &'a Bill) -> Called<'a, Session> {
        Box::pin(self.call("open", move |state| {
            let id = format!("session-{}", bill.order.hex24());
            assert_eq!((bill.amount, bill.currency.as_str()), (2_000_000, "EUR"));
            state.sessions.entry(bill.order).or_insert((id.clone(), Standing::Open));
            Ok(Session { url: format!("https://till.example/{id}"), id })
        }))
    }

    fn end<'a>(&'a self, session: &'a str) -> Called<'a, Standing> {
        Box::pin(self.call("end", move |state| {
            let undecided = state.undecided;
            let (_, standing) = state.sessions.values_mut().find(|(id, _)| id == session).unwrap();
            if *standing == Standing::Open && !undecided {
                *standing = Standing::Ended;
            }
            Ok(standing.clone())
        }))
    }

    fn refund<'a>(&'a self, order: &'a Id, reference: &'a str, begun: Option<&'a str>) -> Called<'a, Refund> {
        Box::pin(self.call("refund", move |state| {
            assert_eq!(reference, format!("paid-{}", order.hex24()));
            let id = format!("refund-{}", order.hex24());
            if begun.is_none() && !state.slow.is_empty() {
                return Ok(Refund { id: format!("{id}-{}", state.slow.len()), settled: false });
            }
            if let Some(begun) = begun {
                assert_eq!(begun, format!("{id}-{}", state.slow.len()));
                if state.slow.pop_front() == Some(false) {
                    return Err(no("the bank does not take it"));
                }
            }
            if !state.refunds.contains(order) {
                state.refunds.push(*order);
            }
            Ok(Refund { id: begun.map_or(id, str::to_owned), settled: true })
        }))
    }
}

pub(super) fn no(why: &str) -> CallError {
    CallError::Refused { message: why.into(), code: None, details: None }
}

pub(super) fn away() -> CallError {
    CallError::Unreachable("nobody answers".into())
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) clock: Clock,
    pub(super) street: Street,
    pub(super) settings: Settings,
    pub(super) organization: Id,
    scratch: Scratch,
    ids: Arc<Ids>,
}

impl Fixture for World {
    async fn set_up(kind: Kind) -> Self {
        let (scratch, clock) = (Scratch::new(kind).await, Clock::manual(START));
        let street = Street::new(&clock);
        let (settings, ids) = (Settings::default(), Arc::new(Ids::seeded(1)));
        let engine = engine_on(scratch.migrated().await, &settings, &clock, &street, &ids);
        let organization = engine.perform(organizations::create(&engine, "Acme")).await.unwrap().id;
        for provider in [CARRIER, NETWORK] {
            let new = NewAccount {
                organization,
                provider: provider.into(),
                external_id: provider.into(),
                name: provider.into(),
                config: "{}".into(),
                secrets: "{}".to_owned().into(),
            };
            engine.perform(accounts::put(&engine, new)).await.unwrap();
        }
        street.state().offers = (0..200).map(|number| format!("+12125550{number:03}")).collect();
        Self { engine, clock, street, settings, organization, scratch, ids }
    }

    async fn finish(self, _: bool) {
        let Self { engine, scratch, .. } = self;
        drop(engine);
        scratch.drop().await;
    }
}

fn engine_on(db: store::Db, settings: &Settings, clock: &Clock, street: &Street, ids: &Arc<Ids>) -> Engine {
    Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: ids.clone(),
        key: SecretKey::new([7; 32]),
        settings: settings.clone(),
        providers: [CARRIER, NETWORK, TILL].map(|role| street.playing(role)).into(),
        dialects: vec![testkit::dialect()],
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

impl World {
    /// Another process, on the same database, with the story's settings.
    pub(super) async fn restart(&mut self) {
        self.engine = self.another().await;
    }

    pub(super) async fn another(&self) -> Engine {
        engine_on(self.scratch.open().await, &self.settings, &self.clock, &self.street, &self.ids)
    }

    pub(super) fn wish(&self) -> New {
        New {
            organization: self.organization,
            origin: DIALECT,
            profile: "profile".into(),
            wish: Wish::default(),
            number: None,
            account: None,
            place: Place::Account,
            display_name: None,
            intent: None,
            allow_multiple: true,
        }
    }

    pub(super) async fn try_buy(&self, new: New) -> engine::Outcome<Purchased> {
        self.engine.perform(purchase(&self.engine, new)).await.unwrap()
    }

    pub(super) async fn buy(&self, new: New) -> Id {
        match self.try_buy(new).await.unwrap() {
            Purchased::Placed(order) => order.id,
            Purchased::TooSoon { again_at } => panic!("too soon, until {again_at}"),
        }
    }

    pub(super) async fn order(&self, id: &Id) -> Order {
        self.engine.number_order(&self.organization, id).await.unwrap().unwrap()
    }

    pub(super) async fn state(&self, id: &Id) -> &'static str {
        self.order(id).await.state.as_str()
    }

    /// Works off what is due, and brings the texts and calls that come of it.
    pub(super) async fn settle(&self) {
        loop {
            workers::drain(&self.engine).await.unwrap();
            if !self.bring().await {
                return;
            }
        }
    }

    /// The next text or call; `false`: there is none.
    pub(super) async fn bring(&self) -> bool {
        let (text, call) = {
            let mut state = self.street.state();
            (state.texts.pop_front(), state.spoken.pop_front())
        };
        if let Some((to, body)) = &text {
            self.text(to, body).await;
        }
        if let Some((to, words)) = &call {
            self.speak(&self.organization, to, words).await;
        }
        text.is_some() || call.is_some()
    }

    /// Whether what is said in a call is a code that somebody waits for.
    pub(super) async fn speak(&self, organization: &Id, number: &str, words: &str) -> bool {
        let (engine, organization) = (self.engine.clone(), *organization);
        let spoken = Spoken { engine, organization, number: number.into(), words: words.into() };
        self.engine.perform(spoken).await.unwrap()
    }

    pub(super) async fn text(&self, to: &str, body: &str) {
        let fact = Fact::Message(Box::new(facts::Message {
            sender: to.into(),
            provider_id: self.engine.new_id().hex24(),
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            file_first: false,
            from: vec![Address { kind: PHONE.into(), value: "+15550109999".into() }],
            profile_name: None,
            at: self.clock.now(),
            content: Content::Text { body: body.into(), preview: false },
            reply_to: None,
            file: None,
            document: None,
        }));
        let push = Received { facts: vec![fact], accounts: vec![CARRIER.into()] };
        self.engine.receive(CARRIER, push).await.unwrap();
    }

    /// The buyer pays, and the till says so.
    pub(super) async fn pay(&self, id: &Id) -> bool {
        let session = self.pay_quietly(id);
        self.news(id, session).await
    }

    /// The same while the till keeps it to itself; the session.
    pub(super) fn pay_quietly(&self, id: &Id) -> String {
        let mut state = self.street.state();
        let (session, standing) = state.sessions.get_mut(id).unwrap();
        *standing = Standing::Paid { reference: format!("paid-{}", id.hex24()) };
        session.clone()
    }

    /// The till says that an order was paid in a session.
    pub(super) async fn news(&self, id: &Id, session: String) -> bool {
        let standing = Standing::Paid { reference: format!("paid-{}", id.hex24()) };
        self.engine.perform(Paid { engine: self.engine.clone(), order: *id, session, standing }).await.unwrap()
    }

    /// Works, and does something while a call is under way.
    pub(super) async fn meanwhile(&self, call: usize, act: impl Future<Output = ()>) {
        let (engine, mut watch) = (self.engine.clone(), self.street.hung.subscribe());
        self.street.hang_at(call, When::After);
        let work = tokio::spawn(async move { workers::drain(&engine).await.unwrap() });
        watch.changed().await.unwrap();
        act.await;
        self.street.resumed.notify_waiters();
        work.await.unwrap();
    }

    /// Works until a call hangs, and dies with it. `false`: none did.
    pub(super) async fn work_and_die(&mut self) -> bool {
        let hung = *self.street.hung.borrow();
        let engine = self.engine.clone();
        let mut work = tokio::spawn(async move { workers::drain(&engine).await.unwrap() });
        let mut watch = self.street.hung.subscribe();
        let died = tokio::select! {
            _ = &mut work => false,
            _ = watch.wait_for(|count| *count > hung) => true,
        };
        if died {
            work.abort();
            assert!(work.await.unwrap_err().is_cancelled());
            self.restart().await;
            // The claim of the dead runs out.
            self.clock.advance(Duration::from_secs(121));
        }
        died
    }
}
