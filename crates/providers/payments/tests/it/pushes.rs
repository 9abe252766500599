//! Who is believed.

use std::sync::Arc;

use bytes::Bytes;
use engine::accounts::{self, NewAccount};
use engine::numbers::State;
use engine::provider::{Provider, PushError, Pushed};
use engine::{Clock, Engine, Id, Parts, Settings, organizations};
use provider_payments::Stripe;
use ring::hmac;
use sandbox_carriers::stripe::Account;
use store::{Db, Ids, Location, SecretKey};

use crate::{NOW, World};

async fn engine(dir: &tempfile::TempDir) -> Engine {
    let db = Db::open(&Location::Sqlite(dir.path().join("db"))).await.unwrap();
    store::migrate(&db).await.unwrap();
    Engine::new(Parts {
        db,
        clock: Clock::manual(NOW),
        ids: Arc::new(Ids::seeded(7)),
        key: SecretKey::new([7; 32]),
        settings: Settings::default(),
        providers: Vec::new(),
        dialects: Vec::new(),
        transports: Vec::new(),
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    })
}

async fn push(stripe: &Stripe, engine: &Engine, secret: &[u8], body: &str) -> Result<(), PushError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = hex::encode(hmac::sign(&key, format!("{}.{body}", NOW / 1000).as_bytes()));
    let header = |name: &str| (name == "stripe-signature").then(|| format!("t={},v1={signed}", NOW / 1000));
    let body = Bytes::copy_from_slice(body.as_bytes());
    stripe.push().unwrap().receive(engine, Pushed { account: None, url: "", header: &header, body }).await
}

#[tokio::test]
async fn only_signed_events_are_taken_and_strangers_sessions_change_nothing() {
    let dir = tempfile::TempDir::new().unwrap();
    let (engine, World { stripe, .. }) = (engine(&dir).await, World::new().await);
    let secret = Account::derived("story", String::new()).webhook_secret;
    let right = secret.as_bytes();
    let of = |kind: &str, order: &str| {
        format!(
            r#"{{"type":"{kind}","data":{{"object":{{"id":"cs_1","payment_status":"paid","metadata":{{"order_id":{order}}}}}}}}}"#
        )
    };
    let ours = of("checkout.session.completed", r#""01a2015a91e360e96aa8fbbe""#);
    assert!(matches!(push(&stripe, &engine, b"other", &ours).await, Err(PushError::Refused)));
    for body in [
        ours,
        of("checkout.session.completed", "null"),
        of("checkout.session.expired", r#""somebody else's""#),
        of("checkout.session.new_word", "null"),
        r#"{"type":"checkout.session.completed","data":{"object":{"id":"cs_1","metadata":null}}}"#.to_owned(),
        r#"{"type":"invoice.paid","data":{"object":{}}}"#.to_owned(),
    ] {
        assert!(push(&stripe, &engine, right, &body).await.is_ok(), "{body}");
    }
    for body in ["", "[]", r#"{"type":"checkout.session.completed","data":{"object":[]}}"#] {
        assert!(matches!(push(&stripe, &engine, right, body).await, Err(PushError::Unreadable(_))), "{body}");
    }
}

/// An order that failed before anybody paid.
async fn failed(engine: &Engine) -> Id {
    let organization = engine.perform(organizations::create(engine, "Acme")).await.unwrap().id;
    let new = NewAccount {
        organization,
        provider: "network".into(),
        external_id: "1".into(),
        name: "1".into(),
        config: "{}".into(),
        secrets: "{}".to_owned().into(),
    };
    let (account_id, id) = (engine.perform(accounts::put(engine, new)).await.unwrap(), engine.new_id());
    let order = store::numbers::Order {
        id,
        organization_id: organization,
        origin: "late".into(),
        profile: "profile".into(),
        intent: None,
        state: State::Failed.as_str().into(),
        open: false,
        number: None,
        account_id,
        carrier_id: account_id,
        details: r#"{"payment":"checkout","amount":2000000,"currency":"EUR"}"#.into(),
        code: None,
        created_at: NOW,
        updated_at: NOW,
    };
    engine.perform(Insert(order)).await.unwrap();
    id
}

struct Insert(store::numbers::Order);

impl store::Work for Insert {
    type Output = bool;

    async fn run(&self, tx: &mut store::Tx) -> store::Result<bool> {
        store::numbers::insert(tx, &self.0).await
    }
}

impl engine::UseCase for Insert {}

/// Whoever pays by a link of the same business can put any order's id where Stripe keeps the buyer's own reference.
#[tokio::test]
async fn nobody_pays_an_order_with_another_session() {
    let dir = tempfile::TempDir::new().unwrap();
    let (engine, World { stripe, .. }) = (engine(&dir).await, World::new().await);
    let secret = Account::derived("story", String::new()).webhook_secret;
    let order = failed(&engine).await;
    for (member, state) in [
        (serde_json::json!({ "client_reference_id": order.hex24() }), State::Failed),
        (serde_json::json!({ "client_reference_id": order.hex24(), "metadata": {} }), State::Failed),
        (serde_json::json!({ "metadata": { "order_id": order.hex24() } }), State::Refunding),
    ] {
        let mut session = serde_json::json!({ "id": "cs_1", "payment_status": "paid", "payment_intent": "pi_1" });
        session.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        let event = serde_json::json!({ "type": "checkout.session.completed", "data": { "object": session } });
        push(&stripe, &engine, secret.as_bytes(), &event.to_string()).await.unwrap();
        assert_eq!(engine.any_number_order(&order).await.unwrap().unwrap().state, state, "{member}");
    }
}

#[tokio::test]
async fn what_the_till_tells_is_believed_at_its_time_only() {
    use engine::numbers::Payments;
    let dir = tempfile::TempDir::new().unwrap();
    let (engine, world) = (engine(&dir).await, World::new().await);
    let session = world.stripe.open(&crate::bill(engine::Id::from_parts(NOW, 7))).await.unwrap();
    world.carriers.stripe().pay(&session.id).unwrap();
    let (signature, body) = world.told(1).await.remove(0);
    let header = |name: &str| (name == "stripe-signature").then(|| signature.clone());
    let pushed = || Pushed { account: None, url: "", header: &header, body: body.clone() };
    assert!(world.stripe.push().unwrap().receive(&engine, pushed()).await.is_ok());
    world.street.clock.advance(std::time::Duration::from_secs(301));
    assert!(matches!(world.stripe.push().unwrap().receive(&engine, pushed()).await, Err(PushError::Refused)));
}
