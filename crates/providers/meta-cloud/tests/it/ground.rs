//! A provider, an account and a sender; and an engine where one is needed.

use std::sync::Arc;
use std::time::Duration;

use engine::accounts::{self, NewAccount};
use engine::contacts::Address;
use engine::content::Content;
use engine::provider::{Account, Outgoing};
use engine::senders::Sender;
use engine::{Clock, Engine, Id, Parts, Settings};
use provider_meta_cloud::{MetaCloud, Options};
use serde_json::{Value, json};
use store::{Db, Ids, Location, SecretKey};
use tempfile::TempDir;
use url::Url;

pub(crate) const NOW: i64 = 1_795_000_000_000;
pub(crate) const WABA: &str = "102290129340398";
pub(crate) const PHONE: &str = "106540352242922";
pub(crate) const TOKEN: &str = "EAAtoken";
pub(crate) const APP_SECRET: &str = "app-s3cr3t";
pub(crate) const VERIFY_TOKEN: &str = "v3rify";

pub(crate) struct Ground {
    pub(crate) provider: Arc<MetaCloud>,
    pub(crate) blobs: media::Blobs,
    pub(crate) dir: TempDir,
}

impl Ground {
    pub(crate) fn new(graph_url: &str) -> Self {
        Self::with(graph_url, Duration::from_secs(20))
    }

    pub(crate) fn with(graph_url: &str, timeout: Duration) -> Self {
        net::install_crypto();
        let dir = TempDir::new().unwrap();
        let blobs = media::Blobs::directory(dir.path().join("media"), 1 << 20).unwrap();
        let client = net::plain_client(&net::PlainSettings::default()).unwrap();
        let provider = MetaCloud::new(Options {
            graph_url: Url::parse(graph_url).unwrap(),
            timeout,
            media_max_bytes: 1000,
            ..Options::new(client, blobs.clone())
        });
        Self { provider: Arc::new(provider), blobs, dir }
    }

    /// An engine that has this provider, on a database of its own.
    pub(crate) async fn engine(&self) -> Engine {
        let db = Db::open(&Location::Sqlite(self.dir.path().join("db"))).await.unwrap();
        store::migrate(&db).await.unwrap();
        Engine::new(Parts {
            db,
            clock: Clock::manual(NOW),
            ids: Arc::new(Ids::seeded(7)),
            key: SecretKey::new([7; 32]),
            settings: Settings::default(),
            providers: vec![self.provider.clone()],
            dialects: Vec::new(),
            transports: Vec::new(),
            wake: engine::wake::Wake::default(),
            cache: engine::cache::Cache::default(),
        })
    }
}

pub(crate) fn secrets(app_secret: &str, verify_token: &str) -> Value {
    json!({"access_token": TOKEN, "app_secret": app_secret, "verify_token": verify_token})
}

pub(crate) fn account() -> Account {
    Account {
        id: Id::from_parts(NOW, 1),
        organization_id: Id::from_parts(NOW, 2),
        provider: MetaCloud::NAME.to_owned(),
        external_id: WABA.to_owned(),
        name: "Main".to_owned(),
        config: json!({"app_id": "1"}).to_string(),
        secrets: secrets(APP_SECRET, VERIFY_TOKEN).to_string().into(),
        status: accounts::ACTIVE.to_owned(),
    }
}

pub(crate) fn sender() -> Sender {
    Sender {
        id: Id::from_parts(NOW, 3),
        organization_id: Id::from_parts(NOW, 2),
        account_id: Id::from_parts(NOW, 1),
        channel: "whatsapp".to_owned(),
        provider: MetaCloud::NAME.to_owned(),
        external_id: PHONE.to_owned(),
        address: "+15550100001".to_owned(),
        name: None,
        status: engine::senders::CONNECTED.to_owned(),
        status_reason: None,
        config: "{}".to_owned(),
        settings: "{}".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn outgoing(content: Content) -> Outgoing {
    let to = Address { kind: "phone".to_owned(), value: "+15550199001".to_owned() };
    Outgoing { id: Id::from_parts(NOW, 4), to, content, reply_to: None, provider_id: None }
}

pub(crate) fn text(body: &str) -> Content {
    Content::Text { body: body.to_owned(), preview: false }
}

/// An organization with one account.
pub(crate) async fn put_account(engine: &Engine, waba: &str, config: Value, secrets: Value) -> Id {
    let organization = engine.perform(engine::organizations::create(engine, waba)).await.unwrap();
    let new = NewAccount {
        organization: organization.id,
        provider: MetaCloud::NAME.to_owned(),
        external_id: waba.to_owned(),
        name: waba.to_owned(),
        config: config.to_string(),
        secrets: secrets.to_string().into(),
    };
    engine.perform(accounts::put(engine, new)).await.unwrap()
}
