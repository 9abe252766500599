//! `/webhook`: one address for each user, and which events go there.

use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{HOOK, House};

const OTHER: &str = "https://hooks.example.com/other";

on_both! {
    async fn a_webhook_is_set_changed_and_deleted(house: &mut House) {
        let user = house.create("one").await;
        let shown = async || house.get(&user, "/webhook").await.data().clone();
        assert_eq!(shown().await, json!({ "subscribe": [], "webhook": "" }));
        // Under each of the names that the contract has for it.
        for name in ["webhookurl", "WebhookURL", "webhook"] {
            let set = house.post(&user, "/webhook", json!({ name: HOOK, "events": ["Message", "ReadReceipt"] })).await;
            assert_eq!(set.data(), &json!({ "WebhookURL": HOOK, "Events": ["Message", "ReadReceipt"] }), "{name}");
        }
        let csv = house.post(&user, "/webhook", json!({ "webhookurl": HOOK, "events": "Message, Connected,Message" })).await;
        assert_eq!(csv.data()["Events"], json!(["Message", "Connected"]));
        assert_eq!(shown().await, json!({ "subscribe": ["Message", "Connected"], "webhook": HOOK }));
        assert_eq!(house.get(&user, "/session/status").await.data()["events"], "Message,Connected");

        for (body, expected) in [
            (json!({ "webhookurl": OTHER }), json!({ "Webhook": OTHER, "Events": ["Message", "Connected"], "active": true })),
            (json!({ "events": ["All"] }), json!({ "Webhook": OTHER, "Events": ["All"], "active": true })),
            (json!({ "Active": false }), json!({ "Webhook": OTHER, "Events": ["All"], "active": false })),
            (json!({ "Active": true, "events": ["NotYetHeardOf"] }), json!({ "Webhook": OTHER, "Events": ["NotYetHeardOf"], "active": true })),
        ] {
            assert_eq!(house.by(&user.token, "PUT", "/webhook", body).await.data(), &expected);
        }
        let gone = house.by(&user.token, "DELETE", "/webhook", Value::Null).await;
        assert_eq!(gone.data(), &json!({ "Details": "Webhook and events deleted successfully" }));
        assert_eq!(shown().await, json!({ "subscribe": [], "webhook": "" }));
        assert_eq!(house.by(&user.token, "DELETE", "/webhook", Value::Null).await.status, 200);
        // Without names, everything.
        assert_eq!(house.by(&user.token, "PUT", "/webhook", json!({ "webhookurl": HOOK })).await.data()["Events"], json!(["All"]));
        assert_eq!(house.engine.subscriptions_of(&user.id, dialect_digigo::NAME).await.unwrap().len(), 1);
    }

    async fn a_webhook_that_cannot_be_is_refused(house: &mut House) {
        let user = house.create("one").await;
        let long = format!("https://hooks.example.com/{}", "x".repeat(2048));
        for method in ["POST", "PUT"] {
            for (body, text) in [
                (json!({ "events": ["All"] }), "missing webhookurl in payload"),
                (json!({ "webhookurl": "ftp://x", "events": ["All"] }), "only https is spoken here"),
                (json!({ "webhookurl": long, "events": ["All"] }), "the webhook's address is too long"),
                (json!({ "webhookurl": ["x"], "events": ["All"] }), "could not decode payload"),
                (json!({ "webhookurl": HOOK, "events": { "All": true } }), "could not decode payload"),
            ] {
                let reply = house.by(&user.token, method, "/webhook", body.clone()).await;
                assert_eq!(reply.status, 400, "{body}");
                assert!(reply.told().1.contains(text), "{body}: {}", reply.json);
            }
        }
        assert_eq!(house.get(&user, "/webhook").await.data()["webhook"], "");
    }
}
