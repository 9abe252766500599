//! Who is believed.

use std::sync::Arc;

use bytes::Bytes;
use engine::provider::{Provider, PushError, Pushed};
use engine::{Clock, Engine, Parts, Settings};
use provider_payments::Stripe;
use ring::hmac;
use store::{Db, Ids, Location, SecretKey};

const NOW: i64 = 1_795_000_000_000;

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
    let (engine, (stripe, _)) = (engine(&dir).await, crate::stripe().await);
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
        assert!(push(&stripe, &engine, b"whsec", &body).await.is_ok(), "{body}");
    }
    for body in ["", "[]", r#"{"type":"checkout.session.completed","data":{"object":[]}}"#] {
        assert!(matches!(push(&stripe, &engine, b"whsec", body).await, Err(PushError::Unreadable(_))), "{body}");
    }
}
