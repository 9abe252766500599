//! An engine with one account and one sender at each carrier and for each channel, and the street outside.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use engine::accounts::{self, NewAccount};
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::failure::Failure;
use engine::messages::{self, Filter, Message, Status};
use engine::provider::{Provider, PushError, Pushed};
use engine::senders::Sender;
use engine::{Clock, Engine, Id, Parts, Settings, workers};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use provider_telecom::http::{Options, providers};
use sandbox_carriers::http::{Account, Credentials};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Target};
use serde_json::Value;
use store::{Db, Ids, Location, SecretKey, Tx, Work};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const NOW: i64 = 1_795_000_000_000;
pub(crate) const CARRIERS: [&str; 3] = ["twilio", "telnyx", "vonage"];
/// A customer's phone.
pub(crate) const ANN: &str = "+4915550199001";
const ORIGIN: &str = "http://platform.test";

/// A push as the platform got it, and what it answered.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) status: u16,
}

impl Got {
    pub(crate) fn is_for(&self, provider: &str) -> bool {
        self.url.starts_with(&format!("{ORIGIN}/webhooks/{provider}/"))
    }
}

/// What is outside: the carriers' view of the sandbox, and the way to the platform.
pub(crate) struct Street {
    engine: OnceLock<Engine>,
    clock: Clock,
    faults: Mutex<VecDeque<(Target, Fault)>>,
    phones: Mutex<HashMap<String, Phone>>,
    pushes: Mutex<Vec<Got>>,
    changed: watch::Sender<()>,
    /// Pushes that find nobody.
    deaf: Mutex<u32>,
}

impl Street {
    /// What the server does with a push: the status, and what it says.
    async fn platform(&self, url: &str, headers: &HeaderMap, body: Bytes) -> (u16, String) {
        let engine = self.engine.get().unwrap();
        let path = url.strip_prefix(ORIGIN).unwrap().split('?').next().unwrap();
        let [_, _, provider, account] = path.split('/').collect::<Vec<_>>()[..] else { return (404, String::new()) };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let pushed = Pushed { account: Some(account), url, header: &header, body };
        let push = engine.provider(provider).unwrap().push().unwrap();
        let status = match push.reply(engine, pushed).await {
            Ok(reply) => return (200, reply.map(|reply| reply.body).unwrap_or_default()),
            Err(PushError::Refused) => 403,
            Err(PushError::UnknownAccount) => 404,
            Err(PushError::Unreadable(_)) => 400,
            Err(error) => panic!("{error}"),
        };
        (status, String::new())
    }

    fn is_deaf(&self) -> bool {
        let mut deaf = self.deaf.lock().unwrap();
        let was = *deaf > 0;
        *deaf = deaf.saturating_sub(1);
        was
    }
}

/// The street as the carriers see it.
struct Window(Arc<Street>);

impl Outside for Window {
    fn now(&self) -> i64 {
        self.0.clock.now()
    }

    fn fault(&self, target: Target) -> Option<Fault> {
        let mut faults = self.0.faults.lock().unwrap();
        let place = faults.iter().position(|(of, _)| *of == target)?;
        faults.remove(place).map(|(_, fault)| fault)
    }

    fn phone(&self, number: &str) -> Phone {
        let known = self.0.phones.lock().unwrap().get(number).copied();
        known.unwrap_or(Phone { registered: true, online: true })
    }

    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let asked = self.ask(url, headers, body);
        Box::pin(async move { asked.await.map(|(status, _)| status) })
    }

    fn ask(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<(u16, String), String>> {
        let street = Arc::clone(&self.0);
        Box::pin(async move {
            if street.is_deaf() {
                return Err("nobody is there".to_owned());
            }
            let (status, answer) = street.platform(&url, &headers, body.clone()).await;
            street.pushes.lock().unwrap().push(Got { url, headers, body, status });
            street.changed.send_replace(());
            Ok((status, answer))
        })
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) carriers: Handle,
    street: Arc<Street>,
    senders: HashMap<String, Arc<Sender>>,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        net::install_crypto();
        let dir = TempDir::new().unwrap();
        let clock = Clock::manual(NOW);
        let engine = engine(&dir, &clock).await;
        let street = Arc::new(Street {
            engine: OnceLock::from(engine.clone()),
            clock: clock.clone(),
            faults: Mutex::default(),
            phones: Mutex::default(),
            pushes: Mutex::default(),
            changed: watch::Sender::new(()),
            deaf: Mutex::new(0),
        });
        let outside = Arc::new(Window(Arc::clone(&street)));
        let carriers = sandbox_carriers::start(sandbox_carriers::Options::default(), outside).await.unwrap();
        let organization = engine.perform(engine::organizations::create(&engine, "Acme")).await.unwrap().id;
        let mut world = Self { engine, clock, carriers, street, senders: HashMap::new(), _dir: dir };
        for carrier in CARRIERS {
            world.open(carrier, &organization).await;
        }
        world
    }

    /// An account with both channels, as an operator makes it.
    async fn open(&mut self, carrier: &str, organization: &Id) {
        let number = number(carrier).to_owned();
        let mut account = Account { credentials: credentials(carrier), numbers: vec![number], inbound_url: None };
        let name = account.credentials.name();
        account.inbound_url = Some(format!("{ORIGIN}/webhooks/{carrier}/{name}"));
        let told = self.carriers.http().introduction(&account);
        self.carriers.http().put(account);
        for provider in [carrier.to_owned(), format!("{carrier}-voice")] {
            let sender = self.put(&provider, organization, &told, number_of(&provider)).await;
            self.senders.insert(provider, Arc::new(sender));
        }
    }

    async fn put(&self, provider: &str, organization: &Id, told: &Value, address: &str) -> Sender {
        let new = NewAccount {
            organization: *organization,
            provider: provider.to_owned(),
            external_id: told["external_id"].as_str().unwrap().to_owned(),
            name: provider.to_owned(),
            config: told["config"].to_string(),
            secrets: told["secrets"].to_string().into(),
        };
        let checked = provider_telecom::http::check(provider, &new.config, &new.secrets);
        assert_eq!(checked, Some(Ok(())), "{provider}");
        let account = self.engine.perform(accounts::put(&self.engine, new)).await.unwrap();
        let sender = Sender {
            id: self.engine.new_id(),
            organization_id: *organization,
            account_id: account,
            channel: self.provider(provider).channel().to_owned(),
            provider: provider.to_owned(),
            external_id: address.to_owned(),
            address: address.to_owned(),
            name: None,
            status: engine::senders::CONNECTED.to_owned(),
            status_reason: None,
            config: "{}".to_owned(),
            settings: "{}".to_owned(),
            created_at: NOW,
            updated_at: NOW,
        };
        self.engine.db.write(PutSender(sender.clone())).await.unwrap();
        sender
    }

    pub(crate) fn provider(&self, name: &str) -> &Arc<dyn Provider> {
        self.engine.provider(name).unwrap()
    }

    pub(crate) fn sender(&self, provider: &str) -> &Arc<Sender> {
        &self.senders[provider]
    }

    /// What goes wrong with the next message.
    pub(crate) fn fault(&self, target: Target, fault: Fault) {
        self.street.faults.lock().unwrap().push_back((target, fault));
    }

    pub(crate) fn phone(&self, number: &str, phone: Phone) {
        self.street.phones.lock().unwrap().insert(number.to_owned(), phone);
    }

    /// So many pushes will find nobody.
    pub(crate) fn is_deaf_to(&self, pushes: u32) {
        *self.street.deaf.lock().unwrap() = pushes;
    }

    pub(crate) async fn accept(&self, provider: &str, content: Content) -> Id {
        let new = messages::New {
            sender: self.sender(provider).clone(),
            to: Address { kind: PHONE.to_owned(), value: ANN.to_owned() },
            content,
            reply_to: None,
            provider_id: None,
            origin: "plain",
            request_id: "request".to_owned(),
            terms: messages::Terms::default(),
        };
        self.engine.perform(messages::send(&self.engine, new)).await.unwrap().unwrap().id
    }

    /// Accepts a text and hands it over.
    pub(crate) async fn text(&self, provider: &str, body: &str) -> Id {
        let id = self.accept(provider, Content::Text { body: body.to_owned(), preview: false }).await;
        self.work().await;
        id
    }

    pub(crate) async fn speech(&self, provider: &str, text: &str, language: &str) -> Id {
        // A carrier begins a call a second.
        self.clock.advance(Duration::from_secs(1));
        let content = Content::Speech { text: text.to_owned(), language: language.to_owned() };
        let id = self.accept(provider, content).await;
        self.work().await;
        id
    }

    pub(crate) async fn work(&self) {
        workers::drain(&self.engine).await.unwrap();
    }

    pub(crate) async fn message(&self, provider: &str, id: &Id) -> Message {
        let sender = self.sender(provider);
        self.engine.message(&sender.organization_id, &sender.id, id).await.unwrap().unwrap()
    }

    pub(crate) async fn failure(&self, provider: &str, id: &Id) -> Option<Failure> {
        let error = self.message(provider, id).await.error?;
        Some(serde_json::from_str(&error).unwrap())
    }

    pub(crate) async fn messages(&self, provider: &str) -> Vec<Message> {
        let sender = self.sender(provider);
        self.engine.messages(&sender.organization_id, &sender.id, &Filter::default(), 100).await.unwrap()
    }

    pub(crate) async fn reaches(&self, provider: &str, id: &Id, status: Status) {
        let mut last = None;
        self.until(async || {
            last = Some(self.message(provider, id).await.status);
            last == Some(status)
        })
        .await
        .unwrap_or_else(|()| panic!("{provider}: {last:?} instead of {status:?}"));
    }

    /// Looks again after each push.
    pub(crate) async fn until(&self, mut look: impl AsyncFnMut() -> bool) -> Result<(), ()> {
        let mut changed = self.street.changed.subscribe();
        let looking = async {
            while !look().await {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(90), looking).await.map_err(drop)
    }

    pub(crate) fn pushes(&self, provider: &str) -> Vec<Got> {
        self.street.pushes.lock().unwrap().iter().filter(|got| got.is_for(provider)).cloned().collect()
    }

    pub(crate) async fn pushed(&self, provider: &str, count: usize) -> Vec<Got> {
        self.until(async || self.pushes(provider).len() >= count).await.unwrap();
        self.pushes(provider)
    }

    /// What a push that somebody makes is answered with.
    pub(crate) async fn push(&self, got: &Got) -> u16 {
        self.street.platform(&got.url, &got.headers, got.body.clone()).await.0
    }
}

struct PutSender(Sender);

impl Work for PutSender {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::put(tx, &self.0).await.map(drop)
    }
}

async fn engine(dir: &TempDir, clock: &Clock) -> Engine {
    let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await.unwrap();
    store::migrate(&db).await.unwrap();
    let client = net::plain_client(&net::PlainSettings::default()).unwrap();
    let options = Options { timeout: Duration::from_secs(20), ..Options::new(client, ORIGIN, clock.clone()) };
    Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings { public_url: ORIGIN.to_owned(), ..Settings::default() },
        providers: providers(&options),
        dialects: vec![testkit::dialect()],
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

pub(crate) fn credentials(carrier: &str) -> Credentials {
    match carrier {
        "twilio" => Credentials::twilio("story"),
        "telnyx" => Credentials::telnyx("story"),
        _ => Credentials::vonage("story"),
    }
}

/// The number of a carrier's account.
pub(crate) fn number(carrier: &str) -> &'static str {
    match carrier {
        "twilio" => "+15550100011",
        "telnyx" => "+15550100012",
        _ => "+15550100013",
    }
}

fn number_of(provider: &str) -> &'static str {
    number(provider.trim_end_matches("-voice"))
}
