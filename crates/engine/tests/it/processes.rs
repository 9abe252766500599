//! What one process remembers and another changes.

use std::collections::HashSet;

use engine::events::{MESSAGE_CREATED, MESSAGE_RECEIVED, MESSAGE_SUBMITTED};
use engine::facts::{Fact, SenderChange};
use engine::keys::{self, Check};
use engine::messages::Status;
use engine::receive::Received;
use engine::senders::{CONNECTED, DISCONNECTED};
use engine::workers::{catch_up, drain, run};
use store::jobs::{Job, State};
use store::{Id, Tx, Work};
use testkit::{DIALECT, Gate, House, Kind, PROVIDER, Reply, on_both, tell, waited_for};
use tokio_util::sync::CancellationToken;

use crate::{ANN, HOOK, seconds, working};

on_both! {
    async fn what_another_process_changed_is_not_remembered_for_long(house: &mut House) {
        let other = house.another().await;
        let key = keys::create(&other, house.organization.id, DIALECT, "label", "token", true, None);
        let key = other.perform(key).await.unwrap();
        let mut seen = None;
        catch_up(&house.engine, &mut seen).await;
        let status = async || {
            let sender = house.engine.sender(&house.organization.id, &house.sender.external_id).await.unwrap().unwrap();
            sender.status.clone()
        };
        let good = async || matches!(house.engine.check_key(DIALECT, "token").await.unwrap(), Check::Good(_));
        assert!(good().await);
        assert_eq!(status().await, CONNECTED);

        other.perform(keys::Revoke { id: key.id, now: house.now() }).await.unwrap();
        catch_up(&house.engine, &mut seen).await;
        assert!(!good().await);

        let change = SenderChange {
            account: "account".into(),
            sender: house.sender.external_id.clone(),
            status: Some(DISCONNECTED.into()),
            reason: None,
            what: "status".into(),
            document: None,
        };
        let push = Received { facts: vec![Fact::Sender(change)], accounts: vec!["account".into()] };
        other.receive(PROVIDER, push).await.unwrap();
        catch_up(&house.engine, &mut seen).await;
        assert_eq!(status().await, DISCONNECTED);
    }

    /// Real workers, many threads, no time passing: bells alone must move everything, and everything once.
    async fn two_processes_at_work_do_everything_once(house: &mut House) {
        house.subscribe(HOOK, &[MESSAGE_SUBMITTED, MESSAGE_RECEIVED]).await;
        let (engines, stop) = ([house.engine.clone(), house.another().await], CancellationToken::new());
        let workers: Vec<_> = engines.iter().map(|engine| tokio::spawn(run(engine.clone(), stop.clone()))).collect();
        for number in 0..100 {
            let wish = house.wish(&format!("+155510{:05}", number % 7), &number.to_string());
            engines[number % 2].perform(wish).await.unwrap().unwrap();
            let heard = Fact::Message(Box::new(house.inbound(ANN, &format!("in-{number}"), "hello")));
            engines[(number + 1) % 2].receive(PROVIDER, house.push(vec![heard])).await.unwrap();
        }
        while house.transport.posted(HOOK).len() < 200 {
            // What one process has done the other notices only in time; here nobody waits for that.
            engines.iter().for_each(|engine| engine.wake.all());
            tokio::task::yield_now().await;
        }
        stop.cancel();
        for worker in workers {
            worker.await.unwrap();
        }
        let sent: HashSet<_> = house.provider.texts().into_iter().collect();
        let told: HashSet<_> = house.transport.posted(HOOK).into_iter().map(|posted| posted.header("x-fact").to_owned()).collect();
        assert_eq!((house.provider.calls().len(), sent.len()), (100, 100));
        assert_eq!((house.transport.posted(HOOK).len(), told.len()), (200, 200));
        for person in 0..7 {
            let to = format!("+155510{person:05}");
            let texts = house.provider.calls().into_iter().filter(|call| call.to == to).map(|call| call.text);
            let numbers: Vec<usize> = texts.map(|text| text.parse().unwrap()).collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
    }

    async fn a_process_is_not_alarmed_by_itself(house: &mut House) {
        let mut seen = None;
        catch_up(&house.engine, &mut seen).await;
        let before = seen;
        house.send(ANN, "hello").await;
        house.settle().await;
        catch_up(&house.engine, &mut seen).await;
        assert_eq!(seen, before);
    }
}

/// Records an answer as late as can be: when another process has found the job and waits for the message.
struct Answered {
    message: Id,
    /// Or the provider wants to be asked again, so much later.
    taken: Result<(), i64>,
    locked: Gate,
}

impl Work for Answered {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        let mut message = store::messages::get_for_update(tx, &self.message).await?.unwrap();
        self.locked.open();
        waited_for(tx).await?;
        if let Err(due_at) = self.taken {
            let job = store::jobs::about(tx, &self.message).await?.unwrap();
            return store::jobs::update(tx, &Job { state: State::Ready, due_at, ..job }).await;
        }
        (message.provider_id, message.status) = (Some("theirs".into()), Status::Sent);
        store::messages::advance(tx, &message).await?;
        store::jobs::delete(tx, &message.id).await
    }
}

/// A message whose answer is being recorded while another process, which takes its sender over, waits for it.
async fn answered_late(house: &mut House, answer: impl FnOnce(&House) -> Result<(), i64>) -> Id {
    house.provider.will([Reply::Hangs]);
    let message = house.send(ANN, "once").await.id;
    let first = working(house);
    house.provider.called(1).await;
    house.advance(seconds(90));
    let (other, locked) = (house.another().await, Gate::new());
    let (engine, taken) = (house.engine.clone(), answer(house));
    let answered = Answered { message, taken, locked: locked.clone() };
    let recorded = tokio::spawn(async move { engine.db.write(answered).await });
    locked.passed().await;
    drain(&other).await.unwrap();
    recorded.await.unwrap().unwrap();
    first.abort();
    assert_eq!(house.provider.calls().len(), 1);
    message
}

/// These two on PostgreSQL only: SQLite has one transaction at a time.
#[test]
fn an_answer_that_is_being_recorded_is_not_asked_for_again() {
    tell(Kind::Postgres, async |house: &mut House| {
        let message = answered_late(house, |_| Ok(())).await;
        assert_eq!(house.message(&message).await.status, Status::Sent);
    });
}

#[test]
fn a_failure_that_is_being_recorded_is_no_silence() {
    tell(Kind::Postgres, async |house: &mut House| {
        let message = answered_late(house, |house| Err(house.now() + 4000)).await;
        assert_eq!(house.story(&message).await, [MESSAGE_CREATED]);
        // The other one has the lane for a moment.
        house.pass(seconds(16), seconds(4)).await;
        assert_eq!(house.provider.calls().len(), 2);
        assert_eq!(house.message(&message).await.status, Status::Sent);
    });
}
