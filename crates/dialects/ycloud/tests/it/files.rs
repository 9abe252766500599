//! Links to files that customers sent, and how often one may ask.

use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use engine::content::{Content, Media, MediaKind, Source};
use engine::facts::{Fact, File, Message};
use serde_json::json;
use testkit::on_both;

use crate::house::{CUSTOMER, House, ORIGIN, Reply, document};

/// A customer sends a picture, as Meta tells it.
fn picture() -> Fact {
    let theirs = json!({ "id": "wamid.P", "from": &CUSTOMER[1..], "timestamp": "1790000000", "type": "image",
        "image": { "id": "media-1", "mime_type": "image/png", "sha256": "x", "caption": "look" } });
    let media = Media {
        kind: MediaKind::Image,
        source: Source::Id("media-1".into()),
        caption: Some("look".into()),
        filename: None,
        mime: Some("image/png".into()),
        voice: false,
    };
    Fact::Message(Box::new(Message {
        sender: "100000000000001".into(),
        provider_id: "wamid.P".into(),
        chat: String::new(),
        author: String::new(),
        own: false,
        late: false,
        from: vec![engine::contacts::Address { kind: "phone".into(), value: CUSTOMER.into() }],
        profile_name: None,
        at: 1_790_000_000_000,
        content: Content::Media(media),
        reply_to: None,
        file: Some(File { external_id: "media-1".into(), mime: "image/png".into(), filename: None }),
        file_first: false,
        document: Some(document(&json!({ "messages": [theirs] }))),
    }))
}

async fn fetch(house: &House, link: &str, key: Option<&str>) -> Reply {
    let mut request = Request::builder().uri(link.strip_prefix(ORIGIN).unwrap());
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    house.unjudged(request.body(Body::empty()).unwrap()).await
}

/// The provider's download, as it would have ended.
async fn arrive(house: &House, link: &str, bytes: &'static [u8]) {
    let id = link.split(['/', '?']).find(|part| part.len() == 24).unwrap();
    let meta = media::Meta { mime: "image/png".into(), filename: None };
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(bytes))]);
    house.options.media.blobs.put(id, meta, stream, 1000).await.unwrap();
}

on_both! {
    async fn a_link_is_open_for_minutes_and_then_needs_the_key(house: &mut House) {
        house.endpoint(&["whatsapp.inbound_message.received"]).await;
        house.push(picture()).await;
        let told = house.told().await;
        let image = &told[0]["whatsappInboundMessage"]["image"];
        assert_eq!((&image["id"], &image["caption"]), (&json!("media-1"), &json!("look")));
        let link = image["link"].as_str().unwrap().to_owned();
        let key = house.key.clone();
        assert_eq!(fetch(house, &link, None).await.status, 404, "nothing was fetched yet");
        arrive(house, &link, b"png").await;
        let open = fetch(house, &link, None).await;
        assert_eq!((open.status, &*open.bytes, open.header("content-type")), (200, &b"png"[..], "image/png"));
        house.later(11 * 60);
        fetch(house, &link, None).await.refused(401, "UNAUTHORIZED", "");
        fetch(house, &link, Some("wrong")).await.refused(401, "UNAUTHORIZED", "");
        fetch(house, &link, Some(&house.foreign_key)).await.refused(404, "NOT_FOUND", "");
        let kept = fetch(house, &link, Some(&key)).await;
        assert_eq!((kept.status, &*kept.bytes), (200, &b"png"[..]));
        let bare = link.split('?').next().unwrap();
        assert_eq!(fetch(house, bare, Some(&key)).await.status, 200);
        fetch(house, bare, None).await.refused(401, "UNAUTHORIZED", "");
        fetch(house, &format!("{ORIGIN}/v2/whatsapp/media/download/nothing"), Some(&key)).await.refused(404, "NOT_FOUND", "");
    }

    async fn a_file_on_its_way_is_to_be_asked_for_again(house: &mut House) {
        house.push(picture()).await;
        let id = message(&house.engine, house).await;
        let reply = fetch(house, &format!("{ORIGIN}/v2/whatsapp/media/download/{id}"), Some(&house.key)).await;
        reply.refused(503, "SERVICE_UNAVAILABLE", "");
        assert_eq!(reply.header("retry-after"), "1");
        house.work().await;
    }

    async fn the_hour_is_counted_for_all_that_does_not_send(house: &mut House) {
        let mut options = house.options.clone();
        options.other_per_hour = 3;
        house.reopen(options);
        for left in [2, 1, 0] {
            let reply = house.get("/balance").await;
            assert_eq!(reply.good()["currency"], "USD");
            let told = ["limit", "remaining", "policy"].map(|name| reply.header(&format!("ratelimit-{name}")).to_owned());
            assert_eq!(told, ["3".to_owned(), left.to_string(), "3;w=3600".to_owned()]);
        }
        let refused = house.get("/balance").await;
        refused.refused(429, "ACCOUNT_RATE_LIMITED", "");
        assert_eq!(refused.header("retry-after"), "1200");
        let sent = house.post("/whatsapp/messages", crate::house::text("still taken")).await;
        assert!(sent.status == 200 && sent.header("ratelimit-policy").ends_with(";w=60"));
        house.later(1200);
        house.get("/balance").await.good();
        house.work().await;
    }
}

/// The id of the picture's message.
async fn message(engine: &Engine, house: &House) -> String {
    let sender = engine.sender(&house.organization, "100000000000001").await.unwrap().unwrap();
    let found = engine.message_by_provider_id(&house.organization, &sender.id, "wamid.P").await.unwrap();
    found.unwrap().id.hex24()
}
