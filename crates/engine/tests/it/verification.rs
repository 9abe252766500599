//! Codes when processes die: nothing is lost, doubled or told to anybody else.

use std::sync::Arc;

use engine::content::Content;
use engine::failure::{Code, SendError};
use engine::messages::Status;
use engine::senders::Sender;
use engine::verification::{APPROVED, Begun, Check, EXPIRED, New, Taken, Way, Whose, mask, start};
use testkit::{DIALECT, House, Reply, on_both};

use crate::{ANN, MINUTE, die, seconds, working};

const CODE: &str = "0042";

fn way(sender: &Arc<Sender>, said: &str) -> Way {
    let body = format!("{said} {}", mask(CODE.len()));
    Way { sender: sender.clone(), content: Content::Text { body, preview: false } }
}

async fn ask(house: &House, fallback: Option<Way>) -> Taken {
    let new = New {
        to: engine::contacts::Address { kind: engine::contacts::PHONE.into(), value: ANN.into() },
        code: CODE.to_owned().into(),
        way: way(&house.sender, "first"),
        fallback,
        external_id: None,
        origin: DIALECT,
        request_id: "request".into(),
    };
    let begun = house.engine.perform(start(&house.engine, new).unwrap()).await.unwrap().unwrap();
    let Begun::Taken(taken) = begun else { panic!("it was not asked for too often") };
    *taken
}

async fn check(house: &House, taken: &Taken, code: &str) -> (bool, String) {
    let check = Check {
        engine: house.engine.clone(),
        organization: house.organization.id,
        whose: Whose::Id(taken.verification.id),
        code: code.to_owned().into(),
    };
    let checked = house.engine.perform(check).await.unwrap().unwrap();
    (checked.valid, checked.verification.status)
}

on_both! {
    async fn a_lost_answer_is_asked_for_again_with_the_same_code(house: &mut House) {
        house.settings.senders.outcome_wait = MINUTE;
        house.restart().await;
        house.provider.will([Reply::Hangs]);
        let taken = ask(house, None).await;
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        house.advance(seconds(90));
        house.settle().await;
        house.receive(Vec::new()).await;
        house.advance(MINUTE);
        house.settle().await;
        assert_eq!(house.provider.texts(), ["first 0042", "first 0042"]);
        assert!(house.message(&taken.message.as_ref().unwrap().id).await.content.contains("first ****"));
        assert_eq!(check(house, &taken, CODE).await, (true, APPROVED.to_owned()));
    }

    async fn the_other_way_is_committed_with_the_report(house: &mut House) {
        let (texts, _) = house.open_carriers().await;
        let taken = ask(house, Some(way(&texts, "second"))).await;
        house.settle().await;
        let first = house.message(&taken.message.as_ref().unwrap().id).await;
        let other = house.another().await;
        let report = || house.receipt(first.provider_id.as_deref().unwrap(), None, Status::Failed);
        // Two processes hear of it at once, and both die before they do anything else.
        let (here, there) = (house.push(vec![report()]), house.push(vec![report()]));
        let (one, two) = tokio::join!(house.engine.receive(testkit::PROVIDER, here), other.receive(testkit::PROVIDER, there));
        one.and(two).unwrap();
        house.restart().await;
        house.settle().await;
        assert_eq!(house.carriers[0].texts(), ["second 0042"]);
        house.receive(vec![house.receipt(first.provider_id.as_deref().unwrap(), None, Status::Failed)]).await;
        house.settle().await;
        assert_eq!(house.carriers[0].texts().len(), 1);
        assert_eq!(check(house, &taken, CODE).await, (true, APPROVED.to_owned()));
    }

    async fn a_refusal_and_the_other_way_are_one_record(house: &mut House) {
        let (texts, _) = house.open_carriers().await;
        house.provider.will([Reply::Fails(SendError::refused(Code::RecipientUnreachable, "not there"))]);
        let taken = ask(house, Some(way(&texts, "second"))).await;
        house.settle().await;
        assert_eq!((house.provider.texts().len(), house.carriers[0].texts()), (1, vec!["second 0042".to_owned()]));
        assert_eq!(check(house, &taken, "0043").await, (false, "pending".to_owned()));
    }

    async fn a_code_that_waited_too_long_is_not_sent(house: &mut House) {
        house.provider.will([Reply::Fails(SendError::unreached("nobody answers"))]);
        let taken = ask(house, None).await;
        house.settle().await;
        house.advance(10 * MINUTE);
        house.settle().await;
        assert_eq!(house.provider.texts().len(), 1);
        assert_eq!(house.message(&taken.message.as_ref().unwrap().id).await.status, Status::Failed);
        assert_eq!(check(house, &taken, CODE).await, (false, EXPIRED.to_owned()));
    }
}
