//! A service with receivers that answer as a story says, and Meta's pushes as Meta makes them.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use dialect_late::{Options, Webhooks, derive_key, dialect, router};
use engine::accounts::{self, NewAccount};
use engine::contacts::Address;
use engine::content::Content;
use engine::facts::{Document, Fact, Receipt};
use engine::failure::Failure;
use engine::messages::{self, Message, Status, Terms};
use engine::provider::{Provider, Pushed};
use engine::receive::Received;
use engine::senders::{self, CONNECTED, Sender};
use engine::sessions;
use engine::{Clock, Engine, Id, Parts, Settings, keys, organizations, workers};
use http_body_util::BodyExt;
use meta_wire::signature;
use provider_meta_cloud::MetaCloud;
use serde_json::{Value, json};
use store::{Ids, SecretKey, Tx, Work};
use testkit::cloud::{Cloud, Fake};
use testkit::{FakeTransport, Fixture, Kind, Linked, Posted, Scratch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;

use crate::house::{CONTRACT, Reply, START};

pub const HOOK: &str = "https://hook.example/one";
pub const OTHER_HOOK: &str = "https://hook.example/two";
pub const CUSTOMER: &str = "+6281234567890";
/// The number that Meta pushes for.
pub const NUMBER: &str = "+15550100009";
const NUMBER_ID: &str = "106540352242922";
const WABA: &str = "102290129340398";
const APP_SECRET: &str = "app-s3cr3t";
/// The provider of linked accounts.
const LINKED: &str = "linked";

pub struct Ground {
    pub engine: Engine,
    pub clock: Clock,
    pub transport: FakeTransport,
    pub options: Options,
    pub key: String,
    pub foreign_key: String,
    pub organization: Id,
    /// How much of what was posted a story has looked at.
    pub seen: AtomicUsize,
    outside: Outside,
    ids: Arc<Ids>,
    router: Router,
    scratch: Scratch,
    pushes: usize,
}

/// Whoever carries messages, and where webhooks lead.
#[derive(Clone)]
struct Outside {
    transport: FakeTransport,
    cloud: Arc<Cloud>,
    meta: Arc<MetaCloud>,
    linked: Linked,
}

impl Fixture for Ground {
    async fn set_up(kind: Kind) -> Self {
        net::install_crypto();
        let scratch = Scratch::new(kind).await;
        scratch.migrated().await;
        let clock = Clock::manual(START);
        let ids = Arc::new(Ids::seeded(7));
        let blobs = media::Blobs::directory(scratch.dir.path().join("media"), 1 << 20).unwrap();
        let client = net::plain_client(&net::PlainSettings::default()).unwrap();
        let outside = Outside {
            transport: FakeTransport::new(clock.clone()),
            cloud: Arc::default(),
            meta: Arc::new(MetaCloud::new(provider_meta_cloud::Options::new(client, blobs))),
            linked: Linked::new(LINKED),
        };
        let options = Options {
            requests_per_minute: 60_000,
            webhooks: Webhooks::default(),
            media_links: Arc::new(|id, until| format!("https://late.example/media/{}?e={until}", id.hex24())),
            preverified: false,
            random: Arc::new(|bytes| bytes.fill(5)),
            contract: CONTRACT,
        };
        let engine = engine_on(&scratch, (&clock, &outside, &ids, &options)).await;
        let (organization, key) = tenant(&engine, "1").await;
        let (_, foreign_key) = tenant(&engine, "2").await;
        link(&engine, organization).await;
        let router = router(engine.clone(), options.clone());
        Self {
            engine,
            clock,
            transport: outside.transport.clone(),
            options,
            key,
            foreign_key,
            organization,
            seen: AtomicUsize::new(0),
            outside,
            ids,
            router,
            scratch,
            pushes: 0,
        }
    }

    async fn finish(self, _: bool) {
        let Self { engine, router, scratch, .. } = self;
        drop((engine, router));
        scratch.drop().await;
    }
}

type Around<'a> = (&'a Clock, &'a Outside, &'a Arc<Ids>, &'a Options);

async fn engine_on(scratch: &Scratch, (clock, outside, ids, options): Around<'_>) -> Engine {
    let Outside { transport, cloud, meta, linked } = outside;
    Engine::new(Parts {
        db: scratch.open().await,
        clock: clock.clone(),
        ids: ids.clone(),
        key: SecretKey::new([7; 32]),
        settings: Settings::default(),
        providers: vec![Arc::new(Fake(cloud.clone())), meta.clone(), Arc::new(linked.clone())],
        dialects: vec![dialect(options)],
        transports: vec![Arc::new(transport.clone())],
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

async fn tenant(engine: &Engine, name: &str) -> (Id, String) {
    let organization = engine.perform(organizations::create(engine, name)).await.unwrap().id;
    let key = derive_key([name.as_bytes()[0]; 32]);
    engine.perform(keys::create(engine, organization, "late", "test", &key, false, None)).await.unwrap();
    let account = engine.perform(accounts::put(engine, account(organization, "fake", name, json!({})))).await.unwrap();
    accounts::connect(engine, &account).await.unwrap();
    (organization, key)
}

fn account(organization: Id, provider: &str, name: &str, secrets: Value) -> NewAccount {
    NewAccount {
        organization,
        provider: provider.into(),
        external_id: name.into(),
        name: "Shop".into(),
        config: json!({ "app_id": "1" }).to_string(),
        secrets: secrets.to_string().into(),
    }
}

struct PutSender(Sender);

impl Work for PutSender {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::put(tx, &self.0).await.map(drop)
    }
}

/// An account at Meta with one number.
async fn link(engine: &Engine, organization: Id) {
    let secrets = json!({ "access_token": "t", "app_secret": APP_SECRET, "verify_token": "v" });
    let put = accounts::put(engine, account(organization, "meta-cloud", WABA, secrets));
    let account = engine.perform(put).await.unwrap();
    let sender = Sender {
        id: engine.new_id(),
        organization_id: organization,
        account_id: account,
        channel: "whatsapp".into(),
        provider: "meta-cloud".into(),
        external_id: NUMBER_ID.into(),
        address: NUMBER.into(),
        name: Some("Shop".into()),
        status: CONNECTED.into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: START,
        updated_at: START,
    };
    engine.db.write(PutSender(sender)).await.unwrap();
}

impl Ground {
    pub async fn call(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {key}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, json }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call(&self.key, "GET", &format!("/v1{path}"), None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(&self.key, "POST", &format!("/v1{path}"), Some(body)).await
    }

    pub async fn put(&self, body: Value) -> Reply {
        self.call(&self.key, "PUT", "/v1/webhooks/settings", Some(body)).await
    }

    /// A webhook with a secret; returns its id.
    pub async fn hook(&self, url: &str, events: &[&str]) -> String {
        let body = json!({ "name": "Mine", "url": url, "secret": "s3cret", "events": events });
        let reply = self.post("/webhooks/settings", body).await;
        reply.good()["webhook"]["_id"].as_str().unwrap().to_owned()
    }

    /// A webhook as the list shows it.
    pub async fn shown(&self, id: &str) -> Value {
        let all = self.get("/webhooks/settings").await;
        let found = all.good()["webhooks"].as_array().unwrap().iter().find(|webhook| webhook["_id"] == id).cloned();
        found.unwrap()
    }

    pub async fn logs(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/webhooks/logs?{query}")).await.good()["logs"].as_array().unwrap().clone()
    }

    pub async fn work(&self) {
        workers::drain(&self.engine).await.unwrap();
    }

    /// Time passes, then everything that is due is done.
    pub async fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.work().await;
    }

    pub fn posted(&self, url: &str) -> Vec<Posted> {
        self.transport.posted(url)
    }

    /// The process dies, whatever it was doing; another one comes up.
    pub async fn die(&mut self, work: tokio::task::JoinHandle<()>) {
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        let around = (&self.clock, &self.outside, &self.ids, &self.options);
        self.engine = engine_on(&self.scratch, around).await;
        self.router = router(self.engine.clone(), self.options.clone());
    }

    /// The same service with other rules for webhooks.
    pub async fn with_rules(&mut self, webhooks: Webhooks) {
        self.options.webhooks = webhooks;
        let around = (&self.clock, &self.outside, &self.ids, &self.options);
        self.engine = engine_on(&self.scratch, around).await;
        self.router = router(self.engine.clone(), self.options.clone());
    }

    /// Meta pushes something for the account or its number.
    pub async fn push(&self, field: &str, value: Value) {
        let post = json!({ "object": "whatsapp_business_account",
            "entry": [{ "id": WABA, "time": START / 1000, "changes": [{ "field": field, "value": value }] }] });
        let body = Bytes::from(post.to_string());
        let signature = signature::sign(APP_SECRET.as_bytes(), &body);
        let header = |name: &str| Some(signature.clone()).filter(|_| name == signature::HEADER);
        let push = Pushed { account: None, url: "", header: &header, body };
        self.outside.meta.push().unwrap().receive(&self.engine, push).await.unwrap();
    }

    /// A customer writes: Meta's message object without its id, sender and time.
    pub async fn write(&mut self, message: Value) -> String {
        self.pushes += 1;
        let wamid = format!("wamid.IN{}", self.pushes);
        let mut theirs =
            json!({ "id": wamid, "from": &CUSTOMER[1..], "from_user_id": "ID.1", "timestamp": "1790000000" });
        for (name, value) in message.as_object().unwrap() {
            theirs[name] = value.clone();
        }
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": &NUMBER[1..], "phone_number_id": NUMBER_ID },
            "contacts": [{ "wa_id": &CUSTOMER[1..], "user_id": "ID.1", "profile": { "name": "Ayu", "username": "@ayu" } }],
            "messages": [theirs],
        });
        self.push("messages", value).await;
        wamid
    }

    /// A customer writes a text, and everybody hears of it.
    pub async fn hear(&mut self) {
        self.write(json!({ "type": "text", "text": { "body": "hello" } })).await;
        self.work().await;
    }

    /// We write; the provider takes it as the returned `wamid`.
    pub async fn send(&self, content: Content) -> (Message, String) {
        let sender = self.engine.sender(&self.organization, "100000000000001").await.unwrap().unwrap();
        self.send_from(sender, content).await
    }

    pub async fn send_from(&self, sender: Arc<Sender>, content: Content) -> (Message, String) {
        let provider_id = (sender.provider == LINKED).then(|| "3EB0F00D".to_owned());
        let new = messages::New {
            sender,
            to: Address { kind: "phone".into(), value: CUSTOMER.into() },
            content,
            reply_to: None,
            provider_id,
            origin: "late",
            request_id: "request".into(),
            terms: Terms::default(),
        };
        let message = self.engine.perform(messages::send(&self.engine, new)).await.unwrap().unwrap();
        self.work().await;
        let message = self.engine.message_of(&self.organization, &message.id).await.unwrap().unwrap();
        let wamid = message.provider_id.clone().unwrap();
        (message, wamid)
    }

    /// A linked account of ours that is up, for as long as the guard lives.
    pub async fn linked(&self) -> (Arc<Sender>, DropGuard) {
        let put = accounts::put(&self.engine, account(self.organization, LINKED, "phone", json!({})));
        let new = senders::New {
            organization: self.organization,
            account: self.engine.perform(put).await.unwrap(),
            provider: LINKED,
            external_id: "phone".into(),
            address: "+15550100010".into(),
            name: None,
            config: "{}".into(),
            settings: json!({}),
        };
        let sender = self.engine.perform(senders::create(&self.engine, new)).await.unwrap().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(sessions::run(self.engine.clone(), stop.clone()));
        sessions::open(&self.engine, &sender).await.unwrap();
        let line = self.outside.linked.line(&sender.id).await;
        line.connect(json!({ "jid": "15550100010@s.whatsapp.net" })).await;
        let sender = self.engine.sender_by_id(&sender.id).await.unwrap().unwrap();
        (sender, stop.drop_guard())
    }

    pub async fn receipt(&self, wamid: &str, status: Status, failure: Option<Failure>, said: Value) {
        let bytes = json!({ "entry": [{ "changes": [{ "field": "messages", "value": { "statuses": [said] } }] }] });
        let receipt = Receipt {
            sender: "100000000000001".into(),
            provider_id: wamid.into(),
            message: None,
            status,
            at: self.clock.now(),
            failure,
            recipient: Vec::new(),
            document: Some(Document { format: "meta".into(), bytes: bytes.to_string().into_bytes() }),
        };
        self.fact(Fact::Receipt(Box::new(receipt))).await;
        self.work().await;
    }

    /// Something that the account we send with tells.
    pub async fn fact(&self, fact: Fact) {
        let push = Received { facts: vec![fact], accounts: vec!["1".into()] };
        self.engine.receive("fake", push).await.unwrap();
    }
}
