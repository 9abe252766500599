//! Events on their way to receivers.

use engine::deliveries::{Delivery, Filter, Status};
use engine::events::{MESSAGE_CREATED, MESSAGE_RECEIVED};
use engine::facts::Fact;
use engine::subscriptions::{self, AddSecret, Change, Subscription};
use engine::{Id, workers};
use testkit::{DIALECT, Echo, House, Kind, on_both};

use crate::{ANN, BOB, DAY, HOOK, OTHER_HOOK, die, millis, seconds, working};

async fn deliveries(house: &House) -> Vec<Delivery> {
    let mut found = house.engine.deliveries(&house.organization.id, DIALECT, &Filter::default(), 1000).await.unwrap();
    found.reverse();
    found
}

/// Somebody writes; returns the message.
async fn said(house: &House, from: &str, provider_id: &str) -> Id {
    house.receive(vec![Fact::Message(Box::new(house.inbound(from, provider_id, "hello")))]).await;
    let found = house.engine.message_by_provider_id(&house.organization.id, &house.sender.id, provider_id).await;
    found.unwrap().unwrap().id
}

async fn many(house: &House, count: usize, prefix: &str) {
    let facts = (0..count).map(|number| {
        Fact::Message(Box::new(house.inbound(&format!("+1555060{number:04}"), &format!("{prefix}{number}"), "hello")))
    });
    house.receive(facts.collect()).await;
}

async fn change(house: &House, subscription: &Subscription, change: Change) {
    let update = subscriptions::update(&house.engine, house.target(subscription), change).unwrap();
    house.engine.perform(update).await.unwrap().unwrap();
}

async fn standing(house: &House, subscription: &Subscription) -> Subscription {
    house.engine.subscription(&house.target(subscription)).await.unwrap().unwrap().0
}

on_both! {
    async fn a_failing_receiver_is_tried_along_the_ladder(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.always(HOOK, Echo::Status(500));
        said(house, ANN, "1").await;
        for (attempt, pause) in [10, 30, 120, 600, 3600, 21_600, 86_400].into_iter().enumerate() {
            house.settle().await;
            assert_eq!(house.transport.posted(HOOK).len(), attempt + 1);
            let delivery = &deliveries(house).await[0];
            assert_eq!((delivery.status, delivery.attempt_count), (Status::Failed, attempt as i64 + 1));
            let wait = delivery.next_attempt_at.unwrap() - house.now();
            assert!((pause * 800..=pause * 1200).contains(&wait), "{wait} ms after attempt {}", attempt + 1);
            house.advance(millis(wait - 1));
            house.settle().await;
            assert_eq!(house.transport.posted(HOOK).len(), attempt + 1, "not a moment early");
            house.advance(millis(1));
        }
        house.settle().await;
        let delivery = &deliveries(house).await[0];
        assert_eq!((delivery.status, delivery.attempt_count, delivery.next_attempt_at), (Status::Dead, 8, None));
        assert_eq!(delivery.error.as_deref(), Some("the receiver answered 500"));
        house.advance(2 * DAY);
        house.settle().await;
        let posted = house.transport.posted(HOOK);
        assert_eq!(posted.len(), 8);
        assert!(posted.iter().all(|again| again.body == posted[0].body && again.header("x-fact") == "1"));
        assert_eq!(posted.iter().map(|posted| posted.header("x-attempt")).collect::<String>(), "12345678");
        let mut reader = house.engine.db.reader().await.unwrap();
        assert_eq!(store::deliveries::attempts(&mut reader, &delivery.id).await.unwrap().len(), 8);
    }

    async fn what_an_answer_means(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let soon = 8_000..=12_000;
        let rows = [
            (Echo::Status(200), Status::Succeeded, None),
            (Echo::Status(299), Status::Succeeded, None),
            (Echo::Status(302), Status::Failed, Some(soon.clone())),
            (Echo::Status(400), Status::Dead, None),
            (Echo::Status(404), Status::Dead, None),
            (Echo::Status(408), Status::Failed, Some(soon.clone())),
            (Echo::Status(410), Status::Dead, None),
            (Echo::Status(429), Status::Failed, Some(soon.clone())),
            (Echo::Later(429, 3600), Status::Failed, Some(3_600_000..=3_600_000)),
            (Echo::Later(429, 1), Status::Failed, Some(soon.clone())),
            (Echo::Later(503, 3600), Status::Failed, Some(soon.clone())),
            (Echo::Later(404, 3600), Status::Dead, None),
            (Echo::Fails, Status::Failed, Some(soon)),
        ];
        for (number, (echo, status, pause)) in rows.into_iter().enumerate() {
            house.transport.will(HOOK, [echo.clone()]);
            said(house, ANN, &number.to_string()).await;
            house.settle().await;
            let delivery = deliveries(house).await.pop().unwrap();
            assert_eq!(delivery.status, status, "{echo:?}");
            let wait = delivery.next_attempt_at.map(|at| at - house.now());
            assert_eq!(wait.is_some(), pause.is_some(), "{echo:?}");
            assert!(pause.is_none_or(|pause| pause.contains(&wait.unwrap())), "{echo:?}: {wait:?}");
        }
        house.advance(seconds(3600));
        house.settle().await;
        assert!(deliveries(house).await.iter().all(|delivery| delivery.status != Status::Failed));
    }

    async fn a_receiver_that_gives_nothing_is_switched_off(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.always(HOOK, Echo::Status(404));
        many(house, 23, "a").await;
        house.settle().await;
        house.transport.will(HOOK, [Echo::Status(200)]);
        said(house, ANN, "good").await;
        house.settle().await;
        many(house, 23, "b").await;
        house.settle().await;
        let now = standing(house, &subscription).await;
        assert_eq!((now.status, now.consecutive_failures), (subscriptions::Status::Active, 23));

        // One waits for its second attempt when the last straw falls.
        house.transport.will(HOOK, [Echo::Status(500)]);
        let waiting = said(house, ANN, "waiting").await;
        house.settle().await;
        said(house, ANN, "straw").await;
        house.settle().await;
        let now = standing(house, &subscription).await;
        assert_eq!(now.status, subscriptions::Status::Disabled);
        assert_eq!(now.disabled_reason.as_deref(), Some("24 deliveries in a row failed"));
        assert_eq!(house.engine.disabled_subscriptions().await.unwrap().len(), 1);
        let all = deliveries(house).await;
        let buried = all.iter().find(|delivery| String::from_utf8_lossy(&delivery.body).contains(&waiting.hex24())).unwrap();
        assert_eq!((buried.status, buried.attempt_count, buried.next_attempt_at), (Status::Dead, 1, None));

        // What happens now is not kept for it.
        said(house, ANN, "unheard").await;
        house.settle().await;
        assert_eq!(deliveries(house).await.len(), all.len());
        change(house, &subscription, Change { status: Some(subscriptions::Status::Active), ..Change::default() }).await;
        house.transport.always(HOOK, Echo::Status(200));
        said(house, ANN, "heard").await;
        house.settle().await;
        let last = deliveries(house).await.pop().unwrap();
        assert_eq!((last.fact_id.as_str(), last.status), ("heard", Status::Succeeded));
        assert_eq!(standing(house, &subscription).await.consecutive_failures, 0);
    }

    async fn a_paused_receiver_gets_everything_later(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        change(house, &subscription, Change { status: Some(subscriptions::Status::Paused), ..Change::default() }).await;
        said(house, ANN, "1").await;
        house.settle().await;
        assert!(house.transport.posted(HOOK).is_empty());
        assert_eq!(deliveries(house).await.len(), 1);
        house.advance(DAY);
        change(house, &subscription, Change { status: Some(subscriptions::Status::Active), ..Change::default() }).await;
        house.settle().await;
        assert_eq!(house.transport.posted(HOOK).len(), 1);
    }

    async fn order_holds_within_a_conversation_only(house: &mut House) {
        let subscription = house.subscribe_in_order(HOOK, &[MESSAGE_RECEIVED]).await;
        let first = said(house, ANN, "a1").await;
        for (from, id) in [(ANN, "a2"), (BOB, "b1"), (BOB, "b2"), (ANN, "a3")] {
            said(house, from, id).await;
        }
        let facts = || house.transport.posted(HOOK).iter().map(|posted| posted.header("x-fact").to_owned()).collect::<Vec<_>>();
        house.transport.about(&first, Some(Echo::Status(500)));
        house.settle().await;
        let mut so_far = facts();
        so_far.sort_unstable();
        assert_eq!(so_far, ["a1", "b1", "b2"], "what is behind the failing one waits, nothing else");
        // Nobody runs in circles over what waits behind it.
        let mut reader = house.engine.db.reader().await.unwrap();
        let next = store::deliveries::next_due(&mut reader, &subscription.id, true).await.unwrap().unwrap();
        drop(reader);
        assert!(next > house.now());
        house.transport.about(&first, None);
        house.advance(seconds(12));
        house.settle().await;
        assert_eq!(facts()[3..], ["a1", "a2", "a3"]);
    }

    async fn without_order_nothing_waits(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let first = said(house, ANN, "a1").await;
        house.transport.about(&first, Some(Echo::Status(404)));
        said(house, ANN, "a2").await;
        house.settle().await;
        let succeeded = deliveries(house).await.into_iter().filter(|delivery| delivery.status == Status::Succeeded);
        assert_eq!(succeeded.map(|delivery| delivery.fact_id).collect::<Vec<_>>(), ["a2"]);
    }

    async fn a_receiver_that_hangs_holds_up_only_itself(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.subscribe(OTHER_HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.always(HOOK, Echo::Hangs);
        let work = tokio::spawn(workers::run(house.engine.clone(), tokio_util::sync::CancellationToken::new()));
        many(house, 100, "m").await;
        // As many as are tried at first; none more while there is no answer.
        let hanging = 8;
        house.transport.reached(100 + hanging).await;
        assert_eq!(house.transport.posted(OTHER_HOOK).len(), 100);
        assert_eq!(house.transport.posted(HOOK).len(), hanging);
        work.abort();
        house.leave_work();
    }

    async fn a_dead_processs_attempt_is_made_again(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, [Echo::Hangs]);
        said(house, ANN, "1").await;
        let work = working(house);
        house.transport.reached(1).await;
        die(house, work).await;
        house.advance(millis(119_999));
        house.settle().await;
        assert_eq!(house.transport.posted(HOOK).len(), 1);
        house.advance(millis(1));
        house.settle().await;
        let posted = house.transport.posted(HOOK);
        assert_eq!((posted.len(), posted[1].header("x-attempt")), (2, "2"));
        assert_eq!(deliveries(house).await[0].status, Status::Succeeded);
    }

    /// Two processes, one queue: everything is dispatched once and arrives once.
    async fn two_processes_share_the_work(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_RECEIVED, MESSAGE_CREATED]).await;
        let other = house.another().await;
        for round in 0..5 {
            many(house, 20, &format!("{round}-")).await;
            let (one, two) = tokio::join!(workers::drain(&house.engine), workers::drain(&other));
            one.unwrap();
            two.unwrap();
        }
        house.settle().await;
        let facts: std::collections::HashSet<_> =
            house.transport.posted(HOOK).iter().map(|posted| posted.header("x-fact").to_owned()).collect();
        assert_eq!((house.transport.posted(HOOK).len(), facts.len()), (100, 100));
    }

    async fn every_live_secret_signs(house: &mut House) {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        let add = AddSecret {
            engine: house.engine.clone(),
            target: house.target(&subscription),
            secret: "second-secret".into(),
            expires_at: Some(house.now() + 1000),
        };
        house.engine.perform(add).await.unwrap().unwrap();
        for (at, signed) in [(0, "first-secret second-secret"), (999, "first-secret second-secret"), (1000, "first-secret")] {
            house.advance(millis(at - (house.now() - testkit::START)));
            said(house, ANN, &at.to_string()).await;
            house.settle().await;
            assert_eq!(house.transport.posted(HOOK).last().unwrap().header("x-signed-with"), signed);
        }
    }
}

/// On SQLite a batch's outcomes are recorded in the order in which they came.
#[test]
fn a_success_among_many_failures_counts() {
    testkit::tell(Kind::Sqlite, async |house: &mut House| {
        let subscription = house.subscribe(HOOK, &[MESSAGE_RECEIVED]).await;
        house.transport.will(HOOK, vec![Echo::Status(404); 23]);
        many(house, 24, "a").await;
        house.settle().await;
        assert_eq!(standing(house, &subscription).await.consecutive_failures, 0);
    });
}
