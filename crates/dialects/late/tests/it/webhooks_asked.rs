//! Attempts that somebody asks for, and the log of all.

use serde_json::{Value, json};
use testkit::{Echo, on_both};

use crate::webhooks_ground::{Ground, HOOK, OTHER_HOOK};

const DAY: u64 = 24 * 60 * 60;
const RECEIVED: &[&str] = &["message.received"];

on_both! {
    async fn a_test_is_one_attempt_that_is_waited_for(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        ground.put(json!({ "_id": id, "isActive": false })).await.good();
        let reply = ground.post("/webhooks/test", json!({ "webhookId": id })).await;
        assert_eq!(reply.good(), &json!({ "success": true, "message": "Test webhook sent successfully" }));
        let posted = ground.posted(HOOK).remove(0);
        let body: Value = serde_json::from_slice(&posted.body).unwrap();
        let expected = json!({ "id": body["id"], "event": "webhook.test", "message": body["message"],
            "timestamp": "2026-09-21T14:13:20.000Z" });
        assert_eq!(body, expected);
        assert_eq!((posted.header("X-Zernio-Event"), posted.header("X-Zernio-Event-Id")), ("webhook.test", body["id"].as_str().unwrap()));
        assert_eq!(posted.header("X-Late-Signature").len(), 64);

        for (echo, why) in [(Echo::Status(302), "the receiver answered 302"), (Echo::Fails, "the connection was refused")] {
            ground.transport.will(HOOK, [echo]);
            let reply = ground.post("/webhooks/test", json!({ "webhookId": id })).await;
            assert_eq!((reply.status, &reply.json["success"]), (500, &json!(false)));
            assert!(reply.text("message").ends_with(why) && reply.text("error").ends_with(why), "{}", reply.json);
        }
        ground.later(3 * DAY).await;
        assert_eq!(ground.posted(HOOK).len(), 3, "a test is not tried again");
        let webhook = ground.shown(&id).await;
        assert_eq!((&webhook["failureCount"], &webhook["isActive"]), (&json!(0), &json!(false)));
        let logs = ground.logs("event=webhook.test").await;
        let statuses: Vec<_> = logs.iter().map(|row| row["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["failed", "failed", "success"]);
        ground.post("/webhooks/test", json!({ "webhookId": "0123456789abcdef01234567" })).await.refused(404, "not_found", "");
    }

    async fn an_event_is_sent_again_to_where_the_webhook_leads_now(ground: &mut Ground) {
        let id = ground.hook(HOOK, RECEIVED).await;
        ground.transport.always(HOOK, Echo::Status(500));
        ground.hear().await;
        let first = ground.posted(HOOK).remove(0);
        let event = first.header("X-Zernio-Event-Id").to_owned();
        let wish = json!({ "webhookId": id, "eventId": event });

        // It fails once more: nothing is lost, the ladder goes on.
        let reply = ground.post("/webhooks/logs/redeliver", wish.clone()).await;
        assert_eq!((reply.status, &reply.json["success"]), (500, &json!(false)));
        ground.later(10).await;
        assert_eq!(ground.posted(HOOK).len(), 3);

        ground.put(json!({ "_id": id, "url": OTHER_HOOK, "secret": "other" })).await.good();
        let reply = ground.post("/webhooks/logs/redeliver", wish.clone()).await;
        assert_eq!(reply.good(), &json!({ "success": true, "message": "Event sent successfully" }));
        let again = ground.posted(OTHER_HOOK).remove(0);
        assert_eq!((&again.body, again.header("X-Zernio-Event-Id")), (&first.body, event.as_str()));
        assert_ne!(again.header("X-Zernio-Signature"), first.header("X-Zernio-Signature"), "signed with the secret of now");
        ground.later(2 * DAY).await;
        assert_eq!((ground.posted(HOOK).len(), ground.posted(OTHER_HOOK).len()), (3, 1), "what arrived is tried no more");
        assert_eq!(ground.logs(&format!("eventId={event}")).await.len(), 4);
        assert_eq!(ground.shown(&id).await["failureCount"], 0);

        // It can be had as often as wanted, but nobody else's and not for ever.
        ground.post("/webhooks/logs/redeliver", wish.clone()).await.good();
        let path = "/v1/webhooks/logs/redeliver";
        ground.call(&ground.foreign_key, "POST", path, Some(wish.clone())).await.refused(404, "not_found", "");
        let unknown = json!({ "webhookId": id, "eventId": ground.engine.new_id().hex24() });
        ground.post("/webhooks/logs/redeliver", unknown).await.refused(404, "not_found", "");
        ground.later(5 * DAY).await;
        ground.post("/webhooks/logs/redeliver", wish.clone()).await.refused(422, "unprocessable", "");
        ground.call(&ground.foreign_key, "POST", path, Some(wish)).await.refused(404, "not_found", "");
    }

    async fn the_log_is_narrowed_and_cut(ground: &mut Ground) {
        let (one, two) = (ground.hook(HOOK, RECEIVED).await, ground.hook(OTHER_HOOK, RECEIVED).await);
        ground.transport.will(OTHER_HOOK, [Echo::Status(500), Echo::Status(500)]);
        for _ in 0..3 {
            ground.clock.advance(std::time::Duration::from_secs(1));
            ground.hear().await;
        }
        let count = async |query: &str| ground.logs(query).await.len();
        assert_eq!(count("").await, 6);
        assert_eq!((count(&format!("webhookId={one}")).await, count("webhookId=nobody").await), (3, 0));
        assert_eq!((count("status=failed").await, count("status=success").await), (2, 4));
        assert_eq!(count(&format!("webhookId={two}&status=failed&event=message.received")).await, 2);
        assert_eq!(count("event=message.sent").await, 0);
        let page = ground.get("/webhooks/logs?limit=4&skip=4").await;
        assert_eq!(page.good()["logs"].as_array().unwrap().len(), 2);
        assert_eq!(page.json["pagination"], json!({ "total": 6, "limit": 4, "skip": 4, "pages": 2, "hasMore": false }));
        let ids: std::collections::HashSet<_> = ground.logs("").await.iter().map(|row| row["_id"].to_string()).collect();
        assert_eq!(ids.len(), 6);

        // A week later only what was tried since is shown; what was deleted took its log along.
        ground.later(7 * DAY + 1).await;
        assert_eq!(count("").await, 2);
        ground.call(&ground.key, "DELETE", &format!("/v1/webhooks/settings?id={two}"), None).await.good();
        assert_eq!(count("").await, 0);
    }
}
