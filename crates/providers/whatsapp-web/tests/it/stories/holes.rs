//! Messages whose keys are used up before they are kept.

use std::time::Duration;

use engine::events::MESSAGE_RECEIVED;
use engine::sessions::{self, State};
use sandbox_web::{Chat, Fault, Kind};
use serde_json::{Value, json};
use testkit::on_both;

use super::house::{ANA, BEN, CYD, House, PATIENCE, document, phone};

/// Longer than a process that is not heard of keeps its sessions.
const LEASE: Duration = Duration::from_secs(16);

fn breaks(house: &House) {
    house.web.add_fault(Fault { number: Some(phone(ANA)), ..Fault::once(Kind::Drop) });
}

/// What somebody says is opened and then lost, and WhatsApp is told that we have it. Ana's phone has heard it and is off.
async fn lose(house: &House, say: impl FnOnce(&House) -> String) -> String {
    let wanted = house.wanted().await;
    house.forgets_what_it_opens().await;
    let id = say(house);
    house.web.set_online(&phone(ANA), false);
    let noted = async {
        let mut opened = 0;
        while house.wanted().await == wanted {
            // Each time it was opened anew, the connection breaks.
            let so_far = house.forgotten().await;
            if so_far > std::mem::replace(&mut opened, so_far) {
                breaks(house);
            }
            house.commit().await;
        }
    };
    tokio::time::timeout(PATIENCE, noted).await.expect("it is noted");
    house.remembers().await;
    id
}

/// Until nothing is wanted any more.
async fn settled(house: &House) {
    let settled = async {
        while house.wanted().await > 0 {
            house.commit().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("the phone has answered");
}

/// The next message that is told of, and whether it is said to be late.
async fn received(house: &mut House) -> (Value, bool) {
    house
        .event(MESSAGE_RECEIVED, |event| {
            let data: Value = serde_json::from_str(&event.data).unwrap();
            let told = document(event);
            Some((told, data["late"] == true))
        })
        .await
}

on_both! {
    async fn what_was_lost_between_its_key_and_its_row_comes_from_the_phone(house: &mut House) {
        house.linked(ANA).await;
        house.says_text(BEN, ANA, "before");
        let (before, late) = received(house).await;
        assert_eq!((&before["event"]["Message"]["conversation"], late), (&json!("before"), false));

        let lost = lose(house, |house| house.says_text(BEN, ANA, "lost")).await;
        house.web.set_online(&phone(ANA), true);
        let (told, late) = received(house).await;
        assert_eq!(told["event"]["Info"]["ID"], lost.as_str());
        assert_eq!((&told["event"]["Message"]["conversation"], late), (&json!("lost"), true));
        for name in ["Chat", "PushName"] {
            assert_eq!(told["event"]["Info"][name], before["event"]["Info"][name], "{name} as without the loss");
        }
        settled(house).await;

        // One that the phone has not got either is asked for, and then no more.
        let say_and_delete = |house: &House| {
            let id = house.says_text(BEN, ANA, "gone");
            assert!(house.web.forget(&phone(ANA), &id));
            id
        };
        lose(house, say_and_delete).await;
        house.says_text(BEN, ANA, "after");
        assert_eq!(received(house).await.0["event"]["Message"]["conversation"], "after");
        house.web.set_online(&phone(ANA), true);
        settled(house).await;
        assert_eq!(house.received().await, 3);
    }

    async fn what_was_lost_in_a_group_comes_once_whoever_is_killed_and_however_often_the_phone_is_asked(house: &mut House) {
        let ana = house.linked(ANA).await;
        let group = house.web.create_group(&phone(BEN), "All of us", &[phone(ANA), phone(CYD)]);
        let say = |house: &House, text: &str| {
            let body = json!({ "type": "text", "text": { "body": text } });
            house.web.speak(&phone(BEN), &Chat::Group(group.clone()), &body, None).unwrap()
        };
        say(house, "before");
        let before = received(house).await.0;
        let lost = lose(house, |house| say(house, "lost")).await;
        let next = house.another().await;
        std::mem::replace(&mut house.process, next).kill();
        house.clock.advance(LEASE);
        house.takes_over().await;
        house.stands(&ana, State::Connected).await;
        breaks(house);
        let other = say(house, "another");
        let mut told = received(house).await.0;
        assert_eq!(told["event"]["Info"]["ID"], other.as_str(), "the phone is still off");
        house.web.set_online(&phone(ANA), true);
        told = received(house).await.0;
        assert_eq!(told["event"]["Info"]["ID"], lost.as_str());
        assert_eq!(told["event"]["Message"]["conversation"], "lost");
        for name in ["Chat", "Sender", "IsGroup"] {
            assert_eq!(told["event"]["Info"][name], before["event"]["Info"][name], "{name} as without the loss");
        }
        settled(house).await;
        say(house, "after");
        assert_eq!(received(house).await.0["event"]["Message"]["conversation"], "after");
        assert_eq!(house.received().await, 4);
    }

    async fn a_phone_that_is_never_on_again_is_not_asked_for_ever(house: &mut House) {
        let ana = house.linked(ANA).await;
        lose(house, |house| house.says_text(BEN, ANA, "lost")).await;
        sessions::close(house.engine(), &ana, "away").await.unwrap();
        house.lets_go(&ana).await;
        for (days, wanted) in [(13, 1), (2, 0)] {
            house.clock.advance(Duration::from_secs(days * 86_400));
            house.open(&ana).await;
            house.stands(&ana, State::Connected).await;
            if wanted == 0 {
                settled(house).await;
            }
            sessions::close(house.engine(), &ana, "away").await.unwrap();
            house.lets_go(&ana).await;
            assert_eq!(house.wanted().await, wanted, "after {days} more days");
        }
        assert_eq!(house.received().await, 0);
    }

    async fn what_cannot_be_read_comes_once_whoever_gives_it_again_first(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.says_text(BEN, ANA, "before");
        let before = received(house).await.0;
        sessions::close(house.engine(), &ana, "away").await.unwrap();
        house.lets_go(&ana).await;
        house.forgets_keys().await;
        house.open(&ana).await;
        house.stands(&ana, State::Connected).await;
        let sealed = house.says_text(BEN, ANA, "sealed");
        house.notice("UndecryptableMessage").await;
        let told = received(house).await.0;
        assert_eq!(told["event"]["Info"]["ID"], sealed.as_str());
        assert_eq!(told["event"]["Info"]["Chat"], before["event"]["Info"]["Chat"]);
        breaks(house);
        settled(house).await;
        house.says_text(BEN, ANA, "after");
        assert_eq!(received(house).await.0["event"]["Message"]["conversation"], "after");
        assert_eq!(house.received().await, 3);
    }

    async fn whatever_is_in_flight_when_a_connection_breaks_comes_once(house: &mut House) {
        let ana = house.linked(ANA).await;
        let mut said = Vec::new();
        for round in 0..8 {
            if round == 4 {
                // No session bears more breaks in a few minutes.
                house.restart().await;
                house.stands(&ana, State::Connected).await;
            }
            let mut came: Vec<_> = (0..20).map(|n| house.says_text(BEN, ANA, &format!("{round}.{n}"))).collect();
            breaks(house);
            came.extend((20..30).map(|n| house.says_text(CYD, ANA, &format!("{round}.{n}"))));
            for _ in 0..came.len() {
                let id = received(house).await.0["event"]["Info"]["ID"].as_str().unwrap().to_owned();
                let place = came.iter().position(|said| *said == id).expect("one of these, for the first time");
                said.push(came.swap_remove(place));
            }
        }
        house.stands(&ana, State::Connected).await;
        settled(house).await;
        assert_eq!(house.received().await, said.len());
    }
}
