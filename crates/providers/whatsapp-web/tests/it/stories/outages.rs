use engine::events::SESSION_CHANGED;
use engine::sessions::State;
use sandbox_web::{Fault, Kind};
use serde_json::Value;
use testkit::on_both;

use super::house::{ANA, BEN, House, phone, text};
use crate::transport::proxies::{Manner, Stub, closed_port};

/// All reasons that a session's owner was shown, with the state and the next step.
async fn shown(house: &House) -> Vec<(String, String, String)> {
    let text = |data: &Value, name: &str| data[name].as_str().unwrap_or_default().to_owned();
    let changes = house.events().await.into_iter().filter(|event| event.kind == SESSION_CHANGED);
    let data = changes.map(|event| serde_json::from_str::<Value>(&event.data).unwrap());
    data.map(|data| (text(&data, "state"), text(&data, "reason"), text(&data, "next_step"))).collect()
}

on_both! {
    async fn a_connection_that_never_comes_to_be_says_why_and_ends_visibly(house: &mut House) {
        let (closed, mute) = (closed_port().await, Stub::start(Manner::Answers(b"HTTP/1.1 407 no\r\n\r\n"), 1).await);
        let cases = [
            (format!("http://127.0.0.1:{closed}"), "the proxy cannot be reached", "check the proxy"),
            (format!("http://127.0.0.1:{}", mute.port()), "the proxy does not accept the user name", "set the proxy anew"),
            ("socks5://127.0.0.2:1".into(), "the proxy cannot be reached", "check the proxy"),
        ];
        for (n, (proxy, reason, next_step)) in cases.into_iter().enumerate() {
            let sender = house.enrol(&format!("user-{n}")).await;
            house.set_proxy(&sender, &proxy).await;
            house.open(&sender).await;
            let says_why = |session: &engine::sessions::Session| {
                session.state == State::Connecting && session.reason.as_deref().is_some_and(|why| why.contains(reason))
            };
            let session = house.stands_in(house.engine(), &sender, says_why).await;
            assert!(session.next_step.as_deref().unwrap_or_default().contains(next_step), "{session:?}");
            let session = house.stands(&sender, State::Failed).await;
            assert!(session.reason.as_deref().unwrap().contains(reason) && session.failures == 1, "{session:?}");
            assert!(session.next_step.unwrap().contains("tried again at"));
            engine::sessions::close(house.engine(), &sender, "enough").await.unwrap();
            house.lets_go(&sender).await;
        }
    }

    async fn log_ins_that_whatsapp_refuses_end_visibly_and_come_back(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault { times: 50, number: Some(phone(ANA)), ..Fault::once(Kind::LogIn(503)) });
        house.web.add_fault(Fault::once(Kind::Drop));
        let session = house.stands(&ana, State::Failed).await;
        assert_eq!(session.reason.as_deref(), Some("WhatsApp refused the connection (503)"));
        let shown = shown(house).await;
        let while_trying = ("reconnecting".to_owned(), "WhatsApp refused the connection (503)".to_owned(), "it is tried again".to_owned());
        assert!(shown.contains(&while_trying), "{shown:#?}");
        house.web.clear_faults();
        house.clock.advance(std::time::Duration::from_secs(10));
        house.stands(&ana, State::Connected).await;
        house.sent(&ana, BEN, "3EB0E1", text("as before")).await;
    }

    async fn a_connection_that_never_holds_ends_visibly(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault { times: 20, number: Some(phone(ANA)), ..Fault::once(Kind::Drop) });
        let session = house.stands(&ana, State::Failed).await;
        assert_eq!(session.reason.as_deref(), Some("the connection breaks again and again"));
        house.web.clear_faults();
        house.clock.advance(std::time::Duration::from_secs(10));
        house.stands(&ana, State::Connected).await;
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
    }
}
