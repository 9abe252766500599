use serde_json::{Value, json};

use crate::ground::{Ground, code, template};

fn words(list: &[&str]) -> Value {
    list.iter().map(|text| json!({"type": "text", "text": text})).collect()
}

fn body(list: &[&str]) -> Value {
    json!({"type": "body", "parameters": words(list)})
}

fn url_button(index: Value, text: &str) -> Value {
    json!({"type": "button", "sub_type": "url", "index": index, "parameters": [{"type": "text", "text": text}]})
}

#[tokio::test]
async fn sent_parameters_must_be_what_the_template_asks_for() {
    let ground = Ground::new().await;
    let header = json!({"type": "header", "parameters": words(&["autumn"])});
    let long = "x".repeat(1100);
    for (name, language, components, expected) in [
        ("order_update", "en", json!([body(&["a", "b"])]), 0),
        ("order_update", "en", json!([body(&["a"])]), 132000),
        ("order_update", "en", json!([]), 132000),
        ("order_update", "en", json!([body(&["a", "b", "c"])]), 132000),
        ("order_update", "en", json!([body(&["a", ""])]), 131008),
        ("order_update", "en", json!([body(&["a", "b\nc"])]), 132018),
        ("order_update", "en", json!([body(&["a", &long])]), 132005),
        (
            "order_update",
            "en",
            json!([{"type": "body", "parameters": [{"type": "image", "image": {"id": "1"}}, {"type": "text", "text": "b"}]}]),
            132012,
        ),
        (
            "order_update",
            "en",
            json!([{"type": "body", "parameters": [{"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}}, {"type": "text", "text": "b"}]}]),
            0,
        ),
        ("order_update", "en", json!([{"type": "torso"}]), 131009),
        ("hello_world", "en_US", json!([body(&["a"])]), 132000),
        ("hello_world", "en_US", json!([header]), 132000),
        ("seasonal_offer", "en", json!([header, body(&["Ada"]), url_button(json!("0"), "x")]), 0),
        ("seasonal_offer", "en", json!([header, body(&["Ada"]), url_button(json!(0), "x")]), 0),
        ("seasonal_offer", "en", json!([header, body(&["Ada"])]), 131008),
        (
            "seasonal_offer",
            "en",
            json!([header, body(&["Ada"]), url_button(json!("0"), "x"), url_button(json!("1"), "x")]),
            132012,
        ),
        ("seasonal_offer", "en", json!([header, body(&["Ada"]), url_button(json!("5"), "x")]), 132018),
        ("seasonal_offer", "en", json!([body(&["Ada"]), url_button(json!("0"), "x")]), 132000),
        ("verification_code", "en", json!([body(&["123456"]), url_button(json!("0"), "123456")]), 0),
        ("verification_code", "en", json!([body(&["123456"])]), 131008),
        ("verification_code", "en", json!([body(&["123456"]), url_button(json!("0"), &long)]), 131009),
    ] {
        let (_, answer) = ground.send(template(name, language, components.clone())).await;
        if expected == 0 {
            assert!(answer["messages"][0]["id"].is_string(), "{name} {components}\n{answer}");
        } else {
            assert_eq!(code(&answer), expected, "{name} {components}\n{answer}");
        }
    }
    let shown = ground.screen().await;
    let code = shown.last().unwrap();
    assert_eq!(code["buttons"][0]["code"], "123456");
    assert!(code["text"]["body"].as_str().unwrap().starts_with("*123456* is your"));
    let offer = shown.iter().find(|m| m["template"]["name"] == "seasonal_offer").unwrap();
    assert_eq!(offer["header"]["text"], "Our autumn offer is here");
    assert_eq!(
        offer["buttons"],
        json!([
            {"type": "URL", "text": "See the offer", "url": "https://shop.example/offers/x"},
            {"type": "QUICK_REPLY", "text": "Not for me", "payload": "Not for me"},
        ])
    );
}

fn simple(name: &str) -> Value {
    json!({"name": name, "language": "en", "category": "UTILITY", "parameter_format": "NAMED", "components": [
        {"type": "BODY", "text": "Hello {{first_name}}, it is ready.", "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Ada"}]}},
    ]})
}

#[tokio::test]
async fn a_template_is_made_reviewed_used_edited_and_deleted() {
    let ground = Ground::new().await;
    let path = format!("/{}/message_templates", ground.waba);
    let (status, made) = ground.graph("POST", &path, simple("pick_up")).await;
    assert_eq!((status, &made["status"]), (200, &json!("PENDING")), "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let (_, rejected) = ground.graph("POST", &path, simple("reject_me")).await;
    ground.graph("POST", &path, simple("pending_for_ever")).await;
    let (_, twice) = ground.graph("POST", &path, simple("pick_up")).await;
    assert_eq!((code(&twice), &twice["error"]["error_subcode"]), (100, &json!(2388024)));
    let named = template(
        "pick_up",
        "en",
        json!([{"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Ada"}]}]),
    );
    assert_eq!(code(&ground.send(named.clone()).await.1), 132001, "not approved yet");

    ground.advance("3s").await;
    let events = ground
        .platform
        .until(|p| {
            let events: Vec<Value> = p
                .changes()
                .into_iter()
                .filter(|(field, _)| field == "message_template_status_update")
                .map(|(_, v)| v)
                .collect();
            (events.len() == 2).then_some(events)
        })
        .await;
    let event = events.iter().find(|event| event["message_template_name"] == "pick_up").unwrap();
    assert_eq!(
        (&event["event"], &event["message_template_id"]),
        (&json!("APPROVED"), &json!(id.parse::<u64>().unwrap()))
    );
    let envelope: Value = serde_json::from_slice(&ground.platform.posts()[0].1).unwrap();
    assert!(envelope["entry"][0]["time"].is_i64(), "account-level entries have a time");
    let (_, seen) = ground
        .graph("GET", &format!("/{}?fields=status,rejected_reason", rejected["id"].as_str().unwrap()), Value::Null)
        .await;
    assert_eq!((&seen["status"], &seen["rejected_reason"]), (&json!("REJECTED"), &json!("INVALID_FORMAT")));

    assert_eq!(ground.send(named).await.0, 200);
    let nameless = template("pick_up", "en", json!([body(&["Ada"])]));
    assert_eq!(code(&ground.send(nameless).await.1), 100);
    let (_, shown) = ground.control("GET", "/phones/15550199001/messages", Value::Null).await;
    assert_eq!(shown["data"][0]["text"]["body"], "Hello Ada, it is ready.");

    let change = json!({"components": [{"type": "BODY", "text": "Ready to be picked up."}]});
    assert_eq!(ground.graph("POST", &format!("/{id}"), change.clone()).await.0, 200);
    ground.advance("3s").await;
    ground.platform.until(|p| (p.changes().len() >= 3 + 2).then_some(())).await;
    let (_, again) = ground.graph("POST", &format!("/{id}"), change).await;
    assert_eq!(again["error"]["error_subcode"], 2388039, "one edit a day: {again}");
    let (_, refused) = ground.graph("POST", &format!("/{id}"), json!({"category": "MARKETING"})).await;
    assert_eq!(refused["error"]["error_subcode"], 2388039);

    let (_, paused) = ground.control("POST", &format!("/templates/{id}/review"), json!({"status": "PAUSED"})).await;
    assert_eq!(paused["status"], "PAUSED");
    assert_eq!(code(&ground.send(template("pick_up", "en", json!([]))).await.1), 132015);
    ground.control("POST", &format!("/templates/{id}/review"), json!({"status": "DISABLED"})).await;
    assert_eq!(code(&ground.send(template("pick_up", "en", json!([]))).await.1), 132016);
    ground.control("POST", &format!("/templates/{id}/review"), json!({"status": "APPROVED"})).await;
    let (status, _) = ground.graph("DELETE", &format!("{path}?name=pick_up"), Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(code(&ground.send(template("pick_up", "en", json!([]))).await.1), 132001);
}

#[tokio::test]
async fn listing_filters_selects_and_pages() {
    let ground = Ground::new().await;
    let path = format!("/{}/message_templates", ground.waba);
    let (_, all) =
        ground.graph("GET", &format!("{path}?limit=3&fields=name,status&summary=total_count"), Value::Null).await;
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    assert_eq!(all["summary"]["total_count"], 4);
    assert!(all["data"][0].get("components").is_none());
    let next = all["paging"]["next"].as_str().unwrap();
    let rest: Value = ground.http.get(next).bearer_auth(ground.token()).send().await.unwrap().json().await.unwrap();
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    let (_, some) = ground.graph("GET", &format!("{path}?category=AUTHENTICATION"), Value::Null).await;
    assert_eq!(some["data"].as_array().unwrap().len(), 1);
    assert_eq!(some["data"][0]["components"][2]["buttons"][0]["type"], "URL");
    let (_, none) = ground.graph("GET", &format!("{path}?status=REJECTED"), Value::Null).await;
    assert_eq!(none, json!({"data": []}));
    let (_, stale) = ground.graph("GET", &format!("{path}?after=bm9wZQ"), Value::Null).await;
    assert_eq!(code(&stale), 131059);
}

#[tokio::test]
async fn malformed_templates_are_refused_with_their_subcodes() {
    let ground = Ground::new().await;
    let path = format!("/{}/message_templates", ground.waba);
    for (change, subcode) in [
        (json!({"name": "Bad Name"}), Value::Null),
        (json!({"language": "english!"}), Value::Null),
        (json!({"category": "OTHER"}), Value::Null),
        (json!({"message_send_ttl_seconds": 5}), Value::Null),
        (
            json!({"components": [{"type": "BODY", "text": "ends with {{first_name}}", "example": {"body_text_named_params": [{}]}}]}),
            json!(2388299),
        ),
        (json!({"components": [{"type": "BODY", "text": "x".repeat(1025)}]}), json!(2388040)),
        (json!({"components": [{"type": "BODY", "text": "b"}, {"type": "HEADER", "format": "IMAGE"}]}), json!(2388047)),
        (
            json!({"components": [{"type": "BODY", "text": "b"}, {"type": "FOOTER", "text": "x".repeat(61)}]}),
            json!(2388073),
        ),
        (json!({"components": [{"type": "FOOTER", "text": "x"}]}), Value::Null),
    ] {
        let mut body = simple("fine");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (status, answer) = ground.graph("POST", &path, body).await;
        assert_eq!((status, code(&answer)), (400, 100), "{change}");
        assert_eq!(answer["error"].get("error_subcode").cloned().unwrap_or_default(), subcode, "{change} {answer}");
    }
}

#[tokio::test]
async fn the_name_of_a_deleted_template_is_not_free_for_a_month_if_it_was_approved() {
    let ground = Ground::new().await;
    let path = format!("/{}/message_templates", ground.waba);
    let make = async |name: &str, language: &str| {
        let mut body = simple(name);
        body["language"] = json!(language);
        let (status, answer) = ground.graph("POST", &path, body).await;
        (status, answer["error"].get("error_subcode").cloned().unwrap_or_default())
    };
    let delete = async |name: &str| ground.graph("DELETE", &format!("{path}?name={name}"), Value::Null).await.0;
    let (made, locked) = ((200, Value::Null), (400, json!(2388023)));
    assert_eq!(make("pending_still", "en").await, made);
    assert_eq!(delete("pending_still").await, 200);
    assert_eq!(make("pending_still", "en").await, made, "it was never approved");

    assert_eq!(delete("order_update").await, 200);
    assert_eq!(make("order_update", "en").await, locked);
    assert_eq!(make("order_update", "de").await, made, "another language");
    let upsert = json!({"name": "verification_code", "languages": ["en"], "components": [{"type": "BODY"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]}]});
    assert_eq!(delete("verification_code").await, 200);
    let (_, refused) = ground.graph("POST", &format!("/{}/upsert_message_templates", ground.waba), upsert).await;
    assert_eq!(refused["error"]["error_subcode"], 2388023, "{refused}");
    ground.advance("29d").await;
    assert_eq!(make("order_update", "en").await, locked);
    ground.advance("1d").await;
    assert_eq!(make("order_update", "en").await, made);
}
