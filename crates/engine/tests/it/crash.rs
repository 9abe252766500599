//! What is known of a message when a process dies, or its provider says nothing.

use engine::events::{
    MESSAGE_CREATED, MESSAGE_DELIVERED, MESSAGE_DOUBLED, MESSAGE_FAILED, MESSAGE_RETRYING, MESSAGE_SENT,
    MESSAGE_SUBMITTED, MESSAGE_UNKNOWN,
};
use engine::failure::{Code, Failure, SendError};
use engine::messages::{Message, Status};
use store::jobs::State;
use testkit::{Echo, Gate, House, Reply, on_both};

use crate::{ANN, DAY, HOOK, HOUR, MINUTE, OTHER_HOOK, die, seconds, working};

/// Longer than a call may take.
const CALL_LEASE: std::time::Duration = seconds_of(90);
const OUTCOME_WAIT: std::time::Duration = seconds_of(600);

const fn seconds_of(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count)
}

/// A message whose process died during the call; its outcome is noticed to be unknown.
async fn lost(house: &mut House) -> Message {
    house.provider.will([Reply::Hangs]);
    let message = house.send(ANN, "hello").await;
    let work = working(house);
    house.provider.called(1).await;
    die(house, work).await;
    house.advance(CALL_LEASE);
    house.settle().await;
    assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_UNKNOWN]);
    message
}

/// A sign of life from the provider, then the rest of the wait.
async fn hear_and_wait(house: &House) {
    house.receive(Vec::new()).await;
    house.advance(OUTCOME_WAIT);
    house.settle().await;
}

fn behind(gate: &Gate, reply: Reply) -> Reply {
    Reply::Behind(gate.clone(), Box::new(reply))
}

on_both! {
    async fn a_claim_is_nobody_elses_until_it_has_run_out(house: &mut House) {
        house.provider.will([Reply::Hangs]);
        let message = house.send(ANN, "hello").await;
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        for _ in 0..5 {
            house.settle().await;
            let job = house.job(&message.id).await.unwrap();
            assert_eq!((job.state, job.attempts), (State::Called, 1));
            house.advance(seconds(17));
        }
        house.advance(seconds(5));
        house.settle().await;
        assert_eq!(house.job(&message.id).await.unwrap().state, State::Unknown);
        assert_eq!(house.provider.calls().len(), 1);
    }

    async fn what_waits_behind_a_call_is_not_in_doubt(house: &mut House) {
        house.provider.will([Reply::Hangs]);
        let first = house.send(ANN, "a1").await;
        let second = house.send(ANN, "a2").await;
        let work = working(house);
        house.provider.called(1).await;
        die(house, work).await;
        let job = house.job(&second.id).await.unwrap();
        assert_eq!((job.state, job.attempts), (State::Reserved, 0));
        house.advance(CALL_LEASE);
        house.settle().await;
        assert_eq!(house.job(&first.id).await.unwrap().state, State::Unknown);
        assert_eq!(house.provider.texts(), ["a1", "a2"]);
        assert_eq!(house.story(&second.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED]);
    }

    /// Who knows to be alone does not wait for claims of the dead to run out.
    async fn a_process_that_is_alone_recovers_at_once(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_CREATED]).await;
        house.subscribe(OTHER_HOOK, &[MESSAGE_SUBMITTED]).await;
        house.transport.will(HOOK, [Echo::Hangs]);
        house.transport.always(OTHER_HOOK, Echo::Status(500));
        house.send(ANN, "told").await;
        let work = working(house);
        house.transport.reached(1).await;
        die(house, work).await;
        house.provider.will([Reply::Hangs]);
        engine::workers::recover(&house.engine).await.unwrap();
        let message = house.send(ANN, "asked").await;
        let work = working(house);
        house.provider.called(2).await;
        die(house, work).await;
        engine::workers::recover(&house.engine).await.unwrap();
        house.settle().await;
        let job = house.job(&message.id).await.unwrap();
        assert_eq!((job.state, job.due_at - house.now()), (State::Unknown, 600_000));
        let attempts = |url| house.transport.posted(url).iter().map(|posted| posted.header("x-attempt").to_owned()).collect::<String>();
        assert_eq!(attempts(HOOK), "121");
        // What had its answer keeps its pause.
        engine::workers::recover(&house.engine).await.unwrap();
        house.settle().await;
        assert_eq!(attempts(OTHER_HOOK), "1");
    }

    async fn silence_counts_only_while_the_provider_is_heard(house: &mut House) {
        let message = lost(house).await;
        house.advance(OUTCOME_WAIT);
        house.settle().await;
        assert_eq!(house.provider.calls().len(), 1, "nothing was heard: silence says nothing");
        hear_and_wait(house).await;
        let calls = house.provider.calls();
        assert_eq!(calls.iter().map(|call| call.id).collect::<Vec<_>>(), [message.id, message.id]);
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_UNKNOWN, MESSAGE_SUBMITTED]);
    }

    async fn a_deaf_ear_does_not_wait_for_ever(house: &mut House) {
        let message = lost(house).await;
        house.pass(HOUR - 2 * MINUTE, MINUTE).await;
        assert_eq!(house.provider.calls().len(), 1);
        house.pass(2 * OUTCOME_WAIT, MINUTE).await;
        assert_eq!(house.provider.calls().len(), 2);
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
    }

    async fn a_receipt_with_our_id_settles_it(house: &mut House) {
        let message = lost(house).await;
        house.receive(vec![house.receipt("theirs", Some(message.id), Status::Sent)]).await;
        assert!(house.job(&message.id).await.is_none());
        house.pass(DAY, HOUR).await;
        assert_eq!(house.provider.calls().len(), 1);
        let found = house.message(&message.id).await;
        assert_eq!((found.status, found.provider_id.as_deref()), (Status::Sent, Some("theirs")));
        let story = [MESSAGE_CREATED, MESSAGE_UNKNOWN, MESSAGE_SUBMITTED, MESSAGE_SENT];
        assert_eq!(house.story(&message.id).await, story);
    }

    async fn a_second_silence_ends_it(house: &mut House) {
        let message = lost(house).await;
        house.provider.will([Reply::Hangs]);
        house.receive(Vec::new()).await;
        house.advance(OUTCOME_WAIT);
        let work = working(house);
        house.provider.called(2).await;
        die(house, work).await;
        house.advance(CALL_LEASE);
        house.settle().await;
        hear_and_wait(house).await;
        let failed = house.message(&message.id).await;
        let failure: Failure = serde_json::from_str(&failed.error.unwrap()).unwrap();
        assert_eq!((failed.status, failure.code), (Status::Failed, Code::OutcomeUnknown));
        let story = [MESSAGE_CREATED, MESSAGE_UNKNOWN, MESSAGE_UNKNOWN, MESSAGE_FAILED];
        assert_eq!(house.story(&message.id).await, story);
        // A late receipt that says the same is not told again; proof of arrival is.
        house.receive(vec![house.receipt("theirs", Some(message.id), Status::Failed)]).await;
        assert_eq!(house.story(&message.id).await, story);
        house.receive(vec![house.receipt("theirs", Some(message.id), Status::Delivered)]).await;
        assert_eq!(house.message(&message.id).await.status, Status::Delivered);
        house.pass(DAY, HOUR).await;
        assert_eq!(house.provider.calls().len(), 2);
    }

    /// Attempts that were answered are not silences.
    async fn only_silences_are_counted_as_silences(house: &mut House) {
        let unreached = Reply::Fails(SendError::unreached("no way there"));
        house.provider.will([unreached, Reply::Fails(SendError::unknown("no answer"))]);
        let message = house.send(ANN, "hello").await;
        house.settle().await;
        house.advance(seconds(2));
        house.settle().await;
        hear_and_wait(house).await;
        let story = [MESSAGE_CREATED, MESSAGE_RETRYING, MESSAGE_UNKNOWN, MESSAGE_SUBMITTED];
        assert_eq!(house.story(&message.id).await, story);
        assert_eq!(house.provider.calls().len(), 3);
    }

    async fn a_receipt_may_overtake_the_answer(house: &mut House) {
        for answer in [Reply::TakenAs("theirs"), Reply::Fails(SendError::unreached("the connection broke"))] {
            let (gate, calls) = (Gate::new(), house.provider.calls().len());
            house.provider.will([behind(&gate, answer)]);
            let message = house.send(ANN, "hello").await;
            let work = working(house);
            house.provider.called(calls + 1).await;
            let theirs = if calls == 0 { "theirs" } else { "theirs too" };
            house.receive(vec![house.receipt(theirs, Some(message.id), Status::Delivered)]).await;
            gate.open();
            work.await.unwrap();
            let found = house.message(&message.id).await;
            assert_eq!((found.status, found.provider_id.as_deref()), (Status::Delivered, Some(theirs)));
            assert_eq!(house.story(&message.id).await, [MESSAGE_CREATED, MESSAGE_SUBMITTED, MESSAGE_DELIVERED]);
            house.pass(DAY, HOUR).await;
            assert_eq!(house.provider.calls().len(), calls + 1);
        }
    }

    async fn what_was_taken_twice_says_so_once(house: &mut House) {
        // The second call's answer comes first, then the first call's receipts.
        let message = lost(house).await;
        house.provider.will([Reply::TakenAs("second")]);
        hear_and_wait(house).await;
        for status in [Status::Sent, Status::Delivered, Status::Sent] {
            house.receive(vec![house.receipt("first", Some(message.id), status)]).await;
        }
        let found = house.message(&message.id).await;
        assert_eq!((found.status, found.provider_id.as_deref()), (Status::Delivered, Some("second")));
        let story = [MESSAGE_CREATED, MESSAGE_UNKNOWN, MESSAGE_SUBMITTED, MESSAGE_DOUBLED, MESSAGE_SENT, MESSAGE_DELIVERED];
        assert_eq!(house.story(&message.id).await, story);

        // The first call's receipt comes during the second call.
        let gate = Gate::new();
        house.provider.will([behind(&gate, Reply::TakenAs("third"))]);
        let message = house.send(ANN, "again").await;
        let work = working(house);
        house.provider.called(3).await;
        house.receive(vec![house.receipt("fourth", Some(message.id), Status::Sent)]).await;
        gate.open();
        work.await.unwrap();
        assert_eq!(house.message(&message.id).await.provider_id.as_deref(), Some("fourth"));
        assert_eq!(house.story(&message.id).await.last().unwrap(), MESSAGE_DOUBLED);
    }

    /// A process was away for so long that another has taken over; what it hears late does not count.
    async fn a_late_answer_does_not_disturb_the_next_attempt(house: &mut House) {
        let (first, second) = (Gate::new(), Gate::new());
        let refused = Reply::Fails(SendError::refused(Code::Rejected, "no"));
        house.provider.will([behind(&first, refused), behind(&second, Reply::Taken)]);
        let message = house.send(ANN, "hello").await;
        let away = working(house);
        house.provider.called(1).await;
        house.restart().await;
        house.advance(CALL_LEASE);
        house.settle().await;
        house.receive(Vec::new()).await;
        house.advance(OUTCOME_WAIT);
        let work = working(house);
        house.provider.called(2).await;
        first.open();
        away.await.unwrap();
        assert_eq!(house.message(&message.id).await.status, Status::Pending);
        assert_eq!(house.job(&message.id).await.unwrap().state, State::Called);
        second.open();
        work.await.unwrap();
        assert_eq!(house.message(&message.id).await.status, Status::Sent);
        assert_eq!(house.provider.calls().len(), 2);
    }
}
