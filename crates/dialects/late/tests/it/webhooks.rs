//! Webhooks: their settings, how they are told, and what becomes of those that do not listen.

use dialect_late::{SwitchOff, Webhooks};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{Echo, on_both};

use crate::webhooks_ground::{Ground, HOOK, OTHER_HOOK};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
const RECEIVED: &[&str] = &["message.received"];
/// Seconds from each attempt to the next.
const LADDER: [u64; 6] = [10, 100, 1_000, 10_000, DAY, DAY];

fn signed(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Lets an event be given up.
async fn whole_ladder(ground: &Ground) {
    for pause in LADDER {
        ground.later(pause).await;
    }
}

on_both! {
    async fn webhooks_are_made_changed_and_deleted(ground: &mut Ground) {
        let headers = json!({ "Authorization": "Bearer theirs", "X-Team": "a" });
        let body = json!({ "name": "Mine", "url": format!(" {HOOK} "), "secret": "s3cret", "isActive": false,
            "events": ["message.received", "post.published", "message.received"], "customHeaders": headers });
        let made = ground.post("/webhooks/settings", body).await;
        let (id, made) = (made.good()["webhook"]["_id"].as_str().unwrap().to_owned(), made.json);
        assert_eq!(made, json!({ "success": true, "webhook": { "_id": id, "name": "Mine", "url": HOOK,
            "events": ["message.received", "post.published"], "isActive": false, "failureCount": 0,
            "customHeaders": headers } }));
        assert_eq!(ground.get("/webhooks/settings").await.good(), &json!({ "webhooks": [made["webhook"]] }));

        // Whatever clients call its id; what is not named stays.
        for (name, title) in [("_id", "B"), ("webhookId", "C"), ("id", "D"), ("Id", "E")] {
            let reply = ground.put(json!({ name: id, "name": title, "url": null })).await;
            assert_eq!((&reply.good()["webhook"]["name"], &reply.json["webhook"]["url"]), (&json!(title), &json!(HOOK)));
        }
        let reply = ground.put(json!({ "_id": id, "events": ["message.sent"], "isActive": true, "customHeaders": {} })).await;
        let webhook = &reply.good()["webhook"];
        assert_eq!((&webhook["events"], &webhook["isActive"]), (&json!(["message.sent"]), &json!(true)));
        assert_eq!(webhook["customHeaders"], json!({}));

        // The same under the other prefix; nothing of it is anybody else's.
        let other = ground.call(&ground.key, "GET", "/api/v1/webhooks/settings", None).await;
        assert_eq!(other.good()["webhooks"].as_array().unwrap().len(), 1);
        let foreign = ground.call(&ground.foreign_key, "GET", "/v1/webhooks/settings", None).await;
        assert_eq!(foreign.good(), &json!({ "webhooks": [] }));
        for (method, path, body) in [
            ("PUT", "/v1/webhooks/settings".to_owned(), Some(json!({ "_id": id, "name": "x" }))),
            ("DELETE", format!("/v1/webhooks/settings?id={id}"), None),
            ("POST", "/v1/webhooks/test".to_owned(), Some(json!({ "webhookId": id }))),
        ] {
            ground.call(&ground.foreign_key, method, &path, body).await.refused(404, "not_found", "");
        }
        let listless = ground.call(&ground.foreign_key, "GET", &format!("/v1/webhooks/logs?webhookId={id}"), None).await;
        assert_eq!(listless.good()["logs"], json!([]));

        let again = ground.hook(OTHER_HOOK, RECEIVED).await;
        for (id, name) in [(&id, "id"), (&again, "webhookId")] {
            let path = format!("/v1/webhooks/settings?{name}={id}");
            assert_eq!(ground.call(&ground.key, "DELETE", &path, None).await.good(), &json!({ "success": true }));
            ground.call(&ground.key, "DELETE", &path, None).await.refused(404, "not_found", "");
        }
        assert_eq!(ground.get("/webhooks/settings").await.good(), &json!({ "webhooks": [] }));
    }

    async fn what_cannot_be_a_webhook_is_refused(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        let long = "x".repeat(51);
        let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("x-{n}"), json!("v"))).collect();
        let rows = [
            (json!({ "name": "" }), "name"),
            (json!({ "name": long }), "name"),
            (json!({ "name": 1 }), "name"),
            (json!({ "url": "hook.example" }), "url"),
            (json!({ "url": "http://hook.example" }), "url"),
            (json!({ "events": [] }), "events"),
            (json!({ "events": "message.received" }), "events"),
            (json!({ "events": ["message.received", "message.eaten"] }), "events[1]"),
            (json!({ "events": ["webhook.test"] }), "events[0]"),
            (json!({ "isActive": "yes" }), "isActive"),
            (json!({ "secret": 1 }), "secret"),
            (json!({ "customHeaders": ["x"] }), "customHeaders"),
            (json!({ "customHeaders": { "x y": "v" } }), "customHeaders.x y"),
            (json!({ "customHeaders": { "x": "a\r\nb: c" } }), "customHeaders.x"),
            (json!({ "customHeaders": { "x": 1 } }), "customHeaders.x"),
            (json!({ "customHeaders": many }), "customHeaders"),
        ];
        for (change, param) in rows {
            let mut new = json!({ "name": "Mine", "url": HOOK, "events": RECEIVED });
            let mut old = json!({ "_id": id });
            for (name, value) in change.as_object().unwrap() {
                (new[name], old[name]) = (value.clone(), value.clone());
            }
            ground.post("/webhooks/settings", new).await.refused(400, "validation_error", param);
            ground.put(old).await.refused(400, "validation_error", param);
        }
        ground.post("/webhooks/settings", json!({ "events": RECEIVED })).await.refused(400, "validation_error", "url");
        ground.post("/webhooks/settings", json!({ "url": HOOK })).await.refused(400, "validation_error", "events");
        ground.put(json!({ "name": "x" })).await.refused(400, "validation_error", "webhookId");
        ground.put(json!({ "_id": "nobody", "name": "x" })).await.refused(404, "not_found", "");
        ground.call(&ground.key, "DELETE", "/v1/webhooks/settings", None).await.refused(400, "validation_error", "webhookId");
        ground.post("/webhooks/test", json!({})).await.refused(400, "validation_error", "webhookId");
        for query in ["limit=0", "limit=x", "status=open"] {
            assert_eq!(ground.get(&format!("/webhooks/logs?{query}")).await.status, 400, "{query}");
        }
        assert_eq!(ground.shown(&id).await["name"], "Mine");

        // One without a name is called something; there is room for fifty.
        let nameless = ground.post("/webhooks/settings", json!({ "url": HOOK, "events": RECEIVED })).await;
        assert_eq!(nameless.good()["webhook"]["name"], "Webhook");
        for _ in 2..50 {
            ground.hook(HOOK, RECEIVED).await;
        }
        let body = json!({ "name": "x", "url": HOOK, "events": RECEIVED });
        let full = ground.post("/webhooks/settings", body.clone()).await;
        full.refused(400, "invalid_request", "");
        assert_eq!(full.text("error"), "There can be at most 50 webhooks");
        ground.call(&ground.foreign_key, "POST", "/v1/webhooks/settings", Some(body)).await.good();
    }

    async fn deliveries_are_signed_and_carry_the_owners_headers(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        let headers = json!({ "Authorization": "Bearer theirs", "x-zernio-signature": "forged", "X-LATE-SIGNATURE": "forged",
            "content-type": "text/plain", "X-Zernio-Event-Id": "forged", "Host": "elsewhere", "Content-Length": "1" });
        ground.put(json!({ "_id": id, "customHeaders": headers })).await.good();
        ground.hear().await;
        let posted = ground.posted(HOOK).remove(0);
        let body: Value = serde_json::from_slice(&posted.body).unwrap();
        let named = |name: &str| posted.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
        let signature = signed(&posted.body, "s3cret");
        assert_eq!((named("X-Zernio-Signature"), named("X-Late-Signature")), (vec![signature.as_str()], vec![signature.as_str()]));
        assert_eq!(named("X-Zernio-Event"), ["message.received"]);
        assert_eq!(named("X-Zernio-Event-Id"), [body["id"].as_str().unwrap()]);
        assert_eq!((named("Content-Type"), named("Authorization")), (vec!["application/json"], vec!["Bearer theirs"]));
        assert!(named("Host").is_empty() && named("Content-Length").is_empty());
        assert_eq!(posted.timeout.as_secs(), 5);

        // The secret of the moment signs; without one nothing is signed.
        for (secret, signature) in [("gehäim", true), ("", false)] {
            ground.put(json!({ "_id": id, "secret": secret })).await.good();
            ground.hear().await;
            let posted = ground.posted(HOOK).pop().unwrap();
            let expected = if signature { signed(&posted.body, secret) } else { String::new() };
            assert_eq!(posted.header("X-Zernio-Signature"), expected);
        }
        let reply = ground.get("/webhooks/settings").await;
        assert!(!String::from_utf8_lossy(&reply.bytes).contains("s3cret"), "secrets are not shown");
    }

    /// Whatever it answers but 2xx, a redirect among it, and also when it does not answer.
    async fn a_failing_receiver_is_tried_seven_times(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        ground.transport.will(HOOK, [301, 400, 404, 410, 429].map(Echo::Status));
        ground.transport.will(HOOK, [Echo::Fails, Echo::Status(503)]);
        ground.hear().await;
        for (made, pause) in LADDER.into_iter().enumerate() {
            assert_eq!(ground.posted(HOOK).len(), made + 1);
            ground.later(pause - 1).await;
            assert_eq!(ground.posted(HOOK).len(), made + 1, "not a moment early");
            ground.later(1).await;
        }
        ground.later(30 * HOUR).await;
        let posted = ground.posted(HOOK);
        assert_eq!(posted.len(), 7);
        let same = |name: &str| posted.iter().all(|again| again.header(name) == posted[0].header(name));
        assert!(posted.iter().all(|again| again.body == posted[0].body), "byte for byte");
        assert!(same("X-Zernio-Event-Id") && same("X-Zernio-Signature"));
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["failureCount"], &webhook["isActive"]), (&json!(1), &json!(true)));

        let logs = ground.logs("").await;
        let column = |name: &str| logs.iter().rev().map(|row| row[name].clone()).collect::<Vec<_>>();
        assert_eq!(column("attemptNumber"), [1, 2, 3, 4, 5, 6, 7].map(Value::from));
        assert_eq!(json!(column("statusCode")), json!([301, 400, 404, 410, 429, null, 503]));
        assert!(column("status").iter().all(|status| status == "failed"));
        assert_eq!((&logs[0]["errorMessage"], &logs[0]["responseBody"]), (&json!("the receiver answered 503"), &json!("said 503")));
        assert!(posted.iter().all(|again| again.answer_bytes == 10_240));
        let first = &logs[6];
        assert_eq!((&first["webhookId"], &first["webhookName"], &first["url"]), (&json!(id), &json!("Mine"), &json!(HOOK)));
        assert_eq!((&first["event"], &first["createdAt"]), (&json!("message.received"), &json!("2026-09-21T14:13:20.000Z")));
        assert_eq!(first["requestPayload"], serde_json::from_slice::<Value>(&posted[0].body).unwrap());
        assert_eq!(first["eventId"], first["requestPayload"]["id"]);

        // A success counts more than what failed before it.
        ground.hear().await;
        let webhook = ground.shown(&id).await;
        assert_eq!(webhook["failureCount"], 0);
        assert!(webhook["lastFiredAt"].is_string());
        let last = ground.logs("limit=1").await.remove(0);
        assert_eq!((&last["status"], &last["statusCode"], &last["attemptNumber"]), (&json!("success"), &json!(200), &json!(1)));
    }

    async fn a_process_that_dies_between_attempts_is_followed_by_another(ground: &mut Ground) {
        ground.hook(HOOK, RECEIVED).await;
        ground.transport.will(HOOK, [Echo::Status(500), Echo::Hangs]);
        ground.hear().await;
        // Killed while it waits for its second attempt, and again in the middle of that one.
        let idle = tokio::spawn(std::future::pending::<()>());
        ground.die(idle).await;
        ground.later(9).await;
        assert_eq!(ground.posted(HOOK).len(), 1);
        ground.clock.advance(std::time::Duration::from_secs(1));
        let engine = ground.engine.clone();
        let work = tokio::spawn(async move { engine::workers::drain(&engine).await.unwrap() });
        ground.transport.reached(2).await;
        ground.die(work).await;
        ground.later(119).await;
        assert_eq!(ground.posted(HOOK).len(), 2, "its claim has not run out");
        ground.later(1).await;
        let posted = ground.posted(HOOK);
        assert_eq!((posted.len(), posted[2].body == posted[0].body), (3, true));
        let logs = ground.logs("").await;
        let rows: Vec<_> = logs.iter().map(|row| (row["attemptNumber"].as_i64().unwrap(), row["status"].as_str().unwrap())).collect();
        assert_eq!(rows, [(3, "success"), (1, "failed")], "of the second nobody knows the end");
    }

    async fn a_receiver_that_hangs_holds_up_nobody_else(ground: &mut Ground) {
        ground.hook(HOOK, RECEIVED).await;
        ground.hook(OTHER_HOOK, RECEIVED).await;
        ground.transport.always(HOOK, Echo::Hangs);
        for _ in 0..12 {
            ground.write(json!({ "type": "text", "text": { "body": "hello" } })).await;
        }
        let stop = tokio_util::sync::CancellationToken::new();
        let work = tokio::spawn(engine::workers::run(ground.engine.clone(), stop));
        // As many as are tried at first, and all of the other's.
        ground.transport.reached(8 + 12).await;
        assert_eq!((ground.posted(HOOK).len(), ground.posted(OTHER_HOOK).len()), (8, 12));
        work.abort();
    }

    async fn ten_events_given_up_switch_off_where_that_is_the_rule(ground: &mut Ground) {
        ground.with_rules(Webhooks { switch_off: SwitchOff::Ten, ..Webhooks::default() }).await;
        let id = ground.hook(HOOK, RECEIVED).await;
        ground.transport.always(HOOK, Echo::Status(500));
        for _ in 0..9 {
            ground.hear().await;
        }
        whole_ladder(ground).await;
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["failureCount"], &webhook["isActive"]), (&json!(9), &json!(true)));
        // What somebody asks for counts for as little when it succeeds as when it fails.
        ground.transport.will(HOOK, [Echo::Status(200), Echo::Status(200)]);
        ground.post("/webhooks/test", json!({ "webhookId": id })).await.good();
        let event = ground.logs("event=message.received&limit=1").await[0]["eventId"].clone();
        ground.post("/webhooks/logs/redeliver", json!({ "webhookId": id, "eventId": event })).await.good();
        assert_eq!(ground.shown(&id).await["failureCount"], 9);
        ground.hear().await;
        whole_ladder(ground).await;
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["failureCount"], &webhook["isActive"]), (&json!(10), &json!(false)));
        assert_eq!(webhook["disabledReason"], "10 deliveries in a row failed");

        // What happens now is not kept; what happens once it is on again is told.
        let made = ground.posted(HOOK).len();
        ground.transport.always(HOOK, Echo::Status(200));
        ground.hear().await;
        let on = ground.put(json!({ "_id": id, "isActive": true })).await;
        let webhook = &on.good()["webhook"];
        assert_eq!((&webhook["isActive"], &webhook["failureCount"]), (&json!(true), &json!(0)));
        assert!(webhook.get("disabledReason").is_none());
        ground.work().await;
        assert_eq!(ground.posted(HOOK).len(), made);
        ground.hear().await;
        assert_eq!(ground.posted(HOOK).len(), made + 1);
    }

    async fn failing_for_three_days_without_break_switches_off(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        // Idle for a week: not a failure.
        ground.later(7 * DAY).await;
        ground.transport.always(HOOK, Echo::Status(404));
        ground.hear().await;
        for hours in [vec![4; 17], vec![3]].concat() {
            ground.later(hours * HOUR).await;
            ground.hear().await;
        }
        assert_eq!(ground.shown(&id).await["isActive"], true, "71 hours");
        ground.clock.advance(std::time::Duration::from_secs(HOUR));
        ground.hear().await;
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["isActive"], &webhook["disabledReason"]), (&json!(false), &json!("every attempt failed for 72 h")));

        // Switched on again it has three days more.
        ground.put(json!({ "_id": id, "isActive": true })).await.good();
        ground.hear().await;
        ground.later(71 * HOUR).await;
        ground.hear().await;
        assert_eq!(ground.shown(&id).await["isActive"], true);
        ground.transport.will(HOOK, [Echo::Status(200)]);
        ground.hear().await;
        ground.later(HOUR).await;
        ground.hear().await;
        assert_eq!(ground.shown(&id).await["isActive"], true, "a success began a new count");
    }

    async fn twenty_events_given_up_switch_off_after_three_days_without_success(ground: &mut Ground) {
        let (id, few) = (ground.hook(HOOK, RECEIVED).await, ground.hook(OTHER_HOOK, RECEIVED).await);
        ground.later(2 * DAY).await;
        for url in [HOOK, OTHER_HOOK] {
            ground.transport.always(url, Echo::Status(500));
        }
        for number in 0..20 {
            ground.hear().await;
            if number == 18 {
                ground.put(json!({ "_id": few, "events": ["message.sent"] })).await.good();
            }
        }
        for pause in &LADDER[..5] {
            ground.later(*pause).await;
        }
        ground.later(LADDER[5] - 1).await;
        for id in [&few, &id] {
            assert_eq!(ground.shown(id).await["isActive"], true, "nothing was given up yet");
        }
        ground.later(1).await;
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["isActive"], &webhook["failureCount"]), (&json!(false), &json!(20)));
        assert_eq!(webhook["disabledReason"], "20 deliveries in a row failed, and none succeeded for 72 h");
        let webhook = ground.shown(&few).await;
        assert_eq!((&webhook["isActive"], &webhook["failureCount"]), (&json!(true), &json!(19)), "nineteen are not enough");
    }
}
