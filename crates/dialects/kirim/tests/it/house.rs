//! A whole service for one test.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use dialect_kirim::{Options, derive_key, dialect, router};
use engine::accounts::{self, NewAccount};
use engine::contacts::Address;
use engine::content::Content;
use engine::events::Document;
use engine::facts::{Fact, File, Message, Receipt, TemplateState};
use engine::messages::Status;
use engine::receive::Received;
use engine::{Clock, Engine, Id, Parts, Settings, keys, organizations};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::{Db, Ids, Location, SecretKey};
use testkit::cloud::{Cloud, Fake, Post, Receivers, template};
use testkit::{ContractCheck, Operation};
use tower::ServiceExt;

pub static CONTRACT: &[u8] = include_bytes!("../../../../../contracts/kirim.json");
pub static JUDGE: LazyLock<ContractCheck> = LazyLock::new(|| ContractCheck::read(CONTRACT));

pub const START: i64 = 1_790_000_000_000;
pub const NUMBER: &str = "100000000000001";
pub const SECOND_NUMBER: &str = "100000000000002";
pub const FOREIGN_NUMBER: &str = "100000000000003";
pub const CUSTOMER: &str = "+6281234567890";

pub struct House {
    _dir: tempfile::TempDir,
    pub engine: Engine,
    pub clock: Clock,
    pub cloud: Arc<Cloud>,
    pub receivers: Arc<Receivers>,
    pub organization: Id,
    pub key: String,
    pub foreign_key: String,
    router: Router,
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

    pub fn param(&self) -> &str {
        self.json["error"]["param"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The data of an answer that must be a success.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.json);
        &self.json["data"]
    }

    #[track_caller]
    pub fn id(&self) -> String {
        self.data()["id"].as_str().unwrap().to_owned()
    }
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl Fn(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&Location::Sqlite(dir.path().join("test.db"))).await.unwrap();
        store::migrate(&db).await.unwrap();
        let (cloud, receivers, clock) =
            (Arc::new(Cloud::default()), Arc::new(Receivers::default()), Clock::manual(START));
        *cloud.templates.lock().unwrap() = templates();
        let mut options = options();
        change(&mut options);
        let engine = Engine::new(Parts {
            db,
            clock: clock.clone(),
            ids: Arc::new(Ids::seeded(7)),
            key: SecretKey::new([7; 32]),
            settings: Settings::default(),
            providers: vec![Arc::new(Fake(cloud.clone()))],
            dialects: vec![dialect(&options)],
            transports: vec![Arc::new(Post(receivers.clone()))],
            wake: engine::wake::Wake::default(),
            cache: engine::cache::Cache::default(),
        });
        let (organization, key) = tenant(&engine, "1").await;
        let (_, foreign_key) = tenant(&engine, "2").await;
        let router = router(engine.clone(), options);
        Self { _dir: dir, engine, clock, cloud, receivers, organization, key, foreign_key, router }
    }

    /// Sends a request as it is.
    pub async fn raw(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, json };
        hold_to_contract(&method, &path, &reply);
        reply
    }

    pub async fn with_key(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.ask(key, method, path, body, &[]).await
    }

    pub async fn ask(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/v1{path}"));
        request = request.header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.raw(request.body(body).unwrap()).await
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

    pub async fn send_text(&self, body: &str) -> Reply {
        self.post(&format!("/{NUMBER}/messages"), text(body)).await
    }

    /// Does everything that is due.
    pub async fn work(&self) {
        engine::workers::drain(&self.engine).await.unwrap();
    }

    pub fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A customer writes.
    pub async fn hear(&self, wamid: &str, content: Content) {
        let file = content.media().map(|_| File { external_id: "f".into(), mime: "image/png".into(), filename: None });
        let document = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
            "value": { "messages": [{ "id": wamid, "n": 1 }] } }] }] });
        let message = Message {
            sender: NUMBER.into(),
            provider_id: wamid.into(),
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            file_first: false,
            from: vec![Address { kind: "phone".into(), value: CUSTOMER.into() }],
            profile_name: Some("Ayu".into()),
            at: self.clock.now(),
            content,
            reply_to: None,
            file,
            document: Some(Document { format: "meta".into(), bytes: document.to_string().into_bytes() }),
        };
        self.push(Fact::Message(Box::new(message))).await;
    }

    pub async fn receipt(&self, wamid: &str, status: Status) {
        let document = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
            "value": { "statuses": [{ "id": wamid, "status": status.as_str() }] } }] }] });
        let receipt = Receipt {
            sender: NUMBER.into(),
            provider_id: wamid.into(),
            message: None,
            status,
            at: self.clock.now(),
            failure: None,
            recipient: Vec::new(),
            document: Some(Document { format: "meta".into(), bytes: document.to_string().into_bytes() }),
        };
        self.push(Fact::Receipt(Box::new(receipt))).await;
    }

    async fn push(&self, fact: Fact) {
        let push = Received { facts: vec![fact], accounts: vec!["1".into()] };
        self.engine.receive("fake", push).await.unwrap();
    }

    /// How much there is of everything that a caller of ours can make.
    pub async fn stock(&self) -> Vec<usize> {
        let (engine, organization) = (&self.engine, &self.organization);
        let mut reader = engine.db.reader().await.unwrap();
        let (first, last) = (Id::floor(0), Id::floor((1 << 48) - 1));
        let mut stock = vec![
            store::events::between(&mut reader, organization, &first, &last, 1000).await.unwrap().len(),
            engine.labels(organization, None, 1000).await.unwrap().len(),
            engine.subscriptions(organization, "kirim", None, None, 1000).await.unwrap().len(),
            engine.deliveries(organization, "kirim", &Default::default(), 1000).await.unwrap().len(),
        ];
        for (_, secrets) in engine.subscriptions(organization, "kirim", None, None, 1000).await.unwrap() {
            stock.push(secrets.len());
        }
        for number in [NUMBER, SECOND_NUMBER] {
            let sender = engine.sender(organization, number).await.unwrap().unwrap().id;
            stock.push(engine.messages(organization, &sender, &Default::default(), 1000).await.unwrap().len());
            stock.push(engine.contacts(organization, &sender, &Default::default(), 1000).await.unwrap().len());
            stock.push(engine.conversations(organization, &sender, &Default::default(), 1000).await.unwrap().len());
        }
        stock
    }
}

pub fn text(body: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "text", "text": { "body": body } })
}

pub fn heard(body: &str) -> Content {
    Content::Text { body: body.into(), preview: false }
}

/// One in each state, and one that is approved in English alone.
fn templates() -> Vec<TemplateState> {
    let named = |status: &str| template(&format!("about_{}", status.to_lowercase()), "en", status, "UTILITY");
    let mut all = ["APPROVED", "PENDING", "IN_APPEAL", "REJECTED", "PAUSED"].map(named).to_vec();
    all.push(template("about_approved", "id", "PENDING", "UTILITY"));
    all
}

fn options() -> Options {
    Options {
        read_per_minute: 100_000,
        write_per_minute: 100_000,
        tier: "free".into(),
        kirim_block: true,
        media_links: Arc::new(|message, until| format!("https://files.example.com/{message}?until={until}")),
        random: Arc::new(|bytes| bytes.fill(5)),
        contract: CONTRACT,
    }
}

async fn tenant(engine: &Engine, name: &str) -> (Id, String) {
    let organization = engine.perform(organizations::create(engine, name)).await.unwrap().id;
    let key = derive_key([name.as_bytes()[0]; 32]);
    engine.perform(keys::create(engine, organization, "kirim", "test", &key, false, None)).await.unwrap();
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

/// Every answer has the contract's shape, or the shape of an error where the contract knows no such
/// status; and every one tells its request's id and how the caller stands.
#[track_caller]
fn hold_to_contract(method: &str, path: &str, reply: &Reply) {
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let id = reply.header("x-request-id");
    assert!(id.len() == 30 && id.starts_with("req_"), "{method} {path}: {id:?}");
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(reply.header(name).parse::<i64>().is_ok(), "{method} {path}: {name}");
    }
    let told = reply.json.get("request_id").or(reply.json.pointer("/error/request_id"));
    if let Some(told) = told.and_then(Value::as_str) {
        assert_eq!(told, id, "{method} {path}");
    }
    let json = (!reply.json.is_null()).then_some(&reply.json);
    let operation = JUDGE.find(method, path).unwrap_or(Operation { method: method.into(), path: path.into() });
    let judged = match reply.status {
        405 | 409 | 413 | 415 | 422 | 502 | 503 | 404 if JUDGE.answer(&operation, reply.status, json).is_err() => {
            JUDGE.named("ApiErrorEnvelope", &reply.json)
        }
        304 => Ok(()),
        200 if path == "/openapi.json" => Ok(()),
        status => JUDGE.answer(&operation, status, json),
    };
    if let Err(why) = judged {
        panic!("{why}");
    }
}
