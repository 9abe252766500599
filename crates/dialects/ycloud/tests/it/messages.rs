//! Messages: queued and direct, what becomes of them, and what their owner is told.

use engine::failure::{Code, Failure, Retry, SendError};
use engine::messages::Status;
use serde_json::json;
use testkit::on_both;

use crate::house::{CUSTOMER, House, NUMBER, text};

const UPDATED: &str = "whatsapp.message.updated";

fn refused(number: i64) -> SendError {
    let failure = Failure {
        code: Code::Rejected,
        message: "(#131009) Parameter value is not valid".into(),
        provider_code: Some(number),
        details: Some("the details".into()),
    };
    SendError { failure, retry: Retry::Never }
}

on_both! {
    async fn a_queued_message_is_followed_to_its_reader(house: &mut House) {
        house.endpoint(&[UPDATED]).await;
        let mut body = text("hello");
        body["externalId"] = json!("order-1");
        let accepted = house.post("/whatsapp/messages", body).await;
        let shown = accepted.good();
        assert_eq!((&shown["wabaId"], &shown["externalId"], &shown["bizType"]), (&json!("1"), &json!("order-1"), &json!("whatsapp")));
        let id = shown["id"].as_str().unwrap().to_owned();
        assert!(house.told().await.is_empty(), "what WhatsApp took is not sent yet");
        for (status, word) in [(Status::Sent, "sent"), (Status::Delivered, "delivered"), (Status::Read, "read")] {
            house.later(60);
            house.receipt("wamid.1", status).await;
            house.receipt("wamid.1", status).await;
            let told = house.told().await;
            assert_eq!(told.len(), 1, "{word} is told once");
            let message = &told[0]["whatsappMessage"];
            assert_eq!((&told[0]["type"], &message["status"], &message["id"]), (&json!(UPDATED), &json!(word), &json!(id)));
            assert_eq!((&message["externalId"], &message["wamid"]), (&json!("order-1"), &json!("wamid.1")));
            assert_eq!(message["conversation"]["originType"], "marketing");
            assert_eq!(message["pricingCategory"], "marketing");
        }
        let read = house.get(&format!("/whatsapp/messages/{id}")).await;
        assert_eq!(read.good()["status"], "read");
        assert!(read.json["sendTime"].as_str() < read.json["deliverTime"].as_str());
        assert!(read.json["deliverTime"].as_str() < read.json["readTime"].as_str());
        house.with_key(&house.foreign_key, "GET", &format!("/whatsapp/messages/{id}"), None).await.refused(404, "NOT_FOUND", "");
    }

    async fn a_refusal_is_told_with_metas_words(house: &mut House) {
        house.endpoint(&[UPDATED]).await;
        house.cloud.failures.lock().unwrap().push(refused(131_009));
        house.post("/whatsapp/messages", text("x")).await.good();
        let told = house.told().await;
        let message = &told[0]["whatsappMessage"];
        assert_eq!((&message["status"], &message["errorCode"]), (&json!("failed"), &json!("131009")));
        assert_eq!(message["whatsappApiError"]["code"], "131009");
        assert_eq!(message["whatsappApiError"]["error_data"]["details"], "the details");
        let id = message["id"].as_str().unwrap();
        assert_eq!(house.get(&format!("/whatsapp/messages/{id}")).await.good()["status"], "failed");
    }

    async fn the_unsubscribed_are_spared_where_the_caller_asks(house: &mut House) {
        house.endpoint(&[UPDATED]).await;
        house.hear("wamid.in", "STOP").await;
        let mut body = text("offer");
        body["filterUnsubscribed"] = json!(true);
        assert_eq!(house.post("/whatsapp/messages", body.clone()).await.good()["status"], "accepted");
        let told = house.told().await;
        let message = &told[0]["whatsappMessage"];
        assert_eq!((&message["status"], &message["errorCode"]), (&json!("failed"), &json!("RECIPIENT_UNSUBSCRIBED")));
        assert!(house.cloud.sent.lock().unwrap().is_empty());
        house.post("/whatsapp/messages", text("not an offer")).await.good();
        house.work().await;
        assert_eq!(house.cloud.sent.lock().unwrap().len(), 1);
        house.delete(&format!("/unsubscribers/{CUSTOMER}/whatsapp")).await.good();
        house.post("/whatsapp/messages", body).await.good();
        house.work().await;
        assert_eq!(house.cloud.sent.lock().unwrap().len(), 2);
    }

    async fn a_direct_send_answers_what_whatsapp_answers(house: &mut House) {
        let engine = house.engine.clone();
        let stop = engine_stop();
        let working = tokio::spawn(engine::workers::run(engine, stop.clone()));
        let sent = house.post("/whatsapp/messages/sendDirectly", text("now")).await;
        assert_eq!((&sent.good()["wamid"], &sent.json["status"]), (&json!("wamid.1"), &json!("accepted")));
        for (number, status, code) in
            [(131_009, 400, "BAD_REQUEST"), (190, 401, "UNAUTHORIZED"), (131_005, 403, "FORBIDDEN"), (131_056, 429, "TOO_MANY_REQUESTS")]
        {
            house.cloud.failures.lock().unwrap().push(refused(number));
            let reply = house.post("/whatsapp/messages/sendDirectly", text("now")).await;
            reply.refused(status, code, "whatsappApiError");
            assert_eq!(reply.json["error"]["whatsappApiError"]["code"], number.to_string());
        }
        let mut body = text("now");
        body["filterUnsubscribed"] = json!(true);
        house.hear("wamid.in", "stop").await;
        house.post("/whatsapp/messages/sendDirectly", body).await.good();
        stop.cancel();
        working.await.unwrap();
    }

    async fn only_own_numbers_and_approved_templates_send(house: &mut House) {
        let send = |from: &str, template: &str| json!({ "from": from, "to": CUSTOMER, "type": "template",
            "template": { "name": template, "language": { "code": "en" } } });
        house.post("/whatsapp/messages", send(NUMBER, "welcome")).await.good();
        house.post("/whatsapp/messages", send("15550100002", "welcome")).await.good();
        for template in ["waiting", "unknown"] {
            let reply = house.post("/whatsapp/messages", send(NUMBER, template)).await;
            reply.refused(403, "WHATSAPP_TEMPLATE_UNAVAILABLE", "template.name");
        }
        for from in ["+15550100003", "+15559999999"] {
            let reply = house.post("/whatsapp/messages", send(from, "welcome")).await;
            reply.refused(403, "WHATSAPP_PHONE_NUMBER_UNAVAILABLE", "from");
        }
        let user = json!({ "from": NUMBER, "recipient": "US.13491208655302741918", "type": "text", "text": { "body": "x" } });
        assert_eq!(house.post("/whatsapp/messages", user).await.good()["to"], "US.13491208655302741918");
    }

    async fn what_customers_write_is_told_and_marked_as_read(house: &mut House) {
        house.endpoint(&["whatsapp.inbound_message.received"]).await;
        house.hear("wamid.in", "hi there").await;
        let told = house.told().await;
        let message = &told[0]["whatsappInboundMessage"];
        assert_eq!((&message["from"], &message["to"], &message["wamid"]), (&json!(CUSTOMER), &json!(NUMBER), &json!("wamid.in")));
        assert_eq!((&message["text"]["body"], &message["customerProfile"]["name"]), (&json!("hi there"), &json!("Ayu")));
        let id = message["id"].as_str().unwrap();
        for name in [id, "wamid.in"] {
            let reply = house.post(&format!("/whatsapp/inboundMessages/{name}/markAsRead"), json!({})).await;
            assert_eq!((reply.status, reply.bytes.len()), (200, 0));
        }
        let read = house.cloud.read.lock().unwrap().iter().map(|(wamid, _)| wamid.clone()).collect::<Vec<_>>();
        assert_eq!(read, ["wamid.in", "wamid.in"]);
        for unknown in ["wamid.other", "000000000000000000000000"] {
            house.post(&format!("/whatsapp/inboundMessages/{unknown}/markAsRead"), json!({})).await.refused(404, "NOT_FOUND", "");
        }
        house.get(&format!("/whatsapp/messages/{id}")).await.refused(404, "NOT_FOUND", "");
    }
}

fn engine_stop() -> tokio_util::sync::CancellationToken {
    tokio_util::sync::CancellationToken::new()
}
