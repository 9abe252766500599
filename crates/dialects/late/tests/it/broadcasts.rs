//! Broadcasts from draft to the end, and everything that cannot be done with them.

use std::time::Duration;

use engine::clock::rfc3339;
use engine::messages::Status;
use engine::senders::{CONNECTED, DISCONNECTED};
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn draft(house: &House, recipients: Value) -> String {
    draft_of(house, "welcome", recipients).await
}

async fn draft_of(house: &House, template: &str, recipients: Value) -> String {
    let body = json!({ "accountId": house.account, "name": "Spring", "description": "all of them",
                       "template": { "name": template, "language": "en" }, "recipients": recipients });
    let made = house.post("/whatsapp/broadcasts", body).await.good()["broadcast"].clone();
    assert_eq!((&made["status"], &made["template"]), (&json!("draft"), &json!({ "name": template, "language": "en" })));
    assert!(made.get("sentCount").is_none());
    format!("/whatsapp/broadcasts/{}", made["id"].as_str().unwrap())
}

async fn shown(house: &House, path: &str) -> Value {
    house.get(path).await.good()["broadcast"].clone()
}

on_both! {
    async fn a_broadcast_reaches_everybody_who_wants_it(house: &mut House) {
        house.contact("+14155550001", "Out", json!({ "isOptedIn": false })).await;
        let path = draft(house, json!([{ "phone": CUSTOMER, "name": "Ayu", "variables": { "1": "Ayu" } }, { "phone": "+14155550001" }])).await;
        let more = json!({ "recipients": [{ "phone": "+1 415 555 0002" }, { "phone": CUSTOMER }, { "phone": "+14155550002" }, { "phone": "+14155550003" }] });
        let added = house.patch(&format!("{path}/recipients"), more).await.good().clone();
        assert_eq!(added, json!({ "success": true, "added": 2, "duplicates": 2, "totalRecipients": 4 }));
        let removed = house.delete(&format!("{path}/recipients"), Some(json!({ "phones": ["+14155550003", "+14155557777"] }))).await;
        assert_eq!(removed.good(), &json!({ "success": true, "removed": 1, "totalRecipients": 3 }));
        assert_eq!(house.delete(&format!("{path}/recipients?phones=%2B14155550002"), None).await.good()["removed"], 1);
        house.patch(&format!("{path}/recipients"), json!({ "recipients": [{ "phone": "+14155550002" }] })).await.good();

        let sent = house.worked(house.post(&format!("{path}/send"), Value::Null)).await;
        assert_eq!(sent.good(), &json!({ "success": true, "sent": 2, "failed": 1, "total": 3, "status": "completed" }));
        house.receipt("wamid.1", Status::Delivered).await;
        house.receipt("wamid.2", Status::Read).await;
        let it = shown(house, &path).await;
        assert_eq!((&it["recipientCount"], &it["sentCount"], &it["deliveredCount"], &it["readCount"], &it["failedCount"]),
                   (&json!(3), &json!(2), &json!(2), &json!(1), &json!(1)));
        assert!(it["startedAt"].is_string() && it["completedAt"].is_string());
        let list = house.get(&format!("{path}/recipients")).await.good().clone();
        assert_eq!(list["summary"], json!({ "total": 3, "pending": 0, "sent": 0, "delivered": 1, "read": 1, "failed": 1 }));
        assert_eq!(list["pagination"], json!({ "total": 3, "limit": 100, "skip": 0, "hasMore": false }));
        let failed = house.get(&format!("{path}/recipients?status=failed&limit=1")).await.good().clone();
        assert_eq!((&failed["recipients"][0]["phone"], &failed["recipients"][0]["error"]), (&json!("+14155550001"), &json!("Contact opted out")));
        assert_eq!(failed["pagination"], json!({ "total": 1, "limit": 1, "skip": 0, "hasMore": false }));
        let ayu = &list["recipients"][0];
        assert_eq!((&ayu["phone"], &ayu["name"], &ayu["variables"]), (&json!(CUSTOMER), &json!("Ayu"), &json!({ "1": "Ayu" })));
        assert!(ayu["messageId"].is_string() && ayu["sentAt"].is_string());
    }

    async fn a_broadcast_is_there_with_everybody_or_not_at_all(house: &mut House) {
        let recipients: Vec<_> = (0..3_000).map(|number| json!({ "phone": format!("+1415555{number:04}") })).collect();
        let drafted = draft(house, json!(recipients));
        // Its caller goes away as soon as anything can be seen of it.
        tokio::select! {
            _ = drafted => {}
            () = async { while house.of_account("/whatsapp/broadcasts").await.good()["pagination"]["total"] == 0 {} } => {}
        }
        let listed = house.of_account("/whatsapp/broadcasts").await.good()["broadcasts"].clone();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["recipientCount"]), (1, &json!(3_000)));
        let path = format!("/whatsapp/broadcasts/{}/recipients", listed[0]["id"].as_str().unwrap());
        let last = house.get(&format!("{path}?limit=5&skip=2999")).await.good()["recipients"].clone();
        assert_eq!((last.as_array().unwrap().len(), &last[0]["phone"]), (1, &json!("+14155552999")));
    }

    async fn states_are_left_only_as_they_may_be(house: &mut House) {
        let (send, schedule) = (|path: &str| format!("{path}/send"), |path: &str| format!("{path}/schedule"));
        let at = |time: Duration| json!({ "scheduledAt": rfc3339(house.clock.now() + i64::try_from(time.as_millis()).unwrap()) });
        let empty = draft(house, json!([])).await;
        house.post(&send(&empty), Value::Null).await.refused(400, "invalid_request", "");
        house.post(&schedule(&empty), at(DAY)).await.refused(400, "invalid_request", "");
        house.delete(&schedule(&empty), None).await.refused(400, "invalid_request", "");
        let path = draft(house, json!([{ "phone": CUSTOMER }])).await;
        for wrong in [at(Duration::ZERO), at(31 * DAY)] {
            house.post(&schedule(&path), wrong).await.refused(400, "validation_error", "scheduledAt");
        }
        for wrong in [json!({ "scheduledAt": "soon" }), json!({}), json!({ "scheduledAt": 5 })] {
            house.post(&schedule(&path), wrong).await.refused(400, "validation_error", "scheduledAt");
        }
        let scheduled = house.post(&schedule(&path), at(DAY)).await.good()["broadcast"].clone();
        assert_eq!((&scheduled["status"], &scheduled["scheduledAt"]), (&json!("scheduled"), &at(DAY)["scheduledAt"]));
        house.post(&schedule(&path), at(2 * DAY)).await.refused(400, "invalid_request", "");
        house.delete(&path, None).await.refused(400, "invalid_request", "");
        let one = json!({ "recipients": [{ "phone": "+14155550001" }] });
        house.patch(&format!("{path}/recipients"), one.clone()).await.refused(400, "invalid_request", "");
        house.delete(&format!("{path}/recipients"), Some(json!({ "phones": [CUSTOMER] }))).await.refused(400, "invalid_request", "");
        let back = house.delete(&schedule(&path), None).await.good().clone();
        assert_eq!((&back["broadcast"]["status"], &back["message"]), (&json!("draft"), &json!("Broadcast returned to draft status")));

        house.post(&schedule(&path), at(DAY)).await.good();
        let listed = house.of_account("/whatsapp/broadcasts").await.good().clone();
        assert_eq!(listed["pagination"]["total"], 2);
        assert_eq!(listed["broadcasts"][0]["status"], "scheduled", "the newest is first");
        assert!(listed["broadcasts"][0].get("recipients").is_none());
        assert_eq!(house.of_account("/whatsapp/broadcasts?status=draft").await.good()["pagination"]["total"], 1);
        house.later(DAY);
        house.work_a_while().await;
        assert_eq!(shown(house, &path).await["status"], "completed");
        assert_eq!(house.cloud.sent.lock().unwrap().len(), 1);
        for (method, path, body) in [("POST", send(&path), Value::Null), ("POST", schedule(&path), at(DAY)),
            ("DELETE", schedule(&path), Value::Null), ("DELETE", path.clone(), Value::Null), ("PATCH", format!("{path}/recipients"), one)] {
            house.with_key(&house.key, method, &path, Some(body)).await.refused(400, "invalid_request", "");
        }
        house.delete(&empty, None).await.good();
        house.get(&empty).await.refused(404, "not_found", "");
    }

    async fn what_can_be_sent_to_nobody_is_refused(house: &mut House) {
        for name in ["waiting", "nothing"] {
            let path = draft_of(house, name, json!([{ "phone": CUSTOMER }])).await;
            house.post(&format!("{path}/send"), Value::Null).await.refused(400, "template_not_found", "template.name");
            assert_eq!(shown(house, &path).await["status"], "draft");
        }
        let path = draft(house, json!([{ "phone": CUSTOMER }, { "phone": "+0 987 654 321" }])).await;
        house.stand(DISCONNECTED).await;
        house.post(&format!("{path}/send"), Value::Null).await.refused(400, "invalid_request", "accountId");
        assert_eq!(shown(house, &path).await["status"], "draft");
        house.stand(CONNECTED).await;
        let sent = house.worked(house.post(&format!("{path}/send"), Value::Null)).await;
        assert_eq!(sent.good(), &json!({ "success": true, "sent": 1, "failed": 1, "total": 2, "status": "completed" }));
        house.stand(DISCONNECTED).await;
        // What was sent says so, whatever became of its number.
        let again = house.post(&format!("{path}/send"), Value::Null).await;
        again.refused(400, "invalid_request", "");
    }

    async fn sending_goes_on_without_a_caller_who_waits_too_long(house: &mut House) {
        let path = draft(house, json!([{ "phone": CUSTOMER }, { "phone": "+14155550002" }])).await;
        let target = format!("{path}/send");
        let asked = house.post(&target, Value::Null);
        tokio::pin!(asked);
        // Nobody works, and the clock runs on.
        let reply = loop {
            tokio::select! {
                reply = &mut asked => break reply,
                () = tokio::task::yield_now() => house.later(Duration::from_secs(1)),
            }
        };
        assert_eq!(reply.good(), &json!({ "success": true, "sent": 0, "failed": 0, "total": 2 }));
        assert_eq!(shown(house, &path).await["status"], "sending");
        house.work_a_while().await;
        let it = shown(house, &path).await;
        assert_eq!((&it["status"], &it["sentCount"]), (&json!("completed"), &json!(2)));
    }
}
