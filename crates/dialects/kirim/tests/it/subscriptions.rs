//! Subscriptions, their secrets, deliveries and replays.

use serde_json::{Value, json};

use crate::house::{House, heard};

pub async fn subscribe(house: &House, events: &[&str]) -> String {
    house.post("/webhook_subscriptions", json!({ "url": "https://example.com/hook", "events": events })).await.id()
}

#[tokio::test]
async fn subscriptions_live() {
    let house = House::new().await;
    let made = house.post("/webhook_subscriptions", json!({ "url": "https://example.com/a", "description": "d", "events": ["message.sent", "message.received", "message.sent"] })).await;
    assert_eq!(made.data()["events"], json!(["message.sent", "message.received"]));
    assert_eq!(made.data()["initial_secret"].as_str().unwrap().len(), 6 + 43);
    assert_eq!(made.data()["secrets"][0].as_object().unwrap().len(), 3);
    let path = format!("/webhook_subscriptions/{}", made.id());
    assert_eq!(house.get(&path).await.data().get("initial_secret"), None);
    let changed =
        house.patch(&path, json!({ "status": "paused", "description": null, "url": "https://example.com/b" })).await;
    assert_eq!(
        (&changed.data()["status"], &changed.data()["description"], &changed.data()["url"]),
        (&json!("paused"), &Value::Null, &json!("https://example.com/b"))
    );
    for (query, count) in [("", 1), ("?status=active", 0), ("?status=paused", 1), ("?status=all", 1)] {
        assert_eq!(
            house.get(&format!("/webhook_subscriptions{query}")).await.data().as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    for (body, code, param) in [
        (json!({ "url": "http://example.com" }), "invalid_webhook_url", "url"),
        (json!({ "url": "nonsense" }), "invalid_webhook_url", "url"),
        (json!({ "events": ["message.nonsense"] }), "invalid_field_value", "events"),
        (json!({ "events": [] }), "invalid_field_value", "events"),
        (json!({ "status": "disabled" }), "invalid_field_value", "status"),
    ] {
        let refused = house.patch(&path, body.clone()).await;
        assert_eq!((refused.status, refused.code(), refused.param()), (400, code, param), "{body}");
    }
    assert_eq!(house.delete(&path).await.data(), &json!({ "id": made.id(), "deleted": true }));
    assert_eq!(house.get(&path).await.status, 404);
}

#[tokio::test]
async fn one_live_secret_always_stays() {
    let house = House::new().await;
    let path = format!("/webhook_subscriptions/{}", subscribe(&house, &["message.received"]).await);
    let first = house.get(&path).await.data()["secrets"][0]["id"].as_str().unwrap().to_owned();
    let last = house.delete(&format!("{path}/secrets/{first}")).await;
    assert_eq!((last.status, last.code()), (422, "last_secret"));
    let second = house.post(&format!("{path}/secrets"), json!({ "expires_in_hours": 1 })).await;
    assert_eq!(second.data()["expires_at"], "2026-09-21T15:13:20.000Z");
    let bare = house.with_key(&house.key, "POST", &format!("{path}/secrets"), None).await;
    assert_eq!(bare.data()["expires_at"], Value::Null);
    assert_eq!(house.get(&path).await.data()["secrets"].as_array().unwrap().len(), 3);
    house.later(3600);
    assert_eq!(house.get(&path).await.data()["secrets"].as_array().unwrap().len(), 2, "one has expired");
    assert_eq!(house.delete(&format!("{path}/secrets/{first}")).await.data()["deleted"], true);
    assert_eq!(house.delete(&format!("{path}/secrets/{first}")).await.status, 404);
    for wrong in [json!({ "expires_in_hours": 0 }), json!({ "expires_in_hours": 337 })] {
        assert_eq!(house.post(&format!("{path}/secrets"), wrong).await.param(), "expires_in_hours");
    }
}

#[tokio::test]
async fn deliveries_die_and_are_replayed() {
    let house = House::new().await;
    let subscription = subscribe(&house, &["message.received"]).await;
    *house.receivers.status.lock().unwrap() = Some(410);
    for number in 0..3 {
        house.hear(&format!("wamid.{number}"), heard("hi")).await;
        house.work().await;
    }
    let dead = house.get("/webhook_deliveries?status=dead&event_type=message.received").await;
    assert_eq!(dead.data().as_array().unwrap().len(), 3);
    let first = &dead.data()[2];
    assert_eq!(
        (&first["event_id"], &first["response_status"], &first["attempt_count"]),
        (&json!("wamid.0"), &json!(410), &json!(1))
    );
    assert!(first.get("payload").is_none());
    let id = first["id"].as_str().unwrap();
    let whole = house.get(&format!("/webhook_deliveries/{id}")).await;
    assert_eq!(whole.data()["payload"]["object"], "whatsapp_business_account");
    assert_eq!(house.get(&format!("/webhook_subscriptions/{subscription}")).await.data()["consecutive_failures"], 3);

    *house.receivers.status.lock().unwrap() = None;
    let replay = house.with_key(&house.key, "POST", &format!("/webhook_deliveries/{id}/replay"), None).await;
    assert_eq!((&replay.data()["replayed_from"], &replay.data()["status"]), (&json!(id), &json!("pending")));
    let bulk = house.post("/webhook_deliveries/bulk_replay", json!({ "subscription_id": subscription })).await;
    assert_eq!(bulk.data(), &json!({ "enqueued": 2, "capped": false }));
    house.work().await;
    let parcels = house.receivers.parcels.lock().unwrap().clone();
    let replayed: Vec<_> = parcels
        .iter()
        .skip(3)
        .filter(|parcel| parcel.headers.contains(&("X-Kirim-Replay".into(), "true".into())))
        .collect();
    assert_eq!((parcels.len(), replayed.len()), (6, 3));
    assert!(replayed.iter().any(|parcel| parcel.body == parcels[0].body));
    assert_eq!(house.get("/webhook_deliveries?status=succeeded").await.data()[0]["attempt_count"], 1);
    let unknown = json!({ "subscription_id": "wbs_00000000000000000000000000" });
    assert_eq!(house.post("/webhook_deliveries/bulk_replay", unknown).await.status, 404);
}

#[tokio::test]
async fn a_subscription_that_keeps_failing_is_disabled() {
    let house = House::new().await;
    let subscription = subscribe(&house, &["message.received"]).await;
    *house.receivers.status.lock().unwrap() = Some(404);
    for number in 0..24 {
        house.hear(&format!("wamid.{number}"), heard("hi")).await;
    }
    house.work().await;
    let path = format!("/webhook_subscriptions/{subscription}");
    let disabled = house.get(&path).await;
    assert_eq!(
        (&disabled.data()["status"], disabled.data()["disabled_reason"].is_string()),
        (&json!("disabled"), true)
    );
    let delivery = house.get("/webhook_deliveries?limit=1").await.data()[0]["id"].as_str().unwrap().to_owned();
    for (path, body) in [
        (format!("{path}/secrets"), json!({})),
        (format!("/webhook_deliveries/{delivery}/replay"), json!({})),
        ("/webhook_deliveries/bulk_replay".into(), json!({ "subscription_id": subscription })),
    ] {
        let refused = house.post(&path, body).await;
        assert_eq!((refused.status, refused.code()), (409, "subscription_disabled"), "{path}");
    }
    let active = house.patch(&path, json!({ "status": "active" })).await;
    assert_eq!((&active.data()["consecutive_failures"], &active.data()["disabled_reason"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn the_ladder_has_eight_steps() {
    let house = House::new().await;
    subscribe(&house, &["message.received"]).await;
    *house.receivers.status.lock().unwrap() = Some(500);
    house.hear("wamid.1", heard("hi")).await;
    let mut attempts = Vec::new();
    for step in [0, 12, 36, 144, 720, 4320, 25_920, 103_680, 1_000_000] {
        house.later(step);
        house.work().await;
        attempts.push(house.receivers.parcels.lock().unwrap().len());
    }
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6, 7, 8, 8]);
    let delivery = house.get("/webhook_deliveries").await;
    assert_eq!((&delivery.data()[0]["status"], &delivery.data()[0]["attempt_count"]), (&json!("dead"), &json!(8)));
    let parcels = house.receivers.parcels.lock().unwrap();
    assert!(parcels.iter().all(|parcel| parcel.body == parcels[0].body && parcel.timeout.as_secs() == 10));
    let header =
        |index: usize, name: &str| parcels[index].headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(header(7, "X-Kirim-Attempt"), "8");
    assert_eq!(header(0, "X-Kirim-Delivery-Id"), header(7, "X-Kirim-Delivery-Id"));
    assert_ne!(header(0, "X-Kirim-Signature"), header(7, "X-Kirim-Signature"), "signed anew each time");
}
