//! Messages over carriers: several accounts for one sender, parts, and receipts in any order.

use engine::Id;
use engine::events::{
    MESSAGE_CREATED, MESSAGE_DELIVERED, MESSAGE_FAILED, MESSAGE_RETRYING, MESSAGE_SENT, MESSAGE_SUBMITTED,
};
use engine::failure::SendError;
use engine::messages::Status;
use engine::routes;
use testkit::{CARRIERS, House, on_both};

use crate::{ANN, MINUTE, seconds};

const ONE: &str = CARRIERS[0];
const TWO: &str = CARRIERS[1];

async fn route(house: &House, sender: &Id, region: &str, accounts: &[Id]) {
    let set = routes::Set {
        engine: house.engine.clone(),
        organization: house.organization.id,
        sender: *sender,
        region: region.into(),
        accounts: accounts.to_vec(),
    };
    house.engine.perform(set).await.unwrap().unwrap();
}

fn down() -> Result<Vec<&'static str>, SendError> {
    Err(SendError::unreached("nobody answers"))
}

on_both! {
    async fn a_carrier_that_is_down_is_passed_over_and_tried_again(house: &mut House) {
        let (sender, [one, two]) = house.open_carriers().await;
        route(house, &sender.id, "", &[one, two]).await;
        house.carriers[0].will([down()]);
        let first = house.try_send(&sender, ANN, "first").await.unwrap();
        house.settle().await;
        assert_eq!(house.message(&first.id).await.status, Status::Sent);
        assert_eq!((house.carriers[0].texts(), house.carriers[1].texts()), (vec!["first".into()], vec!["first".into()]));
        assert_eq!(house.story(&first.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED]);

        house.try_send(&sender, ANN, "second").await.unwrap();
        house.settle().await;
        assert_eq!(house.carriers[0].texts().len(), 1, "it rests");
        house.advance(MINUTE);
        house.try_send(&sender, ANN, "third").await.unwrap();
        house.settle().await;
        assert_eq!(house.carriers[0].texts().last().unwrap(), "third");
        assert_eq!(house.carriers[1].texts().len(), 2);
    }

    async fn nothing_goes_elsewhere_that_may_have_been_taken(house: &mut House) {
        let (sender, [one, two]) = house.open_carriers().await;
        route(house, &sender.id, "", &[one, two]).await;
        house.carriers[0].will([Err(SendError::unknown("no answer"))]);
        let message = house.try_send(&sender, ANN, "once").await.unwrap();
        house.settle().await;
        assert!(house.carriers[1].texts().is_empty());
        house.hear(ONE, "late-name", Some(message.id), Status::Delivered).await;
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Delivered);
        house.pass(MINUTE * 30, MINUTE).await;
        assert_eq!(house.carriers[0].texts().len() + house.carriers[1].texts().len(), 1);
    }

    async fn a_receipt_counts_however_near_the_answer_it_comes(house: &mut House) {
        let (sender, _) = house.open_carriers().await;
        let names: Vec<&'static str> = (0..40).map(|number| &*format!("name-{number}").leak()).collect();
        house.carriers[0].will(names.iter().map(|name| Ok(vec![*name])));
        let mut sent = Vec::new();
        for number in 0..names.len() {
            sent.push(house.try_send(&sender, &format!("+14155552{number:03}"), "x").await.unwrap().id);
        }
        let told = names.iter().map(|name| house.hear(ONE, name, None, Status::Delivered));
        tokio::join!(house.settle(), futures_util::future::join_all(told));
        for id in sent {
            assert_eq!(house.message(&id).await.status, Status::Delivered);
        }
    }

    async fn countries_have_carriers_of_their_own(house: &mut House) {
        let (sender, [one, two]) = house.open_carriers().await;
        route(house, &sender.id, "ID", &[two]).await;
        route(house, &sender.id, "", &[one]).await;
        house.try_send(&sender, "+6281234567890", "to Indonesia").await.unwrap();
        house.try_send(&sender, "+14155552671", "to the States").await.unwrap();
        house.settle().await;
        assert_eq!(house.carriers[1].texts(), ["to Indonesia"]);
        assert_eq!(house.carriers[0].texts(), ["to the States"]);
        house.carriers[1].will([down()]);
        let waits = house.try_send(&sender, "+6281234567890", "again").await.unwrap();
        house.settle().await;
        assert_eq!(house.carriers[0].texts().len(), 1, "the routes for a country are all its routes");
        assert!(house.story(&waits.id).await.contains(&MESSAGE_RETRYING.to_owned()));
        house.pass(MINUTE, seconds(5)).await;
        assert_eq!(house.message(&waits.id).await.status, Status::Sent);
    }

    async fn a_message_is_as_far_as_the_least_of_its_parts(house: &mut House) {
        let (sender, _) = house.open_carriers().await;
        // One receipt overtakes the answer, one comes twice, one speaks of nothing we know.
        house.hear(ONE, "part-2", None, Status::Delivered).await;
        house.hear(ONE, "stray", None, Status::Delivered).await;
        house.carriers[0].will([Ok(vec!["part-1", "part-2"])]);
        let message = house.try_send(&sender, ANN, "long").await.unwrap();
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        for _ in 0..2 {
            house.hear(ONE, "part-1", None, Status::Delivered).await;
        }
        assert_eq!(house.message(&message.id).await.status, Status::Delivered);
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED, MESSAGE_DELIVERED]);

        house.carriers[0].will([Ok(vec!["a", "b", "c"])]);
        let message = house.try_send(&sender, ANN, "longer").await.unwrap();
        house.settle().await;
        house.hear(ONE, "b", None, Status::Failed).await;
        house.hear(ONE, "a", None, Status::Delivered).await;
        house.hear(ONE, "c", None, Status::Delivered).await;
        assert_eq!(house.message(&message.id).await.status, Status::Failed);
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED, MESSAGE_FAILED]);
        house.settle().await;
    }

    async fn receipts_are_believed_of_the_accounts_own_messages_only(house: &mut House) {
        let (sender, _) = house.open_carriers().await;
        house.carriers[0].will([Ok(vec!["mine"])]);
        let message = house.try_send(&sender, ANN, "hello").await.unwrap();
        house.settle().await;
        house.hear(TWO, "mine", None, Status::Failed).await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        house.hear(ONE, "mine", None, Status::Sent).await;
        assert!(!house.story(&message.id).await.contains(&MESSAGE_SENT.to_owned()), "sent it was already");
        house.settle().await;
    }
}
