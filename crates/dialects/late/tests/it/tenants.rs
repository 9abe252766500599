//! What belongs to others does not exist.

use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

on_both! {
    async fn nothing_foreign_is_seen_or_changed(house: &mut House) {
        let contact = house.contact(CUSTOMER, "Ayu", json!({ "groups": ["VIP"], "tags": ["a"] })).await;
        let body = json!({ "accountId": house.account, "name": "n", "template": { "name": "welcome", "language": "en" },
                           "recipients": [{ "phone": CUSTOMER }] });
        let draft = house.post("/whatsapp/broadcasts", body).await.good()["broadcast"]["id"].as_str().unwrap().to_owned();
        let (contact, draft) = (format!("/whatsapp/contacts/{contact}"), format!("/whatsapp/broadcasts/{draft}"));
        for (method, path, body) in [
            ("GET", contact.clone(), Value::Null),
            ("PUT", contact.clone(), json!({ "name": "mine" })),
            ("DELETE", contact.clone(), Value::Null),
            ("GET", draft.clone(), Value::Null),
            ("DELETE", draft.clone(), Value::Null),
            ("POST", format!("{draft}/send"), Value::Null),
            ("POST", format!("{draft}/schedule"), json!({ "scheduledAt": "2026-12-01T00:00:00Z" })),
            ("DELETE", format!("{draft}/schedule"), Value::Null),
            ("GET", format!("{draft}/recipients"), Value::Null),
            ("PATCH", format!("{draft}/recipients"), json!({ "recipients": [{ "phone": "+14155550001" }] })),
            ("DELETE", format!("{draft}/recipients"), json!({ "phones": [CUSTOMER] })),
        ] {
            house.with_key(&house.foreign_key, method, &path, Some(body)).await.refused(404, "not_found", "");
        }
        // Another's account, wherever it is named.
        let account = &house.account;
        let named = |more: Value| {
            let mut body = json!({ "accountId": account });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let template = json!({ "name": "welcome", "language": "en" });
        for (method, path, body) in [
            ("POST", "/whatsapp/bulk", named(json!({ "recipients": [{ "phone": CUSTOMER }], "template": template }))),
            ("POST", "/whatsapp/contacts", named(json!({ "phone": CUSTOMER, "name": "x" }))),
            ("POST", "/whatsapp/contacts/import", named(json!({ "contacts": [{ "phone": CUSTOMER, "name": "x" }] }))),
            ("POST", "/whatsapp/groups", named(json!({ "oldName": "VIP", "newName": "x" }))),
            ("DELETE", "/whatsapp/groups", named(json!({ "groupName": "VIP" }))),
            ("POST", "/whatsapp/templates", named(json!({ "name": "x", "category": "UTILITY", "language": "en", "components": [{ "type": "BODY" }] }))),
            ("PATCH", "/whatsapp/templates/welcome", named(json!({ "components": [{ "type": "BODY" }] }))),
            ("POST", "/whatsapp/broadcasts", named(json!({ "name": "n", "template": template }))),
            ("POST", "/whatsapp/business-profile", named(json!({ "about": "mine" }))),
        ] {
            let missing = {
                let mut body = body.clone();
                body.as_object_mut().unwrap().remove("accountId");
                body
            };
            house.with_key(&house.foreign_key, method, path, Some(missing)).await.refused(400, "validation_error", "accountId");
            house.with_key(&house.foreign_key, method, path, Some(body)).await.refused(404, "not_found", "accountId");
        }
        for path in ["/whatsapp/contacts", "/whatsapp/groups", "/whatsapp/templates", "/whatsapp/templates/welcome",
                     "/whatsapp/broadcasts", "/whatsapp/business-profile"] {
            let ask = async |query: String| house.with_key(&house.foreign_key, "GET", &format!("{path}{query}"), None).await;
            ask(String::new()).await.refused(400, "validation_error", "accountId");
            for unknown in [account, "nonsense", "000000000000000000000000"] {
                ask(format!("?accountId={unknown}")).await.refused(404, "not_found", "accountId");
            }
        }
        let delete = format!("/whatsapp/templates/welcome?accountId={account}");
        house.with_key(&house.foreign_key, "DELETE", &delete, None).await.refused(404, "not_found", "accountId");
        let shown = house.get(&contact).await.good()["contact"].clone();
        assert_eq!((&shown["name"], &shown["groups"]), (&json!("Ayu"), &json!(["VIP"])));
        let draft = house.get(&draft).await.good()["broadcast"].clone();
        assert_eq!((&draft["status"], &draft["recipientCount"]), (&json!("draft"), &json!(1)));
        house.work().await;
        assert!(house.cloud.sent.lock().unwrap().is_empty());
    }
}
