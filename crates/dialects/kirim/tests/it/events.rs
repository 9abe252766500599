//! What webhooks are told, held against the contract and byte for byte.

use std::collections::HashMap;

use engine::content::{Content, Media, MediaKind, Source};
use engine::failure::SendError;
use engine::messages::Status;
use engine::transport::Parcel;
use serde_json::{Value, json};

use crate::house::{CUSTOMER, House, JUDGE, NUMBER, heard, text};
use crate::subscriptions::subscribe;

const ALL: [&str; 9] = [
    "message.received",
    "message.status",
    "message.created",
    "message.sent",
    "conversation.assigned",
    "conversation.closed",
    "contact.created",
    "contact.updated",
    "contact.identity_updated",
];

struct Told {
    headers: HashMap<String, String>,
    body: Value,
    bytes: String,
}

/// What was told since the last look, each checked for what all have in common.
async fn told(house: &House) -> Vec<Told> {
    house.work().await;
    let parcels = std::mem::take(&mut *house.receivers.parcels.lock().unwrap());
    parcels.into_iter().map(read).collect()
}

fn read(parcel: Parcel) -> Told {
    let headers: HashMap<_, _> = parcel.headers.into_iter().collect();
    let bytes = String::from_utf8(parcel.body.to_vec()).unwrap();
    let body: Value = serde_json::from_str(&bytes).unwrap();
    assert_eq!((&*headers["Content-Type"], &*headers["User-Agent"]), ("application/json", "Kirim-Webhook/1.0"));
    assert!(headers["X-Kirim-Delivery-Id"].starts_with("wbd_") && headers["X-Kirim-Attempt"] == "1");
    let name = &*headers["X-Kirim-Event"];
    if headers["X-Kirim-Source"] == "kirim" {
        assert_eq!((&body["type"], &body["id"]), (&json!(name), &json!(headers["X-Kirim-Event-Id"])));
    }
    if JUDGE.document()["webhooks"].get(name).is_some() {
        JUDGE.webhook(name, &body).unwrap();
    }
    Told { headers, body, bytes }
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.headers["X-Kirim-Event"].as_str()).collect()
}

fn one<'a>(told: &'a [Told], name: &str) -> &'a Told {
    let mut found = told.iter().filter(|told| told.headers["X-Kirim-Event"] == name);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{name} is told once");
    first.unwrap_or_else(|| panic!("{name} is not among {:?}", names(told)))
}

#[tokio::test]
async fn a_message_is_told_step_by_step() {
    let house = House::new().await;
    subscribe(&house, &ALL).await;
    let reply = house.send_text("hello").await;
    let first = told(&house).await;
    let mut seen = names(&first);
    seen.sort_unstable();
    assert_eq!(seen, ["contact.created", "message.created", "message.sent"]);
    let sent = &one(&first, "message.sent").body["data"];
    assert_eq!((&sent["message"]["id"], &sent["message"]["provider_id"]), (&json!(reply.id()), &json!("wamid.1")));
    assert_eq!((&sent["message"]["status"], &sent["message"]["from"]), (&json!("sent"), &json!("+15550100001")));
    assert_eq!((&sent["contact"]["phone_number"], &sent["message"]["to"]), (&json!(CUSTOMER), &json!(CUSTOMER)));
    let created = &one(&first, "message.created").body;
    assert_eq!(
        (&created["data"]["message"]["status"], &created["data"]["message"]["provider_id"]),
        (&json!("pending"), &Value::Null)
    );
    assert_eq!(created["livemode"], true);

    for status in [Status::Sent, Status::Delivered, Status::Played] {
        house.receipt("wamid.1", status).await;
        let told = told(&house).await;
        let status_event = one(&told, "message.status");
        assert_eq!(status_event.headers["X-Kirim-Event-Id"], format!("wamid.1:{}", status.as_str()));
        assert_eq!(status_event.headers["X-Kirim-Source"], "meta");
        let plain = format!(r#"{{"statuses":[{{"id":"wamid.1","status":"{}"}}]}}"#, status.as_str());
        assert!(status_event.bytes.contains(&plain) && !status_event.bytes.contains("kirim"), "{}", status_event.bytes);
    }
    assert!(told(&house).await.is_empty());
}

#[tokio::test]
async fn a_failure_before_whatsapp_is_told_as_whatsapp_would() {
    let house = House::new().await;
    subscribe(&house, &["message.status"]).await;
    let refused = SendError::refused(engine::failure::Code::TemplatePaused, "paused");
    house.cloud.failures.lock().unwrap().push(refused);
    let id = house.send_text("hello").await.id();
    let told = told(&house).await;
    let event = one(&told, "message.status");
    let value = &event.body["entry"][0]["changes"][0]["value"];
    assert_eq!(event.body["entry"][0]["id"], "1");
    assert_eq!(value["metadata"], json!({ "display_phone_number": "15550100001", "phone_number_id": NUMBER }));
    let status = &value["statuses"][0];
    assert_eq!(
        (&status["id"], &status["status"], &status["recipient_id"]),
        (&json!(id), &json!("failed"), &json!("6281234567890"))
    );
    assert_eq!((&status["errors"][0]["code"], &status["errors"][0]["title"]), (&json!(132_015), &json!("paused")));
    assert_eq!(event.headers["X-Kirim-Event-Id"], format!("{id}:failed"));
}

#[tokio::test]
async fn an_incoming_message_carries_what_we_know() {
    let house = House::new().await;
    subscribe(&house, &["message.received", "contact.created", "contact.updated"]).await;
    let file = Media {
        kind: MediaKind::Image,
        source: Source::Id("f".into()),
        caption: None,
        filename: None,
        mime: None,
        voice: false,
    };
    house.hear("wamid.1", Content::Media(file)).await;
    let first = told(&house).await;
    assert_eq!(one(&first, "contact.created").body["data"]["acquisition"], json!({ "source": "inbound" }));
    assert_eq!(one(&first, "contact.created").body["data"]["contact"]["name"], "Ayu");
    let received = one(&first, "message.received");
    assert_eq!(received.headers["X-Kirim-Event-Id"], "wamid.1");
    let (metas, ours) = received.bytes.split_once(",\"kirim\":").unwrap();
    assert!(metas.ends_with(r#""value":{"messages":[{"id":"wamid.1","n":1}]}}]}]"#), "{metas}");
    assert_eq!(ours.matches("media_status").count(), 1);
    let block = &received.body["kirim"];
    assert!(["pending", "unavailable"].contains(&block["media_status"].as_str().unwrap()), "{block}");
    assert_eq!((&block["phone_number_id"], &block["contact"]["phone_number"]), (&json!(NUMBER), &json!(CUSTOMER)));
    assert_eq!(
        (&block["labels"], &block["conversation"]),
        (&json!([]), &json!({ "status": "open", "assigned_to": null }))
    );

    let label = house.post("/labels", json!({ "name": "VIP", "color": "red" })).await.id();
    let contact = block["contact_id"].as_str().unwrap();
    house.post(&format!("/{NUMBER}/contacts/{contact}/labels"), json!({ "label_id": label })).await.data();
    house.hear("wamid.2", heard("hi")).await;
    let second = told(&house).await;
    assert_eq!(one(&second, "contact.updated").body["data"]["id"], contact);
    assert_eq!(
        one(&second, "message.received").body["kirim"]["labels"],
        json!([{ "id": label, "name": "VIP", "color": "red" }])
    );
    assert_eq!(one(&second, "message.received").body["kirim"]["media_status"], Value::Null);
}

#[tokio::test]
async fn without_the_block_the_bytes_are_metas() {
    let house = House::with(|options| options.kirim_block = false).await;
    subscribe(&house, &["message.received"]).await;
    house.hear("wamid.1", heard("hi")).await;
    let told = told(&house).await;
    let expected = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
        "value": { "messages": [{ "id": "wamid.1", "n": 1 }] } }] }] });
    assert_eq!(told[0].bytes, expected.to_string());
}

#[tokio::test]
async fn people_and_conversations_are_told() {
    let house = House::new().await;
    subscribe(&house, &ALL[4..]).await;
    let contact =
        house.post(&format!("/{NUMBER}/contacts"), json!({ "phone_number": CUSTOMER, "name": "Ayu" })).await.id();
    assert_eq!(one(&told(&house).await, "contact.created").body["data"]["phone_number"], CUSTOMER);
    house.patch(&format!("/{NUMBER}/contacts/{contact}"), json!({ "name": "Ayu L" })).await.data();
    assert_eq!(one(&told(&house).await, "contact.updated").body["data"]["contact"]["name"], "Ayu L");

    house.post(&format!("/{NUMBER}/messages"), text("x")).await.data();
    let conversation =
        house.get(&format!("/{NUMBER}/conversations")).await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/{NUMBER}/conversations/{conversation}");
    house.patch(&path, json!({ "assigned_to": "u1" })).await.data();
    assert!(!told(&house).await.is_empty());
    house.patch(&path, json!({ "assigned_to": "u2", "status": "resolved" })).await.data();
    let both = told(&house).await;
    let assigned = &one(&both, "conversation.assigned").body["data"];
    assert_eq!(assigned["assignee"], json!({ "user_id": "u2", "team_id": null, "previous_user_id": "u1" }));
    let closed = &one(&both, "conversation.closed").body["data"];
    for shape in [closed, &closed["conversation"]] {
        assert_eq!(
            (&shape["id"], &shape["object"], &shape["status"]),
            (&json!(conversation), &json!("conversation"), &json!("resolved"))
        );
    }
    house.patch(&path, json!({ "assigned_to": "u2" })).await.data();
    assert!(told(&house).await.is_empty(), "what did not change is not told");
}

#[tokio::test]
async fn nobody_is_told_of_what_they_did_not_ask_for() {
    let house = House::new().await;
    subscribe(&house, &["message.created"]).await;
    house.hear("wamid.in", heard("hi")).await;
    house.send_text("x").await;
    assert_eq!(names(&told(&house).await), ["message.created"]);
}
