use serde_json::{Value, json};

use crate::ground::{Ground, code, template, text};

#[tokio::test]
async fn a_number_is_added_verified_registered_and_taken_off() {
    let ground = Ground::new().await;
    let list = format!("/{}/phone_numbers", ground.waba);
    let (_, seen) = ground.graph("GET", &list, Value::Null).await;
    assert_eq!(seen["data"][0]["display_phone_number"], "+15550100001");
    assert_eq!(seen["data"].as_array().unwrap().len(), 2);
    let (_, made) =
        ground.graph("POST", &list, json!({"cc": "49", "phone_number": "30 555 0101", "verified_name": "Laden"})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        ground.graph("POST", &list, json!({"cc": "49", "phone_number": "305550101", "verified_name": "Laden"})).await.0,
        400,
        "taken"
    );
    let path = |edge: &str| format!("/{id}{edge}");
    let pin = json!({"messaging_product": "whatsapp", "pin": "654321"});
    assert_eq!(code(&ground.graph("POST", &path("/register"), pin.clone()).await.1), 133006);
    let form = ground.request("POST", &path("/request_code")).form(&[("code_method", "SMS"), ("language", "en_US")]);
    assert_eq!(form.send().await.unwrap().status(), 200);
    assert_eq!(code(&ground.graph("POST", &path("/verify_code"), json!({"code": "000000"})).await.1), 136024);
    assert_eq!(ground.graph("POST", &path("/verify_code?code=123-456"), Value::Null).await.0, 200);
    let send = json!({"messaging_product": "whatsapp", "to": "15550199001", "text": {"body": "x"}});
    assert_eq!(code(&ground.graph("POST", &path("/messages"), send).await.1), 133010);
    assert_eq!(ground.graph("POST", &path("/register"), pin.clone()).await.0, 200);
    let (_, seen) =
        ground.graph("GET", &path("?fields=status,code_verification_status,is_pin_enabled"), Value::Null).await;
    assert_eq!(
        seen,
        json!({"status": "CONNECTED", "code_verification_status": "VERIFIED", "is_pin_enabled": true, "id": id})
    );
    assert_eq!(code(&ground.graph("GET", &path("?fields=shoe_size"), Value::Null).await.1), 100);
    assert_eq!(
        code(
            &ground
                .graph("POST", &path("/register"), json!({"messaging_product": "whatsapp", "pin": "000000"}))
                .await
                .1
        ),
        133005
    );
    for turn in 0..9 {
        let edge = if turn % 2 == 0 { "/deregister" } else { "/register" };
        assert_eq!(ground.graph("POST", &path(edge), pin.clone()).await.0, 200, "{turn}");
    }
    assert_eq!(code(&ground.graph("POST", &path("/register"), pin.clone()).await.1), 133016);
    ground.advance("73h").await;
    assert_eq!(ground.graph("POST", &path("/register"), pin).await.0, 200);
}

#[tokio::test]
async fn only_recent_writers_can_be_blocked_and_partial_failure_is_an_error() {
    let ground = Ground::new().await;
    let path = format!("/{}/block_users", ground.number);
    let users =
        json!({"messaging_product": "whatsapp", "block_users": [{"user": "+15550199001"}, {"user": "+15550199002"}]});
    ground.open_window().await;
    let (status, answer) = ground.graph("POST", &path, users).await;
    assert_eq!((status, code(&answer)), (400, 139100));
    assert_eq!(answer["block_users"]["added_users"], json!([{"input": "+15550199001", "wa_id": "15550199001"}]));
    assert_eq!(answer["block_users"]["failed_users"][0]["errors"][0]["code"], 131047);
    assert_eq!(code(&ground.send(text("x")).await.1), 130403);
    let before = ground.platform.changes().len();
    ground.write(text("from a blocked user")).await;
    let (_, list) = ground.graph("GET", &path, Value::Null).await;
    assert_eq!(list["data"], json!([{"messaging_product": "whatsapp", "wa_id": "15550199001"}]));
    let user = json!({"messaging_product": "whatsapp", "block_users": [{"user": "15550199001"}]});
    assert_eq!(ground.graph("DELETE", &path, user).await.0, 200);
    let id = ground.sent(text("x")).await;
    ground.platform.until_status(&id, "delivered").await;
    assert_eq!(ground.platform.changes().len(), before.max(1) + 2, "nothing came from the blocked user");
}

#[tokio::test]
async fn profile_commerce_account_and_tokens() {
    let ground = Ground::new().await;
    let profile = format!("/{}/whatsapp_business_profile", ground.number);
    for wrong in [
        json!({"about": "x".repeat(140)}),
        json!({"email": "no"}),
        json!({"vertical": "MAGIC"}),
        json!({"websites": ["https://a.example", "https://b.example", "https://c.example"]}),
        json!({"profile_picture_handle": "4::x"}),
    ] {
        let mut body = wrong.clone();
        body["messaging_product"] = json!("whatsapp");
        assert_eq!(code(&ground.graph("POST", &profile, body).await.1), 100, "{wrong}");
    }
    let commerce = format!("/{}/whatsapp_commerce_settings", ground.number);
    assert_eq!(ground.graph("POST", &format!("{commerce}?is_catalog_visible=true"), Value::Null).await.0, 200);
    let (_, seen) = ground.graph("GET", &commerce, Value::Null).await;
    assert_eq!(seen["data"][0]["is_catalog_visible"], true);
    let (_, waba) = ground
        .graph(
            "GET",
            &format!("/{}?fields=name,business_verification_status,owner_business_info", ground.waba),
            Value::Null,
        )
        .await;
    assert_eq!(waba["business_verification_status"], "verified");
    let business = waba["owner_business_info"]["id"].as_str().unwrap();
    let (_, owned) = ground.graph("GET", &format!("/{business}/owned_whatsapp_business_accounts"), Value::Null).await;
    assert_eq!(owned["data"][0]["id"], ground.waba.as_str());
    let (_, token) = ground.graph("GET", &format!("/debug_token?input_token={}", ground.token()), Value::Null).await;
    assert_eq!((&token["data"]["is_valid"], &token["data"]["app_id"]), (&json!(true), &ground.meta["app_id"]));
    assert!(token["data"]["scopes"].as_array().unwrap().contains(&json!("whatsapp_business_messaging")));
    assert_eq!(ground.graph("GET", "/debug_token?input_token=x", Value::Null).await.1["data"]["is_valid"], false);
    assert_eq!(ground.graph("GET", "/app", Value::Null).await.1["id"], ground.meta["app_id"]);
}

#[tokio::test]
async fn subscriptions_decide_what_is_told_and_where() {
    let ground = Ground::new().await;
    let path = format!("/{}/subscribed_apps", ground.waba);
    let (_, seen) = ground.graph("GET", &path, Value::Null).await;
    assert_eq!(seen["data"][0]["whatsapp_business_api_data"]["id"], ground.meta["app_id"]);
    assert_eq!(ground.graph("DELETE", &path, Value::Null).await.0, 200);
    ground.write(text("unheard")).await;
    let refused = json!({"override_callback_uri": format!("{}/nowhere", ground.platform_url), "verify_token": "mine"});
    assert_eq!(code(&ground.graph("POST", &path, refused).await.1), 2200);
    let named =
        json!({"override_callback_uri": format!("{}/webhooks/meta?o=1", ground.platform_url), "verify_token": "mine"});
    assert_eq!(ground.graph("POST", &path, named).await.0, 200);
    assert_eq!(ground.platform.challenges(), ["mine"]);
    ground.write(text("heard")).await;
    ground.platform.until_posts(1).await;
    assert_eq!(ground.platform.changes()[0].1["messages"][0]["text"]["body"], "heard");
    let event = json!({"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}});
    assert_eq!(ground.control("POST", &format!("/accounts/{}/events", ground.waba), event).await.0, 200);
    let (_, value) =
        ground.platform.until(|p| p.changes().into_iter().find(|(field, _)| field == "account_update")).await;
    assert_eq!(value, json!({"event": "ACCOUNT_DELETED"}));
    assert_eq!(ground.graph("POST", &path, Value::Null).await.0, 200, "an empty call clears the override");
    assert!(ground.graph("GET", &path, Value::Null).await.1["data"][0].get("override_callback_uri").is_none());
}

#[tokio::test]
async fn the_marketing_door_takes_marketing_only() {
    let ground = Ground::new().await;
    let path = format!("/{}/marketing_messages", ground.number);
    let mut hello = template("hello_world", "en_US", json!([]));
    (hello["messaging_product"], hello["to"]) = (json!("whatsapp"), json!("15550199001"));
    assert_eq!(code(&ground.graph("POST", &path, hello.clone()).await.1), 134100);
    hello["template"] = json!({"name": "seasonal_offer", "language": {"code": "en"}, "components": [
        {"type": "header", "parameters": [{"type": "text", "text": "a"}]}, {"type": "body", "parameters": [{"type": "text", "text": "b"}]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "c"}]}]});
    let (status, answer) = ground.graph("POST", &path, hello).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["messages"][0]["id"].as_str().unwrap();
    assert_eq!(ground.platform.until_status(id, "sent").await["pricing"]["category"], "marketing_lite");
}

#[tokio::test]
async fn the_page_is_there() {
    let ground = Ground::new().await;
    let page = ground.http.get(ground.handle.control_url()).send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let text = page.text().await.unwrap();
    assert!(!text.contains("//cdn") && !text.contains("src=\"http"), "nothing from other hosts");
    let (_, businesses) = ground.control("GET", "/businesses", Value::Null).await;
    assert_eq!(businesses["data"][0]["display_phone_number"], "+15550100001");
}

#[tokio::test]
async fn guessing_pins_is_held_off() {
    let ground = Ground::new().await;
    let register = async |pin: &str| {
        let body = json!({"messaging_product": "whatsapp", "pin": pin});
        let (status, answer) = ground.graph("POST", &format!("/{}/register", ground.number), body).await;
        if status == 200 { 0 } else { code(&answer) }
    };
    assert_eq!(register("123456").await, 0, "the first sets it");
    for expected in [133005, 133005, 133005, 133009] {
        assert_eq!(register("000000").await, expected);
    }
    assert_eq!(register("123456").await, 133009, "the right one is not looked at either");
    ground.advance("1m").await;
    assert_eq!(register("123456").await, 0);
    for turn in 0..10 {
        assert_eq!(register("000000").await, 133005, "{turn}");
        ground.advance("1m").await;
    }
    assert_eq!(register("123456").await, 133008);
    ground.advance("1d").await;
    assert_eq!(register("123456").await, 0);
}

#[tokio::test]
async fn a_message_for_one_identity_goes_to_no_other() {
    let ground = Ground::new().await;
    let heard = async |words: &str| -> Value {
        ground.write(text(words)).await;
        let is_it = |value: &Value| value["messages"][0]["text"]["body"] == words;
        let told =
            |platform: &crate::ground::Platform| platform.changes().into_iter().map(|(_, value)| value).find(is_it);
        ground.platform.until(told).await["contacts"][0]["identity_key_hash"].clone()
    };
    assert_eq!(heard("not asked for").await, Value::Null);
    let settings = json!({"user_identity_change": {"enable_identity_key_check": true}});
    assert_eq!(ground.graph("POST", &format!("/{}/settings", ground.number), settings).await.0, 200);
    let hash = heard("asked for").await;
    let known = json!({"type": "text", "text": {"body": "x"}, "recipient_identity_key_hash": hash});
    let id = ground.sent(known.clone()).await;
    assert_eq!(ground.platform.until_status(&id, "delivered").await["recipient_identity_key_hash"], hash);

    for registered in [false, true] {
        let phone = format!("/phones/{}", crate::ground::CUSTOMER);
        assert_eq!(ground.control("PATCH", &phone, json!({"registered": registered})).await.0, 200);
    }
    let (status, answer) = ground.send(known).await;
    assert_eq!((status, code(&answer)), (400, 137000), "{answer}");
    let new = heard("it is me, on another phone").await;
    assert_ne!(new, hash);
    ground.sent(json!({"type": "text", "text": {"body": "x"}, "recipient_identity_key_hash": new})).await;
}
