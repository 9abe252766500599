//! An engine with an account at an SMSC, and what is outside.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use engine::accounts::{self, NewAccount};
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::messages::{self, Filter, Message, Status};
use engine::provider::{Account, Provider};
use engine::senders::Sender;
use engine::{Clock, Engine, Id, Parts, Settings, workers};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use provider_telecom::smpp::{Options, Smpp};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Sms, Target, smsc};
use serde_json::{Value, json};
use store::messages::Direction;
use store::{Db, Ids, Location, SecretKey};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: i64 = 1_795_000_000_000;
pub(crate) const ANN: &str = "+4915550199001";
pub(crate) const SENDER: &str = "+15550100001";

/// How many messages a story sends that is about many; `HERMOD_MANY` says otherwise.
pub(crate) fn many() -> usize {
    std::env::var_os("HERMOD_MANY").and_then(|many| many.into_string().ok()?.parse().ok()).unwrap_or(400)
}

/// How long a story waits for something that never comes.
fn patience() -> Duration {
    Duration::from_secs(120 + many() as u64 / 20)
}

/// What is outside of the carriers.
pub(crate) struct Street {
    clock: Clock,
    faults: Mutex<VecDeque<Option<Fault>>>,
    phones: Mutex<HashMap<String, Phone>>,
}

impl Street {
    pub(crate) fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { clock: clock.clone(), faults: Mutex::default(), phones: Mutex::default() })
    }

    /// What happens to the next messages; `None`: nothing.
    pub(crate) fn faults(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub(crate) fn phone(&self, number: &str, phone: Phone) {
        self.phones.lock().unwrap().insert(number.to_owned(), phone);
    }
}

struct Outdoors(Arc<Street>);

impl Outside for Outdoors {
    fn now(&self) -> i64 {
        self.0.clock.now()
    }

    fn fault(&self, target: Target) -> Option<Fault> {
        assert_eq!(target, Target::Sms);
        self.0.faults.lock().unwrap().pop_front().flatten()
    }

    fn phone(&self, number: &str) -> Phone {
        let known = self.0.phones.lock().unwrap().get(number).copied();
        known.unwrap_or(Phone { registered: true, online: true })
    }

    fn push(&self, _: String, _: HeaderMap, _: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        panic!("an SMSC pushes nothing over HTTP")
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    /// The engine's; connections wait in real time.
    pub(crate) clock: Clock,
    pub(crate) provider: Arc<Smpp>,
    pub(crate) street: Arc<Street>,
    pub(crate) carriers: Handle,
    pub(crate) organization: Id,
    pub(crate) account: Id,
    pub(crate) sender: Arc<Sender>,
    pub(crate) stop: CancellationToken,
    workers: JoinHandle<()>,
    dir: Arc<TempDir>,
}

/// Starts the carriers' stand-ins.
pub(crate) async fn carriers(smsc: smsc::Options, street: &Arc<Street>) -> Handle {
    let options = sandbox_carriers::Options { smsc, ..sandbox_carriers::Options::default() };
    sandbox_carriers::start(options, Arc::new(Outdoors(Arc::clone(street)))).await.unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(smsc::Options::default(), json!({})).await
    }

    /// `config`: members of the account's config besides what it takes to connect.
    pub(crate) async fn with(smsc: smsc::Options, config: Value) -> Self {
        let clock = Clock::manual(NOW);
        let street = Street::new(&clock);
        let carriers = carriers(smsc, &street).await;
        let address = carriers.smsc().address();
        let dir = Arc::new(TempDir::new().unwrap());
        let (engine, provider) = engine(&dir, &clock).await;
        let organization = engine.perform(engine::organizations::create(&engine, "Acme")).await.unwrap().id;
        let account = put(&engine, organization, &config_for(address, &config), "sandbox").await;
        let add = engine::routes::AddSender {
            engine: engine.clone(),
            organization,
            account,
            address: SENDER.to_owned(),
            name: None,
        };
        let sender = Arc::new(engine.perform(add).await.unwrap().unwrap());
        let stop = CancellationToken::new();
        let workers = work(&engine, &provider, &stop);
        let world =
            Self { engine, clock, provider, street, carriers, organization, account, sender, stop, workers, dir };
        world.until("somebody is bound", async || world.carriers.smsc().bound() == 1).await;
        world
    }

    /// What a crash leaves: everything in flight is dropped, and a new process opens the same database.
    pub(crate) async fn crash(mut self) -> Self {
        self.workers.abort();
        let _ = (&mut self.workers).await;
        let (engine, provider) = engine(&self.dir, &self.clock).await;
        workers::recover(&engine).await.unwrap();
        self.stop = CancellationToken::new();
        self.workers = work(&engine, &provider, &self.stop);
        (self.engine, self.provider) = (engine, provider);
        self
    }

    /// Stops as a process does that is told to.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        self.workers.await.unwrap();
        self.carriers.stop();
    }

    /// The account as the provider gets it.
    pub(crate) async fn account(&self) -> Arc<Account> {
        self.engine.account(&self.account).await.unwrap().unwrap()
    }

    pub(crate) async fn send(&self, text: &str) -> Id {
        self.send_to(ANN, text).await
    }

    pub(crate) async fn send_to(&self, to: &str, text: &str) -> Id {
        let new = messages::New {
            sender: Arc::clone(&self.sender),
            to: Address { kind: PHONE.to_owned(), value: to.to_owned() },
            content: Content::Text { body: text.to_owned(), preview: false },
            reply_to: None,
            provider_id: None,
            origin: "test",
            request_id: "request".to_owned(),
            terms: messages::Terms::default(),
        };
        self.engine.perform(messages::send(&self.engine, new)).await.unwrap().unwrap().id
    }

    pub(crate) async fn message(&self, id: &Id) -> Message {
        self.engine.message(&self.organization, &self.sender.id, id).await.unwrap().unwrap()
    }

    /// Our messages, oldest first.
    pub(crate) async fn messages(&self, direction: Direction) -> Vec<Message> {
        let filter = Filter { direction: Some(direction), ..Filter::default() };
        let mut found = self.engine.messages(&self.organization, &self.sender.id, &filter, 100_000).await.unwrap();
        found.reverse();
        found
    }

    /// How many of our messages have not arrived.
    pub(crate) async fn missing(&self) -> usize {
        let statuses = vec![Status::Pending, Status::Sent, Status::Failed];
        let filter = Filter { direction: Some(Direction::Outbound), statuses, ..Filter::default() };
        self.engine.messages(&self.organization, &self.sender.id, &filter, 100_000).await.unwrap().len()
    }

    pub(crate) async fn received(&self) -> Vec<String> {
        let found = self.messages(Direction::Inbound).await;
        found.iter().map(|message| Content::parse(&message.content).unwrap().text().unwrap().to_owned()).collect()
    }

    pub(crate) async fn status_of(&self, id: &Id, status: Status) -> Message {
        self.until("a message has its status", async || self.message(id).await.status == status).await;
        self.message(id).await
    }

    /// What the SMSC was given with this text.
    pub(crate) fn sms(&self, text: &str) -> Vec<Sms> {
        self.carriers.sms().into_iter().filter(|sms| sms.text == text).collect()
    }

    /// Looks until something is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let looking = async {
            let mut look = tokio::time::interval(Duration::from_millis(5));
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !is_so().await {
                look.tick().await;
            }
        };
        tokio::time::timeout(patience(), looking).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

/// What it takes to connect to an SMSC, and more.
pub(crate) fn config_for(address: SocketAddr, more: &Value) -> Value {
    let mut config = json!({ "host": address.ip().to_string(), "port": address.port(), "system_id": "sandbox" });
    let (members, more) = (config.as_object_mut().unwrap(), more.as_object().unwrap());
    members.extend(more.clone());
    config
}

/// Adds an account or changes it.
pub(crate) async fn put(engine: &Engine, organization: Id, config: &Value, password: &str) -> Id {
    let new = NewAccount {
        organization,
        provider: Smpp::NAME.to_owned(),
        external_id: "carrier".to_owned(),
        name: "A carrier".to_owned(),
        config: config.to_string(),
        secrets: json!({ "password": password }).to_string().into(),
    };
    engine.perform(accounts::put(engine, new)).await.unwrap()
}

async fn engine(dir: &TempDir, clock: &Clock) -> (Engine, Arc<Smpp>) {
    net::install_crypto();
    let options = Options { chance: Arc::new(|| 0.0), ..Options::new().unwrap() };
    let provider = Arc::new(Smpp::new(options));
    let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await.unwrap();
    store::migrate(&db).await.unwrap();
    let mut settings = Settings::default();
    settings.senders.messages_per_second = Some(1_000_000);
    let engine = Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings,
        providers: vec![provider.clone()],
        dialects: Vec::new(),
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    });
    (engine, provider)
}

/// The engine's workers and the provider's service, as a process runs them.
fn work(engine: &Engine, provider: &Arc<Smpp>, stop: &CancellationToken) -> JoinHandle<()> {
    let (engine, provider, stop) = (engine.clone(), Arc::clone(provider), stop.clone());
    tokio::spawn(async move {
        let service = provider.service().unwrap().run(&engine, stop.clone());
        tokio::join!(workers::run(engine.clone(), stop), service);
    })
}
