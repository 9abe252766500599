use serde_json::{Value, json};

use crate::ground::{CUSTOMER, Ground, options, template, text};

async fn reopened(ground: Ground, dir: &std::path::Path) -> Ground {
    let Ground { handle, platform, platform_url, .. } = ground;
    handle.stop().await;
    let handle = sandbox::start(options(Some(dir.to_owned()))).await.unwrap();
    Ground::introduced(handle, platform, platform_url).await
}

#[tokio::test]
async fn everything_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::with(options(Some(dir.path().to_owned()))).await;
    ground.control("PUT", &format!("/phones/{CUSTOMER}"), json!({"name": "Ada"})).await;
    ground.advance("1h").await;
    ground.write(text("hello")).await;
    let mut body = text("hello yourself");
    body["biz_opaque_callback_data"] = json!("ours");
    let read = ground.sent(body.clone()).await;
    ground.platform.until_status(&read, "delivered").await;
    ground.control("POST", &format!("/phones/{CUSTOMER}/read"), json!({})).await;
    ground.platform.until_status(&read, "read").await;
    ground.control("PATCH", &format!("/phones/{CUSTOMER}"), json!({"online": false})).await;
    let waiting = ground.sent(template("hello_world", "en_US", json!([]))).await;
    ground.platform.until_status(&waiting, "sent").await;
    let made = json!({"name": "late_news", "language": "en", "category": "MARKETING", "components": [{"type": "BODY", "text": "News."}]});
    ground.graph("POST", &format!("/{}/message_templates", ground.waba), made).await;
    let (meta, screen) = (ground.meta.clone(), ground.screen().await);

    let second = sandbox::start(options(Some(dir.path().to_owned()))).await;
    assert!(second.is_err(), "one process per directory");
    let ground = reopened(ground, dir.path()).await;
    let mut expected = meta;
    expected["graph_url"] = json!(ground.handle.graph_url());
    assert_eq!(ground.meta, expected);
    let (_, clock) = ground.control("GET", "/clock", Value::Null).await;
    assert_eq!(clock["offset_ms"], 3_600_000);
    assert_eq!(ground.screen().await, screen);
    let (_, phone) = ground.control("GET", &format!("/phones/{CUSTOMER}"), Value::Null).await;
    assert_eq!((&phone["name"], &phone["online"]), (&json!("Ada"), &json!(false)));
    ground.control("PATCH", &format!("/phones/{CUSTOMER}"), json!({"online": true})).await;
    ground.platform.until_status(&waiting, "delivered").await;
    let free = ground.sent(body).await;
    ground.platform.until_status(&free, "delivered").await;
    let (_, stats) = ground.control("GET", "/stats", Value::Null).await;
    assert_eq!((&stats["meta"]["sends"], &stats["meta"]["repeated_sends"]), (&json!(3), &json!(1)));
    ground.advance("3s").await;
    let event = ground
        .platform
        .until(|p| p.changes().into_iter().find(|(field, _)| field == "message_template_status_update"))
        .await;
    assert_eq!(event.1["event"], "APPROVED", "reviews go on as well");
}

#[tokio::test]
async fn what_was_owed_is_still_owed() {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::with(options(Some(dir.path().to_owned()))).await;
    ground.platform.will_answer(&[500]);
    let first = ground.write(text("first")).await;
    ground.platform.until_posts(1).await;
    let second = ground.write(text("second")).await;
    let ground = reopened(ground, dir.path()).await;
    ground.platform.until_posts(3).await;
    let ids: Vec<Value> = ground.platform.changes().into_iter().map(|(_, v)| v["messages"][0]["id"].clone()).collect();
    assert_eq!(ids, [json!(first), json!(first), json!(second)]);
    assert_eq!(ground.platform.posts()[0].1, ground.platform.posts()[1].1);
}
