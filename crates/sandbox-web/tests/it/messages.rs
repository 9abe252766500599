use sandbox_web::{Arrival, Chat, Tick};
use serde_json::json;
use whatsapp_rust::Jid;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::types::presence::ReceiptType;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::house::{ANA, BEN, Guest, House, number, text, words};

fn pn(phone: &str) -> Jid {
    Jid::pn(phone.trim_start_matches('+'))
}

async fn receipt(guest: &mut Guest, id: &str, kind: ReceiptType) {
    guest
        .event("a receipt", |event| match event {
            Event::Receipt(receipt) if receipt.r#type == kind && receipt.message_ids.iter().any(|it| it == id) => {
                Some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_linked_accounts_write_to_each_other() {
    let mut house = House::open().await;
    let (mut ana, mut ben) = (house.linked(ANA).await, house.linked(BEN).await);
    let sent = ana.client.send_message(pn(BEN), words("hello")).await.unwrap();
    ana.event("the server's word", |event| match event {
        Event::ServerAck(ack) if ack.id == sent.message_id => Some(ack.error.is_none()),
        _ => None,
    })
    .await;
    let (message, info) = ben.message().await;
    assert_eq!(text(&message), "hello");
    assert_eq!(info.id, sent.message_id);
    assert_eq!(info.push_name, ANA);
    assert!(
        info.source.sender.is_lid() && info.source.sender_alt.as_ref().is_some_and(Jid::is_pn),
        "{:?}",
        info.source
    );
    receipt(&mut ana, &sent.message_id, ReceiptType::Delivered).await;

    // Both phones show it too: the reader's, and the writer's as its own.
    let (shown, _, arrival) = house.message_at(BEN).await;
    assert_eq!(shown, "hello");
    assert!(
        matches!(arrival, Arrival::Message { chat: Chat::With(with), from, .. } if with == number(ANA) && from == number(ANA))
    );
    let (_, _, arrival) = house.message_at(ANA).await;
    assert!(
        matches!(arrival, Arrival::Message { chat: Chat::With(with), from, .. } if with == number(BEN) && from == number(ANA))
    );

    ben.client.mark_as_read(&info.source.chat, Some(&info.source.sender), &[&info.id]).await.unwrap();
    receipt(&mut ana, &sent.message_id, ReceiptType::Read).await;
    for n in 0..5 {
        ben.client.send_message(pn(ANA), words(&format!("answer {n}"))).await.unwrap();
        assert_eq!(ana.text().await, format!("answer {n}"));
    }
    assert_eq!(house.handle.stats().messages, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_and_a_linked_account_of_somebody_else() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let (phone, chat) = (number(BEN), Chat::With(number(ANA)));
    house.handle.account(&phone, Some("Ben"));

    let first = house.handle.speak(&phone, &chat, &json!({"type": "text", "text": {"body": "hi Ana"}}), None).unwrap();
    let (message, info) = ana.message().await;
    assert_eq!((text(&message), info.id.as_str(), info.push_name.as_str()), ("hi Ana".into(), first.as_str(), "Ben"));
    house
        .arrival("a tick", |arrival| match arrival {
            Arrival::Receipt { phone: at, ids, tick: Tick::Delivered, .. } if *at == phone && ids.contains(&first) => {
                Some(())
            }
            _ => None,
        })
        .await;
    ana.client.mark_as_read(&info.source.chat, Some(&info.source.sender), &[&info.id]).await.unwrap();
    house
        .arrival("a blue tick", |arrival| match arrival {
            Arrival::Receipt { phone: at, ids, tick: Tick::Read, .. } if *at == phone && ids.contains(&first) => {
                Some(())
            }
            _ => None,
        })
        .await;

    let sent = ana.client.send_message(pn(BEN), words("hello Ben")).await.unwrap();
    assert_eq!(house.message_at(BEN).await.0, "hello Ben");
    receipt(&mut ana, &sent.message_id, ReceiptType::Delivered).await;
    house.handle.read(&phone, None);
    receipt(&mut ana, &sent.message_id, ReceiptType::Read).await;

    let edit = house.handle.change(&phone, &first, Some("hi, Ana!")).unwrap();
    let (edited, edited_info) = ana.message().await;
    assert_eq!(edited_info.id, edit);
    let protocol = edited.protocol_message.as_option().unwrap();
    assert_eq!(protocol.key.id.as_ref(), Some(&first));
    assert_eq!(protocol.r#type, Some(wa::message::protocol_message::Type::MESSAGE_EDIT));
    house.handle.change(&phone, &first, None).unwrap();
    let (deleted, _) = ana.message().await;
    assert_eq!(deleted.protocol_message.as_option().unwrap().r#type, Some(wa::message::protocol_message::Type::REVOKE));
    assert!(house.handle.change(&phone, "unknown", None).is_err());

    let reaction = json!({"type": "reaction", "reaction": {"message_id": sent.message_id, "emoji": "👍"}});
    house.handle.speak(&phone, &chat, &reaction, None).unwrap();
    let (reacted, _) = ana.message().await;
    assert_eq!(reacted.reaction_message.as_option().unwrap().text.as_deref(), Some("👍"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_devices_of_an_account_see_what_one_of_them_wrote() {
    let mut house = House::open().await;
    let (first, mut second) = (house.linked(ANA).await, house.linked(ANA).await);
    let mut ben = house.linked(BEN).await;
    first.client.send_message(pn(BEN), words("from the first")).await.unwrap();
    assert_eq!(ben.text().await, "from the first");
    let (copy, info) = second.message().await;
    assert_eq!(text(&copy), "from the first");
    assert!(info.source.is_from_me && !info.source.is_group, "{:?}", info.source);
    assert_eq!(house.message_at(ANA).await.0, "from the first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_and_presence_are_told() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let ben = number(BEN);
    house.handle.account(&ben, Some("Ben"));
    ana.client.presence().subscribe(&pn(BEN)).await.unwrap();
    house.handle.set_available(&ben, true);
    ana.event("presence", |event| match event {
        Event::Presence(it) => (!it.unavailable).then_some(()),
        _ => None,
    })
    .await;
    house.handle.typing(&ben, &Chat::With(number(ANA)), "recording").unwrap();
    ana.event("typing", |event| matches!(event, Event::ChatPresence(_)).then_some(())).await;
    ana.client.chatstate().send_composing(&pn(BEN)).await.unwrap();
    house
        .arrival("typing", |arrival| match arrival {
            Arrival::Typing { phone, state: "composing", .. } => (*phone == ben).then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_rings_and_is_turned_down() {
    let mut house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let call = house.handle.call(&number(BEN), &number(ANA), false);
    let (id, from) = ana
        .event("a call", |event| match event {
            Event::IncomingCall(call) => Some((call.action.call_id().to_owned(), call.from.clone())),
            _ => None,
        })
        .await;
    assert_eq!(id, call);
    ana.client.voip().reject_call(&id, &from, &from).await.unwrap();
    house
        .arrival("a no", |arrival| match arrival {
            Arrival::CallRejected { call: it, .. } => (*it == call).then_some(()),
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_talks_at_once_and_nothing_is_lost() {
    const PEOPLE: u64 = 6;
    const MESSAGES: usize = 20;
    let house = House::open().await;
    let who = |n: u64| format!("+1555010{:04}", 100 + n % PEOPLE);
    let mut guests = Vec::new();
    for n in 0..PEOPLE {
        guests.push(house.linked(&who(n)).await);
    }
    let talks = guests.into_iter().zip(0..).map(|(mut guest, n)| {
        let next = pn(&who(n + 1));
        tokio::spawn(async move {
            for message in 0..MESSAGES {
                guest.client.send_message(next.clone(), words(&format!("{message}"))).await.unwrap();
            }
            let mut came = Vec::new();
            while came.len() < MESSAGES {
                came.push(guest.text().await);
            }
            came
        })
    });
    for talk in talks.collect::<Vec<_>>() {
        assert_eq!(talk.await.unwrap(), (0..MESSAGES).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_learns_of_new_devices_and_of_those_that_are_gone() {
    let house = House::open().await;
    let (ana, mut ben) = (house.linked(ANA).await, house.linked(BEN).await);
    let say = async |text: &str| ana.client.send_message(pn(BEN), words(text)).await.unwrap();
    say("to one").await;
    assert_eq!(ben.text().await, "to one");
    let mut second = house.linked(BEN).await;
    say("to both").await;
    assert_eq!((ben.text().await, second.text().await), ("to both".to_owned(), "to both".to_owned()));
    assert!(house.handle.unlink(&number(BEN), 33));
    say("to the other").await;
    assert_eq!(second.text().await, "to the other");
}
