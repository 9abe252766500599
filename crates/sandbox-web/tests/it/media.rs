use bytes::Bytes;
use sandbox_web::{Chat, SpeakError};
use serde_json::json;
use whatsapp_rust::Jid;
use whatsapp_rust::UploadOptions;
use whatsapp_rust::wacore::download::MediaType;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::house::{ANA, BEN, House, number};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_travel_both_ways_unchanged() {
    let mut house = House::open().await;
    let ana = house.linked(ANA).await;
    // Above the size from which clients ask first how much is there.
    for size in [17, 6 << 20] {
        let file: Vec<u8> = (0..size).map(|n: u32| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let up = ana.client.upload(file.clone(), MediaType::Document, UploadOptions::new()).await.unwrap();
        let document = wa::message::DocumentMessage {
            url: Some(up.url),
            direct_path: Some(up.direct_path),
            media_key: Some(up.media_key.to_vec()),
            file_sha256: Some(up.file_sha256.to_vec()),
            file_enc_sha256: Some(up.file_enc_sha256.to_vec()),
            file_length: Some(up.file_length),
            ..Default::default()
        };
        let message = wa::Message { document_message: document.into(), ..Default::default() };
        ana.client.send_message(Jid::pn("15550100002"), message).await.unwrap();
        let (_, message, _) = house.message_at(BEN).await;
        assert!(house.handle.open_file(&message).unwrap() == file);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_sends_a_picture_and_refusals_are_felt() {
    let house = House::open().await;
    let mut ana = house.linked(ANA).await;
    let body = json!({"type": "image", "image": {"link": "https://example.test/cat.jpg", "caption": "cat"}});
    let (ben, chat) = (number(BEN), Chat::With(number(ANA)));
    let refused = house.handle.speak(&ben, &chat, &body, None);
    assert!(matches!(refused, Err(SpeakError::Fetch(link)) if link == "https://example.test/cat.jpg"));
    house.handle.speak(&ben, &chat, &body, Some(Bytes::from_static(b"\xff\xd8\xffcat"))).unwrap();
    let (message, _) = ana.message().await;
    let image = message.image_message.as_option().unwrap();
    assert_eq!(image.caption.as_deref(), Some("cat"));
    assert_eq!(ana.client.download(image).await.unwrap(), b"\xff\xd8\xffcat");
    assert!(house.handle.forget_file(image.direct_path.as_deref().unwrap()));
    assert!(ana.client.download(image).await.is_err(), "it is gone");
    house.handle.refuse_media(403, 1);
    assert!(
        ana.client.upload(b"x".to_vec(), MediaType::Image, UploadOptions::new()).await.is_ok(),
        "once is asked again"
    );
}
