//! Every operation of the contract is served, and every body it describes is taken.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::house::{CONTRACT, House, JUDGE, NUMBER, text};

#[tokio::test]
async fn every_operation_has_a_route() {
    let house = House::new().await;
    let operations = JUDGE.operations();
    assert_eq!(operations.len(), 38);
    for operation in operations {
        let path =
            operation.path.replace("{phone_number_id}", NUMBER).replace("{name}", "x").replace("{secret_id}", "x");
        let path = path.replace("{label_id}", "x").replace("{id}", "x");
        let reply = house.with_key(&house.key, &operation.method, &path, None).await;
        let unrouted = reply.json["error"]["message"] == "there is no such path";
        assert!(!unrouted && reply.status != 405, "{operation:?}: {}", reply.json);
        if operation.path != "/health" {
            let closed = house.with_key("kdv_test_AAAAAAAAAAAAAAAAAAAAAAAA", &operation.method, &path, None).await;
            assert_eq!((closed.status, closed.code()), (401, "invalid_api_key"), "{operation:?}");
        }
    }
}

#[tokio::test]
async fn the_contract_is_served_as_it_is() {
    let house = House::new().await;
    let ask = |tag: Option<&str>| {
        let request = Request::builder().uri("/v1/openapi.json");
        let request = tag.iter().fold(request, |request, tag| request.header("if-none-match", *tag));
        house.raw(request.body(Body::empty()).unwrap())
    };
    let reply = ask(None).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    assert!(reply.bytes == CONTRACT);
    let again = ask(Some(reply.header("etag"))).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
}

/// One body of every shape that can be sent.
pub fn sends() -> Vec<Value> {
    let media = |kind: &str, object: Value| json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "6281234567890", "type": kind, kind: object });
    let link = "https://example.com/a.png";
    let cta = json!({ "name": "cta_url", "parameters": { "display_text": "Open", "url": "https://example.com" } });
    let card = |header: Value, action: Value| json!({ "card_index": 0, "type": "cta_url", "header": header, "body": { "text": "card" }, "action": action });
    vec![
        text("hello"),
        json!({ "messaging_product": "whatsapp", "to": "+6281234567890", "type": "text", "text": { "body": "x", "preview_url": true }, "context": { "message_id": "wamid.X" } }),
        media("image", json!({ "link": link, "caption": "c" })),
        media("document", json!({ "link": link, "filename": "f.pdf" })),
        media("video", json!({ "id": "123" })),
        media("audio", json!({ "link": link, "caption": "c", "filename": "f" })),
        media("template", json!({ "name": "about_approved", "language": "en" })),
        media(
            "template",
            json!({ "name": "about_approved", "language": { "code": "en", "policy": "deterministic" }, "components": [
            { "type": "body", "parameters": [{ "type": "text", "text": "Ayu" }] },
            { "type": "button", "sub_type": "url", "index": 0, "parameters": [{ "type": "text", "text": "x" }] }] }),
        ),
        media("interactive", json!({ "type": "cta_url", "body": { "text": "b" }, "action": cta })),
        media(
            "interactive",
            json!({ "type": "list", "header": { "type": "text", "text": "h" }, "body": { "text": "b" }, "footer": { "text": "f" },
            "action": { "button": "Pick", "sections": [{ "title": "s", "rows": [{ "id": "1", "title": "one", "description": "d" }] }] } }),
        ),
        media(
            "interactive",
            json!({ "type": "carousel", "body": { "text": "b" }, "action": { "cards": [
            card(json!({ "type": "image", "image": { "link": link } }), cta.clone()),
            card(json!({ "type": "video", "video": { "link": link } }), json!({ "buttons": [{ "type": "quick_reply", "quick_reply": { "id": "1", "title": "Yes" } }] }))] } }),
        ),
    ]
}

#[tokio::test]
async fn every_shape_of_message_is_taken() {
    let house = House::new().await;
    let send = JUDGE.find("POST", &format!("/{NUMBER}/messages")).unwrap();
    for body in sends() {
        JUDGE.request(&send, &body).unwrap();
        let reply = house.post(&format!("/{NUMBER}/messages"), body.clone()).await;
        assert_eq!(reply.data()["status"], "pending", "{body}");
        assert_eq!(reply.data()["to"], "+6281234567890");
        assert_eq!(reply.data()["type"], body["type"]);
        assert!(reply.data().get("message_id").is_none());
    }
    house.work().await;
    let sent = house.cloud.sent.lock().unwrap();
    assert_eq!(sent.len(), sends().len());
    let content: Value = serde_json::from_str(&sent[10].content.to_json()).unwrap();
    assert_eq!(
        (&content["format"], &content["name"], &content["json"]),
        (&json!("meta"), &json!("interactive"), &sends()[10]["interactive"])
    );
    let content: Value = serde_json::from_str(&sent[7].content.to_json()).unwrap();
    assert_eq!(content["components"]["json"], sends()[7]["template"]["components"]);
    assert_eq!(content["language"], "en");
    assert_eq!(sent[1].reply_to.as_deref(), Some("wamid.X"));
}
