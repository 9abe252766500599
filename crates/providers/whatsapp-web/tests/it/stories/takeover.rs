use std::time::Duration;

use engine::events::MESSAGE_RECEIVED;
use engine::sessions::State;
use testkit::on_both;
use web_wire::send::Outgoing;

use super::house::{ANA, BEN, House, PATIENCE, jid, phone, text};

/// Longer than a process that is not heard of keeps its sessions.
const LEASE: Duration = Duration::from_secs(16);

on_both! {
    async fn a_killed_process_is_followed_by_another(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.sent(&ana, BEN, "3EB000", text("before")).await;
        let next = house.another().await;
        std::mem::replace(&mut house.process, next).kill();
        let session = house.engine().session(&ana.id).await.unwrap().unwrap();
        assert_eq!(session.state, State::Connected);
        let id = house.says_text(BEN, ANA, "while nobody listens");
        house.clock.advance(LEASE);
        let session = house.stands_in(house.engine(), &ana, |session| session.state != State::Connected).await;
        assert!(!session.state.rests(), "{session:?}");
        house.stands(&ana, State::Connected).await;
        let told = house.document(MESSAGE_RECEIVED).await;
        assert_eq!(told["event"]["Info"]["ID"], id.as_str());
        house.sent(&ana, BEN, "3EB001", text("after")).await;
        assert_eq!((house.shown(BEN).await.0, house.shown(BEN).await.0), ("3EB000".into(), "3EB001".into()));
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
        assert_eq!(house.web.stats().sockets[ANA], 1);
    }

    async fn a_process_that_was_paused_has_lost_its_sessions(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.sent(&ana, BEN, "3EB010", text("before")).await;
        let next = house.another().await;
        let first = std::mem::replace(&mut house.process, next);
        let paused = first.pause().await;
        house.clock.advance(LEASE);
        let mine = |session: &engine::sessions::Session| session.state == State::Connected && session.held;
        house.takes_over().await;
        house.stands_in(house.engine(), &ana, mine).await;
        assert_eq!(house.web.stats().takeovers, 1);
        let fence = house.fence(&ana).await;
        drop(paused);
        // It finds out by itself, and says nothing of it.
        let lost = async {
            while first.engine.session_counts().await.unwrap().held > 0 {
                house.commit().await;
            }
        };
        tokio::time::timeout(PATIENCE, lost).await.expect("it stops");
        house.sent(&ana, BEN, "3EB011", text("after")).await;
        house.says_text(BEN, ANA, "and back");
        assert_eq!(house.document(MESSAGE_RECEIVED).await["event"]["Message"]["conversation"], "and back");
        assert_eq!(house.fence(&ana).await, fence);
        house.stands(&ana, State::Connected).await;
        assert_eq!((house.web.stats().takeovers, house.web.stats().sockets[ANA]), (1, 1));
        first.stop().await;
        house.stands(&ana, State::Connected).await;
    }

    async fn crash_after_crash_nothing_is_lost_or_doubled(house: &mut House) {
        let ana = house.linked(ANA).await;
        let (mut accepted, mut said, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..4 {
            for n in 0..10 {
                let id = format!("3EB0{round}{n}");
                accepted.push(house.accept(&ana, &jid(BEN), &id, &Outgoing::new(text(&id))).await);
                said.push(house.says_text(BEN, ANA, &format!("round {round}, message {n}")));
            }
            // It is in the middle of both.
            shown.push(house.shown(BEN).await.0);
            let next = house.another().await;
            std::mem::replace(&mut house.process, next).kill();
            house.clock.advance(LEASE);
            house.stands(&ana, State::Connected).await;
        }
        for message in &accepted {
            house.carried(message).await;
        }
        let last = house.sent(&ana, BEN, "3EB0FF", text("the last")).await;
        while shown.last() != last.provider_id.as_ref() {
            shown.push(house.shown(BEN).await.0);
        }
        let mut expected: Vec<_> = accepted.iter().chain([&last]).filter_map(|it| it.provider_id.clone()).collect();
        shown.sort();
        expected.sort();
        assert_eq!(shown, expected);

        said.push(house.says_text(BEN, ANA, "the last"));
        let mut came = Vec::new();
        while came.len() < said.len() {
            let told = house.document(MESSAGE_RECEIVED).await;
            came.push(told["event"]["Info"]["ID"].as_str().unwrap().to_owned());
        }
        came.sort();
        said.sort();
        assert_eq!(came, said);
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
        assert_eq!(house.received().await, said.len());
    }
}
