//! Webhook endpoints: what they may be, how they are signed, and that nothing is lost while one fails.

use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

on_both! {
    async fn an_endpoint_lives_and_shows_its_secret(house: &mut House) {
        let made = house.endpoint(&["contact.created"]).await;
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        assert!(id.len() == 26 && id.starts_with("wh") && secret.len() == 38 && secret.starts_with("whsec_"));
        let path = format!("/webhookEndpoints/{id}");
        assert_eq!(house.get(&path).await.good()["secret"], secret);
        assert_eq!(house.get("/webhookEndpoints?includeTotal=true").await.good()["total"], 1);
        let changed = house.patch(&path, json!({ "status": "disabled", "description": "x" })).await;
        assert_eq!((&changed.good()["status"], &changed.json["description"]), (&json!("disabled"), &json!("x")));
        house.with_key(&house.foreign_key, "GET", &path, None).await.refused(404, "NOT_FOUND", "");
        house.post(&format!("{path}/rotateSecret"), json!({})).await.good();
        assert_eq!(house.delete(&path).await.good()["id"], id);
        house.get(&path).await.refused(404, "NOT_FOUND", "");
        for _ in 0..20 {
            house.endpoint(&["contact.created"]).await;
        }
        let body = json!({ "url": "https://hook.example/", "enabledEvents": ["contact.created"] });
        house.post("/webhookEndpoints", body).await.refused(403, "ACCOUNT_LIMITED", "");
    }

    async fn wrong_endpoints_are_refused(house: &mut House) {
        let good = json!({ "url": "https://hook.example/", "enabledEvents": ["whatsapp.payment.updated"] });
        house.post("/webhookEndpoints", good).await.good();
        for (body, code, target) in [
            (json!({ "enabledEvents": ["contact.created"] }), "PARAM_MISSING", "url"),
            (json!({ "url": "https://hook.example/" }), "PARAM_MISSING", "enabledEvents"),
            (json!({ "url": "https://hook.example/", "enabledEvents": ["no.such.event"] }), "PARAM_INVALID", "enabledEvents"),
            (json!({ "url": "ftp://hook.example/", "enabledEvents": ["contact.created"] }), "PARAM_INVALID", "url"),
            (json!({ "url": format!("https://hook.example/{}", "x".repeat(500)), "enabledEvents": ["contact.created"] }), "PARAM_INVALID_LENGTH", "url"),
            (json!({ "url": "https://hook.example/", "enabledEvents": ["contact.attributes_changed"], "eventProperties": [] }), "PARAM_MISSING", "eventProperties"),
        ] {
            house.post("/webhookEndpoints", body).await.refused(400, code, target);
        }
    }

    async fn events_are_signed_and_the_same_on_every_attempt(house: &mut House) {
        let endpoint = house.endpoint(&["contact.created", "contact.unsubscribe.created"]).await;
        *house.receivers.status.lock().unwrap() = Some(404);
        house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER, "nickname": "Ayu" })).await.good();
        house.work().await;
        house.later(10);
        *house.receivers.status.lock().unwrap() = None;
        house.work().await;
        let parcels = std::mem::take(&mut *house.receivers.parcels.lock().unwrap());
        assert_eq!(parcels.len(), 2, "a 404 is tried again");
        assert_eq!(parcels[0].body, parcels[1].body);
        let header = |index: usize, name: &str| -> String {
            parcels[index].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap()
        };
        assert_eq!(header(0, "X-Webhook-Endpoint-ID"), endpoint["id"]);
        assert_ne!(header(0, "YCloud-Signature"), header(1, "YCloud-Signature"));
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        assert_eq!((&body["type"], &body["apiVersion"]), (&json!("contact.created"), &json!("v2")));
        assert_eq!(body["contactCreated"]["nickName"], "Ayu");
        let body = json!({ "type": "PHONE_NUMBER", "customer": CUSTOMER, "channel": "whatsapp" });
        house.post("/unsubscribers", body).await.good();
        assert_eq!(house.told().await[0]["contactUnsubscribeCreated"]["source"], "API");
    }

    async fn changed_attributes_are_told_to_those_who_named_them(house: &mut House) {
        let body = json!({ "url": "https://hook.example/", "enabledEvents": ["contact.attributes_changed"],
            "eventProperties": [{ "event": "contact.attributes_changed", "properties": ["age", "tags"] }] });
        house.post("/webhookEndpoints", body).await.good();
        let made = house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER, "tags": ["a"] })).await;
        let path = format!("/contact/contacts/{}", made.good()["id"].as_str().unwrap());
        house.patch(&path, json!({ "nickname": "nobody asked" })).await.good();
        assert!(house.told().await.is_empty());
        house.patch(&path, json!({ "tags": ["b"], "customAttributes": [{ "name": "age", "value": 3 }] })).await.good();
        let told = house.told().await;
        let changed = &told[0]["contactAttributesChanged"]["changedAttributes"];
        assert_eq!(changed["age"], json!({ "newValue": 3 }));
        assert_eq!(changed["tags"]["extra"], json!([{ "action": "REMOVED", "value": "a" }, { "action": "ADDED", "value": "b" }]));
    }

    async fn a_failing_address_is_left_alone_for_three_minutes_and_nothing_is_lost(house: &mut House) {
        house.endpoint(&["contact.created"]).await;
        *house.receivers.status.lock().unwrap() = Some(500);
        for number in 0..210 {
            house.post("/contact/contacts", json!({ "phoneNumber": format!("+6281200000{number:03}") })).await.good();
        }
        house.work().await;
        let tried = house.receivers.parcels.lock().unwrap().len();
        house.later(60);
        house.work().await;
        assert_eq!(house.receivers.parcels.lock().unwrap().len(), tried, "it is suspended");
        *house.receivers.status.lock().unwrap() = None;
        house.receivers.parcels.lock().unwrap().clear();
        house.later(121);
        assert_eq!(house.told().await.len(), 210);
    }

    async fn an_endpoint_that_never_answers_well_is_pending(house: &mut House) {
        let made = house.endpoint(&["contact.created"]).await;
        *house.receivers.status.lock().unwrap() = Some(500);
        for number in 0..5 {
            house.post("/contact/contacts", json!({ "phoneNumber": format!("+628120000000{number}") })).await.good();
        }
        for _ in 0..12 {
            house.work().await;
            house.later(2 * 60 * 60);
        }
        let path = format!("/webhookEndpoints/{}", made["id"].as_str().unwrap());
        assert_eq!(house.get(&path).await.good()["status"], "pending");
        assert_eq!(house.receivers.parcels.lock().unwrap().len(), 40, "eight attempts each");
        assert_eq!(house.patch(&path, json!({ "status": "active" })).await.good()["status"], "active");
    }
}
