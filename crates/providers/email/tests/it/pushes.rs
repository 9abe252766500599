//! A mail's whole way: accepted by an engine, taken by the relay, and coming back.

use std::sync::Arc;

use engine::accounts::{self, NewAccount};
use engine::contacts::{Address, EMAIL};
use engine::failure::Failure;
use engine::messages::{self, New, Status, Terms};
use engine::provider::{Provider, PushError, Pushed};
use engine::senders::Sender;
use engine::{Engine, Id};
use sandbox_carriers::Fault;
use tempfile::TempDir;

use crate::ground::{ACCOUNT, FROM, MailServer, email, engine, provider, secrets};

struct Ground {
    engine: Engine,
    provider: Arc<provider_email::Smtp>,
    server: MailServer,
    sender: Arc<Sender>,
    _dir: TempDir,
}

impl Ground {
    async fn new(faults: Vec<Option<Fault>>) -> Self {
        let (server, provider) = (MailServer::start(faults).await, Arc::new(provider()));
        let (engine, dir) = engine(provider.clone()).await;
        let organization = engine.perform(engine::organizations::create(&engine, "Shop")).await.unwrap();
        let new = NewAccount {
            organization: organization.id,
            provider: provider_email::Smtp::NAME.to_owned(),
            external_id: ACCOUNT.to_owned(),
            name: "Relay".to_owned(),
            config: server.config().to_string(),
            secrets: secrets().to_string().into(),
        };
        let account = engine.perform(accounts::put(&engine, new)).await.unwrap();
        let (_, senders) = accounts::connect(&engine, &account).await.unwrap();
        let [sender] = senders.as_slice() else { panic!("{} senders", senders.len()) };
        assert_eq!((sender.address.as_str(), sender.channel.as_str()), (FROM, "email"));
        Self { sender: Arc::new(sender.clone()), engine, provider, server, _dir: dir }
    }

    /// Accepts a mail and works off what is due.
    async fn send(&self, to: &str) -> Id {
        let new = New {
            sender: self.sender.clone(),
            to: Address { kind: EMAIL.to_owned(), value: to.to_owned() },
            content: email(to),
            reply_to: None,
            provider_id: None,
            origin: "test",
            request_id: "r".to_owned(),
            terms: Terms::default(),
        };
        let message = self.engine.perform(messages::send(&self.engine, new)).await.unwrap().unwrap();
        engine::workers::drain(&self.engine).await.unwrap();
        message.id
    }

    async fn stands(&self, id: &Id) -> (Status, Option<String>) {
        let mut reader = self.engine.db.reader().await.unwrap();
        let message = store::messages::find(&mut reader, id).await.unwrap().unwrap();
        (message.status, message.error)
    }

    async fn push(&self, account: Option<&str>, authorization: &str, body: &[u8]) -> Result<(), PushError> {
        let header = |name: &str| (name == "authorization").then(|| authorization.to_owned());
        let body = body.to_vec().into();
        let pushed = Pushed { account, url: "https://hermod.test/webhooks/smtp/relay", header: &header, body };
        self.provider.push().unwrap().receive(&self.engine, pushed).await
    }
}

#[tokio::test]
async fn a_mail_that_comes_back_has_failed() {
    let mut ground = Ground::new(vec![None, None, Some(Fault::Code("2.0.0".to_owned()))]).await;
    let id = ground.send("ada@nowhere.invalid").await;
    assert_eq!(ground.stands(&id).await, (Status::Sent, None));
    let brought = ground.server.brought.recv().await.unwrap();
    ground.push(Some(ACCOUNT), &brought.authorization, &brought.body).await.unwrap();
    let (status, error) = ground.stands(&id).await;
    let failure: Failure = serde_json::from_str(&error.unwrap()).unwrap();
    assert_eq!(
        (status, failure.code, failure.provider_code),
        (Status::Failed, engine::failure::Code::RecipientUnreachable, Some(550))
    );
    assert!(failure.details.unwrap().contains("5.1.1"));

    let kept = ground.send("ada@example.org").await;
    let arrived = ground.send("ada@example.org").await;
    let brought = ground.server.brought.recv().await.unwrap();
    ground.push(Some(ACCOUNT), &brought.authorization, &brought.body).await.unwrap();
    // Brought once more, it changes nothing.
    ground.push(Some(ACCOUNT), &brought.authorization, &brought.body).await.unwrap();
    assert_eq!(ground.stands(&kept).await, (Status::Sent, None));
    assert_eq!(ground.stands(&arrived).await, (Status::Delivered, None));
    assert_eq!(ground.server.carriers.emails().len(), 3);
}

#[tokio::test]
async fn a_report_settles_a_mail_whose_answer_was_lost() {
    let mut ground = Ground::new(vec![Some(Fault::Drop)]).await;
    let id = ground.send("ada@nowhere.invalid").await;
    assert_eq!(ground.stands(&id).await.0, Status::Pending);
    let brought = ground.server.brought.recv().await.unwrap();
    ground.push(Some(ACCOUNT), &brought.authorization, &brought.body).await.unwrap();
    assert_eq!(ground.stands(&id).await.0, Status::Failed);
    engine::workers::drain(&ground.engine).await.unwrap();
    assert_eq!(ground.server.carriers.emails().len(), 1);
}

#[tokio::test]
async fn reports_are_believed_from_who_knows_the_secret() {
    let mut ground = Ground::new(Vec::new()).await;
    let id = ground.send("ada@nowhere.invalid").await;
    let report = ground.server.brought.recv().await.unwrap().body;
    for wrong in ["", "b0unce", "Bearer", "Bearer ", "Bearer other", "Basic b0unce"] {
        assert!(matches!(ground.push(Some(ACCOUNT), wrong, &report).await, Err(PushError::Refused)), "{wrong:?}");
    }
    for account in [None, Some("other")] {
        assert!(matches!(ground.push(account, "Bearer b0unce", &report).await, Err(PushError::UnknownAccount)));
    }
    for noise in [&b""[..], b"Subject: Away\r\n\r\nI am on holiday", &[0xff; 100]] {
        ground.push(Some(ACCOUNT), "Bearer b0unce", noise).await.unwrap();
    }
    assert_eq!(ground.stands(&id).await, (Status::Sent, None));
}
