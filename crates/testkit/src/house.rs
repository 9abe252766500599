//! An engine between two fakes, with time and chance in the test's hands.
//!
//! A house stands for one process: `restart` is what a crash leaves (another process, the same database),
//! `another` a second process beside it. Nothing happens unless the test says so: `settle` works off what
//! is due now, `advance` moves the clock. A story that leaves something due has to say so (`leave_work`).

use std::sync::Arc;
use std::time::Duration;

use engine::accounts::{self, NewAccount};
use engine::cache::Cache;
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::events::Event;
use engine::facts::{self, Fact};
use engine::messages::{self, Message, Status};
use engine::organizations::{self, Organization};
use engine::receive::Received;
use engine::senders::Sender;
use engine::subscriptions::{self, Subscription};
use engine::wake::Wake;
use engine::{Clock, Engine, Id, Outcome, Parts, Settings, workers};
use store::jobs::Job;
use store::{Db, Ids, SecretKey};

use crate::{CARRIERS, DIALECT, FakeCarrier, FakeProvider, FakeTransport, Fixture, Kind, Scratch, dialect};

/// When every story begins, in milliseconds: 14 November 2023.
pub const START: i64 = 1_700_000_000_000;
/// The name of the fake provider.
pub const PROVIDER: &str = "fake";
/// The provider's name of the account that a house begins with.
const ACCOUNT: &str = "account";

pub struct House {
    pub engine: Engine,
    pub clock: Clock,
    pub provider: FakeProvider,
    pub carriers: [FakeCarrier; 2],
    pub transport: FakeTransport,
    /// What the next engine is made with.
    pub settings: Settings,
    pub organization: Organization,
    pub account: Id,
    /// Two connected senders of the account.
    pub sender: Arc<Sender>,
    pub second_sender: Arc<Sender>,
    pub scratch: Scratch,
    ids: Arc<Ids>,
    key: SecretKey,
    processes: usize,
    work_may_be_left: bool,
}

impl Fixture for House {
    async fn set_up(kind: Kind) -> Self {
        Self::build(kind).await
    }

    async fn finish(self, told: bool) {
        if told && !self.work_may_be_left {
            self.nothing_is_due().await;
        }
        let Self { engine, scratch, .. } = self;
        drop(engine);
        scratch.drop().await;
    }
}

impl House {
    async fn build(kind: Kind) -> Self {
        let scratch = Scratch::new(kind).await;
        let clock = Clock::manual(START);
        let (provider, transport) = (FakeProvider::new(clock.clone()), FakeTransport::new(clock.clone()));
        let (settings, ids, key) = (Settings::default(), Arc::new(Ids::seeded(1)), SecretKey::new([7; 32]));
        let carriers = CARRIERS.map(FakeCarrier::new);
        let around = (&clock, &provider, &carriers, &transport, &ids, &key);
        let engine = engine_on(scratch.migrated().await, named(&settings, 1), around);
        let organization = engine.perform(organizations::create(&engine, "Acme")).await.unwrap();
        let (account, senders) = open_account(&engine, &organization.id, ACCOUNT).await;
        let [sender, second_sender] = senders;
        Self {
            engine,
            clock,
            provider,
            carriers,
            transport,
            settings,
            organization,
            account,
            sender,
            second_sender,
            scratch,
            ids,
            key,
            processes: 1,
            work_may_be_left: false,
        }
    }

    /// What comes up after a crash: a new process with the house's settings, on the same database.
    pub async fn restart(&mut self) {
        self.engine = self.another().await;
    }

    /// A second process beside this one.
    pub async fn another(&mut self) -> Engine {
        self.processes += 1;
        let around = (&self.clock, &self.provider, &self.carriers, &self.transport, &self.ids, &self.key);
        engine_on(self.scratch.open().await, named(&self.settings, self.processes), around)
    }

    /// An organization of its own with an account and its senders.
    pub async fn neighbour(&self, name: &str) -> (Organization, Id, [Arc<Sender>; 2]) {
        let organization = self.engine.perform(organizations::create(&self.engine, name)).await.unwrap();
        let (account, senders) = open_account(&self.engine, &organization.id, name).await;
        (organization, account, senders)
    }

    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Works off everything that is due now.
    pub async fn settle(&self) {
        workers::drain(&self.engine).await.unwrap();
    }

    /// Lets time pass in steps, working off what becomes due at each.
    pub async fn pass(&self, time: Duration, step: Duration) {
        let until = self.now() + i64::try_from(time.as_millis()).unwrap();
        while self.now() < until {
            self.advance(step);
            self.settle().await;
        }
    }

    /// This story ends in the middle of things.
    pub fn leave_work(&mut self) {
        self.work_may_be_left = true;
    }

    #[must_use]
    pub fn wish(&self, to: &str, text: &str) -> messages::Send {
        wish(&self.engine, self.sender.clone(), to, text)
    }

    /// Accepts a message from the first sender.
    pub async fn send(&self, to: &str, text: &str) -> Message {
        self.engine.perform(self.wish(to, text)).await.unwrap().unwrap()
    }

    /// The same for a sender as the engine knows it now; it may be refused.
    pub async fn try_send(&self, sender: &Sender, to: &str, text: &str) -> Outcome<Message> {
        let sender = self.engine.sender(&sender.organization_id, &sender.external_id).await.unwrap().unwrap();
        self.engine.perform(wish(&self.engine, sender, to, text)).await.unwrap()
    }

    /// Takes in a push that the house's account vouches for.
    pub async fn receive(&self, facts: Vec<Fact>) {
        self.engine.receive(PROVIDER, self.push(facts)).await.unwrap();
    }

    #[must_use]
    pub fn push(&self, facts: Vec<Fact>) -> Received {
        Received { facts, accounts: vec![ACCOUNT.into()] }
    }

    /// Somebody writes to the first sender.
    #[must_use]
    pub fn inbound(&self, from: &str, provider_id: &str, text: &str) -> facts::Message {
        facts::Message {
            sender: self.sender.external_id.clone(),
            provider_id: provider_id.into(),
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            file_first: false,
            from: vec![phone(from)],
            profile_name: None,
            at: self.now(),
            content: Content::Text { body: text.into(), preview: false },
            reply_to: None,
            file: None,
            document: None,
        }
    }

    /// A receipt for a message of the first sender; `message`: our id, when the provider hands it back.
    #[must_use]
    pub fn receipt(&self, provider_id: &str, message: Option<Id>, status: Status) -> Fact {
        Fact::Receipt(Box::new(facts::Receipt {
            sender: self.sender.external_id.clone(),
            provider_id: provider_id.into(),
            message,
            status,
            at: self.now(),
            failure: None,
            recipient: Vec::new(),
            document: None,
        }))
    }

    /// Subscribes an address to kinds of events.
    pub async fn subscribe(&self, url: &str, events: &[&str]) -> Subscription {
        self.subscribe_as(url, events, false).await
    }

    /// The same, in order within each conversation.
    pub async fn subscribe_in_order(&self, url: &str, events: &[&str]) -> Subscription {
        self.subscribe_as(url, events, true).await
    }

    async fn subscribe_as(&self, url: &str, events: &[&str], ordered: bool) -> Subscription {
        let new = subscriptions::New {
            organization: self.organization.id,
            sender: None,
            dialect: DIALECT,
            transport: subscriptions::WEBHOOK,
            url: url.into(),
            description: None,
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            ordered,
            options: serde_json::json!({}),
            secret: Some("first-secret".into()),
            headers: Vec::new(),
            most: None,
        };
        let create = subscriptions::create(&self.engine, new).unwrap();
        self.engine.perform(create).await.unwrap().unwrap().0
    }

    #[must_use]
    pub fn target(&self, subscription: &Subscription) -> subscriptions::Target {
        subscriptions::Target { organization: self.organization.id, dialect: DIALECT, id: subscription.id }
    }

    /// A message as it stands now.
    pub async fn message(&self, id: &Id) -> Message {
        store::messages::find(&mut self.engine.db.reader().await.unwrap(), id).await.unwrap().unwrap()
    }

    /// What happened to something, oldest first.
    pub async fn events(&self, subject: &Id) -> Vec<Event> {
        store::events::about(&mut self.engine.db.reader().await.unwrap(), subject).await.unwrap()
    }

    /// The kinds of what happened to something, oldest first.
    pub async fn story(&self, subject: &Id) -> Vec<String> {
        self.events(subject).await.into_iter().map(|event| event.kind).collect()
    }

    /// What is to be done about something.
    pub async fn job(&self, subject: &Id) -> Option<Job> {
        store::jobs::about(&mut self.engine.db.reader().await.unwrap(), subject).await.unwrap()
    }

    async fn nothing_is_due(&self) {
        let (db, now) = (&self.engine.db, self.now());
        let mut reader = db.reader().await.unwrap();
        let mut due = Vec::new();
        for kind in ["send", "media", "templates"] {
            let (_, since) = store::jobs::backlog(&mut reader, kind).await.unwrap();
            due.extend(since.filter(|since| *since <= now).map(|_| format!("{kind} jobs")));
        }
        if !store::events::pending(&mut reader, 1).await.unwrap().is_empty() {
            due.push("events".into());
        }
        if !store::deliveries::subscriptions_due(&mut reader, now).await.unwrap().is_empty() {
            due.push("deliveries".into());
        }
        assert!(due.is_empty(), "the story left work that is due: {}", due.join(", "));
    }
}

fn named(settings: &Settings, number: usize) -> Settings {
    Settings { process: format!("process-{number}"), ..settings.clone() }
}

type Around<'a> = (&'a Clock, &'a FakeProvider, &'a [FakeCarrier; 2], &'a FakeTransport, &'a Arc<Ids>, &'a SecretKey);

fn engine_on(db: Db, settings: Settings, (clock, provider, carriers, transport, ids, key): Around<'_>) -> Engine {
    Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: ids.clone(),
        key: key.clone(),
        settings,
        providers: vec![Arc::new(provider.elsewhere()), Arc::new(carriers[0].clone()), Arc::new(carriers[1].clone())],
        dialects: vec![dialect()],
        transports: vec![Arc::new(transport.clone())],
        wake: Wake::default(),
        cache: Cache::default(),
    })
}

async fn open_account(engine: &Engine, organization: &Id, external_id: &str) -> (Id, [Arc<Sender>; 2]) {
    let account = engine.perform(accounts::put(engine, new_account(organization, external_id))).await.unwrap();
    let (_, senders) = accounts::connect(engine, &account).await.unwrap();
    let senders: Vec<_> = senders.into_iter().map(Arc::new).collect();
    (account, senders.try_into().unwrap())
}

fn new_account(organization: &Id, external_id: &str) -> NewAccount {
    NewAccount {
        organization: *organization,
        provider: PROVIDER.into(),
        external_id: external_id.into(),
        name: external_id.into(),
        config: "{}".into(),
        secrets: r#"{"token":"t"}"#.to_owned().into(),
    }
}

impl House {
    /// An operator gives the account a new token.
    pub async fn give_new_token(&self) {
        let put = accounts::put(&self.engine, new_account(&self.organization.id, ACCOUNT));
        self.engine.perform(put).await.unwrap();
    }
}

impl House {
    /// A sender for texts, with an account at each carrier; its own is the first.
    pub async fn open_carriers(&self) -> (Arc<Sender>, [Id; 2]) {
        let mut ids = Vec::new();
        for carrier in CARRIERS {
            let new = NewAccount { provider: carrier.into(), ..new_account(&self.organization.id, carrier) };
            ids.push(self.engine.perform(accounts::put(&self.engine, new)).await.unwrap());
        }
        let add = engine::routes::AddSender {
            engine: self.engine.clone(),
            organization: self.organization.id,
            account: ids[0],
            address: "ACME".into(),
            name: None,
        };
        let sender = Arc::new(self.engine.perform(add).await.unwrap().unwrap());
        (sender, [ids[0], ids[1]])
    }

    /// What a carrier tells of a part.
    pub async fn hear(&self, carrier: &str, provider_id: &str, message: Option<Id>, status: Status) {
        let fact = Fact::Part(Box::new(facts::PartReceipt {
            account: carrier.into(),
            provider_id: provider_id.into(),
            message,
            status,
            at: self.now(),
            failure: None,
        }));
        let push = Received { facts: vec![fact], accounts: vec![carrier.into()] };
        self.engine.receive(carrier, push).await.unwrap();
    }
}

/// A wish of a sender's.
fn wish(engine: &Engine, sender: Arc<Sender>, to: &str, text: &str) -> messages::Send {
    let new = messages::New {
        sender,
        to: phone(to),
        content: Content::Text { body: text.into(), preview: false },
        reply_to: None,
        provider_id: None,
        origin: DIALECT,
        request_id: "request".into(),
        terms: messages::Terms::default(),
    };
    messages::send(engine, new)
}

fn phone(number: &str) -> Address {
    Address { kind: PHONE.into(), value: number.into() }
}
