use std::sync::Arc;
use std::time::Duration;

use sandbox_web::{Chat, Fault, Kind};
use serde_json::json;
use whatsapp_rust::Jid;
use whatsapp_rust::types::events::Event;

use crate::house::{ANA, BEN, Guest, House, number, text, words};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_ins_fail_as_they_are_told_to() {
    let house = House::open().await;
    let guest = house.linked(ANA).await;
    let backend = guest.stop().await;
    house.handle.add_fault(Fault::once(Kind::LogIn(503)));
    let mut guest = Guest::again(&house, backend).await;
    guest.connected().await;
    let backend = guest.stop().await;
    house.handle.add_fault(Fault::once(Kind::LogIn(401)));
    let mut guest = Guest::again(&house, backend).await;
    guest.event("the end of the link", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_break_and_the_newest_connection_wins() {
    let house = House::open().await;
    let mut guest = house.linked(ANA).await;
    for kind in [Kind::Drop, Kind::Stream(515)] {
        house.handle.add_fault(Fault { number: Some(number(ANA)), ..Fault::once(kind) });
        guest.connected().await;
    }
    let mut rival = Guest::again(&house, guest.backend.clone()).await;
    rival.connected().await;
    guest.event("the end of the stream", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
    let stats = house.handle.stats();
    assert_eq!((stats.takeovers, stats.sockets["+15550100001"]), (1, 1));
    house.handle.add_fault(Fault::once(Kind::Conflict));
    rival.event("the end of the stream", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_doubled_overtaken_late_and_unacknowledged_on_demand() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let say = |text: &str| {
        let body = json!({"type": "text", "text": {"body": text}});
        house.handle.speak(&ben, &chat, &body, None).unwrap();
    };
    say("one");
    assert_eq!(ana.text().await, "one");
    house.handle.add_fault(Fault::once(Kind::Duplicate));
    say("two");
    say("three");
    assert_eq!((ana.text().await, ana.text().await), ("two".to_owned(), "three".to_owned()), "shown once");
    house.handle.add_fault(Fault::once(Kind::Reorder));
    say("five");
    say("four");
    assert_eq!((ana.text().await, ana.text().await), ("four".to_owned(), "five".to_owned()));
    house.handle.add_fault(Fault::once(Kind::Delay(Duration::from_millis(5))));
    say("six");
    assert_eq!(ana.text().await, "six");

    house.handle.add_fault(Fault { number: Some(number(ANA)), ..Fault::once(Kind::LostAck) });
    let lost = ana.client.send_message(Jid::pn("15550100002"), words("lost")).await.unwrap();
    let known = ana.client.send_message(Jid::pn("15550100002"), words("known")).await.unwrap();
    let acknowledged = ana
        .event("an acknowledgement", |event| match event {
            Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => Some(ack.id.clone()),
            _ => None,
        })
        .await;
    assert_eq!(acknowledged, known.message_id);
    assert_ne!(acknowledged, lost.message_id);
    assert_eq!((house.message_at(BEN).await.0, house.message_at(BEN).await.0), ("lost".to_owned(), "known".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_read_asks_again_and_gets_it() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let body = json!({"type": "text", "text": {"body": "first"}});
    house.handle.speak(&ben, &chat, &body, None).unwrap();
    let (_, info) = ana.message().await;
    ana.client.send_message(Jid::pn("15550100002"), words("back")).await.unwrap();
    assert_eq!(house.message_at(BEN).await.0, "back");
    // The client forgets its session; the other phone goes on with the old one, and its own is off and cannot help.
    house.handle.set_online(&number(ANA), false);
    ana.client.signal().delete_sessions(std::slice::from_ref(&info.source.sender)).await.unwrap();
    house.handle.speak(&ben, &chat, &json!({"type": "text", "text": {"body": "again"}}), None).unwrap();
    assert_eq!(ana.text().await, "again");
    ana.client.send_message(Jid::pn("15550100002"), words("all is well")).await.unwrap();
    assert_eq!(house.message_at(BEN).await.0, "all is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_gives_its_messages_again_and_says_which_it_has_not() {
    let house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let say = |text: &str| {
        let body = json!({"type": "text", "text": {"body": text}});
        house.handle.speak(&ben, &chat, &body, None).unwrap()
    };
    let (gone, kept) = (say("gone"), say("kept"));
    let (first, second) = (ana.message().await.1, ana.message().await.1);
    assert_eq!((&first.id, &second.id), (&gone, &kept));
    assert!(house.handle.forget(&number(ANA), &gone) && !house.handle.forget(&number(ANA), &gone));
    for info in [first, second] {
        ana.client.send_pdo_placeholder_resend_request(&Arc::new(info)).await.unwrap();
    }
    let (message, info) = ana
        .event("the message again", |event| match event {
            Event::Messages(batch) => {
                let again = batch.iter().find(|message| message.info.unavailable_request_id.is_some())?;
                Some((again.message.clone(), again.info.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!((text(&message), &info.id), ("kept".to_owned(), &kept));
    assert!(info.source.chat.to_string().ends_with("@lid"), "as it was asked for: {:?}", info.source);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_connections_break() {
    let house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    for round in 0..3 {
        house.handle.add_fault(Fault::once(Kind::Drop));
        let said: Vec<_> = (0..10).map(|n| format!("message {round}.{n}")).collect();
        for text in &said {
            let body = json!({"type": "text", "text": {"body": text}});
            house.handle.speak(&ben, &chat, &body, None).unwrap();
        }
        // All of them before the next break: what this client is decrypting at that moment it takes for known afterwards.
        let mut came = Vec::new();
        while came.len() < said.len() {
            came.push(ana.written().await);
        }
        assert_eq!(came, said);
    }
    let backend = ana.stop().await;
    let mut ana = Guest::again(&house, backend).await;
    ana.connected().await;
    let body = json!({"type": "text", "text": {"body": "the end"}});
    house.handle.speak(&ben, &chat, &body, None).unwrap();
    assert_eq!(ana.written().await, "the end", "nothing was left over");
}
