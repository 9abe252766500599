//! What one process remembers and another changes.

use std::collections::HashSet;

use engine::events::{MESSAGE_RECEIVED, MESSAGE_SUBMITTED};
use engine::facts::{Fact, SenderChange};
use engine::keys::{self, Check};
use engine::receive::Received;
use engine::senders::{CONNECTED, DISCONNECTED};
use engine::workers::{catch_up, run};
use testkit::{DIALECT, House, PROVIDER, on_both};
use tokio_util::sync::CancellationToken;

use crate::{ANN, HOOK};

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
