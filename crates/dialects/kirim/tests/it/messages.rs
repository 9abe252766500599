//! Messages, conversations, templates and files.

use engine::content::{Content, Media, MediaKind, Source};
use engine::failure::{Code, Failure, Retry, SendError};
use engine::messages::Status;
use serde_json::{Value, json};

use crate::house::{CUSTOMER, House, NUMBER, SECOND_NUMBER, heard};

async fn status(house: &House, id: &str) -> Value {
    house.get(&format!("/{NUMBER}/messages/{id}")).await.data()["status"].clone()
}

#[tokio::test]
async fn a_message_goes_its_way() {
    let house = House::new().await;
    let sent = house.send_text("hello").await;
    let id = sent.id();
    assert_eq!(sent.data()["created_at"], "2026-09-21T14:13:20.000Z");
    house.work().await;
    assert_eq!(status(&house, &id).await, "sent");
    for (receipt, shown) in [
        (Status::Delivered, "delivered"),
        (Status::Read, "read"),
        (Status::Delivered, "read"),
        (Status::Played, "read"),
    ] {
        house.receipt("wamid.1", receipt).await;
        assert_eq!(status(&house, &id).await, shown);
    }
    let alone = house.get(&format!("/{NUMBER}/messages/{id}")).await;
    assert_eq!((&alone.data()["message_id"], &alone.data()["to"]), (&json!("wamid.1"), &json!(CUSTOMER)));
    let list = house.get(&format!("/{NUMBER}/messages?status=read")).await;
    assert_eq!((&list.data()[0]["content"], &list.data()[0]["direction"]), (&json!("hello"), &json!("outbound")));
    assert_eq!(house.get(&format!("/{SECOND_NUMBER}/messages/{id}")).await.status, 404, "it is another number's");
}

#[tokio::test]
async fn a_failure_has_its_published_name() {
    let house = House::new().await;
    let failure =
        Failure { code: Code::OutsideWindow, message: "too late".into(), provider_code: Some(131_047), details: None };
    house.cloud.failures.lock().unwrap().push(SendError { failure, retry: Retry::Never });
    let id = house.send_text("hello").await.id();
    house.work().await;
    let expected = json!({ "code": "outside_24h_window", "message": "too late", "provider_code": 131_047 });
    let alone = house.get(&format!("/{NUMBER}/messages/{id}")).await;
    assert_eq!((&alone.data()["status"], &alone.data()["error"]), (&json!("failed"), &expected));
    let list = house.get(&format!("/{NUMBER}/messages?status=failed")).await;
    assert_eq!(list.data()[0]["error"], expected);
}

#[tokio::test]
async fn reading_is_told_and_counted() {
    let house = House::new().await;
    for wamid in ["wamid.a", "wamid.b"] {
        house.hear(wamid, heard("hi")).await;
        house.later(1);
    }
    let conversations = format!("/{NUMBER}/conversations");
    assert_eq!(house.get(&conversations).await.data()[0]["unread_count"], 2);
    let read = |wamid: &str, typing: bool| {
        let mut body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": wamid });
        if typing {
            body["typing_indicator"] = json!({ "type": "text" });
        }
        house.post("/100000000000001/messages", body)
    };
    let answer = read("wamid.a", false).await;
    assert_eq!((&answer.data()["status"], &answer.data()["to"]), (&json!("read"), &json!("+15550100001")));
    assert_eq!(house.get(&conversations).await.data()[0]["unread_count"], 1);
    read("wamid.b", true).await.data();
    assert_eq!(*house.cloud.read.lock().unwrap(), [("wamid.a".to_owned(), false), ("wamid.b".to_owned(), true)]);
    let list = house.get(&format!("/{NUMBER}/messages?direction=inbound")).await;
    assert_eq!(list.data()[0]["status"], "read");
    let unknown = read("wamid.x", false).await;
    assert_eq!((unknown.status, unknown.param()), (404, "message_id"));
}

#[tokio::test]
async fn lists_are_walked_without_gaps_and_cursors_belong_to_them() {
    let house = House::new().await;
    for number in 0..7 {
        house.send_text(&number.to_string()).await;
        house.later(number % 2);
    }
    let (mut cursor, mut seen, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let page = house.get(&format!("/{NUMBER}/messages?limit=3{cursor}")).await;
        seen.extend(page.data().as_array().unwrap().iter().map(|item| item["content"].as_str().unwrap().to_owned()));
        pages += 1;
        assert_eq!(page.json["has_more"], !page.json["next_cursor"].is_null());
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((pages, seen.join("")), (3, "6543210".to_owned()));
    for path in [
        "/100000000000001/messages?direction=outbound",
        "/100000000000002/messages?x",
        "/labels?x",
        "/100000000000001/conversations?x",
    ] {
        let reply = house.get(&format!("{path}{cursor}")).await;
        assert_eq!((reply.status, reply.code(), reply.param()), (400, "invalid_cursor", "cursor"), "{path}");
    }
    let foreign = house.with_key(&house.foreign_key, "GET", &format!("/labels?x{cursor}"), None).await;
    assert_eq!(foreign.code(), "invalid_cursor");
    assert_eq!(house.get("/labels?limit=101").await.code(), "invalid_limit");
    let by_time = house.get(&format!("/{NUMBER}/messages?created_after=2027-01-01T00:00:00Z")).await;
    assert_eq!(by_time.data(), &json!([]));
}

#[tokio::test]
async fn conversations_are_kept() {
    let house = House::new().await;
    house.hear("wamid.1", heard("hi")).await;
    let list = house.get(&format!("/{NUMBER}/conversations?status=open")).await;
    let conversation = &list.data()[0];
    assert_eq!(conversation["contact"]["phone_number"], CUSTOMER);
    assert_eq!(conversation["assignee"], Value::Null);
    let (id, contact) = (conversation["id"].as_str().unwrap(), conversation["contact"]["id"].as_str().unwrap());
    let path = format!("/{NUMBER}/conversations/{id}");
    let changed = house.patch(&path, json!({ "status": "resolved", "assigned_to": "u_7" })).await;
    assert_eq!(
        (&changed.data()["status"], &changed.data()["assignee"]),
        (&json!("resolved"), &json!({ "id": "u_7", "name": null, "email": null }))
    );
    assert_eq!(house.patch(&path, json!({ "assigned_to": null })).await.data()["assignee"], Value::Null);
    assert_eq!(house.get(&path).await.data()["status"], "resolved");
    let count = |query: String| {
        let house = &house;
        async move { house.get(&format!("/{NUMBER}/conversations?{query}")).await.data().as_array().unwrap().len() }
    };
    assert_eq!(count("status=open".into()).await, 0);
    assert_eq!(count(format!("contact_id={contact}")).await, 1);
    assert_eq!(count("contact_id=ctc_00000000000000000000000000".into()).await, 0);
    let messages = house.get(&format!("/{NUMBER}/messages?conversation_id={id}")).await;
    assert_eq!(messages.data()[0]["to"], "+15550100001");
}

#[tokio::test]
async fn templates_hide_what_cannot_be_sent() {
    let house = House::new().await;
    let names = |query: &'static str| {
        let house = &house;
        async move {
            let list = house.get(&format!("/{NUMBER}/templates{query}")).await;
            let mut names: Vec<_> = list
                .data()
                .as_array()
                .unwrap()
                .iter()
                .map(|t| format!("{}/{}", t["name"].as_str().unwrap(), t["language"].as_str().unwrap()))
                .collect();
            names.sort();
            names.join(" ")
        }
    };
    assert_eq!(names("").await, "about_approved/en");
    assert_eq!(names("?status=pending").await, "about_approved/id about_in_appeal/en about_pending/en");
    assert_eq!(names("?status=rejected").await, "about_paused/en about_rejected/en");
    assert_eq!(names("?status=all&language=id").await, "about_approved/id");
    let one = house.get(&format!("/{NUMBER}/templates/about_approved")).await;
    assert_eq!(
        (&one.data()["language"], &one.data()["status"]),
        (&json!("en"), &json!("approved")),
        "the one that can be sent wins"
    );
    assert_eq!(one.data()["variables"], json!(["1"]));
    assert_eq!(house.get(&format!("/{NUMBER}/templates/about_approved?language=id")).await.data()["status"], "pending");
    assert_eq!(house.get(&format!("/{NUMBER}/templates/unknown")).await.status, 404);
}

#[tokio::test]
async fn files_are_behind_links_that_expire() {
    let house = House::new().await;
    let media = |source| {
        Content::Media(Media {
            kind: MediaKind::Image,
            source,
            caption: Some("look".into()),
            filename: None,
            mime: None,
            voice: false,
        })
    };
    house.hear("wamid.file", media(Source::Id("f".into()))).await;
    let list = house.get(&format!("/{NUMBER}/messages")).await;
    let (item, id) = (&list.data()[0], list.data()[0]["id"].as_str().unwrap());
    assert_eq!((&item["type"], &item["content"], &item["media_url"]), (&json!("image"), &json!("look"), &Value::Null));
    let path = format!("/{NUMBER}/messages/{id}/media");
    assert_eq!(house.get(&path).await.status, 404, "it is still being fetched");
    fetched(&house, id).await;
    let until = house.clock.now() + 15 * 60 * 1000;
    for path in [path, format!("/{NUMBER}/messages/wamid.file/media")] {
        let sent_on = house.get(&path).await;
        assert_eq!(sent_on.status, 302);
        assert!(sent_on.header("location").starts_with("https://files.example.com/"));
        assert!(sent_on.header("location").ends_with(&format!("until={until}")));
    }
    assert!(
        house.get(&format!("/{NUMBER}/messages")).await.data()[0]["media_url"].as_str().unwrap().contains("until=")
    );

    let text = house.send_text("no file").await.id();
    assert_eq!(house.get(&format!("/{NUMBER}/messages/{text}/media")).await.status, 404);
    let link = json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "image", "image": { "link": "https://example.com/a.png" } });
    house.post(&format!("/{NUMBER}/messages"), link).await;
    assert_eq!(
        house.get(&format!("/{NUMBER}/messages?direction=outbound&limit=1")).await.data()[0]["media_url"],
        "https://example.com/a.png"
    );
}

pub async fn fetched(house: &House, id: &str) {
    struct Ready(engine::Id);
    impl store::Work for Ready {
        type Output = ();
        async fn run(&self, tx: &mut store::Tx) -> store::Result<()> {
            store::media::ready(tx, &self.0, 3, "00", 0).await
        }
    }
    let id = engine::Id::parse_ulid(id.trim_start_matches("msg_")).unwrap();
    house.engine.db.write(Ready(id)).await.unwrap();
}
