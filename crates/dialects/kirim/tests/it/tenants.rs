//! Every route, asked with another organization's key: nothing is there, and nothing changes.

use serde_json::{Value, json};

use crate::house::{FOREIGN_NUMBER, House, JUDGE, NUMBER, heard, text};
use crate::subscriptions::subscribe;

#[tokio::test]
async fn nothing_foreign_is_shown_or_changed() {
    let house = House::new().await;
    let subscription = subscribe(&house, &["message.received"]).await;
    house.hear("wamid.1", heard("secret words")).await;
    house.work().await;
    let label = house.post("/labels", json!({ "name": "VIP" })).await.id();
    let own_label = house.with_key(&house.foreign_key, "POST", "/labels", Some(json!({ "name": "mine" }))).await.id();
    let first = |list: &Value| list[0]["id"].as_str().unwrap().to_owned();
    let message = first(house.get(&format!("/{NUMBER}/messages")).await.data());
    let contact = first(house.get(&format!("/{NUMBER}/contacts")).await.data());
    let conversation = first(house.get(&format!("/{NUMBER}/conversations")).await.data());
    let delivery = first(house.get("/webhook_deliveries").await.data());
    let secret = first(&house.get(&format!("/webhook_subscriptions/{subscription}")).await.data()["secrets"]);
    let before = house.stock().await;

    let body = |method: &str, path: &str| match (method, path) {
        ("POST", path) if path.ends_with("/messages") => Some(text("x")),
        ("POST", path) if path.ends_with("/contacts") => Some(json!({ "phone_number": "+6281111111111" })),
        ("POST", path) if path.ends_with("/bulk_label") => {
            Some(json!({ "contact_ids": [contact], "label_id": own_label, "operation": "attach" }))
        }
        ("POST", path) if path.ends_with("/labels") && path != "/labels" => Some(json!({ "label_id": label })),
        ("POST", "/labels") => Some(json!({ "name": "VIP" })),
        ("POST", "/webhook_subscriptions") => Some(json!({ "url": "https://example.com", "events": ["message.sent"] })),
        ("POST", path) if path.ends_with("/bulk_replay") => Some(json!({ "subscription_id": subscription })),
        ("PATCH", path) if path.contains("/conversations/") => Some(json!({ "status": "resolved" })),
        ("PATCH", path) if path.contains("/webhook_subscriptions/") => Some(json!({ "status": "paused" })),
        ("PATCH", _) => Some(json!({ "name": "stolen" })),
        _ => None,
    };
    for number in [NUMBER, FOREIGN_NUMBER] {
        // What is not about a number is asked once.
        let asked = |path: &str| number == NUMBER || path.starts_with("/{phone_number_id}");
        for operation in JUDGE.operations().into_iter().filter(|operation| asked(&operation.path)) {
            let id = match operation
                .path
                .split('/')
                .rev()
                .find(|part| !part.starts_with('{') && !["labels", "media", "secrets", "replay"].contains(part))
            {
                Some("messages") => &message,
                Some("contacts") => &contact,
                Some("conversations") => &conversation,
                Some("webhook_subscriptions") => &subscription,
                Some("webhook_deliveries") => &delivery,
                _ => &label,
            };
            let path = operation.path.replace("{phone_number_id}", number).replace("{name}", "about_nothing");
            let path = path.replace("{secret_id}", &secret).replace("{label_id}", &label).replace("{id}", id);
            let reply =
                house.with_key(&house.foreign_key, &operation.method, &path, body(&operation.method, &path)).await;
            let place = format!("{} {path}: {}", operation.method, reply.json);
            let about_a_number = operation.path.starts_with("/{phone_number_id}");
            if (about_a_number && number == NUMBER)
                || operation.path.contains("{id}")
                || operation.path.contains("bulk_replay")
            {
                assert_eq!((reply.status, reply.code()), (404, "resource_not_found"), "{place}");
            } else if reply.status != 404 {
                assert_eq!(reply.status, 200, "{place}");
            }
            let shown = String::from_utf8(reply.bytes).unwrap();
            for foreign in [
                "secret words",
                "Ayu",
                "+15550100001",
                &message,
                &contact,
                &conversation,
                &subscription,
                &delivery,
                &secret,
            ] {
                assert!(!shown.contains(foreign), "{place} shows {foreign}");
            }
        }
    }
    let bulk = json!({ "contact_ids": [contact], "label_id": own_label, "operation": "attach" });
    let bulk =
        house.with_key(&house.foreign_key, "POST", &format!("/{FOREIGN_NUMBER}/contacts/bulk_label"), Some(bulk)).await;
    assert_eq!(bulk.data(), &json!({ "applied": 0, "skipped_cross_org": 1, "skipped_team_mismatch": 0 }));
    for query in [format!("messages?conversation_id={conversation}"), format!("conversations?contact_id={contact}")] {
        let list = house.with_key(&house.foreign_key, "GET", &format!("/{FOREIGN_NUMBER}/{query}"), None).await;
        let foreign = list
            .data()
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["contact"]["id"] == *contact || item["conversation_id"] == *conversation);
        assert!(!foreign, "{query}");
    }
    assert_eq!(house.stock().await, before);
    assert_eq!(house.get(&format!("/{NUMBER}/conversations/{conversation}")).await.data()["status"], "open");
}
