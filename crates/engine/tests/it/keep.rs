//! How long things are kept, and what they tell.

use engine::deliveries::{self, Status};
use engine::events::{MESSAGE_CREATED, MESSAGE_SUBMITTED};
use engine::explain::{Line, explain};
use engine::failure::{Code, Retry, SendError};
use engine::idempotency::{Given, Once};
use engine::retention;
use testkit::{DIALECT, Echo, House, Reply, on_both};

use crate::{ANN, DAY, HOOK, millis};

async fn left(house: &House) -> (usize, usize, usize) {
    let (engine, organization) = (&house.engine, &house.organization.id);
    let messages =
        engine.messages(organization, &house.sender.id, &engine::messages::Filter::default(), 1000).await.unwrap();
    let deliveries = engine.deliveries(organization, DIALECT, &deliveries::Filter::default(), 1000).await.unwrap();
    let mut reader = engine.db.reader().await.unwrap();
    let (all, end) = (store::Id::floor(0), store::Id::floor(i64::MAX >> 16));
    let events = store::events::between(&mut reader, organization, &all, &end, 1000).await.unwrap();
    (messages.len(), events.len(), deliveries.len())
}

async fn told(house: &House, spelling: &str) -> Vec<String> {
    explain(&house.engine, spelling).await.unwrap().iter().map(Line::to_string).collect()
}

on_both! {
    async fn only_what_is_old_and_done_goes(house: &mut House) {
        let (settings, day) = (&mut house.settings.retention, Some(DAY));
        (settings.messages, settings.events, settings.deliveries, settings.idempotency_keys) = (day, day, day, day);
        house.restart().await;
        house.subscribe(HOOK, &[MESSAGE_CREATED, MESSAGE_SUBMITTED]).await;
        let key = Once::new(&house.organization.id, DIALECT, "k", &[]);
        house.engine.remember(&key, Given { status: 200, body: Vec::new() }).await.unwrap();

        // Done; waiting for the provider; with a delivery that waits for its receiver.
        let done = house.send(ANN, "done").await;
        house.settle().await;
        let later = SendError { retry: Retry::After(2 * DAY), ..SendError::refused(Code::RateLimited, "later") };
        house.provider.will([Reply::Fails(later)]);
        let waiting = house.send(ANN, "waiting").await;
        house.transport.will(HOOK, [Echo::Later(429, 10 * 24 * 60 * 60)]);
        house.settle().await;
        let (messages, events, deliveries) = left(house).await;
        assert_eq!((messages, events, deliveries), (2, 1 + 2 + 2, 2 + 1));

        house.advance(DAY - millis(1));
        assert_eq!(retention::round(&house.engine).await.unwrap(), 0, "not a moment early");
        house.advance(millis(2));
        let fresh = house.send(ANN, "fresh").await;
        retention::round(&house.engine).await.unwrap();
        assert_eq!(left(house).await, (2, 1, 1), "the waiting message, the new one and its event, the open delivery");
        let found = async |id| store::messages::find(&mut house.engine.db.reader().await.unwrap(), id).await.unwrap();
        assert!(found(&done.id).await.is_none() && found(&waiting.id).await.is_some() && found(&fresh.id).await.is_some());
        let open = house.engine.deliveries(&house.organization.id, DIALECT, &deliveries::Filter::default(), 9).await.unwrap();
        assert_eq!(open[0].status, Status::Failed);
        assert!(house.engine.answered(&key).await.unwrap().is_none());
        house.settle().await;
    }

    async fn what_is_kept_for_ever_is_kept_and_much_goes_in_one_round(house: &mut House) {
        let settings = &mut house.settings.retention;
        (settings.messages, settings.events) = (None, Some(DAY));
        house.restart().await;
        for number in 0..300 {
            house.send(&format!("+1555080{number:04}"), "hello").await;
        }
        house.settle().await;
        house.advance(2 * DAY);
        // More than one transaction's worth; another process that does the same changes nothing.
        let other = house.another().await;
        let (one, two) = tokio::join!(retention::round(&house.engine), retention::round(&other));
        assert_eq!(one.unwrap() + two.unwrap(), 900);
        assert_eq!(left(house).await, (300, 0, 0));
    }

    async fn a_story_is_told_for_every_spelling(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_SUBMITTED]).await;
        house.transport.will(HOOK, [Echo::Status(500)]);
        house.provider.will([Reply::Fails(SendError::unreached("no way there")), Reply::TakenAs("theirs_1")]);
        let message = house.send(ANN, "hello").await;
        house.settle().await;
        let waiting = told(house, &message.id.hex24()).await.join("\n");
        assert!(waiting.contains("waits for its next attempt") && waiting.contains("no way there"), "{waiting}");
        house.pass(millis(30_000), millis(1000)).await;

        let story = told(house, &message.id.hex24()).await;
        let whole = story.join("\n");
        for part in [
            "text, now sent (theirs_1)", "message.created", "request request", "message.retrying", "attempt 2",
            "message.submitted", HOOK, "attempt 1: the receiver answered 500", "attempt 2: delivered", "succeeded",
        ] {
            assert!(whole.contains(part), "{part} is not in\n{whole}");
        }
        let event = house.events(&message.id).await.pop().unwrap();
        let deliveries = house.engine.deliveries(&house.organization.id, DIALECT, &deliveries::Filter::default(), 9).await.unwrap();
        let id = message.id;
        for spelling in [
            id.hex32(),
            id.ulid(),
            format!("msg_{}", id.ulid()),
            id.ulid().to_lowercase(),
            "theirs_1".into(),
            "theirs_1:delivered".into(),
            format!("{}:failed", id.hex24()),
            event.id.hex24(),
            format!("evt_{}", event.id.ulid()),
            format!("dlv_{}", deliveries[0].id.ulid()),
        ] {
            assert_eq!(told(house, &spelling).await, story, "{spelling}");
        }
        assert!(told(house, &message.contact_id.hex24()).await[0].contains("contact.created"));
        let mut wrong = id.ulid();
        wrong.replace_range(25.., if wrong.ends_with('0') { "1" } else { "0" });
        for unknown in [wrong.as_str(), "", "nonsense", "nonsense:sent", ":", &house.engine.new_id().hex24()] {
            assert!(told(house, unknown).await.is_empty(), "{unknown}");
        }
    }
}
