use hmac::{Hmac, Mac};
use serde_json::{Value, json};

use crate::ground::{CUSTOMER, Ground, code, template, text};

#[tokio::test]
async fn a_template_reaches_the_phone_and_its_statuses_the_platform() {
    let ground = Ground::new().await;
    let components =
        json!([{"type": "BODY", "parameters": [{"type": "text", "text": "Zoë 👋"}, {"type": "text", "text": "A-1"}]}]);
    let mut body = template("order_update", "en", components);
    body["biz_opaque_callback_data"] = json!("ours-1");
    let (status, answer) = ground.send(body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["contacts"], json!([{"input": CUSTOMER, "wa_id": &CUSTOMER[1..]}]));
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    let id = answer["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid.HBgL"), "{id}");

    let delivered = ground.platform.until_status(id, "delivered").await;
    assert_eq!(ground.platform.story(id), ["sent", "delivered"]);
    assert_eq!(delivered["biz_opaque_callback_data"], "ours-1");
    assert_eq!(delivered["recipient_id"], &CUSTOMER[1..]);
    assert_eq!(
        delivered["pricing"],
        json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"})
    );
    let shown = ground.screen().await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["text"]["body"], "Hello Zoë 👋, your order A-1 is on its way.");
    assert_eq!((&shown[0]["type"], &shown[0]["direction"]), (&json!("template"), &json!("in")));
    assert_eq!((&shown[0]["from"], &shown[0]["status"]), (&json!("+15550100001"), &json!("delivered")));
    assert_eq!(shown[0]["template"]["name"], "order_update");

    let (_, answer) =
        ground.control("POST", &format!("/phones/{}/read", CUSTOMER.replace('+', "%2B")), json!({})).await;
    assert_eq!(answer["read"], 1);
    ground.platform.until_status(id, "read").await;
    assert_eq!(ground.platform.challenges(), [ground.meta["verify_token"].as_str().unwrap()]);
}

#[tokio::test]
async fn webhooks_are_ascii_and_signed_over_their_very_bytes() {
    let ground = Ground::new().await;
    ground.control("PUT", &format!("/phones/{CUSTOMER}"), json!({"name": "Zoë"})).await;
    let id = ground.write(text("Grüße 👋")).await;
    ground.platform.until_posts(1).await;
    let (headers, body) = ground.platform.posts().remove(0);
    assert!(body.is_ascii());
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(ground.meta["app_secret"].as_str().unwrap().as_bytes()).unwrap();
    mac.update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers["x-hub-signature-256"].to_str().unwrap(), expected);
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(envelope["object"], "whatsapp_business_account");
    assert_eq!(envelope["entry"][0]["id"], ground.waba.as_str());
    let change = &envelope["entry"][0]["changes"][0];
    assert_eq!(change["field"], "messages");
    assert_eq!(
        change["value"]["metadata"],
        json!({"display_phone_number": "15550100001", "phone_number_id": ground.number})
    );
    assert_eq!(change["value"]["contacts"][0]["profile"]["name"], "Zoë");
    let message = &change["value"]["messages"][0];
    assert_eq!((&message["id"], &message["text"]["body"]), (&json!(id), &json!("Grüße 👋")));
    assert!(message["timestamp"].is_string());
    assert!(message["from_user_id"].as_str().unwrap().starts_with("US."));
}

#[tokio::test]
async fn the_window_opens_with_the_customers_message_and_closes_after_a_day() {
    let ground = Ground::new().await;
    let early = ground.sent(text("too early")).await;
    let failed = ground.platform.until_status(&early, "failed").await;
    assert_eq!(failed["errors"][0]["code"], 131047);
    assert_eq!(failed["errors"][0]["title"], failed["errors"][0]["message"]);
    assert_eq!(ground.platform.story(&early), ["failed"]);

    ground.open_window().await;
    let id = ground.sent(text("hello")).await;
    let sent = ground.platform.until_status(&id, "sent").await;
    assert_eq!(sent["pricing"]["category"], "service");
    assert_eq!(sent["pricing"]["billable"], false);
    ground.advance("23h").await;
    let late = ground.sent(text("just in time")).await;
    ground.platform.until_status(&late, "delivered").await;
    ground.advance("1h").await;
    let too_late = ground.sent(text("too late")).await;
    ground.platform.until_status(&too_late, "failed").await;
    let shown: Vec<_> = ground.screen().await.iter().map(|m| m["text"]["body"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, ["hello", "hello", "just in time"]);
}

#[tokio::test]
async fn a_phone_may_be_away_unregistered_unwilling_or_blocking() {
    let ground = Ground::new().await;
    let patch = async |body: Value| ground.control("PATCH", &format!("/phones/{CUSTOMER}"), body).await;
    patch(json!({"online": false})).await;
    let id = ground.sent(template("hello_world", "en_US", json!([]))).await;
    ground.platform.until_status(&id, "sent").await;
    assert!(ground.screen().await.is_empty());
    patch(json!({"online": true})).await;
    ground.platform.until_status(&id, "delivered").await;
    assert_eq!(ground.platform.story(&id), ["sent", "delivered"]);

    patch(json!({"opted_out": true})).await;
    ground.platform.until(|p| p.changes().into_iter().find(|(field, _)| field == "user_preferences")).await;
    let offer = json!([
        {"type": "header", "parameters": [{"type": "text", "text": "autumn"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ada"}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "x"}]},
    ]);
    let id = ground.sent(template("seasonal_offer", "en", offer)).await;
    assert_eq!(ground.platform.until_status(&id, "failed").await["errors"][0]["code"], 131050);
    patch(json!({"registered": false})).await;
    let id = ground.sent(template("hello_world", "en_US", json!([]))).await;
    assert_eq!(ground.platform.until_status(&id, "failed").await["errors"][0]["code"], 131026);
    patch(json!({"registered": true, "blocked": ["+15550100001"]})).await;
    let blocked = ground.sent(template("hello_world", "en_US", json!([]))).await;
    ground.platform.until_status(&blocked, "sent").await;
    patch(json!({"blocked": []})).await;
    let id = ground.sent(template("hello_world", "en_US", json!([]))).await;
    ground.platform.until_status(&id, "delivered").await;
    assert_eq!(ground.platform.story(&blocked), ["sent"], "what a blocked business sent never arrives");
}

#[tokio::test]
async fn reactions_quotes_and_read_marks_go_both_ways() {
    let ground = Ground::new().await;
    let theirs = ground.write(text("hi")).await;
    let (status, answer) =
        ground.send(json!({"type": "reaction", "reaction": {"message_id": theirs, "emoji": "👍"}})).await;
    assert_eq!(status, 200, "{answer}");
    let reaction = answer["messages"][0]["id"].as_str().unwrap();
    let quoting = ground.sent(json!({"text": {"body": "as you say"}, "context": {"message_id": theirs}})).await;
    ground.platform.until_status(&quoting, "delivered").await;
    assert_eq!(ground.platform.story(reaction), ["sent"]);
    ground.write(json!({"type": "reaction", "reaction": {"message_id": quoting, "emoji": "❤️"}})).await;
    let answered = ground
        .write(json!({
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": {"id": "a", "title": "A"}},
            "context": {"message_id": quoting},
        }))
        .await;
    let told = ground
        .platform
        .until(|p| p.changes().into_iter().map(|(_, value)| value["messages"][0].clone()).find(|m| m["id"] == answered))
        .await;
    assert_eq!(told["context"], json!({"from": "15550100001", "id": quoting}));
    assert_eq!(told["interactive"]["button_reply"]["id"], "a");
    let receipt = json!({"messaging_product": "whatsapp", "status": "read", "message_id": answered, "typing_indicator": {"type": "text"}});
    let (status, answer) = ground.graph("POST", &format!("/{}/messages", ground.number), receipt).await;
    assert_eq!((status, answer), (200, json!({"success": true})));
    let shown = ground.screen().await;
    assert_eq!(shown.len(), 3, "reactions stand on their targets");
    assert_eq!(shown[0]["reactions"], json!([{"from": "+15550100001", "emoji": "👍"}]));
    assert_eq!(shown[0]["status"], "read", "earlier messages are read as well");
    assert_eq!(shown[1]["reactions"], json!([{"from": CUSTOMER, "emoji": "❤️"}]));
    assert_eq!(shown[1]["context"]["message_id"], theirs.as_str());
    assert_eq!(shown[2]["status"], "read");
}

#[tokio::test]
async fn a_business_scoped_id_is_an_address() {
    let ground = Ground::new().await;
    ground.open_window().await;
    let user_id = ground
        .platform
        .until(|p| {
            p.changes().iter().find_map(|(_, value)| value["contacts"][0]["user_id"].as_str().map(str::to_owned))
        })
        .await;
    let body =
        json!({"messaging_product": "whatsapp", "recipient": user_id, "type": "text", "text": {"body": "hello you"}});
    let (status, answer) = ground.graph("POST", &format!("/{}/messages", ground.number), body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"], json!([{"input": user_id, "user_id": user_id}]));
    assert_eq!(ground.screen().await.last().unwrap()["text"]["body"], "hello you");
    let auth = json!({"messaging_product": "whatsapp", "recipient": user_id, "type": "template", "template": {"name": "verification_code", "language": {"code": "en"}}});
    let (_, answer) = ground.graph("POST", &format!("/{}/messages", ground.number), auth).await;
    assert_eq!(code(&answer), 131062);
}

#[tokio::test]
async fn customers_edit_and_delete_what_they_wrote() {
    let ground = Ground::new().await;
    let (edited, deleted) = (ground.write(text("frist")).await, ground.write(text("oops")).await);
    let path = |id: &str| format!("/phones/{CUSTOMER}/messages/{id}");
    assert_eq!(ground.control("PATCH", &path(&edited), json!({"text": "first"})).await.0, 200);
    assert_eq!(ground.control("DELETE", &path(&deleted), Value::Null).await.0, 200);
    assert_eq!(ground.control("DELETE", &path("wamid.none"), Value::Null).await.0, 404);
    let shown = ground.screen().await;
    assert_eq!((&shown[0]["text"]["body"], &shown[0]["edited"]), (&json!("first"), &json!(true)));
    assert_eq!((&shown[1]["deleted"], shown[1].get("text")), (&json!(true), None));
}
