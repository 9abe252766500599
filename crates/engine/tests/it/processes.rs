//! What one process remembers and another changes.

use engine::facts::{Fact, SenderChange};
use engine::keys::{self, Check};
use engine::receive::Received;
use engine::senders::{CONNECTED, DISCONNECTED};
use engine::workers::catch_up;
use testkit::{DIALECT, House, PROVIDER, on_both};

use crate::ANN;

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
