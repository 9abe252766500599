//! A number's whole way in the sandbox: searched and bought at a carrier, proven by the code that Meta sends there, registered,
//! and given back.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, Path, State};
use axum::routing::post;
use bytes::Bytes;
use engine::accounts::{self, NewAccount};
use engine::numbers::{
    Adopt, Method, New, Order, Place, Purchased, Release, State as Stage, Why, Wish, drive, purchase,
};
use engine::provider::Pushed;
use engine::{Clock, Engine, Id, Parts, Settings};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use store::{Db, Ids, Location, SecretKey};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ground::Ground;

/// What stands where a server would be.
struct Door {
    engine: Engine,
    origin: String,
    news: watch::Sender<()>,
}

async fn push(
    State(door): State<Arc<Door>>,
    Path((provider, account)): Path<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let Some(provider) = door.engine.provider(&provider) else { return (StatusCode::OK, String::new()) };
    let url = format!("{}{}", door.origin, uri.path_and_query().unwrap());
    let push = Pushed { account: Some(&account), url: &url, header: &header, body };
    let taken = provider.push().unwrap().reply(&door.engine, push).await;
    door.news.send_replace(());
    match taken {
        Ok(reply) => (StatusCode::OK, reply.map(|reply| reply.body).unwrap_or_default()),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    }
}

struct World {
    door: Arc<Door>,
    clock: Clock,
    sandbox: sandbox::Handle,
    http: reqwest::Client,
    organization: Id,
    _ground: Ground,
}

impl World {
    /// With one carrier.
    async fn new(carrier: &str) -> Self {
        net::install_crypto();
        let options = sandbox::Options { seed: Some(7), ..sandbox::Options::default() };
        let sandbox = sandbox::start(options).await.unwrap();
        let http = net::plain_client(&net::PlainSettings::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (ground, clock) = (Ground::new(sandbox.graph_url()), Clock::system());
        let engine = engine(&ground, &clock, &origin, &http).await;
        let introduction = json!({"id": "p", "base_url": origin, "webhook_url": format!("{origin}/webhooks/meta")});
        let door = Arc::new(Door { engine, origin, news: watch::Sender::new(()) });
        let router = Router::new().route("/webhooks/{provider}/{account}", post(push)).with_state(door.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let asked = http.post(format!("{}/platforms", sandbox.control_url())).json(&introduction).send().await.unwrap();
        let given: Value = asked.json().await.unwrap();
        let organization = open(&door.engine, &given, carrier).await;
        Self { door, clock, sandbox, http, organization, _ground: ground }
    }

    async fn buy(&self, new: New) -> Id {
        let bought = self.door.engine.perform(purchase(&self.door.engine, new)).await.unwrap().unwrap();
        let Purchased::Placed(order) = bought else { panic!("it is the first") };
        order.id
    }

    fn wish(&self) -> New {
        New {
            organization: self.organization,
            origin: "plain",
            profile: "p".into(),
            wish: Wish::default(),
            number: None,
            account: None,
            place: Place::Account,
            display_name: None,
            intent: None,
            allow_multiple: true,
        }
    }

    async fn order(&self, id: &Id) -> Order {
        self.door.engine.number_order(&self.organization, id).await.unwrap().unwrap()
    }

    /// Works on an order with each push, until it stands so.
    async fn comes_to(&self, id: &Id, stage: Stage) -> Order {
        let mut news = self.door.news.subscribe();
        let coming = async {
            loop {
                drive(&self.door.engine, id).await.unwrap();
                let order = self.order(id).await;
                if order.state == stage {
                    return order;
                }
                match order.state {
                    // The carrier takes its time over an order.
                    Stage::Ordering => self.clock.advance(Duration::from_secs(3)),
                    _ => news.changed().await.unwrap(),
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(60), coming).await {
            Ok(order) => order,
            Err(_) => panic!("it stays at {:?}", self.order(id).await),
        }
    }

    async fn control(&self, path: &str, body: Value) {
        let url = format!("{}/{path}", self.sandbox.control_url());
        assert!(self.http.post(url).json(&body).send().await.unwrap().status().is_success());
    }

    async fn texts_to(&self, number: &str) -> Vec<String> {
        let all = self.carried("sms", number).await;
        all.iter().map(|sms| sms["text"].as_str().unwrap().to_owned()).collect()
    }

    /// What carriers were given for a number.
    async fn carried(&self, kind: &str, number: &str) -> Vec<Value> {
        let url = format!("{}/{kind}", self.sandbox.control_url());
        let all: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        all["data"].as_array().unwrap().iter().filter(|one| one["to"] == number).cloned().collect()
    }

    /// For the platform and for the world.
    async fn days_pass(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
        self.control("clock", json!({ "advance": format!("{days}d") })).await;
    }

    async fn adopt(&self, order: &Order, stage: Stage) -> Order {
        let (engine, organization) = (self.door.engine.clone(), self.organization);
        let wish = Adopt { engine: engine.clone(), organization, id: order.id, account: None, display_name: None };
        engine.perform(wish).await.unwrap().unwrap();
        self.comes_to(&order.id, stage).await
    }
}

async fn engine(ground: &Ground, clock: &Clock, origin: &str, http: &reqwest::Client) -> Engine {
    let db = Db::open(&Location::Sqlite(ground.dir.path().join("numbers.db"))).await.unwrap();
    store::migrate(&db).await.unwrap();
    let carriers = provider_telecom::http::Options::new(http.clone(), origin, clock.clone());
    let mut providers = provider_telecom::http::providers(&carriers);
    providers.push(ground.provider.clone());
    Engine::new(Parts {
        db,
        clock: clock.clone(),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings { public_url: origin.to_owned(), ..Settings::default() },
        providers,
        dialects: Vec::new(),
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

/// An organization with the accounts that the sandbox gives it.
async fn open(engine: &Engine, given: &Value, carrier: &str) -> Id {
    let organization = engine.perform(engine::organizations::create(engine, "Shop")).await.unwrap().id;
    let meta = &given["meta"];
    let contract = given["carriers"][0]["accounts"].as_array().unwrap();
    let contract = contract.iter().find(|account| account["provider"] == carrier).unwrap();
    let waba = meta["organizations"][0]["waba_id"].as_str().unwrap();
    for (provider, external_id, config, secrets) in [
        ("meta-cloud", waba, json!({"app_id": meta["app_id"]}), meta),
        (carrier, contract["external_id"].as_str().unwrap(), contract["config"].clone(), &contract["secrets"]),
    ] {
        let new = NewAccount {
            organization,
            provider: provider.into(),
            external_id: external_id.into(),
            name: provider.into(),
            config: config.to_string(),
            secrets: secrets.to_string().into(),
        };
        engine.perform(accounts::put(engine, new)).await.unwrap();
    }
    organization
}

#[tokio::test]
async fn a_number_is_bought_verified_by_its_text_registered_and_released() {
    for carrier in ["twilio", "telnyx"] {
        let world = World::new(carrier).await;
        let id = world.buy(world.wish()).await;
        let order = world.comes_to(&id, Stage::Active).await;
        let number = order.number.clone().unwrap();
        let codes = world.texts_to(&number).await;
        assert!(codes.len() == 1 && codes[0].starts_with("Your WhatsApp code: "), "{codes:?}");
        let senders = world.door.engine.senders(&world.organization).await.unwrap();
        let sender = senders.iter().find(|it| it.channel == "whatsapp" && it.address == number).unwrap();
        assert_eq!((sender.status.as_str(), sender.name.as_deref()), ("connected", Some("Shop")));
        assert_eq!(order.details.provider_number.as_deref(), Some(sender.external_id.as_str()));

        let (engine, organization) = (world.door.engine.clone(), world.organization);
        engine.perform(Release { engine: engine.clone(), organization, id }).await.unwrap().unwrap();
        world.comes_to(&id, Stage::Released).await;
        // Meta knows it still; bought again, it is the same number there.
        let again = world.buy(New { number: Some(number), ..world.wish() }).await;
        let order = world.comes_to(&again, Stage::Active).await;
        assert_eq!(order.details.sender, Some(sender.id.hex24()), "{carrier}");
    }
}

#[tokio::test]
async fn what_goes_wrong_is_undone_and_a_pool_keeps_its_numbers_verified() {
    let world = World::new("twilio").await;
    world.control("faults", json!({"target": "numbers", "kind": "status", "status": 400})).await;
    let refused = world.buy(world.wish()).await;
    let order = world.comes_to(&refused, Stage::Failed).await;
    assert_eq!(order.reason().unwrap().code, Why::OrderRefused);

    world.control("faults", json!({"target": "numbers", "kind": "drop", "times": 3})).await;
    let silent = world.buy(world.wish()).await;
    for _ in 0..3 {
        world.comes_to(&silent, Stage::AwaitingCode).await;
        world.clock.advance(Duration::from_secs(301));
    }
    let order = world.comes_to(&silent, Stage::Failed).await;
    assert_eq!(order.reason().unwrap().code, Why::CodeNeverArrived);
    assert!(world.texts_to(order.number.as_ref().unwrap()).await.is_empty());

    let pooled = world.buy(New { place: Place::Pool, ..world.wish() }).await;
    let order = world.comes_to(&pooled, Stage::Active).await;
    assert!(order.details.verified_until.unwrap() > world.clock.now() && order.details.sender.is_none());
    assert_eq!(order.details.method, Method::Sms);
    let (engine, organization) = (world.door.engine.clone(), world.organization);
    engine.perform(Release { engine: engine.clone(), organization, id: pooled }).await.unwrap().unwrap();
    world.comes_to(&pooled, Stage::Released).await;
}

#[tokio::test]
async fn a_code_that_is_not_written_is_spoken() {
    let world = World::new("twilio").await;
    world.control("faults", json!({"target": "numbers", "kind": "drop", "times": 2})).await;
    let id = world.buy(world.wish()).await;
    for _ in 0..2 {
        world.comes_to(&id, Stage::AwaitingCode).await;
        world.clock.advance(Duration::from_secs(301));
    }
    let order = world.comes_to(&id, Stage::Active).await;
    assert_eq!((order.details.method, order.details.codes_asked), (Method::Voice, 3));
    let number = order.number.as_deref().unwrap();
    assert!(world.texts_to(number).await.is_empty());
    let calls = world.carried("voice", number).await;
    assert!(calls.len() == 1 && calls[0]["text"].as_str().unwrap().starts_with("Your WhatsApp code is "), "{calls:?}");
}

#[tokio::test]
async fn a_pool_is_kept_verified_and_its_numbers_are_handed_over() {
    let world = World::new("twilio").await;
    let id = world.buy(New { place: Place::Pool, ..world.wish() }).await;
    let bought = world.comes_to(&id, Stage::Active).await;
    let until = bought.details.verified_until.unwrap();
    world.days_pass(84).await;
    let renewed = world.comes_to(&id, Stage::Active).await;
    assert!(renewed.details.verified_until.unwrap() >= until + 83 * 86_400_000, "{:?}", renewed.details);
    assert_eq!(world.texts_to(renewed.number.as_deref().unwrap()).await.len(), 2);

    // Nobody worked for too long: Meta hands it over no more.
    world.days_pass(91).await;
    let refused = world.adopt(&renewed, Stage::Lapsed).await;
    assert_eq!((refused.details.place, refused.details.sender.is_none()), (Place::Pool, true));
    assert!(refused.details.trouble.unwrap().contains("verification"));
    // Proven again, it becomes a number of the account.
    world.days_pass(1).await;
    let again = world.comes_to(&id, Stage::Active).await;
    let adopted = world.adopt(&again, Stage::Active).await;
    let senders = world.door.engine.senders(&world.organization).await.unwrap();
    let sender =
        senders.iter().find(|it| it.channel == "whatsapp" && Some(&it.address) == adopted.number.as_ref()).unwrap();
    assert_eq!((adopted.details.place, sender.status.as_str()), (Place::Account, "connected"));
    assert_eq!(adopted.details.provider_number.as_ref(), Some(&sender.external_id));
    assert_ne!(adopted.details.provider_number, bought.details.provider_number);
}
