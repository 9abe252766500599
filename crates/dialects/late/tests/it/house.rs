//! A whole service for one test.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use dialect_late::{Options, derive_key, router};
use engine::accounts::{self, NewAccount};
use engine::contacts::Address;
use engine::content::Content;
use engine::facts::{Fact, Message, Receipt, SenderChange};
use engine::messages::Status;
use engine::receive::Received;
use engine::{Clock, Engine, Id, Parts, Settings, keys, organizations};
use http_body_util::BodyExt;
use provider_meta_cloud::MetaCloud;
use serde_json::{Value, json};
use store::{Ids, SecretKey};
use testkit::cloud::{Cloud, Fake, Post, Receivers, template};
use testkit::{ContractCheck, Fixture, Kind, Operation, Scratch};
use tower::ServiceExt;

pub static CONTRACT: &[u8] = include_bytes!("../../../../../contracts/late.json");
/// Neither of its branches demands anything, so every answer is both: it is read as either.
const PURCHASE: &str =
    "/paths/~1v1~1whatsapp~1phone-numbers~1purchase/post/responses/200/content/application~1json/schema";
pub static JUDGE: LazyLock<ContractCheck> = LazyLock::new(|| {
    let mut contract: Value = serde_json::from_slice(CONTRACT).unwrap();
    let schema = contract.pointer_mut(PURCHASE).unwrap();
    *schema = json!({ "anyOf": schema["oneOf"] });
    ContractCheck::read(contract.to_string().as_bytes())
});

pub const START: i64 = 1_790_000_000_000;
pub const CUSTOMER: &str = "+6281234567890";

pub struct House {
    pub engine: Engine,
    pub clock: Clock,
    pub cloud: Arc<Cloud>,
    pub options: Options,
    pub key: String,
    pub foreign_key: String,
    /// Ids of accounts: two of ours, one of somebody else's.
    pub account: String,
    pub second_account: String,
    pub foreign_account: String,
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
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
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

    /// Every refusal is flat, and its `error` is a text.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, param: &str) {
        assert!(self.json["error"].is_string() && self.json["type"].is_string(), "{}", self.json);
        assert_eq!((self.status, self.text("code"), self.text("param")), (status, code, param), "{}", self.json);
    }
}

impl Fixture for House {
    async fn set_up(kind: Kind) -> Self {
        let scratch = Scratch::new(kind).await;
        let (cloud, receivers) = (Arc::new(Cloud::default()), Arc::new(Receivers::default()));
        *cloud.templates.lock().unwrap() = vec![
            template("welcome", "en", "APPROVED", "MARKETING"),
            template("welcome", "id", "APPROVED", "MARKETING"),
            template("waiting", "en", "PENDING", "UTILITY"),
        ];
        *cloud.profile.lock().unwrap() = json!({});
        let meta = Arc::new(meta_cloud(&scratch));
        let _ = cloud.fills_like.set(meta.clone());
        scratch.migrated().await;
        let (clock, options) = (Clock::manual(START), options());
        let engine = engine_on(&scratch, (&clock, &cloud, &receivers, &meta, &options)).await;
        let (organization, key, accounts) = tenant(&engine, "1").await;
        let (_, foreign_key, foreign_accounts) = tenant(&engine, "2").await;
        let router = router(engine.clone(), options.clone());
        let [account, second_account] = [accounts[0].clone(), accounts[1].clone()];
        let foreign_account = foreign_accounts[0].clone();
        Self {
            engine,
            clock,
            cloud,
            options,
            key,
            foreign_key,
            account,
            second_account,
            foreign_account,
            organization,
            router,
            scratch,
        }
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
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, json };
        hold_to_contract(&method, &path, &reply);
        reply
    }

    /// As clients do it: with a content type even where there is no body.
    pub async fn with_key(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let request = Request::builder().method(method).uri(format!("/v1{path}"));
        let request = request.header("authorization", format!("Bearer {key}"));
        let request = request.header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.raw(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.with_key(&self.key, "GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.with_key(&self.key, "POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.with_key(&self.key, "PUT", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.with_key(&self.key, "PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str, body: Option<Value>) -> Reply {
        self.with_key(&self.key, "DELETE", path, body).await
    }

    /// The same with `accountId` in the query.
    pub async fn of_account(&self, path: &str) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        self.get(&format!("{path}{mark}accountId={}", self.account)).await
    }

    /// Adds a contact; returns its id.
    pub async fn contact(&self, phone: &str, name: &str, more: Value) -> String {
        let mut body = json!({ "accountId": self.account, "phone": phone, "name": name });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.post("/whatsapp/contacts", body).await.good()["contact"]["id"].as_str().unwrap().to_owned()
    }

    /// Does everything that is due.
    pub async fn work(&self) {
        engine::workers::drain(&self.engine).await.unwrap();
    }

    /// The same for some seconds.
    pub async fn work_a_while(&self) {
        for _ in 0..10 {
            self.work().await;
            self.later(Duration::from_secs(1));
        }
    }

    /// A request that waits for work to be done, and that work.
    pub async fn worked<T>(&self, request: impl Future<Output = T>) -> T {
        tokio::pin!(request);
        loop {
            tokio::select! {
                biased;
                answer = &mut request => return answer,
                () = self.work() => {
                    tokio::task::yield_now().await;
                    self.later(Duration::from_millis(10));
                }
            }
        }
    }

    /// Serves it on a port of its own; returns where, and what ends it.
    pub async fn serve(&self) -> (String, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, router) = (listener.local_addr().unwrap(), self.router.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (format!("http://{address}"), serving)
    }

    pub fn later(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub async fn hear(&self, wamid: &str, body: &str) {
        self.hear_from(wamid, vec![Address { kind: "phone".into(), value: CUSTOMER.into() }], body).await;
    }

    pub async fn hear_from(&self, wamid: &str, from: Vec<Address>, body: &str) {
        let message = Message {
            sender: "100000000000001".into(),
            provider_id: wamid.into(),
            chat: String::new(),
            author: String::new(),
            own: false,
            late: false,
            file_first: false,
            from,
            profile_name: Some("Ayu".into()),
            at: self.clock.now(),
            content: Content::Text { body: body.into(), preview: false },
            reply_to: None,
            file: None,
            document: None,
        };
        self.push(Fact::Message(Box::new(message))).await;
    }

    pub async fn receipt(&self, wamid: &str, status: Status) {
        let receipt = Receipt {
            sender: "100000000000001".into(),
            provider_id: wamid.into(),
            message: None,
            status,
            at: self.clock.now(),
            failure: None,
            recipient: Vec::new(),
            document: None,
        };
        self.push(Fact::Receipt(Box::new(receipt))).await;
    }

    /// Our first number changes its state.
    pub async fn stand(&self, status: &str) {
        let change = SenderChange {
            account: "1".into(),
            sender: "100000000000001".into(),
            status: Some(status.into()),
            reason: None,
            what: "status".into(),
            document: None,
        };
        self.push(Fact::Sender(change)).await;
    }

    pub async fn push(&self, fact: Fact) {
        let push = Received { facts: vec![fact], accounts: vec!["1".into()] };
        self.engine.receive("fake", push).await.unwrap();
    }

    /// The same service with other options.
    pub fn reopen(&mut self, options: Options) {
        self.options = options;
        self.router = router(self.engine.clone(), self.options.clone());
    }
}

fn options() -> Options {
    Options {
        requests_per_minute: 60_000,
        webhooks: dialect_late::Webhooks::default(),
        preverified: false,
        media_links: Arc::new(|id, _| format!("https://late.example/media/{}", id.hex24())),
        random: Arc::new(|bytes| bytes.fill(5)),
        contract: CONTRACT,
    }
}

async fn tenant(engine: &Engine, name: &str) -> (Id, String, Vec<String>) {
    let organization = engine.perform(organizations::create(engine, name)).await.unwrap().id;
    let key = derive_key([name.as_bytes()[0]; 32]);
    engine.perform(keys::create(engine, organization, "late", "test", &key, false, None)).await.unwrap();
    let new = NewAccount {
        organization,
        provider: "fake".into(),
        external_id: name.into(),
        name: "Shop".into(),
        config: "{}".into(),
        secrets: String::from("{}").into(),
    };
    let account = engine.perform(accounts::put(engine, new)).await.unwrap();
    let (_, senders) = accounts::connect(engine, &account).await.unwrap();
    (organization, key, senders.iter().map(|sender| sender.id.hex24()).collect())
}

type Around<'a> = (&'a Clock, &'a Arc<Cloud>, &'a Arc<Receivers>, &'a Arc<MetaCloud>, &'a Options);

async fn engine_on(scratch: &Scratch, (clock, cloud, receivers, meta, options): Around<'_>) -> Engine {
    Engine::new(Parts {
        db: scratch.open().await,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings::default(),
        providers: vec![Arc::new(Fake(cloud.clone())), meta.clone()],
        dialects: vec![dialect_late::dialect(options)],
        transports: vec![Arc::new(Post(receivers.clone()))],
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

/// The real one, for its words; nothing is ever asked of Graph.
fn meta_cloud(scratch: &Scratch) -> MetaCloud {
    net::install_crypto();
    let blobs = media::Blobs::directory(scratch.dir.path().join("media"), 1 << 20).unwrap();
    let client = net::plain_client(&net::PlainSettings::default()).unwrap();
    MetaCloud::new(provider_meta_cloud::Options::new(client, blobs))
}

#[track_caller]
fn hold_to_contract(method: &str, path: &str, reply: &Reply) {
    assert!(!reply.header("x-request-id").is_empty(), "{method} {path}");
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
        assert!(reply.header(name).parse::<i64>().is_ok(), "{method} {path}: {name}");
    }
    if reply.status != 200 {
        assert!(reply.json["error"].is_string(), "{method} {path}: {}", reply.json);
    } else if let Some(operation) = JUDGE.operations().into_iter().find(|it| it.method == method && leads(it, path)) {
        JUDGE.answer(&operation, 200, Some(&reply.json)).unwrap_or_else(|why| panic!("{method} {path}: {why}"));
    }
}

/// Names in a path lead to where nothing better does.
fn leads(operation: &Operation, path: &str) -> bool {
    let path = path.strip_prefix("/api").unwrap_or(path);
    let literal = ["bulk", "import", "available", "preverified", "purchase", "openapi.json"];
    let (ours, theirs) = (operation.path.split('/'), path.split('/'));
    let fits = |(ours, theirs): (&str, &str)| ours == theirs || (ours.starts_with('{') && !literal.contains(&theirs));
    ours.clone().count() == theirs.clone().count() && ours.zip(theirs).all(fits)
}
