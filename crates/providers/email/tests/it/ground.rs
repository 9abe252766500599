//! A provider, an account, a sender and mails; and the sandbox's mail server.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use engine::accounts;
use engine::cache::Cache;
use engine::contacts::{Address, EMAIL};
use engine::content::{Content, Email, Mailbox};
use engine::failure::SendError;
use engine::provider::{Account, Outgoing, Provider, Sent};
use engine::senders::Sender;
use engine::wake::Wake;
use engine::{Clock, Engine, Id, Parts, Settings};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use provider_email::{Options, Smtp};
use sandbox_carriers::smtp::{self, Identity};
use sandbox_carriers::{Fault, Handle, Outside, Phone, Target};
use serde_json::{Value, json};
use store::{Db, Ids, Location, SecretKey};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub(crate) const NOW: i64 = 1_795_000_000_000;
pub(crate) const ACCOUNT: &str = "relay";
pub(crate) const FROM: &str = "hello@shop.example";

/// A report on its way to the platform.
pub(crate) struct Brought {
    pub(crate) authorization: String,
    pub(crate) body: Bytes,
}

/// The rest of the sandbox: faults in order, and what is brought to the platform.
struct Around {
    faults: Mutex<VecDeque<Option<Fault>>>,
    brought: mpsc::UnboundedSender<Brought>,
}

impl Outside for Around {
    fn now(&self) -> i64 {
        NOW
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        self.faults.lock().unwrap().pop_front().flatten()
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, _: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let authorization = headers["authorization"].to_str().unwrap().to_owned();
        self.brought.send(Brought { authorization, body }).unwrap();
        Box::pin(async { Ok(200) })
    }
}

/// The sandbox's mail server.
pub(crate) struct MailServer {
    pub(crate) carriers: Handle,
    pub(crate) brought: mpsc::UnboundedReceiver<Brought>,
    pub(crate) certificate_pem: String,
}

impl MailServer {
    pub(crate) async fn start(faults: Vec<Option<Fault>>) -> Self {
        net::install_crypto();
        let (sender, brought) = mpsc::unbounded_channel();
        let identity = Identity::self_signed().unwrap();
        let bounces = smtp::Bounces { url: "http://platform.test".to_owned(), secret: "b0unce".to_owned() };
        let user = smtp::User { name: "user".to_owned(), password: "p4ss".to_owned(), bounces: Some(bounces) };
        let smtp = smtp::Options {
            users: vec![user],
            listen_tls: Some(([127, 0, 0, 1], 0).into()),
            identity: Some(identity.clone()),
            ..smtp::Options::default()
        };
        let options = sandbox_carriers::Options { smtp, ..sandbox_carriers::Options::default() };
        let around = Around { faults: Mutex::new(faults.into()), brought: sender };
        let carriers = sandbox_carriers::start(options, Arc::new(around)).await.unwrap();
        Self { carriers, brought, certificate_pem: identity.certificate_pem }
    }

    /// What an account's config must say to get here under STARTTLS.
    pub(crate) fn config(&self) -> Value {
        config(
            self.carriers.smtp().address().port(),
            &json!({
                "host": "localhost",
                "security": "starttls",
                "username": "user",
                "roots_pem": self.certificate_pem,
            }),
        )
    }
}

/// With a loopback address, no TLS and a short patience, unless `more` says otherwise.
pub(crate) fn config(port: u16, more: &Value) -> Value {
    let mut config = json!({
        "host": "127.0.0.1", "port": port, "security": "none", "timeout_s": 5,
        "return_path": "bounces+{}@mail.example", "from": [FROM],
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

pub(crate) fn secrets() -> Value {
    json!({"password": "p4ss", "webhook_secret": "b0unce"})
}

pub(crate) fn account(config: &Value) -> Account {
    Account {
        id: Id::from_parts(NOW, 1),
        organization_id: Id::from_parts(NOW, 2),
        provider: Smtp::NAME.to_owned(),
        external_id: ACCOUNT.to_owned(),
        name: "Relay".to_owned(),
        config: config.to_string(),
        secrets: secrets().to_string().into(),
        status: accounts::ACTIVE.to_owned(),
    }
}

fn sender() -> Sender {
    Sender {
        id: Id::from_parts(NOW, 3),
        organization_id: Id::from_parts(NOW, 2),
        account_id: Id::from_parts(NOW, 1),
        channel: "email".to_owned(),
        provider: Smtp::NAME.to_owned(),
        external_id: FROM.to_owned(),
        address: FROM.to_owned(),
        name: None,
        status: engine::senders::CONNECTED.to_owned(),
        status_reason: None,
        config: "{}".to_owned(),
        settings: "{}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn email(to: &str) -> Content {
    Content::Email(Box::new(Email {
        from_name: Some("The Shop".to_owned()),
        to: vec![Mailbox { address: to.to_owned(), name: None }],
        cc: Vec::new(),
        reply_to: Vec::new(),
        subject: "Grüße: your code".to_owned(),
        text: Some(".Your code is 123456\n.\n".to_owned()),
        html: Some("<b>123456</b>".to_owned()),
    }))
}

pub(crate) fn provider() -> Smtp {
    net::install_crypto();
    Smtp::new(Options::default())
}

/// Sends the mail with this number.
pub(crate) async fn send(provider: &Smtp, config: &Value, to: &str, number: u64) -> Result<Sent, SendError> {
    let to_address = Address { kind: EMAIL.to_owned(), value: to.to_owned() };
    let id = Id::from_parts(NOW, number);
    let outgoing = Outgoing { id, to: to_address, content: email(to), reply_to: None, provider_id: None };
    provider.send(&account(config), &sender(), &outgoing).await
}

/// An engine that has this provider, on a database of its own.
pub(crate) async fn engine(provider: Arc<Smtp>) -> (Engine, TempDir) {
    let dir = TempDir::new().unwrap();
    let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await.unwrap();
    store::migrate(&db).await.unwrap();
    let engine = Engine::new(Parts {
        db,
        clock: Clock::manual(NOW),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings::default(),
        providers: vec![provider],
        dialects: Vec::new(),
        transports: Vec::new(),
        wake: Wake::default(),
        cache: Cache::default(),
    });
    (engine, dir)
}
