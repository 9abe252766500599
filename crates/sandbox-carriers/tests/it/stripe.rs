//! The till: what it refuses, the page on which somebody pays, and how it tells of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use sandbox_carriers::stripe::Account;
use sandbox_carriers::{Fault, Handle, Options, Outside, Phone, Target, start};
use serde_json::{Value, json};
use tokio::sync::watch;

const NOW: i64 = 1_795_000_000;

/// A platform that takes events at the second try.
struct Platform {
    tries: AtomicU32,
    taken: watch::Sender<Vec<Value>>,
}

impl Outside for Platform {
    fn now(&self) -> i64 {
        NOW * 1000
    }

    fn fault(&self, _: Target) -> Option<Fault> {
        None
    }

    fn phone(&self, _: &str) -> Phone {
        Phone { registered: true, online: true }
    }

    fn push(&self, _: String, _: HeaderMap, body: Bytes) -> BoxFuture<'static, Result<u16, String>> {
        let taken = self.tries.fetch_add(1, Ordering::Relaxed) > 0;
        if taken {
            self.taken.send_modify(|all| all.push(serde_json::from_slice(&body).unwrap()));
        }
        Box::pin(async move { Ok(if taken { 200 } else { 503 }) })
    }
}

struct World {
    platform: Arc<Platform>,
    carriers: Handle,
    client: reqwest::Client,
    key: String,
}

const GOOD: [(&str, &str); 7] = [
    ("mode", "payment"),
    ("line_items[0][price_data][currency]", "USD"),
    ("line_items[0][price_data][unit_amount]", "200"),
    ("line_items[0][price_data][product_data][name]", "<Number>"),
    ("line_items[0][quantity]", "1"),
    ("success_url", "https://h.example/?paid={CHECKOUT_SESSION_ID}"),
    ("client_reference_id", "order"),
];

impl World {
    async fn new() -> Self {
        net::install_crypto();
        let platform = Arc::new(Platform { tries: AtomicU32::new(0), taken: watch::Sender::new(Vec::new()) });
        let carriers = start(Options::default(), platform.clone()).await.unwrap();
        let account = Account::derived("t", "http://h.example/webhooks/stripe".to_owned());
        let key = account.secret_key.clone();
        carriers.stripe().put(account);
        let client = net::plain_client(&net::PlainSettings::default()).unwrap();
        Self { platform, carriers, client, key }
    }

    async fn post(&self, path: &str, key: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.carriers.stripe().url());
        let answer = self.client.post(url).bearer_auth(key).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/v1/{path}", self.carriers.stripe().url());
        let answer = self.client.get(url).bearer_auth(&self.key).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn open(&self) -> Value {
        let (status, session) = self.post("checkout/sessions", &self.key, &GOOD).await;
        assert_eq!(status, 200, "{session}");
        session
    }
}

#[tokio::test]
async fn what_stripe_would_refuse_is_refused_in_its_words() {
    let world = World::new().await;
    let (soon, late) = ((NOW + 1799).to_string(), (NOW + 86_401).to_string());
    for (name, value, code) in [
        ("mode", "subscription", Value::Null),
        ("success_url", "nowhere", json!("url_invalid")),
        ("success_url", "javascript:alert(1)", json!("url_invalid")),
        ("cancel_url", "", json!("parameter_invalid_empty")),
        ("line_items[0][price_data][unit_amount]", "2.00", json!("parameter_invalid_integer")),
        ("line_items[0][price_data][unit_amount]", "49", json!("amount_too_small")),
        ("line_items[0][price_data][currency]", "dollars", Value::Null),
        ("expires_at", &soon, Value::Null),
        ("expires_at", &late, Value::Null),
        ("price", "2", json!("parameter_unknown")),
    ] {
        let mut form = GOOD.to_vec();
        form.retain(|(known, _)| *known != name);
        form.push((name, value));
        let (status, answer) = world.post("checkout/sessions", &world.key, &form).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &code), "{name}={value}: {answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error");
    }
    for lacking in ["mode", "success_url", "line_items[0][price_data][product_data][name]"] {
        let form: Vec<_> = GOOD.into_iter().filter(|(name, _)| *name != lacking).collect();
        let (status, answer) = world.post("checkout/sessions", &world.key, &form).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("parameter_missing")), "{lacking}: {answer}");
        assert_eq!(answer["error"]["param"], lacking);
    }
    for (path, key, form, status) in [
        ("checkout/sessions", "sk_test_other", &GOOD[..], 401),
        ("checkout/sessions/cs_test_other/expire", &world.key, &[], 404),
        ("refunds", &world.key, &[("payment_intent", "pi_other")], 404),
        ("charges", &world.key, &[], 404),
    ] {
        assert_eq!(world.post(path, key, form).await.0, status, "{path}");
    }
    assert!(world.carriers.stripe().payments().is_empty(), "nothing was sold");
}

#[tokio::test]
async fn somebody_pays_on_the_page_and_the_platform_is_told_until_it_listens() {
    let world = World::new().await;
    let session = world.open().await;
    let (id, page) = (session["id"].as_str().unwrap(), session["url"].as_str().unwrap());
    let show = async || world.client.get(page).send().await.unwrap().text().await.unwrap();
    let shown = show().await;
    assert!(shown.contains("&lt;Number&gt;") && shown.contains("<button>Pay</button>"), "{shown}");
    let paid = world.client.post(page).send().await.unwrap();
    assert_eq!(paid.headers()["location"], format!("https://h.example/?paid={id}"));
    let mut taken = world.platform.taken.subscribe();
    let told = tokio::time::timeout(Duration::from_secs(60), taken.wait_for(|taken| !taken.is_empty()));
    let event = told.await.unwrap().unwrap()[0].clone();
    assert_eq!((&event["type"], &event["object"]), (&json!("checkout.session.completed"), &json!("event")));
    let told = &event["data"]["object"];
    assert_eq!((&told["id"], &told["payment_status"], &told["url"]), (&session["id"], &json!("paid"), &Value::Null));
    assert!(show().await.contains("This is paid."));
    assert_eq!(world.client.post(page).send().await.unwrap().status(), 200, "nobody pays twice");
    let (status, answer) = world.post(&format!("checkout/sessions/{id}/expire"), &world.key, &[]).await;
    assert!(status == 400 && answer["error"]["message"].as_str().unwrap().contains("`complete`"), "{answer}");
    let intent = told["payment_intent"].as_str().unwrap();
    let (status, refund) = world.post("refunds", &world.key, &[("payment_intent", intent)]).await;
    assert_eq!((status, &refund["amount"]), (200, &json!(200)));
    let (status, answer) = world.post("refunds", &world.key, &[("payment_intent", intent)]).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("charge_already_refunded")));
    let id = refund["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("refunds/{id}")).await, (200, refund.clone()));
    let (status, list) = world.get(&format!("refunds?payment_intent={intent}&limit=1")).await;
    assert_eq!((status, &list["data"], &list["has_more"]), (200, &json!([refund]), &json!(false)));
    assert_eq!(world.get("refunds?payment_intent=pi_other").await.1["data"], json!([]));
    assert_eq!((world.get("refunds/re_other").await.0, world.get("refunds?limit=0").await.0), (404, 400));
}
