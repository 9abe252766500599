//! Stripe against a stand-in that keeps its keys: a session is opened, ended and refunded once.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod pushes;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::numbers::{Bill, Payments, Standing};
use engine::provider::CallError;
use engine::{Clock, Id};
use provider_payments::{Options, Stripe};
use serde_json::{Value, json};

#[derive(Default)]
struct Till {
    /// By idempotency key.
    answers: HashMap<String, Value>,
    forms: Vec<Vec<(String, String)>>,
    status: &'static str,
    payment_status: &'static str,
    refunds: usize,
}

type Shared = Arc<Mutex<Till>>;

fn key(headers: &HeaderMap) -> String {
    assert_eq!(headers["authorization"], "Bearer sk_test");
    headers["idempotency-key"].to_str().unwrap().to_owned()
}

async fn open(
    State(till): State<Shared>,
    headers: HeaderMap,
    axum::Form(form): axum::Form<Vec<(String, String)>>,
) -> Json<Value> {
    let mut till = till.lock().unwrap();
    till.forms.push(form);
    let id = format!("cs_{}", till.answers.len() + 1);
    let session =
        json!({ "id": id, "url": format!("https://pay.example/{id}"), "status": "open", "payment_status": "unpaid" });
    Json(till.answers.entry(key(&headers)).or_insert(session).clone())
}

fn session(till: &Till, id: &str) -> Value {
    json!({ "id": id, "status": till.status, "payment_status": till.payment_status, "payment_intent": "pi_1" })
}

async fn expire(State(till): State<Shared>, Path(id): Path<String>) -> Response {
    let mut till = till.lock().unwrap();
    if till.status != "open" {
        let error =
            json!({ "error": { "message": "Only Checkout Sessions with a status in [\"open\"] can be expired." } });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    till.status = "expired";
    Json(session(&till, &id)).into_response()
}

async fn look(State(till): State<Shared>, Path(id): Path<String>) -> Json<Value> {
    Json(session(&till.lock().unwrap(), &id))
}

async fn refund(State(till): State<Shared>, headers: HeaderMap) -> Response {
    let mut till = till.lock().unwrap();
    let key = key(&headers);
    if !till.answers.contains_key(&key) {
        till.refunds += 1;
        if till.refunds > 1 {
            let error = json!({ "error": { "code": "charge_already_refunded", "message": "It was refunded." } });
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
    }
    Json(till.answers.entry(key).or_insert(json!({ "id": "re_1" })).clone()).into_response()
}

async fn stripe() -> (Stripe, Shared) {
    net::install_crypto();
    let till = Shared::new(Mutex::new(Till { status: "open", payment_status: "unpaid", ..Till::default() }));
    let router = Router::new()
        .route("/v1/checkout/sessions", post(open))
        .route("/v1/checkout/sessions/{id}", get(look))
        .route("/v1/checkout/sessions/{id}/expire", post(expire))
        .route("/v1/refunds", post(refund))
        .with_state(till.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let stripe = Stripe::new(Options {
        client: net::plain_client(&net::PlainSettings::default()).unwrap(),
        base_url,
        secret_key: "sk_test".to_owned().into(),
        webhook_secret: "whsec".to_owned().into(),
        return_url: "https://h.example/".into(),
        clock: Clock::manual(1_795_000_000_000),
        timeout: Duration::from_secs(20),
    });
    (stripe, till)
}

#[tokio::test]
async fn what_is_asked_for_twice_is_done_once() {
    let (stripe, till) = stripe().await;
    let order = Id::from_parts(1_795_000_000_000, 7);
    let bill = Bill {
        order,
        amount: 2_500_000,
        currency: "EUR".into(),
        title: "Phone number +12125550100".into(),
        expires_at: 1_795_003_600_000,
    };
    let first = stripe.open(&bill).await.unwrap();
    assert_eq!((first.id.as_str(), first.url.as_str()), ("cs_1", "https://pay.example/cs_1"));
    assert_eq!(stripe.open(&bill).await.unwrap(), first);
    let form = till.lock().unwrap().forms[0].clone();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap();
    assert_eq!(field("line_items[0][price_data][unit_amount]"), "250");
    assert_eq!((field("client_reference_id"), field("expires_at")), (order.hex24(), "1795003600".to_owned()));
    assert_eq!(stripe.end("cs_1").await.unwrap(), Standing::Ended);
    assert_eq!(stripe.end("cs_1").await.unwrap(), Standing::Ended);
    {
        let mut till = till.lock().unwrap();
        (till.status, till.payment_status) = ("complete", "paid");
    }
    let paid = Standing::Paid { reference: "pi_1".into() };
    assert_eq!(stripe.end("cs_1").await.unwrap(), paid);
    for _ in 0..2 {
        assert_eq!(stripe.refund(&order, "pi_1").await.unwrap(), "re_1");
    }
    assert_eq!(stripe.refund(&Id::from_parts(1, 1), "pi_1").await.unwrap(), "already");
    assert_eq!(till.lock().unwrap().refunds, 2);
}

#[tokio::test]
async fn a_till_that_is_not_there_is_no_refusal() {
    net::install_crypto();
    let gone = Stripe::new(Options {
        client: net::plain_client(&net::PlainSettings::default()).unwrap(),
        base_url: "http://127.0.0.1:1".parse().unwrap(),
        secret_key: "sk_test".to_owned().into(),
        webhook_secret: "whsec".to_owned().into(),
        return_url: "https://h.example/".into(),
        clock: Clock::manual(1_795_000_000_000),
        timeout: Duration::from_secs(5),
    });
    let error = gone.refund(&Id::from_parts(1, 1), "pi_1").await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable(_)) && !format!("{error:?}").contains("sk_test"), "{error:?}");
}
