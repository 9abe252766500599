//! Messages while the connection is away: they wait as long as their callers do, and never go later.

use std::sync::Arc;

use engine::failure::SendError;
use engine::messages::Status;
use engine::sessions::State;
use serde_json::{Value, json};
use testkit::{Gate, Reply, on_both};

use crate::house::{House, PHONE, User};

async fn kept(house: &House, user: &User) -> Vec<engine::messages::Message> {
    house.engine.messages(&house.organization, &user.id, &Default::default(), 10).await.unwrap()
}

fn text() -> Value {
    json!({ "Phone": PHONE, "Body": "hi", "Id": "A1" })
}

on_both! {
    async fn a_message_waits_for_the_connection(house: &mut House) {
        let (user, line) = house.linked("one").await;
        line.state(State::Reconnecting, "no network").await;
        let (reply, ()) = tokio::join!(house.post(&user, "/chat/send/text", text()), async {
            house.until(async || kept(house, &user).await.len() == 1).await;
            assert!(house.phone.sent().is_empty());
            line.state(State::Connected, "").await;
        });
        assert_eq!(reply.data()["Id"], "A1");
        assert_eq!(house.phone.sent().len(), 1);
    }

    async fn what_waited_too_long_is_never_sent(house: &mut House) {
        let (user, line) = house.linked("one").await;
        // Should the process lose it meanwhile, it does not come up by itself.
        house.phone.is_silent(true);
        line.state(State::Reconnecting, "no network").await;
        let before = house.clock.now();
        let reply = house.patiently(house.post(&user, "/chat/send/text", text())).await;
        assert_eq!(reply.told(), (500, "not connected"));
        assert!((25_000..60_000).contains(&(house.clock.now() - before)), "{}", house.clock.now() - before);
        assert_eq!(kept(house, &user).await[0].status, Status::Failed);
        let line = house.patiently(house.phone.line(&user.id)).await;
        line.state(State::Connected, "").await;
        // What is sent now comes after it.
        let next = json!({ "Phone": PHONE, "Body": "next", "Id": "A2" });
        assert_eq!(house.post(&user, "/chat/send/text", next).await.status, 200);
        let sent: Vec<_> = house.phone.sent().into_iter().map(|sent| sent.provider_id.unwrap()).collect();
        assert_eq!(sent, ["A2"]);
    }

    async fn typing_prolongs_the_wait(house: &mut House) {
        let (user, line) = house.linked("one").await;
        house.phone.is_silent(true);
        line.state(State::Reconnecting, "no network").await;
        let before = house.clock.now();
        let body = json!({ "Phone": PHONE, "Body": "hi", "Presence": 10_000 });
        let reply = house.patiently(house.post(&user, "/chat/send/text", body)).await;
        assert_eq!(reply.told(), (500, "not connected"));
        assert!((35_000..60_000).contains(&(house.clock.now() - before)), "{}", house.clock.now() - before);
    }

    async fn what_is_on_its_way_is_not_called_unsent(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let gate = Gate::new();
        house.phone.will([Reply::Behind(gate.clone(), Box::new(Reply::Taken))]);
        let reply = house.patiently(house.post(&user, "/chat/send/text", text())).await;
        assert_eq!(reply.told(), (500, "WhatsApp did not answer in time"));
        gate.open();
        house.until(async || kept(house, &user).await[0].status == Status::Sent).await;
        assert_eq!(house.phone.sent().len(), 1, "one id, one message");
    }

    async fn a_failure_on_the_way_is_tried_again_under_the_same_id(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        house.phone.will([Reply::Fails(SendError::unreached("the socket broke")), Reply::Fails(SendError::unknown("no answer"))]);
        let reply = house.patiently(house.post(&user, "/chat/send/text", text())).await;
        assert_eq!(reply.data()["Id"], "A1");
        let ids: Vec<_> = house.phone.sent().into_iter().map(|sent| sent.provider_id.unwrap()).collect();
        assert_eq!(ids, ["A1", "A1", "A1"]);
    }

    /// The sending goes on to its end, and nothing of it is left half-done.
    async fn a_caller_who_hangs_up_changes_nothing(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let gate = Arc::new(Gate::new());
        house.phone.will([Reply::Behind((*gate).clone(), Box::new(Reply::Taken))]);
        let image = json!({ "Phone": PHONE, "Image": house.origin.url("/picture.png"), "Id": "A1" });
        {
            let mut request = std::pin::pin!(house.post(&user, "/chat/send/image", image));
            tokio::select! {
                biased;
                reply = &mut request => panic!("{reply:?}"),
                () = house.until(async || house.phone.sent().len() == 1) => {}
            }
        }
        gate.open();
        house.until(async || kept(house, &user).await[0].status == Status::Sent).await;
        house.until(async || house.blobs.usage() == 0).await;
    }
}
