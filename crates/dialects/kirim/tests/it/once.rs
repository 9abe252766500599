//! Idempotency keys.

use serde_json::{Value, json};

use crate::house::{House, NUMBER, Reply, heard, text};

async fn send(house: &House, key: &str, body: Value) -> Reply {
    house.ask(&house.key, "POST", &format!("/{NUMBER}/messages"), Some(body), &[("Idempotency-Key", key)]).await
}

#[tokio::test]
async fn a_key_sends_once() {
    let house = House::new().await;
    let first = send(&house, "k", text("hello")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, "false"));
    let reordered =
        json!({ "type": "text", "text": { "body": "hello" }, "to": "+6281234567890", "messaging_product": "whatsapp" });
    for body in [text("hello"), reordered] {
        let again = send(&house, "k", body).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(again.header("x-request-id"), first.header("x-request-id"));
    }
    for other in [text("other"), json!({}), json!({ "type": "nonsense" })] {
        let reused = send(&house, "k", other).await;
        assert_eq!((reused.status, reused.code()), (422, "idempotency_key_reuse"));
    }
    assert_ne!(send(&house, "k2", text("hello")).await.bytes, first.bytes);
    house.work().await;
    assert_eq!(house.cloud.sent.lock().unwrap().len(), 2);

    let foreign = house
        .ask(&house.foreign_key, "POST", "/labels", Some(json!({ "name": "a" })), &[("Idempotency-Key", "k")])
        .await;
    assert_eq!(
        (foreign.status, foreign.header("idempotent-replayed")),
        (200, "false"),
        "keys are the organization's own"
    );
    house.later(24 * 60 * 60 + 1);
    assert_eq!(send(&house, "k", text("hello")).await.header("idempotent-replayed"), "false");
}

#[tokio::test]
async fn many_at_once_are_one() {
    let house = House::new().await;
    let replies = futures_util::future::join_all((0..20).map(|_| send(&house, "k", text("hello")))).await;
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.bytes == replies[0].bytes));
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotent-replayed") == "false").count(), 1);
    house.work().await;
    assert_eq!(house.cloud.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_uses_the_key_up_and_a_failure_does_not() {
    let house = House::new().await;
    let template = json!({ "messaging_product": "whatsapp", "to": "+6281234567890", "type": "template", "template": { "name": "x", "language": "en" } });
    for (key, body, code) in [("a", json!({}), "missing_required_field"), ("b", template, "invalid_template_name")] {
        let first = send(&house, key, body.clone()).await;
        assert_eq!((first.code(), first.header("idempotent-replayed")), (code, "false"));
        let again = send(&house, key, body).await;
        assert_eq!((again.code(), again.header("idempotent-replayed")), (code, "true"));
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(send(&house, key, text("x")).await.code(), "idempotency_key_reuse");
    }

    house.hear("wamid.in", heard("hi")).await;
    let receipt = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in" });
    *house.cloud.deaf.lock().unwrap() = true;
    let failed = send(&house, "c", receipt.clone()).await;
    assert_eq!((failed.status, failed.code()), (502, "whatsapp_upstream_error"));
    *house.cloud.deaf.lock().unwrap() = false;
    let first = send(&house, "c", receipt.clone()).await;
    let again = send(&house, "c", receipt).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, "false"));
    assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &first.bytes));
    assert_eq!(house.cloud.read.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn keys_have_a_length_and_count_for_posts_only() {
    let house = House::new().await;
    let long = "x".repeat(256);
    for wrong in ["", &long] {
        let reply = send(&house, wrong, text("x")).await;
        assert_eq!((reply.status, reply.code(), reply.param()), (400, "invalid_field_value", "Idempotency-Key"));
    }
    assert_eq!(send(&house, &long[1..], text("x")).await.status, 200);
    let label = house.post("/labels", json!({ "name": "a" })).await.id();
    for name in ["b", "c"] {
        let reply = house
            .ask(
                &house.key,
                "PATCH",
                &format!("/labels/{label}"),
                Some(json!({ "name": name })),
                &[("Idempotency-Key", "p")],
            )
            .await;
        assert_eq!((reply.data()["name"].as_str(), reply.header("idempotent-replayed")), (Some(name), ""));
    }
}

#[tokio::test]
async fn a_secret_is_shown_again_to_the_same_request() {
    let house = House::new().await;
    let body = json!({ "url": "https://example.com/hook", "events": ["message.received"] });
    let ask =
        || house.ask(&house.key, "POST", "/webhook_subscriptions", Some(body.clone()), &[("Idempotency-Key", "s")]);
    let (first, again) = (ask().await, ask().await);
    assert!(first.data()["initial_secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(house.get("/webhook_subscriptions").await.data().as_array().unwrap().len(), 1);
}
