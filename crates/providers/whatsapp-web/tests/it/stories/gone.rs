use bytes::Bytes;
use engine::events::MESSAGE_RECEIVED;
use engine::media::{PENDING, READY, UNAVAILABLE};
use engine::senders::Sender;
use engine::{Id, sessions};
use sandbox_web::Chat;
use serde_json::{Value, json};
use testkit::on_both;

use super::house::{ANA, BEN, House, document, phone};

/// Ben sends a picture while Ana's account is away, and it is gone from the media server before she is back.
async fn misses(house: &House, ana: &Sender, bytes: &[u8], phones_too: bool) {
    sessions::close(house.engine(), ana, "away").await.unwrap();
    house.lets_go(ana).await;
    let body = json!({ "type": "image", "image": { "link": "https://a.example/a.jpg" } });
    let chat = Chat::With(phone(ANA));
    let id = house.web.speak(&phone(BEN), &chat, &body, Some(Bytes::copy_from_slice(bytes))).unwrap();
    let sent = house.web.known(&phone(BEN), &id).unwrap().message;
    let path = sent.image_message.direct_path.clone().unwrap();
    assert!(if phones_too { house.web.lose_file(&path) } else { house.web.forget_file(&path) });
}

async fn received(house: &mut House) -> (Id, Value) {
    house.event(MESSAGE_RECEIVED, |event| Some((event.subject_id, document(event)))).await
}

on_both! {
    async fn a_file_that_is_gone_is_asked_of_the_phone(house: &mut House) {
        let ana = house.linked(ANA).await;
        misses(house, &ana, b"still on the phone", false).await;
        house.open(&ana).await;
        let (message, told) = received(house).await;
        assert_eq!(told["offline"], true);
        house.delivered(&message).await;
        assert_eq!(house.file(&message).await.status, READY);
        assert_eq!(house.blob_of(&message.hex24()).await, b"still on the phone");
        let retry = house.notice("MediaRetry").await["event"].clone();
        assert_eq!((&retry["MessageID"], &retry["Error"]), (&told["event"]["Info"]["ID"], &Value::Null), "{retry:#}");
        assert!(retry["Ciphertext"].is_string() && retry["IV"].is_string(), "{retry:#}");

        misses(house, &ana, b"nowhere any longer", true).await;
        house.open(&ana).await;
        let (message, _) = received(house).await;
        house.delivered(&message).await;
        let file = house.file(&message).await;
        assert_eq!(file.status, UNAVAILABLE);
        assert_eq!(file.reason.as_deref(), Some("neither WhatsApp nor the phone has the file any more"));
        assert_eq!(house.notice("MediaRetry").await["event"]["Error"]["Code"], 2);
    }

    async fn a_phone_that_is_off_is_asked_again_later(house: &mut House) {
        let ana = house.linked(ANA).await;
        misses(house, &ana, b"patience", false).await;
        house.web.set_online(&phone(ANA), false);
        house.open(&ana).await;
        let (message, _) = received(house).await;
        let tried = house.posted(&message);
        house.passes_until("it is told without its file", async || tried()).await;
        assert_eq!(house.file(&message).await.status, PENDING);
        house.web.set_online(&phone(ANA), true);
        house.passes_until("it is fetched", async || house.file(&message).await.status == READY).await;
        assert_eq!(house.blob_of(&message.hex24()).await, b"patience");
    }
}
