//! Texts, calls and mails over carriers.

use engine::content::Content;
use engine::failure::{Code, SendError};
use engine::messages::Status;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House};

on_both! {
    async fn a_text_is_sent_told_and_listed(house: &mut House) {
        let text = json!({ "to": CUSTOMER, "text": "x".repeat(161), "externalId": "o-1", "callbackUrl": "https://back.example/" });
        house.post("/sms", text.clone()).await.refused(403, "SENDER_ID_UNAVAILABLE", "senderId");
        house.open("sms", "Brand").await;
        house.endpoint(&["sms.message.updated"]).await;
        let taken = house.post("/sms", text).await;
        let sms = taken.good();
        assert_eq!((&sms["senderId"], &sms["totalSegments"], &sms["regionCode"]), (&json!("Brand"), &json!(2), &json!("ID")));
        assert_eq!(sms["status"], "accepted");
        assert!(house.told().await.is_empty());
        house.report("sms", "sms.1", Status::Delivered).await;
        let told = house.told().await;
        assert_eq!(told.len(), 2, "the endpoint and the address that the message named");
        for told in &told {
            let body = (&told["type"], &told["sms"]["status"], &told["sms"]["externalId"]);
            assert_eq!(body, (&json!("sms.message.updated"), &json!("delivered"), &json!("o-1")));
        }
        house.post("/sms", json!({ "to": CUSTOMER, "text": "other", "signature": "Shop" })).await.good();
        house.work().await;
        house.report("sms", "sms.2", Status::Failed).await;
        let told = house.told().await;
        assert_eq!(told.len(), 1, "an address hears of the messages that named it");
        assert_eq!((&told[0]["sms"]["status"], &told[0]["sms"]["errorCode"]), (&json!("undelivered"), &json!("30003")));
        assert_eq!(told[0]["sms"]["text"], "【Shop】other");
        let listed = house.get("/sms?includeTotal=true").await;
        assert_eq!((&listed.good()["total"], &listed.json["items"][1]["status"]), (&json!(2), &json!("delivered")));
        house.later(25 * 60 * 60);
        assert_eq!(house.get("/sms").await.good()["length"], 0, "the last day's unless asked");
        let id = sms["id"].as_str().unwrap();
        assert_eq!(house.get(&format!("/sms?filter.id={id}")).await.good()["length"], 1);
        assert_eq!(house.get("/sms?filter.createTime.gte=2026-01-01T00:00:00Z&limit=1&page=2").await.good()["length"], 1);
        let foreign = house.with_key(&house.foreign_key, "GET", &format!("/sms?filter.id={id}"), None).await;
        assert_eq!(foreign.good()["length"], 0);
        assert_eq!(house.get("/webhookEndpoints").await.good()["length"], 1, "addresses of messages are no endpoints");
    }

    async fn a_code_is_spoken(house: &mut House) {
        house.open("voice", "+15550100009").await;
        house.endpoint(&["voice.message.updated"]).await;
        let taken = house.post("/voices", json!({ "to": CUSTOMER, "verificationCode": "0042", "language": "id" })).await;
        assert_eq!((&taken.good()["verificationCode"], &taken.json["language"]), (&json!("0042"), &json!("id")));
        house.work().await;
        let Content::Speech { text, language } = house.cloud.sent.lock().unwrap()[0].content.clone() else { panic!("speech") };
        assert!(text.contains("0, 0, 4, 2") && language == "id");
        house.report("voice", "voice.1", Status::Delivered).await;
        assert_eq!(house.told().await[0]["voice"]["status"], "delivered");
        assert_eq!(house.get("/voices").await.good()["items"][0]["status"], "delivered");
    }

    async fn a_mail_reaches_each_recipient_by_itself(house: &mut House) {
        house.open("email", "hello@example.com").await;
        house.endpoint(&["email.delivery.updated"]).await;
        let mail = json!({ "from": "Shop<hello@example.com>", "to": "a@example.com,Bob<b@example.com>", "cc": "c@example.com",
            "subject": "News", "content": "Hi #nick#", "externalId": "m-1" });
        let taken = house.post("/emails", mail.clone()).await;
        assert_eq!((&taken.good()["totalRecipients"], &taken.json["to"][1]), (&json!(3), &json!({ "name": "Bob", "address": "b@example.com" })));
        house.work().await;
        let sent = house.cloud.sent.lock().unwrap().clone();
        assert_eq!(sent.iter().map(|it| it.to.value.as_str()).collect::<Vec<_>>(), ["a@example.com", "b@example.com", "c@example.com"]);
        let Content::Email(email) = &sent[2].content else { panic!("a mail") };
        assert_eq!((email.to.len(), email.cc.len(), email.html.as_deref()), (2, 1, Some("Hi #nick#")));
        house.report("email", "email.2", Status::Failed).await;
        let told = house.told().await;
        let delivery = &told[0]["emailDelivery"];
        assert_eq!((&delivery["emailId"], &delivery["recipientAddress"]), (&taken.json["id"], &json!("b@example.com")));
        assert_eq!((&delivery["status"], &delivery["externalId"]), (&json!("failed"), &json!("m-1")));

        let mut filled = mail;
        filled["variables"] = json!([{ "nick": "Ann" }, { "nick": "Bob" }]);
        assert_eq!(house.post("/emails", filled).await.good()["totalRecipients"], 2, "no copies of what has variables");
        house.work().await;
        let sent = house.cloud.sent.lock().unwrap()[4].clone();
        let Content::Email(email) = sent.content else { panic!("a mail") };
        assert_eq!((email.html.as_deref(), email.to.len(), email.cc.len()), (Some("Hi Bob"), 1, 0));
    }

    async fn what_no_carrier_could_take_is_refused(house: &mut House) {
        for (channel, address) in [("sms", "Brand"), ("voice", "+15550100009"), ("email", "hello@example.com")] {
            house.open(channel, address).await;
        }
        let mail = |change: fn(&mut Value)| {
            let mut mail = json!({ "from": "hello@example.com", "to": "a@example.com", "subject": "News", "content": "Hi" });
            change(&mut mail);
            ("/emails", mail)
        };
        for ((path, body), status, code, target) in [
            (("/sms", json!({ "to": "+999123456", "text": "x" })), 400, "PARAM_INVALID", "to"),
            (("/sms", json!({ "to": "+12345", "text": "x" })), 400, "PARAM_INVALID", "to"),
            (("/sms", json!({ "to": CUSTOMER })), 400, "PARAM_MISSING", "text"),
            (("/sms", json!({ "to": CUSTOMER, "text": "x".repeat(1 << 19) })), 400, "PARAM_INVALID_LENGTH", "text"),
            (("/sms", json!({ "to": CUSTOMER, "text": "x", "senderId": "Other" })), 403, "SENDER_ID_UNAVAILABLE", "senderId"),
            (("/sms", json!({ "to": CUSTOMER, "text": "x", "callbackUrl": "http://169.254.169.254/" })), 400, "PARAM_INVALID", "callbackUrl"),
            (("/voices", json!({ "to": CUSTOMER, "verificationCode": "12a4" })), 400, "PARAM_INVALID", "verificationCode"),
            (("/voices", json!({ "to": CUSTOMER, "verificationCode": "123" })), 400, "PARAM_INVALID_LENGTH", "verificationCode"),
            (("/voices", json!({ "to": CUSTOMER, "verificationCode": "1234", "language": "xx" })), 400, "PARAM_INVALID", "language"),
            (mail(|mail| mail["from"] = json!("other@example.com")), 403, "EMAIL_DOMAIN_UNVERIFIED", "from"),
            (mail(|mail| mail["from"] = json!("x")), 400, "PARAM_INVALID", "from"),
            (mail(|mail| mail["subject"] = json!("a\r\nBcc: b@example.com")), 400, "PARAM_INVALID", "subject"),
            (mail(|mail| mail["to"] = json!("a@example.com\r\nBcc: b@example.com")), 400, "PARAM_INVALID", "to"),
            (mail(|mail| mail["to"] = json!(vec!["a@example.com"; 101].join(","))), 400, "PARAM_INVALID_LENGTH", "to"),
            (mail(|mail| mail["content"] = json!("x".repeat(160_000))), 400, "PARAM_INVALID_LENGTH", "content"),
            (mail(|mail| mail["variables"] = json!([{}, {}])), 400, "PARAM_INVALID_LENGTH", "variables"),
            (mail(|mail| mail["variables"] = json!([{ "a b": "x" }])), 400, "PARAM_INVALID", "variables[0]"),
        ] {
            let reply = house.post(path, body).await;
            assert_eq!((reply.status, reply.code(), reply.target()), (status, code, target), "{}", reply.json);
        }
        house.work().await;
        assert!(house.cloud.sent.lock().unwrap().is_empty());
    }

    async fn a_text_that_no_carrier_takes_has_failed(house: &mut House) {
        house.open("sms", "Brand").await;
        house.endpoint(&["sms.message.updated"]).await;
        house.cloud.failures.lock().unwrap().push(SendError::refused(Code::Rejected, "not to this country"));
        house.post("/sms", json!({ "to": CUSTOMER, "text": "x" })).await.good();
        assert_eq!(house.told().await[0]["sms"]["status"], "failed");
    }

    async fn who_told_a_carrier_to_stop_gets_no_more_texts(house: &mut House) {
        house.open("sms", "Brand").await;
        house.endpoint(&["sms.inbound.received", "contact.unsubscribe.created"]).await;
        let text = || json!({ "to": CUSTOMER, "text": "an offer" });
        house.hear_by_sms("1", "STOP").await;
        let told = house.told().await;
        assert_eq!((told.len(), &told[0]["smsInbound"]["text"]), (1, &json!("STOP")), "unsubscribers are WhatsApp's");
        house.post("/sms", text()).await.refused(403, "RECIPIENT_UNSUBSCRIBED", "to");
        assert_eq!(house.get(&format!("/unsubscribers/{CUSTOMER}")).await.good(), &json!([]));
        assert_eq!(house.get("/unsubscribers?includeTotal=true").await.good()["total"], 0);
        house.get(&format!("/unsubscribers/{CUSTOMER}/sms")).await.refused(404, "NOT_FOUND", "");
        house.hear_by_sms("2", "START").await;
        house.post("/sms", text()).await.good();
    }
}
