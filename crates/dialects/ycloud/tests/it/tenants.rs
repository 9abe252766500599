//! What belongs to others does not exist.

use serde_json::json;
use testkit::on_both;

use crate::house::{CUSTOMER, House, NUMBER, text};

on_both! {
    async fn nothing_foreign_is_seen_or_changed(house: &mut House) {
        let contact = house.post("/contact/contacts", json!({ "phoneNumber": CUSTOMER, "tags": ["vip"] })).await.good()["id"].clone();
        let contact = contact.as_str().unwrap().to_owned();
        let message = house.post("/whatsapp/messages", text("x")).await.good()["id"].as_str().unwrap().to_owned();
        let endpoint = house.endpoint(&["contact.created"]).await["id"].as_str().unwrap().to_owned();
        house.hear("wamid.in", "hi").await;
        let definition = json!({ "name": "seen", "label": "Seen", "objectType": "CONTACT" });
        house.post("/event/definitions", definition).await.good();
        house.post("/unsubscribers", json!({ "type": "PHONE_NUMBER", "customer": CUSTOMER, "channel": "whatsapp" })).await.good();
        let template = "/whatsapp/templates/1/welcome/en";
        for (method, path) in [
            ("GET", format!("/contact/contacts/{contact}")),
            ("GET", format!("/contact/contacts/{CUSTOMER}")),
            ("PATCH", format!("/contact/contacts/{contact}")),
            ("DELETE", format!("/contact/contacts/{contact}")),
            ("GET", "/event/definitions/seen".to_owned()),
            ("PATCH", "/event/definitions/seen".to_owned()),
            ("GET", format!("/unsubscribers/{CUSTOMER}/whatsapp")),
            ("DELETE", format!("/unsubscribers/{CUSTOMER}/whatsapp")),
            ("GET", format!("/webhookEndpoints/{endpoint}")),
            ("PATCH", format!("/webhookEndpoints/{endpoint}")),
            ("DELETE", format!("/webhookEndpoints/{endpoint}")),
            ("POST", format!("/webhookEndpoints/{endpoint}/rotateSecret")),
            ("GET", "/whatsapp/businessAccounts/1".to_owned()),
            ("GET", format!("/whatsapp/messages/{message}")),
            ("POST", "/whatsapp/inboundMessages/wamid.in/markAsRead".to_owned()),
            ("GET", format!("/whatsapp/phoneNumbers/1/{NUMBER}")),
            ("GET", format!("/whatsapp/phoneNumbers/1/{NUMBER}/profile")),
            ("PATCH", format!("/whatsapp/phoneNumbers/1/{NUMBER}/profile")),
            ("POST", "/whatsapp/phoneNumbers/1/100000000000001/register".to_owned()),
            ("GET", template.to_owned()),
            ("DELETE", template.to_owned()),
            ("DELETE", "/whatsapp/templates/1/welcome".to_owned()),
        ] {
            let body = (method != "GET" && method != "DELETE").then(|| json!({ "nickname": "mine" }));
            let reply = house.with_key(&house.foreign_key, method, &path, body).await;
            assert_eq!((reply.status, reply.code()), (404, "NOT_FOUND"), "{method} {path}: {}", reply.json);
        }
        for list in ["/contact/contacts", "/unsubscribers", "/webhookEndpoints", "/whatsapp/templates?filter.wabaId=1"] {
            assert_eq!(house.with_key(&house.foreign_key, "GET", list, None).await.good()["length"], 0, "{list}");
        }
        house.open("sms", "Brand").await;
        let code = json!({ "channel": "sms", "to": CUSTOMER, "code": "0042" });
        let begun = house.post("/verify/verifications", code).await.good()["id"].clone();
        for whose in [json!({ "verificationId": begun, "code": "0042" }), json!({ "to": CUSTOMER, "code": "0042" })] {
            let reply = house.with_key(&house.foreign_key, "POST", "/verify/verificationChecks", Some(whose.clone())).await;
            reply.refused(404, "NOT_FOUND", "");
        }
        house.post("/verify/verificationChecks", json!({ "to": CUSTOMER, "code": "0042" })).await.good();
        let foreign = json!({ "eventName": "seen", "objectId": contact });
        house.with_key(&house.foreign_key, "POST", "/event/events", Some(foreign)).await.refused(404, "NOT_FOUND", "");
        let reply = house.with_key(&house.foreign_key, "GET", "/contact/contacts?filter.tags=vip", None).await;
        reply.refused(400, "PARAM_INVALID", "filter.tags");
        assert_eq!(house.get(&format!("/contact/contacts/{contact}")).await.good()["tags"], json!(["vip"]));
        assert!(house.cloud.read.lock().unwrap().is_empty() && house.cloud.registered.lock().unwrap().is_empty());
    }
}
