//! Every operation of the contract is served, every body it describes is taken.

use serde_json::{Value, json};
use testkit::{Operation, on_both};

use crate::house::{CONTRACT, CUSTOMER, House, JUDGE, NUMBER};

fn concrete(operation: &Operation) -> String {
    let path = operation.path.replace("{wabaId}", "1").replace("{phoneNumber}", "%2B15550100001");
    let path = path.replace("{customer}", "%2B6281234567890").replace("{channel}", "whatsapp");
    let path = path.replace("{name}", "nothing").replace("{language}", "en").replace("{propertyName}", "nothing");
    path.replace("{id}", "000000000000000000000000")
}

on_both! {
    async fn every_operation_has_a_route_behind_the_guard(house: &mut House) {
        let operations = JUDGE.operations();
        assert_eq!(operations.len(), 50);
        for operation in operations {
            let path = concrete(&operation);
            let reply = house.with_key(&house.key, &operation.method, &path, None).await;
            let unrouted = reply.json["error"]["message"] == "there is no such path";
            assert!(!unrouted && reply.status != 405 && reply.status < 500, "{operation:?}: {}", reply.json);
            for wrong in ["", "0123", &house.key[1..]] {
                let closed = house.with_key(wrong, &operation.method, &path, None).await;
                closed.refused(401, "UNAUTHORIZED", "");
            }
        }
        house.get("/nothing").await.refused(404, "NOT_FOUND", "");
        house.with_key(&house.key, "PUT", "/balance", None).await.refused(405, "METHOD_NOT_ALLOWED", "");
        assert!(house.get("/openapi.json").await.bytes == CONTRACT);
    }

    async fn published_examples_are_taken(house: &mut House) {
        for (channel, address) in [("sms", "Brand"), ("voice", "+15550100009"), ("email", "hello@example.com")] {
            house.open(channel, address).await;
        }
        for operation in JUDGE.operations() {
            let schema = &JUDGE.document()["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"];
            let Some(examples) = schema.pointer("/content/application~1json/examples").and_then(Value::as_object) else {
                continue;
            };
            for (name, example) in examples {
                let body = fitted(example["value"].clone());
                let reply = house.with_key(&house.key, &operation.method, &concrete(&operation), Some(body)).await;
                let good = reply.status == 200 || (reply.status == 404 && operation.path.contains('{'))
                    || ["ALREADY_EXISTS", "WHATSAPP_TEMPLATE_UNAVAILABLE"].contains(&reply.code());
                assert!(good, "{operation:?} {name}: {}", reply.json);
            }
        }
    }

    async fn every_type_of_message_is_taken(house: &mut House) {
        let send = JUDGE.find("POST", "/whatsapp/messages").unwrap();
        for body in sends() {
            JUDGE.request(&send, &body).unwrap();
            let reply = house.post("/whatsapp/messages", body.clone()).await;
            let kind = body["type"].as_str().unwrap();
            let shown = reply.good();
            assert_eq!((&shown["status"], &shown["type"]), (&json!("accepted"), &json!(kind)));
            assert_eq!(shown[kind], body[kind], "what was sent is shown");
            assert!(shown.get("wamid").is_none());
        }
        house.work().await;
        assert_eq!(house.cloud.sent.lock().unwrap().len(), sends().len());
    }
}

/// An example with the names that this house has.
fn fitted(mut body: Value) -> Value {
    if body.get("subject").is_some() {
        body["from"] = "Hello<hello@example.com>".into();
        return body;
    }
    for (name, value) in [("from", NUMBER), ("to", CUSTOMER), ("wabaId", "1"), ("url", "https://hook.example/")] {
        if body.get(name).is_some() {
            body[name] = value.into();
        }
    }
    body
}

pub fn sends() -> Vec<Value> {
    let of = |kind: &str, object: Value| json!({ "from": NUMBER, "to": CUSTOMER, "type": kind, kind: object });
    let link = "https://example.com/a.png";
    vec![
        of("text", json!({ "body": "hello" })),
        of("text", json!({ "body": "https://example.com", "preview_url": true })),
        of("image", json!({ "link": link, "caption": "c" })),
        of("video", json!({ "link": link })),
        of("audio", json!({ "link": link })),
        of("document", json!({ "link": link, "filename": "f.pdf" })),
        of("sticker", json!({ "link": link })),
        of("location", json!({ "latitude": -6.2, "longitude": 106.8, "name": "Home", "address": "Jakarta" })),
        of(
            "contacts",
            json!([{ "name": { "formatted_name": "Ayu", "first_name": "Ayu" }, "phones": [{ "phone": CUSTOMER }] }]),
        ),
        of("reaction", json!({ "message_id": "wamid.X", "emoji": "👍" })),
        of(
            "template",
            json!({ "name": "welcome", "language": { "code": "en" },
            "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "Ayu" }] }] }),
        ),
        of(
            "interactive",
            json!({ "type": "button", "body": { "text": "b" }, "action":
            { "buttons": [{ "type": "reply", "reply": { "id": "1", "title": "Yes" } }] } }),
        ),
        of(
            "interactive",
            json!({ "type": "list", "body": { "text": "b" }, "header": { "type": "text", "text": "h" },
            "footer": { "text": "f" }, "action": { "button": "Pick", "sections": [{ "title": "s",
            "rows": [{ "id": "1", "title": "one", "description": "d" }] }] } }),
        ),
        of("interactive", json!({ "type": "product", "action": { "catalog_id": "1", "product_retailer_id": "2" } })),
    ]
}
