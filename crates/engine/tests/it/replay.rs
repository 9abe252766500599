//! Sending what was sent before again.

use engine::deliveries::{Delivery, Filter, Replay, ReplayMany, Replayed, Status};
use engine::events::{MESSAGE_CREATED, MESSAGE_RECEIVED};
use engine::facts::Fact;
use engine::replay::{Stretch, replay};
use engine::subscriptions::{self, Change, Subscription};
use engine::{Id, Outcome, Refusal};
use testkit::{DIALECT, Echo, House, on_both};

use crate::{ANN, HOOK, OTHER_HOOK, seconds};

async fn deliveries(house: &House) -> Vec<Delivery> {
    let mut found = house.engine.deliveries(&house.organization.id, DIALECT, &Filter::default(), 1000).await.unwrap();
    found.reverse();
    found
}

async fn said(house: &House, count: usize) {
    let fact = |number| Fact::Message(Box::new(house.inbound(ANN, &format!("m{number}"), "hello")));
    house.receive((0..count).map(fact).collect()).await;
    house.settle().await;
}

async fn again(house: &House, id: &Id) -> Outcome<Delivery> {
    let replay =
        Replay { engine: house.engine.clone(), organization: house.organization.id, dialect: DIALECT, id: *id };
    house.engine.perform(replay).await.unwrap()
}

async fn again_all(house: &House, subscription: &Subscription, filter: Filter, cap: usize) -> Outcome<Replayed> {
    let replay = ReplayMany {
        engine: house.engine.clone(),
        organization: house.organization.id,
        dialect: DIALECT,
        subscription: subscription.id,
        filter,
        cap,
    };
    house.engine.perform(replay).await.unwrap()
}

on_both! {
    async fn one_delivery_goes_again_as_a_new_one(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, [Echo::Status(404)]);
        said(house, 1).await;
        let dead = deliveries(house).await.remove(0);
        let new = again(house, &dead.id).await.unwrap();
        house.settle().await;
        let now = async |id| house.engine.delivery(&house.organization.id, DIALECT, id).await.unwrap().unwrap();
        let (old, new) = (now(&dead.id).await, now(&new.id).await);
        assert_eq!((old.status, old.replayed, old.attempt_count), (Status::Dead, true, 1));
        assert_eq!((new.status, new.replayed, new.replayed_from), (Status::Succeeded, false, Some(old.id)));
        let posted = house.transport.posted(HOOK);
        assert_eq!(posted[0].body, posted[1].body);
        assert_eq!(posted.iter().map(|posted| posted.header("x-replay")).collect::<Vec<_>>(), ["false", "true"]);
        assert_eq!(posted[0].header("x-fact"), posted[1].header("x-fact"));
    }

    async fn an_open_delivery_is_not_sent_beside_its_replay(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, [Echo::Status(500)]);
        said(house, 1).await;
        let failed = deliveries(house).await.remove(0);
        again(house, &failed.id).await.unwrap();
        house.pass(seconds(60), seconds(10)).await;
        assert_eq!(house.transport.posted(HOOK).len(), 2);
        assert_eq!(deliveries(house).await[0].status, Status::Dead);
    }

    async fn many_go_again_up_to_a_cap_each_once(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, vec![Echo::Status(404); 5]);
        said(house, 7).await;
        let dead = || Filter { status: Some(Status::Dead), ..Filter::default() };
        for (enqueued, capped) in [(3, true), (2, false), (0, false)] {
            let replayed = again_all(house, &subscription, dead(), 3).await.unwrap();
            assert_eq!(replayed, Replayed { enqueued, capped });
            house.settle().await;
        }
        assert_eq!(house.transport.posted(HOOK).len(), 12);
        assert!(deliveries(house).await.iter().all(|delivery| delivery.replayed == (delivery.status == Status::Dead)));
    }

    async fn what_fails_again_does_not_count_against_the_receiver(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.always(HOOK, Echo::Status(404));
        said(house, 20).await;
        assert_eq!(again_all(house, &subscription, Filter::default(), 1000).await.unwrap().enqueued, 20);
        house.settle().await;
        let now = house.engine.subscription(&house.target(&subscription)).await.unwrap().unwrap().0;
        assert_eq!((now.status, now.consecutive_failures), (subscriptions::Status::Active, 20));
    }

    async fn what_is_not_mine_or_switched_off_is_refused(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        said(house, 1).await;
        let delivery = deliveries(house).await.remove(0);
        let (neighbour, ..) = house.neighbour("neighbour").await;
        let foreign =
            Replay { engine: house.engine.clone(), organization: neighbour.id, dialect: DIALECT, id: delivery.id };
        assert_eq!(house.engine.perform(foreign).await.unwrap().unwrap_err(), Refusal::NotFound("delivery"));
        let off = Change { status: Some(subscriptions::Status::Disabled), ..Change::default() };
        let update = subscriptions::update(&house.engine, house.target(&subscription), off).unwrap();
        house.engine.perform(update).await.unwrap().unwrap();
        assert_eq!(again(house, &delivery.id).await.unwrap_err(), Refusal::Disabled);
        assert_eq!(again_all(house, &subscription, Filter::default(), 9).await.unwrap_err(), Refusal::Disabled);
    }

    async fn a_stretch_of_the_past_is_marked_as_replay(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let from = house.now();
        for _ in 0..3 {
            let number = house.now() - from;
            house.receive(vec![Fact::Message(Box::new(house.inbound(ANN, &number.to_string(), "hello")))]).await;
            house.advance(seconds(1));
        }
        house.send(ANN, "hello").await;
        house.settle().await;
        // A newcomer is told of the first two seconds, in order, as far as it wants to hear.
        let subscription = house.subscribe_in_order(OTHER_HOOK, &[MESSAGE_RECEIVED, MESSAGE_CREATED]).await;
        let stretch = Stretch { subscription: subscription.id, from, to: from + 2000, name: None };
        assert_eq!(replay(&house.engine, &stretch).await.unwrap(), Ok(2));
        house.settle().await;
        let posted = house.transport.posted(OTHER_HOOK);
        assert_eq!(posted.iter().map(|posted| posted.header("x-fact")).collect::<Vec<_>>(), ["0", "1000"]);
        assert!(posted.iter().all(|posted| posted.header("x-replay") == "true"));
        assert_eq!(posted[0].body, house.transport.posted(HOOK)[0].body);

        let named = Stretch { name: Some(MESSAGE_CREATED.into()), to: house.now() + 1, ..stretch };
        assert_eq!(replay(&house.engine, &named).await.unwrap(), Ok(1));
        let unknown = Stretch { subscription: house.account, ..named };
        assert_eq!(replay(&house.engine, &unknown).await.unwrap(), Err(Refusal::NotFound("subscription")));
        house.settle().await;
    }
}
