//! What goes wrong on the way there, and what is done about it.

use std::time::Duration;

use engine::accounts;
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::failure::{Code, Retry};
use engine::messages::Status;
use engine::provider::{Outgoing, Sent};
use engine::{Clock, Id};
use provider_telecom::http::{Options, providers};
use sandbox_carriers::{Fault, Target};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::world::{ANN, CARRIERS, NOW, World};

fn outgoing(world: &World) -> Outgoing {
    let to = Address { kind: PHONE.to_owned(), value: ANN.to_owned() };
    let content = Content::Text { body: "hello".to_owned(), preview: false };
    Outgoing { id: world.engine.new_id(), to, content, reply_to: None, provider_id: None }
}

async fn account(world: &World, provider: &str) -> engine::provider::Account {
    let id = world.sender(provider).account_id;
    (*world.engine.account(&id).await.unwrap().unwrap()).clone()
}

#[tokio::test]
async fn a_busy_carrier_is_asked_again_later() {
    let world = World::new().await;
    for carrier in CARRIERS {
        world.fault(Target::Sms, Fault::Status(429));
        let id = world.text(carrier, "hello").await;
        assert_eq!(world.message(carrier, &id).await.status, Status::Pending);
        world.clock.advance(Duration::from_secs(5));
        world.work().await;
        world.reaches(carrier, &id, Status::Delivered).await;
    }
    assert_eq!(world.carriers.sms().len(), 3);
}

#[tokio::test]
async fn dead_credentials_stop_the_account() {
    let world = World::new().await;
    for carrier in CARRIERS {
        world.fault(Target::Sms, Fault::Status(401));
        let id = world.text(carrier, "hello").await;
        assert_eq!(world.message(carrier, &id).await.status, Status::Pending);
        let rows = world.engine.account_rows().await.unwrap();
        let row = rows.iter().find(|row| row.provider == carrier).unwrap();
        assert_eq!(row.status, accounts::BLOCKED, "{carrier}");
    }
    assert!(world.carriers.sms().is_empty());
}

#[tokio::test]
async fn refusals_are_for_good_and_say_why() {
    let world = World::new().await;
    for (carrier, number, code) in [
        ("twilio", 21610, Code::RecipientOptedOut),
        ("twilio", 21211, Code::RecipientUnreachable),
        ("telnyx", 40300, Code::RecipientOptedOut),
        ("telnyx", 40310, Code::RecipientUnreachable),
        ("vonage", 1210, Code::Rejected),
        ("vonage", 1240, Code::RecipientUnreachable),
    ] {
        world.fault(Target::Sms, Fault::Status(number));
        let id = world.text(carrier, "hello").await;
        let failure = world.failure(carrier, &id).await.unwrap();
        assert_eq!((failure.code, failure.provider_code), (code, Some(number.into())), "{carrier}");
        assert!(failure.details.is_some());
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_by_its_receipt() {
    let world = World::new().await;
    for carrier in CARRIERS {
        world.fault(Target::Sms, Fault::Drop);
        let id = world.text(carrier, "hello").await;
        world.reaches(carrier, &id, Status::Delivered).await;
        let provider = format!("{carrier}-voice");
        world.fault(Target::Voice, Fault::Drop);
        let id = world.speech(&provider, "1234", "en").await;
        world.reaches(&provider, &id, Status::Delivered).await;
    }
    world.clock.advance(Duration::from_secs(3600));
    world.work().await;
    let stats = world.carriers.stats();
    assert_eq!((stats.sms.received, stats.sms.repeated, stats.voice.received, stats.voice.repeated), (3, 0, 3, 0));
}

#[tokio::test]
async fn telnyx_takes_a_message_once_however_often_it_is_asked() {
    let world = World::new().await;
    let (provider, account) = (world.provider("telnyx").clone(), account(&world, "telnyx").await);
    let (sender, message) = (world.sender("telnyx"), outgoing(&world));
    world.fault(Target::Sms, Fault::Drop);
    let lost = provider.send(&account, sender, &message).await.unwrap_err();
    assert_eq!(lost.retry, Retry::Unknown);
    let first = provider.send(&account, sender, &message).await.unwrap();
    assert_eq!(provider.send(&account, sender, &message).await.unwrap(), first);
    assert_eq!(first, Sent::one(world.carriers.sms()[0].id.clone()));
    assert_eq!(world.carriers.stats().sms.received, 1);
}

#[tokio::test]
async fn only_what_cannot_have_arrived_is_simply_tried_again() {
    let world = World::new().await;
    let client = net::plain_client(&net::PlainSettings::default()).unwrap();
    let options = Options::new(client, "http://platform.test", Clock::manual(NOW));
    let hasty = Options { timeout: Duration::from_millis(300), ..options.clone() };
    for (patient, hasty) in providers(&options).iter().zip(providers(&hasty)).filter(|(it, _)| it.channel() == "sms") {
        let name = patient.name();
        let (mut account, sender, message) = (account(&world, name).await, world.sender(name), outgoing(&world));
        world.fault(Target::Sms, Fault::Timeout);
        let silent = hasty.send(&account, sender, &message).await.unwrap_err();
        assert_eq!((silent.retry, silent.failure.code), (Retry::Unknown, Code::OutcomeUnknown), "{name}");
        let own = world.carriers.http().url().to_owned();
        account.config = account.config.replace(&own, &rude().await);
        let lost = patient.send(&account, sender, &message).await.unwrap_err();
        assert_eq!(lost.retry, Retry::Unknown, "{name}");
        account.config =
            world.engine.account(&sender.account_id).await.unwrap().unwrap().config.replace(&own, &nobody().await);
        let unreached = patient.send(&account, sender, &message).await.unwrap_err();
        assert_eq!((unreached.retry, unreached.failure.code), (Retry::BackOff, Code::ProviderUnavailable), "{name}");
        account.secrets = "{}".to_owned().into();
        let stopped = patient.send(&account, sender, &message).await.unwrap_err();
        assert_eq!((stopped.retry, stopped.failure.code), (Retry::Stop, Code::AccountProblem), "{name}");
    }
    let mut foreign = outgoing(&world);
    foreign.to.kind = "email".to_owned();
    let account = account(&world, "twilio").await;
    let refused = world.provider("twilio").send(&account, world.sender("twilio"), &foreign).await.unwrap_err();
    assert_eq!((refused.retry, refused.failure.code), (Retry::Never, Code::Rejected));
    assert_ne!(foreign.id, Id::from_parts(0, 0));
}

/// The URL of a port on which nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The URL of a server that reads the beginning of a request and hangs up.
async fn rude() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
        }
    });
    url
}
