//! SMS there, receipts and answers back.

use engine::content::Content;
use engine::failure::Code;
use engine::messages::{Direction, Status};
use sandbox_carriers::{Fault, Phone, Target};

use super::world::{ANN, CARRIERS, World, number};

#[tokio::test]
async fn a_text_arrives_and_its_receipts_come_home() {
    let world = World::new().await;
    let long = "Grüße € ".repeat(30);
    for carrier in CARRIERS {
        let id = world.text(carrier, &long).await;
        world.reaches(carrier, &id, Status::Delivered).await;
        let message = world.message(carrier, &id).await;
        let sms = world.carriers.sms().into_iter().find(|sms| Some(&sms.id) == message.provider_id.as_ref()).unwrap();
        let from = number(carrier).trim_start_matches('+');
        assert_eq!((sms.carrier, sms.from.trim_start_matches('+'), sms.to.as_str()), (carrier, from, ANN));
        assert_eq!((sms.text.as_str(), sms.parts, sms.status.as_str()), (long.as_str(), 2, "delivered"));
        assert!(world.pushes(carrier).iter().all(|push| push.status == 200));
    }
    assert_eq!((world.carriers.stats().sms.received, world.carriers.stats().sms.repeated), (3, 0));
}

#[tokio::test]
async fn a_phone_that_is_off_gets_it_later_and_nobodys_number_never() {
    let world = World::new().await;
    for carrier in CARRIERS {
        world.phone(ANN, Phone { registered: true, online: false });
        let id = world.text(carrier, "hello").await;
        world.pushed(carrier, 1).await;
        assert_eq!(world.message(carrier, &id).await.status, Status::Sent);
        world.phone(ANN, Phone { registered: true, online: true });
        world.reaches(carrier, &id, Status::Delivered).await;

        world.phone(ANN, Phone { registered: false, online: false });
        let id = world.text(carrier, "hello").await;
        world.reaches(carrier, &id, Status::Failed).await;
        let failure = world.failure(carrier, &id).await.unwrap();
        assert_eq!(failure.code, Code::RecipientUnreachable, "{carrier}: {failure:?}");
        assert!(failure.provider_code.is_some());
    }
}

#[tokio::test]
async fn people_answer_and_are_heard_once() {
    let world = World::new().await;
    for carrier in CARRIERS {
        // The platform is away at first; the carrier comes again.
        world.is_deaf_to(1);
        let provider_id = world.carriers.reply(ANN, number(carrier), "Ja, 👍 & gern +1=2").await.unwrap();
        world.until(async || world.pushes(carrier).len() == 1).await.unwrap();
        let again = world.pushes(carrier)[0].clone();
        assert_eq!((again.status, world.push(&again).await), (200, 200));
        let heard = world.messages(carrier).await;
        assert_eq!(heard.len(), 1, "{carrier}");
        assert_eq!((heard[0].direction, heard[0].provider_id.as_deref()), (Direction::Inbound, Some(&*provider_id)));
        assert_eq!(Content::parse(&heard[0].content).unwrap().text(), Some("Ja, 👍 & gern +1=2"));

        // It is one conversation, both ways.
        let id = world.text(carrier, "thanks").await;
        assert_eq!(world.message(carrier, &id).await.conversation_id, heard[0].conversation_id);
    }
}

#[tokio::test]
async fn receipts_come_twice_and_before_the_answer_and_mean_the_same() {
    let world = World::new().await;
    for carrier in CARRIERS {
        for fault in [Fault::Duplicate, Fault::Reorder] {
            world.fault(Target::Sms, fault);
            let id = world.text(carrier, "hello").await;
            world.reaches(carrier, &id, Status::Delivered).await;
        }
    }
    assert_eq!(world.carriers.stats().sms.received, 6);
}

#[tokio::test]
async fn words_that_nobody_knows_are_kept_and_change_nothing() {
    let world = World::new().await;
    for carrier in CARRIERS {
        world.fault(Target::Sms, Fault::Code("teleported".to_owned()));
        let id = world.text(carrier, "hello").await;
        let pushes = world.pushed(carrier, 2).await;
        assert!(pushes.iter().all(|push| push.status == 200), "{carrier}");
        assert!(String::from_utf8_lossy(&pushes[1].body).contains("teleported"));
        assert_eq!(world.message(carrier, &id).await.status, Status::Sent);
    }
}
