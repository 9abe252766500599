//! Who is believed.

use std::sync::Arc;

use bytes::Bytes;
use engine::provider::{Provider, PushError, Pushed};
use engine::{Clock, Engine, Parts, Settings};
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
            r#"{{"type":"{kind}","data":{{"object":{{"id":"cs_1","payment_status":"paid","client_reference_id":{order}}}}}}}"#
        )
    };
    let ours = of("checkout.session.completed", r#""01a2015a91e360e96aa8fbbe""#);
    assert!(matches!(push(&stripe, &engine, b"other", &ours).await, Err(PushError::Refused)));
    for body in [
        ours,
        of("checkout.session.completed", "null"),
        of("checkout.session.expired", r#""somebody else's""#),
        of("checkout.session.new_word", "null"),
        r#"{"type":"invoice.paid","data":{"object":{}}}"#.to_owned(),
    ] {
        assert!(push(&stripe, &engine, right, &body).await.is_ok(), "{body}");
    }
    for body in ["", "[]", r#"{"type":"checkout.session.completed","data":{"object":[]}}"#] {
        assert!(matches!(push(&stripe, &engine, right, body).await, Err(PushError::Unreadable(_))), "{body}");
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
