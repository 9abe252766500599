use std::time::Duration;

use engine::events::SESSION_CHANGED;
use engine::sessions::{self, State};
use sandbox_web::{Arrival, Fault, Kind};
use serde_json::Value;
use testkit::on_both;
use web_wire::ask::Ask;

use super::house::{ANA, BEN, House, phone, text};

on_both! {
    async fn an_account_that_logs_out_is_wiped_and_can_be_linked_anew(house: &mut House) {
        let ana = house.linked(ANA).await;
        assert!(house.keeps_something().await);
        house.ask(&ana, Ask::Logout).await.unwrap();
        let session = house.stands(&ana, State::Unlinked).await;
        assert_eq!(session.identity, Some(Value::Null));
        house.arrival("the end of the link", |arrival| matches!(arrival, Arrival::Unlinked { device: 33, .. }).then_some(())).await;
        assert_eq!(house.notice("LoggedOut").await["event"]["OnConnect"], false);
        house.lets_go(&ana).await;
        assert!(!house.keeps_something().await);
        house.open(&ana).await;
        house.link(&ana, ANA).await;
        assert_eq!(house.web.devices(&phone(ANA)).len(), 1);
        house.sent(&ana, BEN, "3EB0AA", text("again")).await;
    }

    async fn an_account_that_the_phone_unlinks_says_so(house: &mut House) {
        let ana = house.linked(ANA).await;
        assert!(house.web.unlink(&phone(ANA), 33));
        let session = house.stands(&ana, State::Unlinked).await;
        assert_eq!(session.next_step.as_deref(), Some("link the account anew"));
        house.lets_go(&ana).await;
        assert!(!house.keeps_something().await);

        // The same while it was away.
        house.open(&ana).await;
        house.link(&ana, ANA).await;
        sessions::close(house.engine(), &ana, "its owner wants it so").await.unwrap();
        house.lets_go(&ana).await;
        house.web.add_fault(Fault::once(Kind::LogIn(401)));
        house.open(&ana).await;
        let session = house.stands(&ana, State::Unlinked).await;
        assert_eq!(session.reason.as_deref(), Some("WhatsApp does not know this link any more (401)"));
    }

    async fn another_program_takes_the_link_until_its_owner_wants_it_back(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault::once(Kind::Conflict));
        let session = house.stands(&ana, State::Replaced).await;
        assert!(session.wanted && session.next_step.is_some());
        house.notice("StreamReplaced").await;
        house.lets_go(&ana).await;
        house.open(&ana).await;
        house.stands(&ana, State::Connected).await;
    }

    async fn a_banned_account_comes_back_when_the_ban_is_over(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault::once(Kind::LogIn(402)));
        house.web.add_fault(Fault::once(Kind::Drop));
        let session = house.stands(&ana, State::Banned).await;
        let left = session.retry_at - house.clock.now();
        assert!((3_500_000..=3_600_000).contains(&left), "{session:?}");
        assert_eq!(house.notice("TemporaryBan").await["event"]["Code"], 101);
        house.lets_go(&ana).await;
        house.clock.advance(Duration::from_secs(3_601));
        house.stands(&ana, State::Connected).await;
    }

    async fn a_client_that_is_too_old_rests(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault::once(Kind::LogIn(405)));
        house.web.add_fault(Fault::once(Kind::Drop));
        house.stands(&ana, State::Outdated).await;
        house.notice("ClientOutdated").await;
        house.lets_go(&ana).await;
        house.open(&ana).await;
        house.stands(&ana, State::Connected).await;
    }

    async fn what_breaks_for_a_moment_mends_by_itself(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.notice("Connected").await;
        for fault in [Kind::Drop, Kind::Stream(515), Kind::Stream(503)] {
            if fault == Kind::Drop {
                house.web.add_fault(Fault::once(Kind::LogIn(503)));
            }
            house.web.add_fault(Fault::once(fault));
            house.notice("Connected").await;
            house.stands(&ana, State::Connected).await;
        }
        let states: Vec<String> = house.events().await.into_iter().filter(|event| event.kind == SESSION_CHANGED).map(|event| event.data).collect();
        assert!(states.iter().any(|data| data.contains("the connection to WhatsApp ended")), "{states:#?}");
        assert!(states.iter().any(|data| data.contains("(503)")), "{states:#?}");
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
        house.sent(&ana, BEN, "3EB0AB", text("as before")).await;
    }

    async fn a_session_that_nobody_links_or_wants_ends(house: &mut House) {
        let ana = house.enrol("ana").await;
        house.open(&ana).await;
        house.stands(&ana, State::AwaitingLink).await;
        sessions::close(house.engine(), &ana, "its owner wants it so").await.unwrap();
        let session = house.stands(&ana, State::Off).await;
        assert_eq!((session.offer, session.reason.as_deref()), (None, Some("its owner wants it so")));
        house.lets_go(&ana).await;
        assert!(house.web.devices(&phone(ANA)).is_empty());
    }
}
