//! A whole service for one test.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use dialect_ycloud::{Options, derive_key, router};
use engine::accounts::{self, NewAccount};
use engine::contacts::Address;
use engine::content::Content;
use engine::events::Document;
use engine::facts::{Fact, Message, PartReceipt, Receipt};
use engine::failure::{Code, Failure};
use engine::messages::Status;
use engine::provider::Provider;
use engine::receive::Received;
use engine::routes::AddSender;
use engine::{Clock, Engine, Id, Parts, Settings, keys, organizations};
use http_body_util::BodyExt;
use provider_meta_cloud::MetaCloud;
use serde_json::{Value, json};
use store::{Ids, SecretKey};
use testkit::cloud::{Carrier, Cloud, Fake, Post, Receivers, template};
use testkit::{ContractCheck, Fixture, Kind, Operation, Scratch};
use tower::ServiceExt;

pub static CONTRACT: &[u8] = include_bytes!("../../../../../contracts/ycloud.json");
/// Some members are published as objects although their own examples are texts and numbers: any value will do.
const LOOSE: [&str; 2] = [
    "/components/schemas/ContactCustomAttribute/properties/value",
    "/components/schemas/WhatsappApiError/properties/error_data",
];
pub static JUDGE: LazyLock<ContractCheck> = LazyLock::new(|| {
    let mut contract: Value = serde_json::from_slice(CONTRACT).unwrap();
    for place in LOOSE {
        *contract.pointer_mut(place).unwrap() = json!({});
    }
    ContractCheck::read(contract.to_string().as_bytes())
});

pub const START: i64 = 1_790_000_000_000;
pub const ORIGIN: &str = "https://ycloud.example";
pub const NUMBER: &str = "+15550100001";
pub const CUSTOMER: &str = "+6281234567890";

pub struct House {
    pub engine: Engine,
    pub clock: Clock,
    pub cloud: Arc<Cloud>,
    pub receivers: Arc<Receivers>,
    pub meta: Arc<MetaCloud>,
    pub options: Options,
    pub key: String,
    pub foreign_key: String,
    pub organization: Id,
    router: Router,
    scratch: Scratch,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub json: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn target(&self) -> &str {
        self.json["error"]["target"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body of an answer that must be a success.
    #[track_caller]
    pub fn good(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.json);
        &self.json
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, target: &str) {
        assert_eq!((self.status, self.code(), self.target()), (status, code, target), "{}", self.json);
    }
}

impl Fixture for House {
    async fn set_up(kind: Kind) -> Self {
        let scratch = Scratch::new(kind).await;
        let (cloud, receivers, clock) =
            (Arc::new(Cloud::default()), Arc::new(Receivers::default()), Clock::manual(START));
        *cloud.templates.lock().unwrap() = vec![
            template("welcome", "en", "APPROVED", "MARKETING"),
            template("welcome", "id", "APPROVED", "MARKETING"),
            template("waiting", "en", "PENDING", "UTILITY"),
        ];
        (*cloud.profile.lock().unwrap(), *cloud.commerce.lock().unwrap()) = (json!({}), json!({}));
        let (meta, options) = (Arc::new(meta_cloud(&scratch)), options(&scratch));
        scratch.migrated().await;
        let around = (&clock, &cloud, &receivers, &meta, &options);
        let engine = engine_on(&scratch, Settings::default(), around).await;
        let (organization, key) = tenant(&engine, "1").await;
        let (_, foreign_key) = tenant(&engine, "2").await;
        let router = router(engine.clone(), options.clone());
        Self { engine, clock, cloud, receivers, meta, options, key, foreign_key, organization, router, scratch }
    }

    async fn finish(self, _: bool) {
        let Self { engine, router, scratch, .. } = self;
        drop((engine, router));
        scratch.drop().await;
    }
}

impl House {
    /// Sends a request as it is; its answer is held to the contract.
    pub async fn raw(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let reply = self.unjudged(request).await;
        hold_to_contract(&method, &path, &reply);
        reply
    }

    /// For what is shown as it was sent, in words that only Meta judges.
    pub async fn unjudged(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, json }
    }

    pub async fn with_key(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let request = Request::builder().method(method).uri(format!("/v2{path}")).header("x-api-key", key);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.raw(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.with_key(&self.key, "GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.with_key(&self.key, "POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.with_key(&self.key, "PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.with_key(&self.key, "DELETE", path, None).await
    }

    /// Does everything that is due.
    pub async fn work(&self) {
        engine::workers::drain(&self.engine).await.unwrap();
    }

    pub fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Subscribes an address of the test's to events; returns the endpoint.
    pub async fn endpoint(&self, events: &[&str]) -> Value {
        let body = json!({ "url": "https://hook.example/", "enabledEvents": events });
        self.post("/webhookEndpoints", body).await.good().clone()
    }

    /// What the receivers were told since the last time, each held to the contract's event.
    pub async fn told(&self) -> Vec<Value> {
        self.work().await;
        let parcels = std::mem::take(&mut *self.receivers.parcels.lock().unwrap());
        let bodies: Vec<Value> = parcels.iter().map(|parcel| serde_json::from_slice(&parcel.body).unwrap()).collect();
        for body in &bodies {
            let published = JUDGE.document()["components"]["schemas"]["EventType"]["enum"].as_array();
            if published.is_some_and(|names| names.contains(&body["type"])) {
                JUDGE.named("Event", body).unwrap();
            }
        }
        bodies
    }

    /// A customer writes, as Meta tells it.
    pub async fn hear(&self, wamid: &str, body: &str) {
        let theirs = json!({ "id": wamid, "from": &CUSTOMER[1..], "timestamp": "1790000000", "type": "text", "text": { "body": body } });
        let value = json!({ "contacts": [{ "profile": { "name": "Ayu" } }], "messages": [theirs] });
        let message = Message {
            profile_name: Some("Ayu".into()),
            document: Some(document(&value)),
            ..self.written("100000000000001", wamid, body)
        };
        self.push(Fact::Message(Box::new(message))).await;
    }

    /// A customer writes to a name of ours at the carrier, as the carrier tells it.
    pub async fn hear_by_sms(&self, id: &str, body: &str) {
        let facts = vec![Fact::Message(Box::new(self.written("Brand", id, body)))];
        self.engine.receive("sms", Received { facts, accounts: vec!["sms carrier".into()] }).await.unwrap();
    }

    fn written(&self, sender: &str, id: &str, body: &str) -> Message {
        Message {
            sender: sender.into(),
            provider_id: id.into(),
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            file_first: false,
            from: vec![Address { kind: "phone".into(), value: CUSTOMER.into() }],
            profile_name: None,
            at: self.clock.now(),
            content: Content::Text { body: body.into(), preview: false },
            reply_to: None,
            file: None,
            document: None,
        }
    }

    pub async fn receipt(&self, wamid: &str, status: Status) {
        let mut said = json!({ "id": wamid, "status": status.as_str() });
        if status == Status::Sent {
            said["conversation"] =
                json!({ "id": "c1", "origin": { "type": "marketing" }, "expiration_timestamp": "1790003600" });
            said["pricing"] = json!({ "category": "marketing", "pricing_model": "PMP", "type": "regular" });
        }
        let receipt = Receipt {
            sender: "100000000000001".into(),
            provider_id: wamid.into(),
            message: None,
            status,
            at: self.clock.now(),
            failure: None,
            recipient: Vec::new(),
            document: Some(document(&json!({ "statuses": [said] }))),
        };
        self.push(Fact::Receipt(Box::new(receipt))).await;
    }

    pub async fn push(&self, fact: Fact) {
        let push = Received { facts: vec![fact], accounts: vec!["1".into()] };
        self.engine.receive("fake", push).await.unwrap();
    }
}

pub fn document(value: &Value) -> Document {
    let bytes = json!({ "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": value }] }] });
    Document { format: "meta".into(), bytes: bytes.to_string().into_bytes() }
}

pub fn text(body: &str) -> Value {
    json!({ "from": NUMBER, "to": CUSTOMER, "type": "text", "text": { "body": body } })
}

fn options(scratch: &Scratch) -> Options {
    let links = media::Links::new([7; 32], ORIGIN);
    Options {
        media: dialect_ycloud::Media { blobs: blobs(scratch), links, origin: ORIGIN.into() },
        other_per_hour: 0,
        send_per_second: 1000,
        other_per_second: 1000,
        random: Arc::new(|bytes| bytes.fill(5)),
        contract: CONTRACT,
    }
}

async fn tenant(engine: &Engine, name: &str) -> (Id, String) {
    let organization = engine.perform(organizations::create(engine, name)).await.unwrap().id;
    let key = derive_key([name.as_bytes()[0]; 32]);
    engine.perform(keys::create(engine, organization, "ycloud", "test", &key, false, None)).await.unwrap();
    let new = NewAccount {
        organization,
        provider: "fake".into(),
        external_id: name.into(),
        name: "Shop".into(),
        config: "{}".into(),
        secrets: String::from("{}").into(),
    };
    let account = engine.perform(accounts::put(engine, new)).await.unwrap();
    accounts::connect(engine, &account).await.unwrap();
    (organization, key)
}

type Around<'a> = (&'a Clock, &'a Arc<Cloud>, &'a Arc<Receivers>, &'a Arc<MetaCloud>, &'a Options);

async fn engine_on(
    scratch: &Scratch,
    settings: Settings,
    (clock, cloud, receivers, meta, options): Around<'_>,
) -> Engine {
    let mut providers = carriers(cloud);
    providers.push(meta.clone());
    Engine::new(Parts {
        db: scratch.open().await,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings,
        providers,
        dialects: dialect_ycloud::dialects(options).to_vec(),
        transports: vec![Arc::new(Post(receivers.clone()))],
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

fn blobs(scratch: &Scratch) -> media::Blobs {
    media::Blobs::directory(scratch.dir.path().join("media"), 1 << 20).unwrap()
}

/// The real one, for what Meta pushes; nothing is ever asked of Graph.
fn meta_cloud(scratch: &Scratch) -> MetaCloud {
    net::install_crypto();
    let blobs = blobs(scratch);
    let client = net::plain_client(&net::PlainSettings::default()).unwrap();
    MetaCloud::new(provider_meta_cloud::Options::new(client, blobs))
}

impl House {
    /// The same service with other options.
    pub fn reopen(&mut self, options: Options) {
        self.options = options;
        self.router = router(self.engine.clone(), self.options.clone());
    }

    /// Another process takes over, with other settings.
    pub async fn restart_with(&mut self, settings: Settings) {
        let around = (&self.clock, &self.cloud, &self.receivers, &self.meta, &self.options);
        self.engine = engine_on(&self.scratch, settings, around).await;
        self.router = router(self.engine.clone(), self.options.clone());
    }
}

fn carriers(cloud: &Arc<Cloud>) -> Vec<Arc<dyn Provider>> {
    let mut providers: Vec<Arc<dyn Provider>> = vec![Arc::new(Fake(cloud.clone()))];
    for channel in ["sms", "voice", "email"] {
        providers.push(Arc::new(Carrier { channel, cloud: cloud.clone() }));
    }
    providers
}

impl House {
    /// An account at a carrier, with an address to send from.
    pub async fn open(&self, channel: &'static str, address: &str) {
        let new = NewAccount {
            organization: self.organization,
            provider: channel.into(),
            external_id: format!("{channel} carrier"),
            name: "Carrier".into(),
            config: "{}".into(),
            secrets: String::from("{}").into(),
        };
        let account = self.engine.perform(accounts::put(&self.engine, new)).await.unwrap();
        let (engine, organization) = (self.engine.clone(), self.organization);
        let add = AddSender { engine, organization, account, address: address.into(), name: None };
        self.engine.perform(add).await.unwrap().unwrap();
    }

    /// What a carrier tells of what it took.
    pub async fn report(&self, channel: &str, provider_id: &str, status: Status) {
        let failure = (status == Status::Failed).then(|| Failure {
            code: Code::RecipientUnreachable,
            message: "nobody there".into(),
            provider_code: Some(30003),
            details: None,
        });
        let account = format!("{channel} carrier");
        let fact = Fact::Part(Box::new(PartReceipt {
            account: account.clone(),
            provider_id: provider_id.into(),
            message: None,
            status,
            at: self.clock.now(),
            failure,
        }));
        self.engine.receive(channel, Received { facts: vec![fact], accounts: vec![account] }).await.unwrap();
    }
}

/// Every answer has the contract's shape, or the shape of an error where the contract knows no such status; and every
/// one tells its request's id and how the caller stands.
#[track_caller]
fn hold_to_contract(method: &str, path: &str, reply: &Reply) {
    let path = path.strip_prefix("/v2").unwrap_or(path);
    let id = reply.header("ycloud-request-id");
    assert!(id.len() == 28 && id.starts_with("req_"), "{method} {path}: {id:?}");
    for name in ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"] {
        assert!(reply.header(name).parse::<i64>().is_ok(), "{method} {path}: {name}");
    }
    if reply.status != 200 {
        JUDGE.named("ErrorResponse", &reply.json).unwrap();
        assert_eq!(reply.json["error"]["status"], reply.status, "{method} {path}");
        assert_eq!(reply.json["error"]["requestId"], id);
        return;
    }
    if path == "/openapi.json" {
        return;
    }
    let json = (!reply.bytes.is_empty()).then_some(&reply.json);
    let operation = JUDGE.find(method, path).unwrap_or(Operation { method: method.into(), path: path.into() });
    JUDGE.answer(&operation, 200, json).unwrap();
}
