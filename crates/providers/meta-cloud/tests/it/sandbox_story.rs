//! The provider against the sandbox, which checks as strictly as Meta does and pushes to us.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use bytes::Bytes;
use engine::Engine;
use engine::contacts::Address;
use engine::content::Content;
use engine::failure::Code;
use engine::provider::{Account, Outgoing, Provider, Pushed};
use engine::senders::Sender;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use provider_meta_cloud::graph::Upload;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::ground::{Ground, NOW, put_account};

const CUSTOMER: &str = "+15550199001";
const FILE: &[u8] = b"a short letter";

/// What stands where a server would be: every request goes to the provider.
struct Door {
    ground: Ground,
    engine: Engine,
    news: Notify,
}

async fn handshake(
    State(door): State<Arc<Door>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<String, StatusCode> {
    let answer = door.ground.provider.push().unwrap().handshake(&door.engine, None, &query).await;
    answer.map_err(|_| StatusCode::FORBIDDEN)
}

async fn push(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let push = Pushed { account: None, url: "", header: &header, body };
    let taken = door.ground.provider.push().unwrap().receive(&door.engine, push).await;
    door.news.notify_waiters();
    taken.map_or(StatusCode::BAD_REQUEST, |()| StatusCode::OK)
}

struct World {
    door: Arc<Door>,
    sandbox: sandbox::Handle,
    http: reqwest::Client,
    account: Arc<Account>,
    sender: Sender,
}

impl World {
    async fn new() -> Self {
        let time = sandbox::Source::Fixed(Arc::new(AtomicI64::new(NOW)));
        let options = sandbox::Options { seed: Some(7), time, ..sandbox::Options::default() };
        net::install_crypto();
        let sandbox = sandbox::start(options).await.unwrap();
        let ground = Ground::new(sandbox.graph_url());
        let engine = ground.engine().await;
        let door = Arc::new(Door { ground, engine, news: Notify::new() });
        let address = serve(door.clone()).await;
        let http = net::plain_client(&net::PlainSettings::default()).unwrap();
        let introduction = json!({"id": "p", "base_url": address, "webhook_url": format!("{address}/webhooks/meta")});
        let answer =
            http.post(format!("{}/platforms", sandbox.control_url())).json(&introduction).send().await.unwrap();
        let meta = answer.json::<Value>().await.unwrap()["meta"].take();
        let (account, sender) = connect(&door.engine, &meta).await;
        Self { door, sandbox, http, account, sender }
    }

    async fn customer_writes(&self, mut message: Value) -> String {
        message["to"] = json!(self.sender.address);
        let url = format!("{}/phones/{CUSTOMER}/messages", self.sandbox.control_url());
        let answer = self.http.post(url).json(&message).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Types of what the customer's phone got, oldest first.
    async fn screen(&self) -> Vec<String> {
        let url = format!("{}/phones/{CUSTOMER}/messages", self.sandbox.control_url());
        let screen: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let got = screen["data"].as_array().unwrap().iter().filter(|shown| shown["direction"] == "in");
        got.map(|shown| shown["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The stored message, as soon as it has been pushed.
    async fn received(&self, wamid: &str) -> engine::messages::Message {
        let (engine, sender) = (&self.door.engine, &self.sender);
        let arrival = async {
            loop {
                let news = self.door.news.notified();
                let found = engine.message_by_provider_id(&sender.organization_id, &sender.id, wamid).await.unwrap();
                if let Some(found) = found {
                    return found;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(90), arrival).await.expect("it was never pushed")
    }

    async fn send(&self, content: Value) -> Result<String, engine::failure::SendError> {
        let message = Outgoing {
            id: self.door.engine.new_id(),
            to: Address { kind: "phone".to_owned(), value: CUSTOMER.to_owned() },
            content: Content::parse(&content.to_string()).unwrap(),
            reply_to: None,
            provider_id: None,
        };
        let sent = self.door.ground.provider.send(&self.account, &self.sender, &message).await;
        sent.map(|sent| sent.provider_id)
    }
}

async fn serve(door: Arc<Door>) -> String {
    let router = Router::new().route("/webhooks/meta", get(handshake).post(push)).with_state(door);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn connect(engine: &Engine, meta: &Value) -> (Arc<Account>, Sender) {
    let secrets = json!({"access_token": meta["access_token"], "app_secret": meta["app_secret"], "verify_token": meta["verify_token"]});
    let waba = meta["organizations"][0]["waba_id"].as_str().unwrap();
    let id = put_account(engine, waba, json!({"app_id": meta["app_id"]}), secrets).await;
    let (found, senders) = engine::accounts::connect(engine, &id).await.unwrap();
    assert_eq!(found.remarks, Vec::<String>::new());
    assert!(found.templates.iter().any(|template| template.name == "order_update" && template.variables == ["1", "2"]));
    assert!(senders.len() == 2 && senders.iter().all(|sender| sender.status == "connected"));
    (engine.account(&id).await.unwrap().unwrap(), senders[0].clone())
}

/// Every kind of content that can be sent, with the word for it on the phone.
fn contents(file: &str, quoted: &str) -> Vec<(&'static str, Value)> {
    let native = |name: &str, json: Value| json!({"type": "native", "format": "meta", "name": name, "json": json});
    let values =
        json!([{"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "A-1"}]}]);
    vec![
        ("text", json!({"type": "text", "body": "See https://example.com", "preview": true})),
        (
            "document",
            json!({"type": "media", "kind": "document", "source": {"id": file}, "filename": "letter.txt", "caption": "C"}),
        ),
        (
            "location",
            json!({"type": "location", "latitude": -6.25, "longitude": 106.5, "name": "Here", "address": "There"}),
        ),
        ("contacts", json!({"type": "contacts", "cards": [{"name": "Front desk", "phones": ["+15550199002"]}]})),
        (
            "interactive",
            json!({"type": "buttons", "header": "H", "body": "B", "footer": "F", "buttons": [{"id": "y", "title": "Yes"}]}),
        ),
        (
            "interactive",
            json!({"type": "list", "header": "H", "body": "B", "button": "Open",
            "sections": [{"title": "S", "rows": [{"id": "1", "title": "One", "description": "D"}]}]}),
        ),
        ("template", json!({"type": "template", "name": "hello_world", "language": "en_US"})),
        (
            "template",
            json!({"type": "template", "name": "order_update", "language": "en",
            "components": {"format": "meta", "name": "components", "json": values}}),
        ),
        (
            "interactive",
            native(
                "interactive",
                json!({"type": "cta_url", "body": {"text": "B"},
            "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}}}),
            ),
        ),
        ("reaction", json!({"type": "reaction", "target": quoted, "emoji": "\u{1f44d}"})),
    ]
}

#[tokio::test]
async fn everything_that_can_be_said_is_accepted_and_what_customers_send_arrives() {
    let world = World::new().await;
    let refused = world.send(json!({"type": "template", "name": "no_such", "language": "en"})).await.unwrap_err();
    assert_eq!(refused.failure.code, Code::TemplateMissing);

    let upload = Upload {
        mime: "text/plain".to_owned(),
        filename: "letter.txt".to_owned(),
        size: FILE.len() as u64,
        bytes: stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(FILE))]),
    };
    let graph = world.door.ground.provider.graph(&world.account).unwrap();
    let uploaded = graph.upload_media(&world.sender.external_id, upload).await.unwrap();
    let file = uploaded.id.as_str();

    let wamid = world.customer_writes(json!({"type": "text", "text": {"body": "Gr\u{fc}\u{df}e \u{1f44b}"}})).await;
    let first = world.received(&wamid).await;
    assert_eq!((first.address.as_str(), first.kind.as_str()), (CUSTOMER, "text"));
    let content = Content::parse(&first.content).unwrap();
    assert_eq!(content.text(), Some("Gr\u{fc}\u{df}e \u{1f44b}"));

    for (kind, content) in contents(file, &wamid) {
        let sent = world.send(content.clone()).await.unwrap_or_else(|error| panic!("{content}: {error:?}"));
        assert!(sent.starts_with("wamid."), "{kind}");
    }
    let expected: Vec<_> =
        contents(file, &wamid).into_iter().map(|(kind, _)| kind).filter(|kind| *kind != "reaction").collect();
    assert_eq!(world.screen().await, expected);

    let data = {
        use base64::Engine as _;
        base64::prelude::BASE64_STANDARD.encode(FILE)
    };
    let letter =
        json!({"type": "document", "document": {"data": data, "mime_type": "text/plain", "filename": "letter.txt"}});
    let message = world.received(&world.customer_writes(letter).await).await;
    let media = world.door.engine.media(&message.organization_id, &message.id).await.unwrap().unwrap();
    let source = world.door.ground.provider.media().unwrap();
    let fetched = source.fetch(&world.account, &world.sender, &media).await.unwrap();
    assert_eq!(fetched.sha256, hex::encode(Sha256::digest(FILE)));
    world.sandbox.stop().await;
}
