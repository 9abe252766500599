//! Pushes, through the engine into a database.

use std::sync::Arc;

use bytes::Bytes;
use engine::provider::{Provider, Push, PushError, Pushed};
use engine::{Engine, Id};
use serde_json::{Value, json};
use store::senders::Sender;
use store::{Tx, Work};

use crate::ground::{APP_SECRET, Ground, PHONE, VERIFY_TOKEN, WABA, put_account, secrets, sender};

struct World {
    ground: Ground,
    engine: Engine,
    account: Id,
}

struct PutSender(Sender);

impl Work for PutSender {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::senders::put(tx, &self.0).await.map(drop)
    }
}

impl World {
    async fn new() -> Self {
        let ground = Ground::new("http://127.0.0.1:1");
        let engine = ground.engine().await;
        let account = put_account(&engine, WABA, json!({"app_id": "1"}), secrets(APP_SECRET, VERIFY_TOKEN)).await;
        let world = Self { ground, engine, account };
        world.put_number(&account, PHONE).await;
        world
    }

    async fn put_number(&self, account: &Id, number: &str) {
        let account = self.engine.account(account).await.unwrap().unwrap();
        let sender = Sender {
            id: self.engine.new_id(),
            organization_id: account.organization_id,
            account_id: account.id,
            external_id: number.to_owned(),
            ..sender()
        };
        self.engine.db.write(PutSender(sender)).await.unwrap();
    }

    fn push(&self) -> &dyn Push {
        self.ground.provider.push().unwrap()
    }

    async fn shake(&self, account: Option<&str>, token: &str) -> Result<String, PushError> {
        let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.push().handshake(&self.engine, account, &query).await
    }

    async fn receive(&self, account: Option<&str>, body: &Value, secret: &str) -> Result<(), PushError> {
        let body = Bytes::from(body.to_string());
        let signature = meta_wire::signature::sign(secret.as_bytes(), &body);
        self.receive_raw(account, body, Some(signature)).await
    }

    async fn receive_raw(
        &self,
        account: Option<&str>,
        body: Bytes,
        signature: Option<String>,
    ) -> Result<(), PushError> {
        let header = |name: &str| signature.clone().filter(|_| name == "x-hub-signature-256");
        self.push().receive(&self.engine, Pushed { account, url: "", header: &header, body }).await
    }

    async fn knows(&self, number: &str, wamid: &str) -> bool {
        let reader = &mut *self.engine.db.reader().await.unwrap();
        let sender = store::senders::by_external_id(reader, "meta-cloud", number).await.unwrap().unwrap();
        store::messages::peek_by_provider_id(reader, &sender.id, wamid).await.unwrap().is_some()
    }

    async fn heard(&self, account: &Id) -> bool {
        let reader = &mut *self.engine.db.reader().await.unwrap();
        store::accounts::get(reader, account).await.unwrap().unwrap().heard_at.is_some()
    }
}

fn entry(waba: &str, number: &str, wamid: &str) -> Value {
    let message =
        json!({"from": "15550199001", "id": wamid, "timestamp": "1700000000", "type": "text", "text": {"body": "Hi"}});
    let value = json!({"messaging_product": "whatsapp", "messages": [message],
        "metadata": {"display_phone_number": "15550100001", "phone_number_id": number}});
    json!({"id": waba, "changes": [{"field": "messages", "value": value}]})
}

fn post(entries: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": entries})
}

#[tokio::test]
async fn the_address_is_ours_for_whoever_knows_the_word() {
    let world = World::new().await;
    let by_id = world.account.hex24();
    for account in [None, Some(WABA), Some(by_id.as_str())] {
        assert_eq!(world.shake(account, VERIFY_TOKEN).await.unwrap(), "1158201444");
        assert!(matches!(world.shake(account, "guess").await, Err(PushError::Refused)));
        assert!(matches!(world.shake(account, "").await, Err(PushError::Refused)));
    }
    assert!(matches!(world.shake(Some("5"), VERIFY_TOKEN).await, Err(PushError::UnknownAccount)));
    assert!(matches!(world.push().handshake(&world.engine, None, &[]).await, Err(PushError::Unreadable(_))));

    // Another account's word does not open this one's address, and its own does at once.
    put_account(&world.engine, "7", json!({"app_id": "2"}), secrets("other", "w0rd")).await;
    assert!(world.shake(Some("7"), "w0rd").await.is_ok() && world.shake(None, "w0rd").await.is_ok());
    assert!(matches!(world.shake(Some(WABA), "w0rd").await, Err(PushError::Refused)));
}

#[tokio::test]
async fn only_what_is_signed_is_taken_and_twice_is_once() {
    let world = World::new().await;
    let body = post(&[entry(WABA, PHONE, "wamid.A")]);
    for secret in ["guess", ""] {
        assert!(matches!(world.receive(None, &body, secret).await, Err(PushError::Refused)));
    }
    let raw = Bytes::from(body.to_string());
    assert!(matches!(world.receive_raw(None, raw, None).await, Err(PushError::Refused)));
    assert!(matches!(world.receive(Some("5"), &body, APP_SECRET).await, Err(PushError::UnknownAccount)));
    assert!(!world.knows(PHONE, "wamid.A").await && !world.heard(&world.account).await);

    for account in [None, Some(WABA), None] {
        world.receive(account, &body, APP_SECRET).await.unwrap();
    }
    assert!(world.knows(PHONE, "wamid.A").await && world.heard(&world.account).await);
    let broken = Bytes::from_static(b"{\"entry\": 5");
    let signature = meta_wire::signature::sign(APP_SECRET.as_bytes(), &broken);
    assert!(matches!(world.receive_raw(None, broken, Some(signature)).await, Err(PushError::Unreadable(_))));
}

#[tokio::test]
async fn an_app_speaks_for_its_own_accounts_only() {
    let world = World::new().await;
    let other = put_account(&world.engine, "7", json!({"app_id": "2"}), secrets("other", "w0rd")).await;
    world.put_number(&other, "70").await;
    let forged = [entry("7", "70", "wamid.GOOD"), entry(WABA, PHONE, "wamid.EVIL"), entry("7", PHONE, "wamid.WORSE")];
    world.receive(None, &post(&forged), "other").await.unwrap();
    assert!(world.knows("70", "wamid.GOOD").await);
    assert!(!world.knows(PHONE, "wamid.EVIL").await, "an app spoke for another's account");
    assert!(!world.knows(PHONE, "wamid.WORSE").await, "an app spoke for another's number");
    assert!(world.heard(&other).await && !world.heard(&world.account).await);
}

#[tokio::test]
async fn accounts_of_one_app_share_an_address_and_a_new_one_is_heard_at_once() {
    let world = World::new().await;
    world.receive(None, &post(&[entry(WABA, PHONE, "wamid.A")]), APP_SECRET).await.unwrap();
    let sister = put_account(&world.engine, "7", json!({"app_id": "1"}), secrets(APP_SECRET, "w0rd")).await;
    world.put_number(&sister, "70").await;
    let both = post(&[entry("7", "70", "wamid.B"), entry(WABA, PHONE, "wamid.C")]);
    world.receive(Some(WABA), &both, APP_SECRET).await.unwrap();
    assert!(world.knows("70", "wamid.B").await && world.knows(PHONE, "wamid.C").await);
}

#[tokio::test]
async fn many_pushes_at_once_are_all_kept() {
    let world = Arc::new(World::new().await);
    let pushes = (0..40).map(|number| {
        let world = world.clone();
        let body = post(&[entry(WABA, PHONE, &format!("wamid.{}", number / 2))]);
        tokio::spawn(async move { world.receive(None, &body, APP_SECRET).await })
    });
    for push in futures_util::future::join_all(pushes).await {
        push.unwrap().unwrap();
    }
    for number in 0..20 {
        assert!(world.knows(PHONE, &format!("wamid.{number}")).await);
    }
}
