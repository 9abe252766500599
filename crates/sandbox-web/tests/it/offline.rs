use sandbox_web::{Arrival, Chat, Tick};
use serde_json::json;
use whatsapp_rust::Jid;

use crate::house::{ANA, BEN, Guest, House, number, text, words};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_while_a_client_was_away_comes_in_order_and_once() {
    let mut house = House::open().await;
    let ana = house.linked(ANA).await;
    let backend = ana.stop().await;
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let mut ids = Vec::new();
    for n in 0..30 {
        let body = json!({"type": "text", "text": {"body": format!("message {n}")}});
        ids.push(house.handle.speak(&ben, &chat, &body, None).unwrap());
    }
    let mut ana = Guest::again(&house, backend).await;
    ana.connected().await;
    let mut came = Vec::new();
    while came.len() < 30 {
        let found: Vec<(String, bool)> = ana
            .event("messages", |event| {
                let batch: Vec<_> = event.messages().map(|it| (text(&it.message), it.info.is_offline)).collect();
                (!batch.is_empty()).then_some(batch)
            })
            .await;
        came.extend(found);
    }
    let expected: Vec<(String, bool)> = (0..30).map(|n| (format!("message {n}"), true)).collect();
    assert_eq!(came, expected);
    let last = ids.pop().unwrap();
    house
        .arrival("the last tick", |arrival| match arrival {
            Arrival::Receipt { ids, tick: Tick::Delivered, .. } => ids.contains(&last).then_some(()),
            _ => None,
        })
        .await;
    let backend = ana.stop().await;
    let mut ana = Guest::again(&house, backend).await;
    ana.connected().await;
    house.handle.speak(&ben, &chat, &json!({"type": "text", "text": {"body": "after"}}), None).unwrap();
    assert_eq!(ana.text().await, "after", "nothing comes twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_off_gets_its_messages_later() {
    let mut house = House::open().await;
    let ana = house.linked(ANA).await;
    let ben = number(BEN);
    house.handle.account(&ben, Some("Ben"));
    house.handle.set_online(&ben, false);
    ana.client.send_message(Jid::pn("15550100002"), words("are you there?")).await.unwrap();
    // Its own phone shows it at once, so the message has passed the server.
    assert_eq!(house.message_at(ANA).await.0, "are you there?");
    house.handle.set_online(&ben, true);
    assert_eq!(house.message_at(BEN).await.0, "are you there?");
}
