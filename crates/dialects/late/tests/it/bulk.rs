//! One template to many, and what became of each.

use engine::failure::{Code, SendError};
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

fn to(house: &House, recipients: Value) -> Value {
    json!({ "accountId": house.account, "recipients": recipients,
            "template": { "name": "welcome", "language": "en", "components": [
                { "type": "header", "parameters": [{ "type": "text", "text": "Hey" }] },
                { "type": "BODY", "parameters": [{ "type": "text", "text": "everybody" }] }] } })
}

/// Deletes one of two contacts as soon as there are both.
async fn forgotten(house: &House, phone: &str) {
    loop {
        let all = house.of_account("/whatsapp/contacts").await.good()["contacts"].clone();
        let all = all.as_array().unwrap();
        if let Some(found) = all.iter().find(|it| it["phone"] == phone).filter(|_| all.len() == 2) {
            let path = format!("/whatsapp/contacts/{}", found["id"].as_str().unwrap());
            house.delete(&path, None).await.good();
            return;
        }
        tokio::task::yield_now().await;
    }
}

on_both! {
    async fn everybody_gets_an_answer_of_his_own(house: &mut House) {
        let out = house.contact("+14155550001", "Out", json!({ "isOptedIn": false })).await;
        let blocked = house.contact("+14155550002", "Blocked", json!({})).await;
        house.put(&format!("/whatsapp/contacts/{blocked}"), json!({ "isBlocked": true })).await.good();
        let body = to(house, json!([
            { "phone": "+1 415 555 0003", "variables": { "1": "Ann" } },
            { "phone": "+14155550001" },
            { "phone": "+14155550002" },
            { "phone": "+0987654321" },
            { "phone": "+0 (987) 654-321" },
            { "phone": CUSTOMER },
        ]));
        let reply = house.worked(house.post("/whatsapp/bulk", body)).await.good().clone();
        assert_eq!(reply["summary"], json!({ "total": 6, "sent": 2, "failed": 4 }));
        let results = reply["results"].as_array().unwrap();
        let told: Vec<_> = results.iter().map(|it| (it["phone"].as_str().unwrap(), it["error"].as_str())).collect();
        assert_eq!(told, [("+14155550003", None), ("+14155550001", Some("Contact opted out")),
            ("+14155550002", Some("Contact is blocked")), ("+0987654321", Some("Invalid phone number")),
            ("+0987654321", Some("Invalid phone number")), (CUSTOMER, None)]);
        assert!(results.iter().all(|it| it["success"] == it.get("error").is_none()));
        assert!(results[0]["messageId"].as_str().is_some_and(|id| id.len() == 24));
        let sent = house.cloud.sent.lock().unwrap().clone();
        assert_eq!(sent.len(), 2, "nobody else is written to");
        let ann = sent.iter().find(|it| it.to.value == "+14155550003").unwrap();
        let engine::content::Content::Template(ann) = &ann.content else { panic!("{ann:?}") };
        let components = &ann.components.as_ref().unwrap().json;
        assert_eq!(components[0]["parameters"][0]["text"], "Hey", "what is not the body's stays");
        assert_eq!(components[1], json!({ "type": "body", "parameters": [{ "type": "text", "text": "Ann" }] }));
        assert_eq!(house.get(&format!("/whatsapp/contacts/{out}")).await.good()["contact"]["messagesSentCount"], 0);
    }

    async fn whoever_is_deleted_meanwhile_is_told_so(house: &mut House) {
        let body = to(house, json!([{ "phone": CUSTOMER }, { "phone": "+14155550003" }]));
        let asked = house.post("/whatsapp/bulk", body);
        tokio::pin!(asked);
        // Nothing is sent before one of them is gone.
        tokio::select! {
            _ = &mut asked => panic!("it was answered too soon"),
            () = forgotten(house, CUSTOMER) => {}
        }
        let reply = house.worked(asked).await.good().clone();
        assert_eq!(reply["summary"], json!({ "total": 2, "sent": 1, "failed": 1 }));
        assert_eq!(reply["results"][0], json!({ "phone": CUSTOMER, "success": false, "error": "The contact was deleted meanwhile" }));
        assert_eq!((&reply["results"][1]["success"], house.cloud.sent.lock().unwrap().len()), (&json!(true), 1));
    }

    async fn all_may_fail_and_the_answer_is_good(house: &mut House) {
        *house.cloud.failures.lock().unwrap() = vec![SendError::refused(Code::Rejected, "(#131026) undeliverable")];
        let reply = house.worked(house.post("/whatsapp/bulk", to(house, json!([{ "phone": CUSTOMER }])))).await;
        assert_eq!(reply.good()["summary"], json!({ "total": 1, "sent": 0, "failed": 1 }));
        assert!(reply.json["results"][0]["error"].as_str().unwrap().contains("undeliverable"), "{}", reply.json);
        let mut unknown = to(house, json!([{ "phone": CUSTOMER }]));
        for name in ["waiting", "nothing"] {
            unknown["template"]["name"] = name.into();
            let reply = house.post("/whatsapp/bulk", unknown.clone()).await.good().clone();
            assert_eq!(reply["results"][0]["error"], "Template not found");
        }
        let many: Vec<_> = (0..101).map(|n| json!({ "phone": format!("+1415555{n:04}") })).collect();
        house.post("/whatsapp/bulk", to(house, json!(many))).await.refused(400, "validation_error", "recipients");
        house.post("/whatsapp/bulk", to(house, json!([]))).await.refused(400, "validation_error", "recipients");
        house.work().await;
        assert!(house.cloud.sent.lock().unwrap().is_empty());
    }
}
