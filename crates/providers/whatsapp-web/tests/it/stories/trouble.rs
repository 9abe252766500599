use std::time::Duration;

use bytes::Bytes;
use engine::events::{Event, MESSAGE_RECEIVED, SESSION_CHANGED};
use engine::messages::Status;
use engine::sessions::{self, CallError, State};
use sandbox_web::{Arrival, Chat, Fault, Kind};
use serde_json::{Value, json};
use testkit::on_both;
use web_wire::ask::Ask;
use web_wire::jid::Jid;
use web_wire::send::Outgoing;

use super::house::{ANA, BEN, House, PATIENCE, document, jid, phone, text};
use super::pipe::Pipe;
use crate::transport::proxies::{Manner, Stub, closed_port};

on_both! {
    async fn what_whatsapp_refuses_fails_with_its_code(house: &mut House) {
        let ana = house.linked(ANA).await;
        for number in [463, 479, 475] {
            house.web.add_fault(Fault { number: Some(phone(ANA)), ..Fault::once(Kind::Refuse(number)) });
            let failed = house.send(&ana, BEN, &format!("3EB{number}"), text("badly made")).await;
            assert_eq!((failed.status, code(&failed)), (Status::Failed, json!(number)));
        }
        house.sent(&ana, BEN, "3EB0F3", text("well made")).await;
        assert_eq!(house.shown(BEN).await.0, "3EB0F3");
        let checked = Outgoing { check_number: true, ..Outgoing::new(text("anybody?")) };
        house.web.set_registered(&phone("+15550199999"), false);
        let failed = house.send_as(&ana, &jid("+15550199999"), "3EB0F4", checked).await;
        assert_eq!(failed.status, Status::Failed);
        let nowhere: Jid = "x@unheard.of".parse().unwrap();
        let failed = house.send_as(&ana, &nowhere, "3EB0F5", Outgoing::new(text("?"))).await;
        assert_eq!(failed.status, Status::Failed);
    }

    async fn a_message_without_an_answer_is_sent_again_and_shown_once(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.web.add_fault(Fault { number: Some(phone(ANA)), ..Fault::once(Kind::LostAck) });
        let message = house.accept(&ana, &jid(BEN), "3EB0F1", &Outgoing::new(text("once"))).await;
        assert_eq!(house.shown(BEN).await.0, "3EB0F1");
        house.clock.advance(Duration::from_secs(21));
        let message = house.settled(&message).await;
        assert!(message.status >= Status::Sent && message.status != Status::Failed, "{message:?}");
        assert_eq!(message.provider_id.as_deref(), Some("3EB0F1"));
        house.sent(&ana, BEN, "3EB0F2", text("twice?")).await;
        assert_eq!(house.shown(BEN).await.0, "3EB0F2");
    }

    async fn what_comes_while_it_is_away_comes_once_and_is_marked(house: &mut House) {
        let ana = house.linked(ANA).await;
        house.says_text(BEN, ANA, "before");
        house.document(MESSAGE_RECEIVED).await;
        sessions::close(house.engine(), &ana, "away").await.unwrap();
        house.lets_go(&ana).await;
        let ids: Vec<String> = (0..200).map(|n| house.says_text(BEN, ANA, &format!("message {n}"))).collect();
        house.open(&ana).await;
        let mut came = Vec::new();
        while came.len() < ids.len() {
            let (id, late) = house
                .event(MESSAGE_RECEIVED, |event| {
                    let data: Value = serde_json::from_str(&event.data).unwrap();
                    Some((data["provider_id"].as_str().unwrap().to_owned(), data["late"].clone()))
                })
                .await;
            assert_eq!(late, json!(true));
            came.push(id);
        }
        assert_eq!(came, ids);
        house.stands(&ana, State::Connected).await;
        house.says_text(BEN, ANA, "after");
        assert_eq!(house.document(MESSAGE_RECEIVED).await["event"]["Message"]["conversation"], "after");
    }

    async fn a_call_is_turned_away_with_a_word(house: &mut House) {
        let config = json!({ "reject_calls": { "message": "please write", "reason": "busy" } });
        house.linked_with(ANA, config).await;
        let call = house.web.call(&phone(BEN), &phone(ANA), true);
        rejected(house, &call).await;
        assert_eq!(house.content(BEN).await["text"]["body"], "please write");
    }

    async fn a_call_is_told_and_turned_away_by_hand(house: &mut House) {
        let ana = house.linked(ANA).await;
        let call = house.web.call(&phone(BEN), &phone(ANA), false);
        let told = house.notice("CallOffer").await;
        assert_eq!(told["event"]["CallID"], call.as_str(), "{told:#}");
        let from = told["event"]["From"].as_str().unwrap().parse().unwrap();
        house.ask(&ana, Ask::RejectCall { call_id: call.clone(), from }).await.unwrap();
        rejected(house, &call).await;
    }

    async fn names_come_with_the_history(house: &mut House) {
        house.says_text(BEN, ANA, "long ago");
        let ana = house.linked(ANA).await;
        house.event(engine::events::SESSION_NOTICE, |event| {
            let told = document(event);
            (told["type"] == "HistorySync" && told.to_string().contains("Ben")).then_some(())
        })
        .await;
        let named = async {
            loop {
                let people = house.engine().people(&ana.id).await.unwrap();
                if people.iter().any(|person| person.push_name == "Ben") {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, named).await.expect("a name");
    }

    async fn everything_goes_through_the_proxy_or_nowhere(house: &mut House) {
        let port = house.server.address().port();
        let proxy = Stub::start(Manner::Socks5(Some("user:word")), port).await;
        let ana = house.enrol("ana").await;
        house.set_proxy(&ana, &format!("socks5://user:word@127.0.0.1:{}", proxy.port())).await;
        house.open(&ana).await;
        house.link(&ana, ANA).await;
        let sockets = proxy.seen().len();
        assert!(sockets > 0);
        let body = json!({ "type": "image", "image": { "link": "https://a.example/a.jpg" } });
        let chat = Chat::With(phone(ANA));
        house.web.speak(&phone(BEN), &chat, &body, Some(Bytes::from_static(b"picture"))).unwrap();
        let message = house.event(MESSAGE_RECEIVED, |event| Some(event.subject_id)).await;
        house.delivered(&message).await;
        assert_eq!(house.blob_of(&message.hex24()).await, b"picture");
        assert!(proxy.seen().len() > sockets, "the file came through it too");

        sessions::close(house.engine(), &ana, "another proxy").await.unwrap();
        house.lets_go(&ana).await;
        let (broken, before) = (closed_port().await, house.web.stats().connections);
        house.set_proxy(&ana, &format!("http://127.0.0.1:{broken}")).await;
        house.open(&ana).await;
        house.stands_in(house.engine(), &ana, |session| session.held && session.state == State::Connecting).await;
        for _ in 0..50 {
            house.commit().await;
        }
        assert_eq!(house.web.stats().connections, before);
        let refused = house.ask(&ana, Ask::About).await;
        assert!(matches!(refused, Err(CallError::NotConnected)), "{refused:?}");
    }

    async fn a_deaf_socket_is_found_and_opened_anew(house: &mut House) {
        let pipe = Pipe::to(house.server.address()).await;
        house.through = Some(pipe.url());
        house.restart().await;
        let ana = house.linked(ANA).await;
        pipe.silence();
        let is_deaf = |event: &Event| event.kind == SESSION_CHANGED && event.data.contains("\"deaf\"");
        let found = async {
            while !house.events().await.iter().any(is_deaf) {
                house.pass().await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("it is found");
        house.stands(&ana, State::Connected).await;
        house.sent(&ana, BEN, "3EB0AC", text("hear me")).await;
        assert_eq!(house.web.devices(&phone(ANA)), [33]);
    }
}

fn code(message: &engine::messages::Message) -> Value {
    let error: Value = serde_json::from_str(message.error.as_deref().unwrap_or("null")).unwrap();
    error["provider_code"].clone()
}

async fn rejected(house: &mut House, wanted: &str) {
    house
        .arrival("a no", |arrival| match arrival {
            Arrival::CallRejected { call, .. } => (call == wanted).then_some(()),
            _ => None,
        })
        .await;
}
