//! The server as part of the whole sandbox: a linked account and a business on the Cloud API write to each other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::sync::Notify;
use wacore::store::InMemoryBackend;
use whatsapp_rust::Jid;
use whatsapp_rust::UploadOptions;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::types::presence::ReceiptType;
use whatsapp_rust::wacore::download::MediaType;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::house::{Guest, text, words};

/// Not among the numbers that Meta gives to businesses here.
const ANA: &str = "+15550188001";
const BEN: &str = "+15550188002";
/// It only ends a story that hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// A platform that notes what Meta's stand-in tells it.
#[derive(Clone, Default)]
struct Platform(Arc<(Mutex<Vec<Value>>, Notify)>);

impl Platform {
    async fn open(&self) -> String {
        let note = async |State(platform): State<Platform>, body: axum::Json<Value>| {
            platform.0.0.lock().unwrap().push(body.0["entry"][0]["changes"][0]["value"].clone());
            platform.0.1.notify_waiters();
        };
        let challenge =
            async |query: axum::extract::Query<Value>| query.0["hub.challenge"].as_str().unwrap_or_default().to_owned();
        let routes = Router::new().route("/webhooks/meta", post(note).get(challenge)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        url
    }

    /// The next thing told that fits, e.g. a message or a status.
    async fn told(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            loop {
                let news = self.0.1.notified();
                if let Some(found) = self.0.0.lock().unwrap().iter().find(|value| wanted(value)).cloned() {
                    return found;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(found) => found,
            Err(_) => panic!("{what} was not told: {:#?}", self.0.0.lock().unwrap()),
        }
    }
}

/// The whole sandbox with a business in it.
struct Town {
    sandbox: sandbox::Handle,
    platform: Platform,
    http: reqwest::Client,
    meta: Value,
    /// Where clients connect, and whom they trust.
    web: Value,
}

impl Town {
    #[expect(clippy::disallowed_methods, reason = "a test's own calls need no vetting")]
    async fn open() -> Self {
        net::install_crypto();
        let platform = Platform::default();
        let url = platform.open().await;
        let sandbox = sandbox::start(sandbox::Options::default()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut town = Self { sandbox, platform, http, meta: Value::Null, web: Value::Null };
        let body = json!({"id": "town", "base_url": url, "webhook_url": format!("{url}/webhooks/meta")});
        let told = town.control("POST", "/platforms", body).await;
        town.meta = told["meta"].clone();
        town.web = told["web"].clone();
        let waba = town.organization()["waba_id"].as_str().unwrap().to_owned();
        town.graph(&format!("/{waba}/subscribed_apps"), json!({})).await;
        town
    }

    fn organization(&self) -> &Value {
        &self.meta["organizations"][0]
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let (status, body): (_, Value) = (answer.status(), answer.json().await.unwrap());
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.sandbox.control_url());
        self.call(self.http.request(method.parse().unwrap(), url).json(&body)).await
    }

    async fn graph(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/v23.0{path}", self.meta["graph_url"].as_str().unwrap());
        self.call(self.http.post(url).bearer_auth(self.meta["access_token"].as_str().unwrap()).json(&body)).await
    }

    /// The business does something with messages.
    async fn business(&self, mut body: Value) -> Value {
        body["messaging_product"] = "whatsapp".into();
        let number = self.organization()["phone_numbers"][0]["id"].as_str().unwrap();
        self.graph(&format!("/{number}/messages"), body).await
    }

    /// What a phone shows, once `wanted` holds of one of its messages.
    async fn sees(&self, phone: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            loop {
                let shown = self.control("GET", &format!("/phones/{phone}/messages"), json!({})).await;
                if let Some(found) = shown["data"].as_array().unwrap().iter().find(|it| wanted(it)) {
                    return found.clone();
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("{phone} does not show it"))
    }

    /// A new client, or one that comes back with what it kept.
    async fn guest(&self, kept: Option<Arc<InMemoryBackend>>) -> Guest {
        let pem = self.web["certificate"].as_str().unwrap();
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let certificate = BASE64_STANDARD.decode(lines.collect::<String>()).unwrap();
        Guest::at(self.web["server_url"].as_str().unwrap(), &certificate, kept.unwrap_or_default()).await
    }

    async fn fault(&self, mut fault: Value) {
        fault["target"] = "web".into();
        self.control("POST", "/faults", fault).await;
    }

    async fn linked(&self, phone: &str) -> Guest {
        let mut guest = self.guest(None).await;
        let qr = guest.qr().await;
        let linked = self.control("POST", &format!("/phones/{phone}/link"), json!({"qr": qr})).await;
        assert_eq!(linked["linked"], true);
        guest.ready().await;
        guest
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_linked_account_and_a_business_on_the_cloud_api_write_to_each_other() {
    let town = Town::open().await;
    let mut ana = town.linked(ANA).await;
    let business = town.organization()["phone_numbers"][0]["display_phone_number"].as_str().unwrap();
    let business = Jid::pn(business.trim_start_matches('+'));

    let sent = ana.client.send_message(business, words("hello")).await.unwrap();
    let told = town.platform.told("a message", |value| value["messages"][0]["text"]["body"] == "hello").await;
    let message = &told["messages"][0];
    assert_eq!(message["from"], ANA.trim_start_matches('+'));
    let hello = message["id"].as_str().unwrap();
    town.business(json!({"status": "read", "message_id": hello})).await;
    ana.event("blue ticks", |event| match event {
        Event::Receipt(it) if it.r#type == ReceiptType::Read && it.message_ids.contains(&sent.message_id) => Some(()),
        _ => None,
    })
    .await;

    let reply = json!({"to": ANA, "type": "text", "text": {"body": "and to you"}, "context": {"message_id": hello}});
    let reply = town.business(reply).await["messages"][0]["id"].as_str().unwrap().to_owned();
    let (message, info) = ana.message().await;
    assert_eq!(text(&message), "and to you");
    let quoted = message.extended_text_message.context_info.stanza_id.clone();
    assert_eq!(quoted.as_deref(), Some(&*sent.message_id), "the reply quotes the message by its own id");
    ana.client.mark_as_read(&info.source.chat, Some(&info.source.sender), &[&info.id]).await.unwrap();
    let read = |value: &Value| value["statuses"][0]["id"] == reply && value["statuses"][0]["status"] == "read";
    town.platform.told("the read status", read).await;

    let key = wa::MessageKey {
        remote_jid: Some(info.source.chat.to_string()),
        from_me: Some(false),
        id: Some(info.id.to_string()),
        participant: None,
    };
    ana.client.send_reaction(&info.source.chat, key, "🎉").await.unwrap();
    let told = town.platform.told("a reaction", |value| value["messages"][0]["type"] == "reaction").await;
    assert_eq!(told["messages"][0]["reaction"], json!({"message_id": reply, "emoji": "🎉"}));

    // The phone itself shows each message once.
    let shown = town.control("GET", &format!("/phones/{ANA}/messages"), json!({})).await;
    let shown: Vec<_> = shown["data"].as_array().unwrap().iter().map(|it| it["text"]["body"].clone()).collect();
    assert_eq!(shown, ["hello", "and to you"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_linked_account_does_shows_on_the_others_phone() {
    let town = Town::open().await;
    let mut ana = town.linked(ANA).await;
    let ben = Jid::pn(BEN.trim_start_matches('+'));
    let sent = ana.client.send_message(&ben, words("frist")).await.unwrap();
    town.sees(BEN, |it| it["id"] == *sent.message_id && it["text"]["body"] == "frist").await;
    ana.client.edit_message(&ben, &*sent.message_id, words("first")).await.unwrap();
    town.sees(BEN, |it| it["edited"] == true && it["text"]["body"] == "first").await;
    // The account's own phone shows what its device wrote, with the ticks.
    let own = town.sees(ANA, |it| it["id"] == *sent.message_id && it["status"] == "delivered").await;
    assert_eq!((&own["direction"], &own["to"]), (&json!("out"), &json!(BEN)));

    let poll = json!({"to": ANA, "type": "poll", "poll": {"name": "Where?", "options": ["here", "there"]}});
    town.control("POST", &format!("/phones/{BEN}/messages"), poll).await;
    let (poll, info) = ana.message().await;
    let secret = poll.message_context_info.message_secret.clone().unwrap();
    let (chat, choice) = (&info.source.chat, ["there".to_owned()]);
    ana.client.polls().vote(chat, &info.id, &info.source.sender, &secret, &choice).await.unwrap();
    let vote = town.sees(BEN, |it| it["type"] == "poll_vote").await;
    assert_eq!(vote["poll_vote"], json!({"poll_id": info.id, "options": ["there"]}));
    let stats = town.control("GET", "/stats", json!({})).await;
    assert_eq!(stats["web"]["sockets"][ANA], 1);
    town.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_asked_for_by_http() {
    let town = Town::open().await;
    let mut ana = town.linked(ANA).await;
    let ben = Jid::pn(BEN.trim_start_matches('+'));
    let say = async |text: &str| {
        let body = json!({"to": ANA, "type": "text", "text": {"body": text}});
        town.control("POST", &format!("/phones/{BEN}/messages"), body).await;
    };
    for break_up in [json!({"kind": "drop", "phone": ANA}), json!({"kind": "code", "code": 503})] {
        town.fault(break_up).await;
        ana.connected().await;
    }
    for (fault, first) in [
        (json!({"kind": "duplicate"}), "one"),
        (json!({"kind": "delay", "delay_ms": 5}), "one"),
        (json!({"kind": "reorder"}), "two"),
    ] {
        town.fault(fault).await;
        say("one").await;
        say("two").await;
        let mut came = [ana.text().await, ana.text().await];
        assert_eq!(came[0], first);
        came.sort();
        assert_eq!(came, ["one", "two"], "each is shown once");
    }
    town.fault(json!({"kind": "code", "code": 479, "path": "/messages"})).await;
    let refused = ana.client.send_message(&ben, words("refused")).await.unwrap();
    ana.event("the refusal", |event| match event {
        Event::ServerAck(ack) if ack.id == refused.message_id => {
            ack.error.as_ref().filter(|it| **it == *"479").map(drop)
        }
        _ => None,
    })
    .await;
    town.fault(json!({"kind": "lost-ack"})).await;
    let taken = ana.client.send_message(&ben, words("taken")).await.unwrap();
    town.sees(BEN, |it| it["id"] == *taken.message_id).await;
    let shown = town.control("GET", &format!("/phones/{BEN}/messages"), json!({})).await.to_string();
    assert!(!shown.contains(&*refused.message_id), "{shown}");

    town.fault(json!({"kind": "status", "status": 410, "path": "/media", "times": 1000})).await;
    let upload = async || ana.client.upload(b"x".to_vec(), MediaType::Image, UploadOptions::new()).await;
    assert!(upload().await.is_err());
    assert!(town.control("DELETE", "/faults", json!({})).await["cleared"].as_u64().unwrap() >= 1);
    assert!(upload().await.is_ok());

    // A connection that went silent takes nothing; what was sent into it comes to the next one.
    town.fault(json!({"kind": "timeout"})).await;
    say("into the void").await;
    // Two of one account would end each other's connections and take each other's faults: one goes before the next comes.
    let backend = ana.stop().await;
    let mut ana = town.guest(Some(backend)).await;
    assert_eq!(ana.text().await, "into the void");
    town.fault(json!({"kind": "conflict"})).await;
    ana.event("the end of the stream", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
    let backend = ana.stop().await;
    town.fault(json!({"kind": "status", "status": 401})).await;
    let mut ana = town.guest(Some(backend)).await;
    ana.event("the end of the link", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
}
