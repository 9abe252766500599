//! A whole service: users, their connections, their webhooks; time stands still unless a story moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use dialect_digigo::{Envelope, NAME, NewUsers, Options, Webhooks, dialect, router};
use engine::cache::Cache;
use engine::facts::Fact;
use engine::receive::Received;
use engine::senders::Sender;
use engine::sessions::{self, State};
use engine::wake::Wake;
use engine::{Clock, Engine, Id, Parts, Settings, keys, organizations, workers};
use http_body_util::BodyExt;
use media::Blobs;
use media::convert::{Converter, Tools};
use serde_json::{Value, json};
use store::{Ids, SecretKey};
use testkit::{FakeTransport, Fixture, Kind, Line, Linked, Scratch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::judge;
use crate::outside::Origin;

pub const START: i64 = 1_790_000_000_000;
/// What carries the messages of this API's users.
pub const PROVIDER: &str = "whatsapp-web";
pub const ADMIN: &str = "admin-of-the-first";
pub const FOREIGN_ADMIN: &str = "admin-of-the-second";
pub const PUBLIC_URL: &str = "https://api.example.com";
/// Where events go.
pub const HOOK: &str = "https://hooks.example.com/one";
pub const PHONE: &str = "5521971532700";
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub struct House {
    pub engine: Engine,
    pub clock: Clock,
    pub phone: Linked,
    pub hooks: FakeTransport,
    pub origin: Origin,
    pub blobs: Blobs,
    pub options: Options,
    pub organization: Id,
    router: Router,
    stop: CancellationToken,
    working: JoinHandle<()>,
    scratch: Scratch,
}

/// The same, with the other envelope.
pub struct Flat(pub House);

/// Somebody with a token of his own.
#[derive(Clone, Debug)]
pub struct User {
    pub id: Id,
    pub token: String,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

impl Reply {
    /// The data of an answer that must be a success.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.status < 300, "{} {}", self.status, self.json);
        &self.json["data"]
    }

    /// Status and text of an error, in whatever envelope.
    pub fn told(&self) -> (u16, &str) {
        let text = ["error", "data"].iter().find_map(|name| self.json[name].as_str());
        (self.status, text.unwrap_or_default())
    }
}

impl Fixture for House {
    async fn set_up(kind: Kind) -> Self {
        Self::build(kind, |_| {}).await
    }

    async fn finish(self, _: bool) {
        self.stop.cancel();
        self.working.await.unwrap();
        drop((self.engine, self.router));
        self.scratch.drop().await;
    }
}

impl Fixture for Flat {
    async fn set_up(kind: Kind) -> Self {
        Self(House::build(kind, |options| options.webhooks.envelope = Envelope::Flat).await)
    }

    async fn finish(self, told: bool) {
        self.0.finish(told).await;
    }
}

/// The same in a sandbox that cannot link accounts.
pub struct Unlinkable(pub House);

impl Fixture for Unlinkable {
    async fn set_up(kind: Kind) -> Self {
        let settings = Settings { sandbox: true, ..Settings::default() };
        Self(House::assemble(kind, settings, Linked::new("another"), |_| {}).await)
    }

    async fn finish(self, told: bool) {
        self.0.finish(told).await;
    }
}

/// The same as its operator has set it up.
pub struct Particular(pub House);

/// What its bodies are signed with.
pub const HMAC_KEY: &str = "0123456789abcdef0123456789abcdef";

impl Fixture for Particular {
    async fn set_up(kind: Kind) -> Self {
        let house = House::build(kind, |options| {
            options.webhooks.hmac_key = Some(HMAC_KEY.to_owned().into());
            options.webhooks.identity_headers = true;
            options.zone = "America/Sao_Paulo".parse().unwrap();
            options.users = NewUsers {
                skip_groups: true,
                skip_calls: true,
                call_reject_message: "Write".into(),
                ..options.users.clone()
            };
            (options.environment, options.region) = ("production".into(), "sa-east-1".into());
        });
        Self(house.await)
    }

    async fn finish(self, told: bool) {
        self.0.finish(told).await;
    }
}

impl House {
    pub async fn build(kind: Kind, change: impl FnOnce(&mut Options)) -> Self {
        Self::assemble(kind, Settings::default(), Linked::new(PROVIDER), change).await
    }

    async fn assemble(kind: Kind, settings: Settings, phone: Linked, change: impl FnOnce(&mut Options)) -> Self {
        let (scratch, origin) = (Scratch::new(kind).await, Origin::start().await);
        let clock = Clock::manual(START);
        let hooks = FakeTransport::new(clock.clone());
        let blobs = Blobs::directory(scratch.dir.path().join("blobs"), 64 << 20).unwrap();
        let mut options = options(blobs.clone());
        change(&mut options);
        let engine = Engine::new(Parts {
            db: scratch.migrated().await,
            clock: clock.clone(),
            ids: Arc::new(Ids::seeded(7)),
            key: SecretKey::new([7; 32]),
            settings,
            providers: vec![Arc::new(phone.clone())],
            dialects: vec![dialect(&options)],
            transports: vec![Arc::new(hooks.clone())],
            wake: Wake::default(),
            cache: Cache::default(),
        });
        let organization = tenant(&engine, "first", ADMIN).await;
        tenant(&engine, "second", FOREIGN_ADMIN).await;
        let stop = CancellationToken::new();
        let working = tokio::spawn(workers::run(engine.clone(), stop.clone()));
        let router = router(engine.clone(), options.clone());
        Self { engine, clock, phone, hooks, origin, blobs, options, organization, router, stop, working, scratch }
    }

    /// Sends a request as it is, and holds the answer to the contract.
    pub async fn raw(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{method} {path}: {error}: {bytes:?}"));
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, json };
        judge::hold(&method, &path, &reply);
        reply
    }

    async fn ask(&self, header: (&str, &str), method: &str, target: &str, body: Value) -> Reply {
        let request = Request::builder().method(method).uri(target).header(header.0, header.1);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.raw(request.body(body).unwrap()).await
    }

    /// As the administrator with this token; null: no body.
    pub async fn by_admin(&self, token: &str, method: &str, target: &str, body: Value) -> Reply {
        self.ask(("authorization", token), method, target, body).await
    }

    pub async fn admin(&self, method: &str, target: &str, body: Value) -> Reply {
        self.by_admin(ADMIN, method, target, body).await
    }

    /// As the user with this token; null: no body.
    pub async fn by(&self, token: &str, method: &str, target: &str, body: Value) -> Reply {
        self.ask(("token", token), method, target, body).await
    }

    pub async fn get(&self, user: &User, target: &str) -> Reply {
        self.by(&user.token, "GET", target, Value::Null).await
    }

    pub async fn post(&self, user: &User, target: &str, body: Value) -> Reply {
        self.by(&user.token, "POST", target, body).await
    }

    /// A new user of the first organization.
    pub async fn create(&self, name: &str) -> User {
        self.create_with(name, json!({})).await
    }

    /// The same, with more of what such a body may hold.
    pub async fn create_with(&self, name: &str, mut body: Value) -> User {
        let token = format!("token-of-{name}");
        (body["name"], body["token"]) = (json!(name), json!(token));
        let made = self.admin("POST", "/admin/users", body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        User { id: Id::parse_hex32(made.data()["id"].as_str().unwrap()).unwrap(), token }
    }

    /// Asks for a user's connection without waiting for it.
    pub async fn connect(&self, user: &User) -> Line {
        // So many may be opened in a second.
        self.clock.advance(Duration::from_secs(1));
        let reply = self.post(user, "/session/connect", json!({ "Immediate": true })).await;
        assert_eq!(reply.data()["details"], "Connected!");
        self.phone.line(&user.id).await
    }

    /// A user whose account is linked and up.
    pub async fn linked(&self, name: &str) -> (User, Line) {
        let user = self.create(name).await;
        let line = self.link(&user).await;
        (user, line)
    }

    pub async fn link(&self, user: &User) -> Line {
        let line = self.connect(user).await;
        line.connect(identity()).await;
        self.stands(user, State::Connected).await;
        line
    }

    /// Waits until a user's connection stands so.
    pub async fn stands(&self, user: &User, state: State) -> sessions::Session {
        sessions::wait_until(&self.engine, &user.id, DAY, |session| session.state == state).await.unwrap()
    }

    pub async fn sender(&self, user: &User) -> Arc<Sender> {
        self.engine.sender_by_id(&user.id).await.unwrap().unwrap()
    }

    /// Something reaches a user's account.
    pub async fn hear(&self, fact: Fact) {
        let push = Received { facts: vec![fact], accounts: vec![self.organization.hex24()] };
        self.engine.receive(PROVIDER, push).await.unwrap();
    }

    /// Lets time pass until something is done, no faster than the database commits.
    pub async fn patiently<T>(&self, task: impl Future<Output = T>) -> T {
        let mut task = std::pin::pin!(task);
        loop {
            tokio::select! {
                biased;
                done = &mut task => return done,
                () = self.commit() => self.clock.advance(Duration::from_millis(500)),
            }
        }
    }

    async fn commit(&self) {
        self.engine.perform(organizations::create(&self.engine, "a commit")).await.unwrap();
    }

    /// Waits until something that only work leads to is so.
    pub async fn until(&self, mut is_so: impl AsyncFnMut() -> bool) {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    }

    /// Waits for so many events at an address, and shows them in the order of their making.
    pub async fn told(&self, url: &str, count: usize) -> Vec<Told> {
        self.until(async || self.hooks.posted(url).len() >= count).await;
        let mut told: Vec<Told> = self.hooks.posted(url).iter().map(Told::of).collect();
        told.sort_by(|one, other| one.id.cmp(&other.id));
        told
    }

    /// What lies in the blob store.
    pub async fn blob(&self, id: &str) -> Option<Vec<u8>> {
        use futures_util::TryStreamExt;
        let opened = self.blobs.open(id).await.ok()?;
        let size = opened.size;
        let chunks: Vec<bytes::Bytes> = opened.read(0..size).await.unwrap().try_collect().await.unwrap();
        Some(chunks.concat())
    }
}

/// One event as it was delivered.
#[derive(Debug)]
pub struct Told {
    pub id: String,
    pub json: Value,
}

impl Told {
    fn of(posted: &testkit::Posted) -> Self {
        for (name, value) in
            [("Content-Type", "application/json"), ("Accept", "application/json"), ("User-Agent", "DIGIGO-Webhook/1.0")]
        {
            assert_eq!(posted.header(name), value);
        }
        let id = posted.header("X-Event-ID").to_owned();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id:?}");
        Self { id, json: posted.json() }
    }

    /// Of a nested envelope.
    pub fn kind(&self) -> &str {
        self.json["eventType"].as_str().unwrap()
    }
}

/// Who a linked account is.
pub fn identity() -> Value {
    json!({
        "jid": "5511999990000:4@s.whatsapp.net", "lid": "77@lid", "platform": "android", "business_name": "",
        "push_name": "Owner",
    })
}

async fn tenant(engine: &Engine, name: &str, token: &str) -> Id {
    let organization = engine.perform(organizations::create(engine, name)).await.unwrap().id;
    engine.perform(keys::create(engine, organization, NAME, "admin", token, false, None)).await.unwrap();
    organization
}

fn options(blobs: Blobs) -> Options {
    net::install_crypto();
    let policy = net::AddressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let count = AtomicU64::new(0);
    Options {
        public_url: PUBLIC_URL.into(),
        webhooks: Webhooks::default(),
        zone: dialect_digigo::Zone::UTC,
        users: NewUsers::default(),
        echo: true,
        skip_media: false,
        largest_file: 6 << 20,
        fetch_timeout: Duration::from_secs(20),
        client: net::GuardedClient::new(net::Settings { policy, ..net::Settings::default() }).unwrap(),
        blobs,
        converter: Converter::new(Tools::default(), 2),
        random: Arc::new(move |bytes: &mut [u8]| {
            let number = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            bytes.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, digit)| *byte = *digit);
        }),
        version: "0.1.0",
        commit: None,
        compiler: "rustc 1.95.0",
        installation: "test".into(),
        environment: String::new(),
        region: String::new(),
    }
}
