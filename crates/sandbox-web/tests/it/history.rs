use sandbox_web::Chat;
use serde_json::json;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::waproto::codec;
use whatsapp_rust::waproto::whatsapp::HistorySync;
use whatsapp_rust::waproto::whatsapp::history_sync::HistorySyncType;

use crate::house::{ANA, BEN, Guest, House, number, text};

async fn history(guest: &mut Guest, kind: HistorySyncType) -> HistorySync {
    let bytes = guest
        .event("a piece of history", |event| match event {
            Event::HistorySync(piece) if piece.sync_type() == kind as i32 => Some(piece.decompress().unwrap()),
            _ => None,
        })
        .await;
    codec::history_sync_decode(&bytes).unwrap()
}

fn texts(history: &HistorySync) -> Vec<String> {
    let messages = history.conversations.iter().flat_map(|chat| &chat.messages);
    messages.map(|it| text(&it.message.message)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_device_is_told_what_was_said_and_may_ask_for_more() {
    let house = House::open().await;
    let (ana, ben) = (number(ANA), number(BEN));
    house.handle.account(&ana, Some("Ana"));
    house.handle.account(&ben, Some("Ben"));
    for n in 0..60 {
        let body = json!({"type": "text", "text": {"body": format!("message {n}")}});
        house.handle.speak(&ben, &Chat::With(ana.clone()), &body, None).unwrap();
    }
    let mut guest = house.linked(ANA).await;
    let first = history(&mut guest, HistorySyncType::INITIAL_BOOTSTRAP).await;
    let expected: Vec<String> = (10..60).rev().map(|n| format!("message {n}")).collect();
    assert_eq!(texts(&first), expected, "the newest fifty, newest first");
    assert_eq!(first.conversations[0].unread_count, Some(60));

    let oldest = first.conversations[0].messages.last().unwrap().message.as_option().unwrap().clone();
    let (chat, id) = (first.conversations[0].id.parse().unwrap(), oldest.key.id.clone().unwrap());
    let at = i64::try_from(oldest.message_timestamp.unwrap()).unwrap() * 1000;
    guest.client.fetch_message_history(&chat, &id, false, at, 4).await.unwrap();
    let more = history(&mut guest, HistorySyncType::ON_DEMAND).await;
    assert_eq!(texts(&more), ["message 9", "message 8", "message 7", "message 6"]);
}
