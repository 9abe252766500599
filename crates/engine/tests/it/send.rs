//! What a provider's answer means.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::events::{MESSAGE_CREATED, MESSAGE_FAILED, MESSAGE_RETRYING, MESSAGE_SUBMITTED};
use engine::failure::{Code, Failure, Retry, SendError};
use engine::messages::Status;
use engine::senders::{CONNECTED, DEGRADED};
use engine::{Refusal, accounts, workers};
use store::jobs::State;
use testkit::{Gate, House, Reply, on_both};
use tokio_util::sync::CancellationToken;

use crate::{ANN, BOB, DAY, HOUR, millis, seconds, working};

fn fails(retry: Retry) -> Reply {
    Reply::Fails(SendError { retry, ..SendError::refused(Code::ProviderUnavailable, "not now") })
}

/// Works, then tells how long the message has to wait for its next attempt.
async fn pause(house: &House, id: &engine::Id) -> Option<i64> {
    house.settle().await;
    house.job(id).await.map(|job| job.due_at - house.now())
}

/// From half to one and a half times a pause.
fn around(pause: Duration) -> RangeInclusive<i64> {
    let pause = i64::try_from(pause.as_millis()).unwrap();
    pause / 2..=pause * 3 / 2
}

on_both! {
    async fn what_is_taken_is_sent_and_never_asked_for_again(house: &mut House) {
        let message = house.send(ANN, "hello").await;
        house.settle().await;
        let calls = house.provider.calls();
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].id, calls[0].to.as_str(), calls[0].text.as_str()), (message.id, ANN, "hello"));
        let sent = house.message(&message.id).await;
        assert_eq!((sent.status, sent.provider_id.as_deref()), (Status::Sent, Some("taken.1")));
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED]);
        assert!(house.job(&message.id).await.is_none());
        house.restart().await;
        house.pass(DAY, HOUR).await;
        assert_eq!(house.provider.calls().len(), 1);
    }

    async fn what_is_refused_has_failed_for_a_reason(house: &mut House) {
        house.provider.will([Reply::Fails(SendError::refused(Code::OutsideWindow, "the window is closed"))]);
        let message = house.send(ANN, "hello").await;
        house.settle().await;
        let failed = house.message(&message.id).await;
        assert_eq!((failed.status, failed.provider_id), (Status::Failed, None));
        let failure: Failure = serde_json::from_str(&failed.error.unwrap()).unwrap();
        assert_eq!((failure.code, failure.message.as_str()), (Code::OutsideWindow, "the window is closed"));
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_FAILED]);
        house.pass(DAY, HOUR).await;
        assert_eq!(house.provider.calls().len(), 1);
    }

    async fn pauses_grow_until_it_is_taken(house: &mut House) {
        house.provider.will(vec![fails(Retry::BackOff); 12]);
        let message = house.send(ANN, "hello").await;
        for attempt in 0..12 {
            let pause = pause(house, &message.id).await.unwrap();
            assert!(around(seconds(2_u64.pow(attempt).min(900))).contains(&pause), "{pause} after attempt {attempt}");
            house.advance(millis(pause - 1));
            house.settle().await;
            assert_eq!(house.provider.calls().len(), attempt as usize + 1, "not a moment early");
            house.advance(millis(1));
        }
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        let story = house.story(&message.id).await;
        assert_eq!(story.iter().filter(|kind| *kind == MESSAGE_RETRYING).count(), 12);
    }

    async fn other_pauses(house: &mut House) {
        let pair = |power: u32| around(seconds(4_u64.pow(power)));
        let rows = [
            (vec![Retry::Pair, Retry::Pair, Retry::Pair], vec![pair(0), pair(1), pair(2)], Status::Sent),
            (vec![Retry::After(seconds(90))], vec![90_000..=90_000], Status::Sent),
            (vec![Retry::Once], vec![around(seconds(1))], Status::Sent),
            (vec![Retry::Once, Retry::Once], vec![around(seconds(1))], Status::Failed),
        ];
        for (retries, pauses, status) in rows {
            house.provider.will(retries.iter().map(|retry| fails(*retry)));
            let message = house.send(ANN, "hello").await;
            for expected in pauses {
                let pause = pause(house, &message.id).await.unwrap();
                assert!(expected.contains(&pause), "{pause} in {retries:?}");
                house.advance(millis(pause));
            }
            assert_eq!(pause(house, &message.id).await, None, "{retries:?}");
            assert_eq!(house.message(&message.id).await.status, status, "{retries:?}");
        }
    }

    async fn after_a_day_it_is_given_up(house: &mut House) {
        house.provider.will(vec![fails(Retry::BackOff); 1000]);
        let message = house.send(ANN, "hello").await;
        let mut last = 0;
        while let Some(pause) = pause(house, &message.id).await {
            last = house.now();
            house.advance(millis(pause));
        }
        let day = i64::try_from(DAY.as_millis()).unwrap();
        assert!(last - message.created_at <= day && house.now() - message.created_at > day);
        assert_eq!(house.message(&message.id).await.status, Status::Failed);
        assert_eq!(house.story(&message.id).await.last().unwrap(), MESSAGE_FAILED);
    }

    async fn a_dead_token_stops_the_account_until_there_is_a_new_one(house: &mut House) {
        house.provider.will(vec![fails(Retry::Stop); 2]);
        let first = house.send(ANN, "one").await;
        let second = house.try_send(&house.second_sender, BOB, "two").await.unwrap();
        house.settle().await;
        assert_eq!(house.provider.texts(), ["one"], "the account's other sender waits too");
        let rows = house.engine.account_rows().await.unwrap();
        assert_eq!((rows[0].status.as_str(), rows[0].status_reason.as_deref()), (accounts::BLOCKED, Some("not now")));
        let held = house.engine.held_senders().await.unwrap();
        assert!(held.len() == 2 && held.iter().all(|(_, _, reason)| reason.as_deref() == Some("not now")));
        for sender in [&house.sender, &house.second_sender] {
            let refused = house.try_send(sender, ANN, "three").await.unwrap_err();
            let reason = Some("not now".to_owned());
            assert_eq!(refused, Refusal::NotConnected { status: DEGRADED.into(), reason });
        }

        // Once an hour one is tried.
        house.advance(HOUR);
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 2);

        house.give_new_token().await;
        house.settle().await;
        for message in [first, second] {
            assert_eq!(house.message(&message.id).await.status, Status::Sent);
        }
        assert!(house.engine.held_senders().await.unwrap().is_empty());
        assert_eq!(house.engine.account_rows().await.unwrap()[0].status, accounts::ACTIVE);
        assert_eq!(house.engine.all_senders().await.unwrap()[0].status, CONNECTED);
    }

    async fn an_account_that_works_again_is_unblocked(house: &mut House) {
        house.provider.will([fails(Retry::Stop)]);
        let message = house.send(ANN, "one").await;
        house.settle().await;
        house.advance(HOUR);
        house.settle().await;
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        assert_eq!(house.engine.account_rows().await.unwrap()[0].status, accounts::ACTIVE);
        assert!(house.try_send(&house.second_sender, BOB, "two").await.is_ok());
        house.settle().await;
    }

    async fn a_sender_can_be_stopped_alone(house: &mut House) {
        house.provider.will([fails(Retry::StopSender)]);
        house.send(ANN, "one").await;
        house.settle().await;
        assert!(house.try_send(&house.sender, ANN, "two").await.is_err());
        house.try_send(&house.second_sender, ANN, "three").await.unwrap();
        house.settle().await;
        assert_eq!(house.provider.texts(), ["one", "three"]);
        assert_eq!(house.engine.account_rows().await.unwrap()[0].status, accounts::ACTIVE);
    }

    /// What waits for a removed account waits, and nobody else's events wait with it.
    async fn a_removed_account_holds_up_nobody_else(house: &mut House) {
        house.subscribe(crate::HOOK, &[MESSAGE_CREATED, MESSAGE_SUBMITTED]).await;
        let waiting = house.send(ANN, "one").await;
        let remove = accounts::Remove { id: house.account, now: house.now() };
        assert!(house.engine.perform(remove).await.unwrap());
        house.settle().await;
        assert!(house.provider.calls().is_empty());
        assert_eq!(house.transport.posted(crate::HOOK).len(), 1);
        assert!(house.try_send(&house.sender, ANN, "two").await.is_err());
        let told = engine::explain::explain(&house.engine, &waiting.id.hex24()).await.unwrap();
        assert!(told.iter().any(|line| line.text.contains("the account was removed")), "{told:?}");
        house.give_new_token().await;
        house.settle().await;
        assert_eq!(house.message(&waiting.id).await.status, Status::Sent);
    }

    async fn messages_of_a_conversation_follow_each_other(house: &mut House) {
        let gate = Gate::new();
        house.provider.will_to(ANN, [Reply::Behind(gate.clone(), Box::new(Reply::Taken))]);
        for (to, text) in [(ANN, "a1"), (ANN, "a2"), (BOB, "b1"), (ANN, "a3")] {
            house.send(to, text).await;
        }
        let work = working(house);
        house.provider.called(2).await;
        let mut texts = house.provider.texts();
        texts.sort_unstable();
        assert_eq!(texts, ["a1", "b1"]);
        gate.open();
        work.await.unwrap();
        let texts = house.provider.calls().into_iter().filter(|call| call.to == ANN).map(|call| call.text);
        assert_eq!(texts.collect::<Vec<_>>(), ["a1", "a2", "a3"]);
    }

    async fn a_process_that_stops_leaves_no_doubt_about_what_it_did_not_call(house: &mut House) {
        let (gate, stop) = (Gate::new(), CancellationToken::new());
        house.provider.will([Reply::Behind(gate.clone(), Box::new(Reply::Taken))]);
        let first = house.send(ANN, "a1").await;
        let second = house.send(ANN, "a2").await;
        let workers = tokio::spawn(workers::run(house.engine.clone(), stop.clone()));
        house.provider.called(1).await;
        stop.cancel();
        gate.open();
        workers.await.unwrap();
        assert_eq!(house.message(&first.id).await.status, Status::Sent);
        let job = house.job(&second.id).await.unwrap();
        assert_eq!((job.state, job.attempts), (State::Ready, 0));
        house.restart().await;
        house.settle().await;
        assert_eq!(house.provider.texts(), ["a1", "a2"], "its lane was given back");
    }
}
