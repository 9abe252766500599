//! The HTTP carriers: who may use them, what they refuse, and how they tell again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use sandbox_carriers::http::{Account, Credentials};
use sandbox_carriers::{Fault, Handle, Options, Outside, Phone, ReplyError, Target, start};
use serde_json::{Value, json};
use tokio::sync::watch;

const ANN: &str = "+15550199001";
const OURS: &str = "+15550100001";

/// Records what it is told and answers as it is bidden.
struct Platform {
    /// Answers to come; then 200.
    answers: Mutex<VecDeque<Result<u16, String>>>,
    told: Mutex<Vec<(String, HeaderMap, Bytes)>>,
    changed: watch::Sender<()>,
    faults: Mutex<VecDeque<Fault>>,
}

struct Window(Arc<Platform>);

impl Outside for Window {
    fn now(&self) -> i64 {
        1_795_000_000_000
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        self.0.faults.lock().unwrap().pop_front()
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, url: String, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let answer = self.0.answers.lock().unwrap().pop_front().unwrap_or(Ok(200));
        self.0.told.lock().unwrap().push((url, headers, body));
        self.0.changed.send_replace(());
        Box::pin(async move { answer })
    }
}

struct World {
    platform: Arc<Platform>,
    carriers: Handle,
    client: reqwest::Client,
    token: String,
}

impl World {
    async fn new() -> Self {
        net::install_crypto();
        let platform = Arc::new(Platform {
            answers: Mutex::default(),
            told: Mutex::default(),
            changed: watch::Sender::new(()),
            faults: Mutex::default(),
        });
        let carriers = start(Options::default(), Arc::new(Window(platform.clone()))).await.unwrap();
        let client = net::plain_client(&net::PlainSettings::default()).unwrap();
        for credentials in [Credentials::twilio("t"), Credentials::telnyx("t"), Credentials::vonage("t")] {
            carriers.http().put(Account { credentials, numbers: vec![OURS.to_owned()], inbound_url: None });
        }
        let Credentials::Twilio { auth_token: token, .. } = Credentials::twilio("t") else { unreachable!() };
        Self { platform, carriers, client, token }
    }

    fn told(&self) -> Vec<(String, HeaderMap, Bytes)> {
        self.platform.told.lock().unwrap().clone()
    }

    async fn tells(&self, count: usize) -> Vec<(String, HeaderMap, Bytes)> {
        let mut changed = self.platform.changed.subscribe();
        let wait = async {
            while self.told().len() < count {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(90), wait).await.unwrap();
        self.told()
    }

    async fn twilio(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let sid = Credentials::twilio("t").name();
        let url = format!("{}/2010-04-01/Accounts/{sid}/Messages.json", self.carriers.http().url());
        let answer = self.client.post(url).basic_auth(sid, Some(&self.token)).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn telnyx(&self, key: &str, idempotency: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/v2/messages", self.carriers.http().url());
        let request = self.client.post(url).bearer_auth(key).header("idempotency-key", idempotency).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn telnyx_key() -> String {
    let Credentials::Telnyx { api_key, .. } = Credentials::telnyx("t") else { unreachable!() };
    api_key
}

#[tokio::test]
async fn strangers_are_turned_away_in_each_carriers_own_words() {
    let world = World::new().await;
    let url = world.carriers.http().url();
    for (path, token, status, place, word) in [
        ("/2010-04-01/Accounts/AC1/Messages.json", "x", 401, "/code", json!(20003)),
        ("/v2/messages", "x", 401, "/errors/0/code", json!("10009")),
        ("/v2/calls", "x", 401, "/errors/0/code", json!("10009")),
        ("/v1/messages", "a.b.c", 401, "/title", json!("You did not provide correct credentials.")),
        ("/v1/calls", "", 401, "/type", json!("https://developer.vonage.com/api-errors#unauthorized")),
    ] {
        let answer = world.client.post(format!("{url}{path}")).bearer_auth(token).body("{}").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body.pointer(place), Some(&word), "{path}");
    }
    assert!(world.carriers.sms().is_empty());
}

#[tokio::test]
async fn what_a_carrier_would_refuse_is_refused() {
    let world = World::new().await;
    let long = "x".repeat(1601);
    for (form, code) in [
        (vec![("From", OURS), ("Body", "hi")], 21604),
        (vec![("To", "15550199001"), ("From", OURS), ("Body", "hi")], 21211),
        (vec![("To", ANN), ("Body", "hi")], 21603),
        (vec![("To", ANN), ("From", "+15550100099"), ("Body", "hi")], 21659),
        (vec![("To", ANN), ("From", OURS)], 21602),
        (vec![("To", ANN), ("From", OURS), ("Body", &long)], 21617),
    ] {
        let (status, body) = world.twilio(&form).await;
        assert_eq!((status, &body["code"], &body["status"]), (400, &json!(code), &json!(400)), "{form:?}");
    }
    assert!(world.told().is_empty() && world.carriers.sms().is_empty());
}

#[tokio::test]
async fn the_same_key_is_the_same_message() {
    let world = World::new().await;
    let key = telnyx_key();
    let body = json!({ "from": OURS, "to": ANN, "text": "hi" });
    world.platform.faults.lock().unwrap().extend([Fault::Status(503)]);
    assert_eq!(world.telnyx(&key, "a", &body).await.0, 503, "what was refused may be asked for again");
    let (status, first) = world.telnyx(&key, "a", &body).await;
    assert_eq!((status, &first["data"]["to"][0]["status"]), (200, &json!("queued")));
    assert_eq!(world.telnyx(&key, "a", &body).await, (200, first));
    let other = json!({ "from": OURS, "to": ANN, "text": "ho" });
    assert_eq!(world.telnyx(&key, "a", &other).await.0, 422);
    assert_eq!(world.telnyx(&key, "b", &other).await.0, 200);
    assert_eq!(world.carriers.stats().sms.received, 2);
}

#[tokio::test]
async fn a_bought_number_is_found_by_digits_and_by_its_status_alone() {
    let world = World::new().await;
    let url = |path: &str| format!("{}/v2/{path}", world.carriers.http().url());
    let found = async |path: &str| -> Vec<Value> {
        let answer = world.client.get(url(path)).bearer_auth(telnyx_key()).send().await.unwrap();
        serde_json::from_value(answer.json::<Value>().await.unwrap()["data"].take()).unwrap()
    };
    let body = json!({ "phone_numbers": [{ "phone_number": "+12125550150" }], "customer_reference": "mine" });
    let order = world.client.post(url("number_orders")).bearer_auth(telnyx_key()).json(&body).send().await.unwrap();
    assert_eq!(order.status().as_u16(), 200);
    for (filter, count) in [("%2B12125550150", 0), ("12125550150", 1), ("555", 1), ("55", 0), ("1-212", 0)] {
        assert_eq!(found(&format!("phone_numbers?filter[phone_number]={filter}")).await.len(), count, "{filter}");
    }
    let number = found("phone_numbers").await.remove(0);
    assert_eq!(number["customer_reference"], Value::Null, "the order keeps it for itself");
    let id = number["id"].as_str().unwrap();
    world.client.delete(url(&format!("phone_numbers/{id}"))).bearer_auth(telnyx_key()).send().await.unwrap();
    assert!(found("phone_numbers").await.is_empty());
    assert_eq!(found("phone_numbers?filter[status]=deleted").await[0]["id"], id);
    let orders = found("number_orders?filter[customer_reference]=mine").await;
    assert_eq!(orders[0]["phone_numbers"][0]["status"], "success");
}

#[tokio::test]
async fn a_platform_that_does_not_listen_is_told_again_as_the_carrier_does() {
    let world = World::new().await;
    let form = |callback: &'static str| vec![("To", ANN), ("From", OURS), ("Body", "hi"), ("StatusCallback", callback)];
    // Asked to, Twilio comes again whatever happened; otherwise it takes a 500 for an answer.
    world.platform.answers.lock().unwrap().extend([Ok(500), Ok(200), Err("gone".to_owned()), Ok(200)]);
    assert_eq!(world.twilio(&form("http://p.test/w?m=1#rc=5&rp=all")).await.0, 201);
    let told = world.tells(4).await;
    assert!(told.iter().all(|(url, ..)| url == "http://p.test/w?m=1"), "what is for Twilio alone stays there");
    let sent = told.iter().filter(|(_, _, body)| String::from_utf8_lossy(body).contains("MessageStatus=sent")).count();
    assert_eq!(sent, 3);
    world.platform.answers.lock().unwrap().extend([Ok(500)]);
    world.twilio(&form("http://p.test/x")).await;
    let told = world.tells(6).await;
    assert_eq!(told.iter().filter(|(url, ..)| url == "http://p.test/x").count(), 2);

    // Telnyx turns to the address that stands in, and says which try it is.
    world.platform.answers.lock().unwrap().extend([Ok(500), Ok(200), Ok(500), Ok(500)]);
    let body = json!({ "from": OURS, "to": ANN, "text": "hi", "webhook_url": "http://p.test/a", "webhook_failover_url": "http://p.test/b" });
    world.telnyx(&telnyx_key(), "a", &body).await;
    let told = world.tells(11).await;
    let tries: Vec<_> = told[6..]
        .iter()
        .map(|(url, _, body)| {
            let body: Value = serde_json::from_slice(body).unwrap();
            (
                url.as_str(),
                body["meta"]["attempt"].as_u64().unwrap(),
                body["data"]["event_type"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let sent: Vec<_> =
        tries.iter().filter(|(.., kind)| kind == "message.sent").map(|(url, number, _)| (*url, *number)).collect();
    assert_eq!(sent, [("http://p.test/a", 1), ("http://p.test/a", 2), ("http://p.test/a", 3), ("http://p.test/b", 4)]);
}

#[tokio::test]
async fn an_answer_that_is_to_be_lost_is_cut_off_after_the_work() {
    let world = World::new().await;
    world.platform.faults.lock().unwrap().extend([Fault::Drop]);
    let url = format!("{}/v2/messages", world.carriers.http().url());
    let body = json!({ "from": OURS, "to": ANN, "text": "hi", "webhook_url": "http://p.test/w" });
    world.client.post(url).bearer_auth(telnyx_key()).json(&body).send().await.unwrap_err();
    world.tells(2).await;
    assert_eq!(world.carriers.sms()[0].status, "delivered");
}

#[tokio::test]
async fn people_can_write_to_numbers_that_somebody_listens_to() {
    let world = World::new().await;
    assert_eq!(world.carriers.reply(ANN, OURS, "hi").await, Err(ReplyError::Nobody));
    let introduction = |credentials| {
        let account = Account { credentials, numbers: Vec::new(), inbound_url: None };
        world.carriers.http().introduction(&account)
    };
    let told = introduction(Credentials::twilio("t"));
    assert_eq!(
        (told["provider"].as_str(), told["secrets"]["auth_token"].as_str()),
        (Some("twilio"), Some(&*world.token))
    );
    let debugged = format!("{:?} {:?}", Credentials::twilio("t"), Credentials::telnyx("t"));
    assert!(!debugged.contains(&world.token) && !debugged.contains(&telnyx_key()));
    assert_eq!(told, introduction(Credentials::twilio("t")));
    assert_ne!(told, introduction(Credentials::twilio("u")));
    let credentials = Credentials::twilio("t");
    let inbound_url = Some("http://p.test/in".to_owned());
    world.carriers.http().put(Account { credentials, numbers: vec![OURS.to_owned()], inbound_url });
    let id = world.carriers.reply(ANN, OURS, "hi there").await.unwrap();
    let (url, headers, body) = world.told().remove(0);
    assert_eq!(url, "http://p.test/in");
    assert!(headers.contains_key("x-twilio-signature"));
    assert!(String::from_utf8_lossy(&body).contains(&format!("MessageSid={id}")));
}
