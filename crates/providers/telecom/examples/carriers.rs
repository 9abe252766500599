//! A platform with nothing but carriers, and their stand-ins: for tests that treat both as strangers would, with the
//! carriers' own libraries (`tests/blackbox/test_carriers_http.py`).
//!
//! Prints one line of JSON that says where everything is, and runs until its standard input ends:
//! `{"platform", "carriers", "accounts": {"twilio": {"external_id", "config", "secrets"}, …}, "numbers": {"twilio": "+1…", …}}`.
//! Callbacks of the stand-ins go wherever they were asked to go; the platform's door is `/webhooks/{provider}/{account}`,
//! and `GET /messages` tells what it knows.

use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::accounts::{self, NewAccount};
use engine::messages::Filter;
use engine::provider::{PushError, Pushed};
use engine::senders::Sender;
use engine::{Clock, Engine, Id, Parts, Settings};
use futures_util::future::BoxFuture;
use provider_telecom::http::{Options, providers};
use sandbox_carriers::http::{Account, Credentials};
use sandbox_carriers::{Fault, Outside, Phone, Target};
use serde_json::{Value, json};
use store::{Db, Ids, Location, SecretKey, Tx, Work};
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ACCOUNTS: [(&str, &str); 3] =
    [("twilio", "+15550100011"), ("telnyx", "+15550100012"), ("vonage", "+15550100013")];

/// The sandbox at its dullest: everybody is there and nothing goes wrong.
struct Street {
    clock: Clock,
    client: reqwest::Client,
}

impl Outside for Street {
    fn now(&self) -> i64 {
        self.clock.now()
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        None
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let request = self.client.post(url).headers(headers).body(body);
        Box::pin(async move {
            let answer = request.send().await.map_err(|error| error.to_string())?;
            Ok(answer.status().as_u16())
        })
    }
}

#[derive(Clone)]
struct Door {
    engine: Engine,
    origin: String,
    senders: Arc<Vec<Sender>>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    net::install_crypto();
    let dir = tempfile::TempDir::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let (clock, client) = (Clock::system(), net::plain_client(&net::PlainSettings::default())?);
    let street = Street { clock: clock.clone(), client: client.clone() };
    let carriers = sandbox_carriers::start(sandbox_carriers::Options::default(), Arc::new(street)).await?;
    let engine = engine(&dir, &clock, &Options::new(client, &*origin, clock.clone())).await?;
    let organization = engine.perform(engine::organizations::create(&engine, "Acme")).await?.id;
    let (mut told, mut senders) = (json!({}), Vec::new());
    for (carrier, number) in ACCOUNTS {
        let credentials = match carrier {
            "twilio" => Credentials::twilio("example"),
            "telnyx" => Credentials::telnyx("example"),
            _ => Credentials::vonage("example"),
        };
        let inbound_url = Some(format!("{origin}/webhooks/{carrier}/{}", credentials.name()));
        let account = Account { credentials, numbers: vec![number.to_owned()], inbound_url };
        told[carrier] = carriers.http().introduction(&account);
        carriers.http().put(account);
        for provider in [carrier.to_owned(), format!("{carrier}-voice")] {
            senders.push(open(&engine, organization, &provider, &told[carrier], number).await?);
        }
    }
    let numbers: serde_json::Map<_, _> =
        ACCOUNTS.iter().map(|(name, number)| ((*name).to_owned(), json!(number))).collect();
    let places = json!({ "platform": origin, "carriers": carriers.http().url(), "accounts": told, "numbers": numbers });
    let door = Door { engine, origin, senders: Arc::new(senders) };
    let router = Router::new()
        .route("/webhooks/{provider}/{account}", post(push))
        .route("/messages", get(messages))
        .with_state(door);
    tokio::spawn(async move { axum::serve(listener, router).await });
    println!("{places}");
    // Whoever started this is gone when its end of the pipe is closed.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

async fn engine(dir: &tempfile::TempDir, clock: &Clock, options: &Options) -> Result<Engine, Failure> {
    let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await?;
    store::migrate(&db).await?;
    Ok(Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings { public_url: options.public_url.clone(), ..Settings::default() },
        providers: providers(options),
        dialects: vec![testkit::dialect()],
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    }))
}

async fn open(
    engine: &Engine,
    organization: Id,
    provider: &str,
    told: &Value,
    number: &str,
) -> Result<Sender, Failure> {
    let new = NewAccount {
        organization,
        provider: provider.to_owned(),
        external_id: told["external_id"].as_str().unwrap_or_default().to_owned(),
        name: provider.to_owned(),
        config: told["config"].to_string(),
        secrets: told["secrets"].to_string().into(),
    };
    let account_id = engine.perform(accounts::put(engine, new)).await?;
    let sender = Sender {
        id: engine.new_id(),
        organization_id: organization,
        account_id,
        channel: engine.provider(provider).map_or("sms", |provider| provider.channel()).to_owned(),
        provider: provider.to_owned(),
        external_id: number.to_owned(),
        address: number.to_owned(),
        name: None,
        status: engine::senders::CONNECTED.to_owned(),
        status_reason: None,
        config: "{}".to_owned(),
        settings: "{}".to_owned(),
        created_at: engine.now(),
        updated_at: engine.now(),
    };
    engine.db.write(PutSender(sender.clone())).await?;
    Ok(sender)
}

struct PutSender(Sender);

impl Work for PutSender {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::put(tx, &self.0).await.map(drop)
    }
}

async fn push(
    State(door): State<Door>,
    Path((provider, account)): Path<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let url = format!("{}{}", door.origin, uri.path_and_query().map_or("/", |asked| asked.as_str()));
    let pushed = Pushed { account: Some(&account), url: &url, header: &header, body };
    let Some(provider) = door.engine.provider(&provider) else { return StatusCode::NOT_FOUND };
    let Some(push) = provider.push() else { return StatusCode::NOT_FOUND };
    match push.receive(&door.engine, pushed).await {
        Ok(()) => StatusCode::OK,
        Err(PushError::Refused) => StatusCode::FORBIDDEN,
        Err(PushError::UnknownAccount) => StatusCode::NOT_FOUND,
        Err(PushError::Unreadable(_)) => StatusCode::BAD_REQUEST,
        Err(PushError::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn messages(State(door): State<Door>) -> Result<Json<Value>, StatusCode> {
    let mut all = Vec::new();
    for sender in door.senders.iter() {
        let listed = door.engine.messages(&sender.organization_id, &sender.id, &Filter::default(), 100).await;
        for message in listed.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)? {
            let content: Value = serde_json::from_str(&message.content).unwrap_or_default();
            all.push(json!({ "provider": sender.provider, "provider_id": message.provider_id, "content": content }));
        }
    }
    Ok(Json(json!(all)))
}
