use std::time::Duration;

use serde_json::{Value, json};

use crate::ground::{Ground, code, template, text};

async fn fault(ground: &Ground, body: Value) {
    let (status, answer) = ground.control("POST", "/faults", body).await;
    assert_eq!(status, 200, "{answer}");
}

fn hello() -> Value {
    let mut body = template("hello_world", "en_US", json!([]));
    body["biz_opaque_callback_data"] = json!("ours");
    body["messaging_product"] = json!("whatsapp");
    body["to"] = json!("15550199001");
    body
}

async fn stats(ground: &Ground) -> Value {
    ground.control("GET", "/stats", Value::Null).await.1["meta"].clone()
}

#[tokio::test]
async fn calls_to_graph_fail_as_told_and_then_no_more() {
    let ground = Ground::new().await;
    fault(&ground, json!({"target": "meta", "kind": "code", "code": 131056, "times": 2})).await;
    for _ in 0..2 {
        let (status, answer) = ground.send(hello()).await;
        assert_eq!((status, code(&answer)), (400, 131056));
    }
    fault(&ground, json!({"target": "meta", "kind": "status", "status": 503})).await;
    assert_eq!(ground.send(hello()).await.0, 503);
    assert_eq!(stats(&ground).await["sends"], 0);

    fault(&ground, json!({"target": "meta", "kind": "drop"})).await;
    let path = format!("/{}/messages", ground.number);
    assert!(ground.request("POST", &path).json(&hello()).send().await.is_err(), "no answer");
    let taken = ground.platform.until(|p| p.statuses().into_iter().find(|s| s["status"] == "delivered")).await;
    assert_eq!(taken["biz_opaque_callback_data"], "ours", "but taken all the same");

    fault(&ground, json!({"target": "meta", "kind": "timeout"})).await;
    let hangs = ground.request("POST", &path).json(&hello()).timeout(Duration::from_millis(200)).send().await;
    assert!(hangs.unwrap_err().is_timeout());
    assert_eq!(stats(&ground).await["sends"], 1, "nothing was done");

    assert_eq!(ground.send(hello()).await.0, 200);
    let stats = stats(&ground).await;
    assert_eq!((&stats["sends"], &stats["repeated_sends"]), (&json!(2), &json!(1)));
    for wrong in [
        json!({"target": "meta", "kind": "duplicate"}),
        json!({"target": "meta", "kind": "status"}),
        json!({"target": "moon", "kind": "drop"}),
        json!({"target": "meta", "kind": "drop", "percent": 101}),
    ] {
        assert_eq!(ground.control("POST", "/faults", wrong).await.0, 400);
    }
    fault(&ground, json!({"target": "meta", "kind": "drop"})).await;
    assert_eq!(ground.control("DELETE", "/faults", Value::Null).await.1["cleared"], 1);
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_comes_again() {
    let ground = Ground::new().await;
    ground.platform.will_answer(&[500, 503]);
    ground.write(text("first")).await;
    ground.write(text("second")).await;
    ground.platform.until_posts(1).await;
    ground.advance("1s").await;
    ground.platform.until_posts(2).await;
    ground.advance("1s").await;
    ground.platform.until_posts(4).await;
    let bodies: Vec<_> =
        ground.platform.changes().into_iter().map(|(_, v)| v["messages"][0]["text"]["body"].clone()).collect();
    assert_eq!(bodies, ["first", "first", "first", "second"]);
    let posts = ground.platform.posts();
    assert_eq!(posts[0].1, posts[2].1, "byte for byte the same");
}

#[tokio::test]
async fn pushes_go_wrong_as_told() {
    let ground = Ground::new().await;
    let bodies = || -> Vec<String> {
        let changes = ground.platform.changes().into_iter();
        changes.map(|(_, v)| v["messages"][0]["text"]["body"].as_str().unwrap().to_owned()).collect()
    };
    fault(&ground, json!({"target": "meta-webhook", "kind": "duplicate"})).await;
    ground.write(text("a")).await;
    ground.platform.until_posts(2).await;
    fault(&ground, json!({"target": "meta-webhook", "kind": "reorder"})).await;
    ground.write(text("b")).await;
    ground.write(text("c")).await;
    ground.platform.until_posts(4).await;
    assert_eq!(bodies(), ["a", "a", "c", "b"]);
    fault(&ground, json!({"target": "meta-webhook", "kind": "timeout"})).await;
    ground.write(text("d")).await;
    ground.platform.until_posts(5).await;
    ground.advance("1s").await;
    ground.platform.until_posts(6).await;
    fault(&ground, json!({"target": "meta-webhook", "kind": "delay", "delay_ms": 5000})).await;
    ground.write(text("e")).await;
    ground.advance("5s").await;
    ground.platform.until_posts(7).await;
    fault(&ground, json!({"target": "meta-webhook", "kind": "drop"})).await;
    let failed = stats(&ground).await["failed_pushes"].as_u64().unwrap();
    ground.write(text("f")).await;
    // Each look is a round trip; the push fails without anybody else's doing.
    while stats(&ground).await["failed_pushes"] == failed {}
    ground.advance("1s").await;
    ground.platform.until_posts(8).await;
    assert_eq!(bodies(), ["a", "a", "c", "b", "d", "d", "e", "f"]);
}

#[tokio::test]
async fn a_busy_lane_posts_many_changes_at_once_and_none_is_lost() {
    let ground = Ground::new().await;
    ground.platform.will_answer(&[500]);
    let first = ground.sent(hello()).await;
    ground.platform.until_posts(1).await;
    let mut ids = vec![first];
    for _ in 0..30 {
        ids.push(ground.sent(hello()).await);
    }
    ground.advance("1s").await;
    ground.platform.until(|p| (p.statuses().len() > 62).then_some(())).await;
    assert!(ground.platform.posts().len() < 20, "{} posts", ground.platform.posts().len());
    for id in &ids[1..] {
        assert_eq!(ground.platform.story(id), ["sent", "delivered"]);
    }
}

#[tokio::test]
async fn limits_are_felt_once_they_are_set() {
    let ground = Ground::new().await;
    assert_eq!(ground.control("PUT", "/limits", json!({"throughput_per_s": 1})).await.0, 200);
    assert_eq!(ground.send(hello()).await.0, 200);
    assert_eq!(code(&ground.send(hello()).await.1), 130429);
    ground.control("PUT", "/limits", json!({"tier": "TIER_1"})).await;
    assert_eq!(ground.send(hello()).await.0, 200);
    let mut other = hello();
    other["to"] = json!("15550199002");
    assert_eq!(code(&ground.send(other.clone()).await.1), 131048);
    ground.control("PUT", "/limits", json!({"pair_per_6s": 1})).await;
    let mut last = 0;
    for _ in 0..46 {
        last = ground.send(hello()).await.0;
    }
    assert_eq!(last, 400);
    assert_eq!(code(&ground.send(hello()).await.1), 131056);
    assert_eq!(ground.send(other).await.0, 200);
    ground.control("PUT", "/limits", json!({})).await;
    assert_eq!(ground.send(hello()).await.0, 200);
    assert_eq!(ground.control("PUT", "/limits", json!({"speed": 1})).await.0, 400);
}
