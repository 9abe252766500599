//! Whatever anybody sends: told in our words, never a failure of ours, and nothing is kept of it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::contract::sends;
use crate::house::{House, JUDGE, NUMBER, heard};

const NO_LABEL: &str = "lbl_00000000000000000000000000";

/// Every operation with a body, a good body for it, and what is needed first.
async fn bodies(house: &House) -> Vec<(&'static str, String, Value)> {
    house.hear("wamid.in", heard("hi")).await;
    let contact = house.get(&format!("/{NUMBER}/contacts")).await.data()[0]["id"].as_str().unwrap().to_owned();
    let conversation =
        house.get(&format!("/{NUMBER}/conversations")).await.data()[0]["id"].as_str().unwrap().to_owned();
    let label = house.post("/labels", json!({ "name": "first" })).await.id();
    let hook = json!({ "url": "https://example.com/hook", "events": ["message.received"] });
    let subscription = house.post("/webhook_subscriptions", hook.clone()).await.id();
    let post = |path: String, body: Value| ("POST", path, body);
    let patch = |path: String, body: Value| ("PATCH", path, body);
    let mut bodies: Vec<_> = sends().into_iter().map(|body| post(format!("/{NUMBER}/messages"), body)).collect();
    bodies.extend([
        post(format!("/{NUMBER}/messages"), json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in", "typing_indicator": { "type": "text" } })),
        post(format!("/{NUMBER}/contacts"), json!({ "phone_number": "+6281111111111", "name": "n", "email": "a@example.com", "metadata": { "a": [1] } })),
        patch(format!("/{NUMBER}/contacts/{contact}"), json!({ "name": "n", "email": "a@example.com", "metadata": { "a": 1 } })),
        post(format!("/{NUMBER}/contacts/{contact}/labels"), json!({ "label_id": label })),
        post(format!("/{NUMBER}/contacts/bulk_label"), json!({ "contact_ids": [contact], "label_id": label, "operation": "attach" })),
        patch(format!("/{NUMBER}/conversations/{conversation}"), json!({ "status": "open", "assigned_to": "u1" })),
        post(format!("/{NUMBER}/conversations/{conversation}/labels"), json!({ "label_id": label })),
        post("/labels".into(), json!({ "name": "second", "color": "red", "team_id": "default" })),
        patch(format!("/labels/{label}"), json!({ "name": "third", "color": "red" })),
        post("/webhook_subscriptions".into(), json!({ "url": "https://example.com/hook", "description": "d", "events": ["message.received"] })),
        patch(format!("/webhook_subscriptions/{subscription}"), json!({ "url": "https://example.com/2", "description": "d", "events": ["message.sent"], "status": "paused" })),
        post(format!("/webhook_subscriptions/{subscription}/secrets"), json!({ "expires_in_hours": 5 })),
        post("/webhook_deliveries/bulk_replay".into(), json!({ "subscription_id": subscription, "status": "dead", "event_type": "x", "created_after": "2026-01-01T00:00:00Z", "created_before": "2026-01-01T00:00:00Z" })),
    ]);
    bodies
}

#[tokio::test]
async fn all_operations_with_a_body_are_tried() {
    let house = House::new().await;
    let bodies = bodies(&house).await;
    let tried = |method: &str, path: &str| {
        bodies.iter().any(|(known, body_path, _)| {
            *known == method && JUDGE.find(method, body_path).is_some_and(|found| found.path == path)
        })
    };
    for operation in JUDGE.operations() {
        let described =
            JUDGE.document()["paths"][&operation.path][operation.method.to_lowercase()].get("requestBody").is_some();
        assert_eq!(described, tried(&operation.method, &operation.path), "{operation:?}");
    }
    for (method, path, body) in &bodies {
        let operation = JUDGE.find(method, path).unwrap();
        JUDGE.request(&operation, body).unwrap();
        let reply = house.with_key(&house.key, method, path, Some(body.clone())).await;
        assert_eq!(reply.status, 200, "{method} {path} {body}: {}", reply.json);
    }
}

#[tokio::test]
async fn what_is_no_json_or_too_much_of_it_is_refused() {
    let house = House::new().await;
    let bodies = bodies(&house).await;
    let before = house.stock().await;
    for (method, path, body) in &bodies {
        let whole = body.to_string();
        let deep = format!("{{\"x\":{}1{}}}", "[".repeat(70), "]".repeat(70));
        let large = format!("{{\"x\":\"{}\"}}", "y".repeat(1 << 20));
        let broken: [(Vec<u8>, u16, &str); 8] = [
            (b"{".to_vec(), 400, "invalid_request"),
            (whole.as_bytes()[..whole.len() - 1].to_vec(), 400, "invalid_request"),
            (b"not json".to_vec(), 400, "invalid_request"),
            (b"\xff\xfe".to_vec(), 400, "invalid_request"),
            (b"[1]".to_vec(), 400, "invalid_request"),
            (b"null".to_vec(), 400, "invalid_request"),
            (deep.into_bytes(), 400, "invalid_request"),
            (large.into_bytes(), 413, "request_too_large"),
        ];
        for (bytes, status, code) in broken {
            let request =
                Request::builder().method(*method).uri(format!("/v1{path}")).header("content-type", "application/json");
            let request = request.header("authorization", format!("Bearer {}", house.key));
            let reply = house.raw(request.body(Body::from(bytes.clone())).unwrap()).await;
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            assert_eq!((reply.status, reply.code()), (status, code), "{method} {path} {start}");
        }
    }
    assert_eq!(house.stock().await, before);
}

/// All places in a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut inside = |name: &str, value: &Value| {
        let at = format!("{at}/{name}");
        places(value, &at, found);
        found.push(at);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| inside(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| inside(&index.to_string(), value)),
        _ => {}
    }
}

/// `/a/0/b` as callers are told: `a[0].b`.
fn param(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| match step.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{step}"),
    });
    steps.collect::<String>().trim_start_matches('.').to_owned()
}

/// Members whose content is the caller's own affair.
fn free(pointer: &str) -> bool {
    ["/metadata/", "/parameters/0/"].iter().any(|free| pointer.contains(free)) && !pointer.contains("/action/")
}

#[tokio::test]
async fn every_member_is_checked_by_its_name() {
    let house = House::new().await;
    let bodies = bodies(&house).await;
    let before = house.stock().await;
    let codes = ["invalid_field_value", "invalid_phone_number", "missing_required_field"];
    for (method, path, body) in &bodies {
        let mut found = Vec::new();
        places(body, "", &mut found);
        for place in found.iter().filter(|place| !free(place)) {
            let wrong = match body.pointer(place).unwrap() {
                Value::String(_) | Value::Array(_) | Value::Object(_) => [json!(7), json!(true)],
                _ => [json!("x"), json!([])],
            };
            let too_long = json!("x".repeat(5000));
            for wrong in wrong.into_iter().chain(body.pointer(place).unwrap().is_string().then_some(too_long)) {
                let mut bad = body.clone();
                *bad.pointer_mut(place).unwrap() = wrong;
                let reply = house.with_key(&house.key, method, path, Some(bad.clone())).await;
                let fine =
                    reply.status == 400 && (codes.contains(&reply.code()) || reply.code() == "invalid_webhook_url");
                assert!(fine && reply.param() == param(place), "{method} {path} {place}: {bad} -> {}", reply.json);
            }
        }
    }
    assert_eq!(house.stock().await, before);
}

#[tokio::test]
async fn nul_and_half_characters_are_told_by_their_place() {
    let house = House::new().await;
    let bodies = bodies(&house).await;
    let before = house.stock().await;
    for (method, path, body) in &bodies {
        let mut found = Vec::new();
        places(body, "", &mut found);
        for place in found.iter().filter(|place| body.pointer(place).unwrap().is_string()) {
            for escape in [r"\u0000", r"\ud83d", r"\udc00x"] {
                let mut bad = body.clone();
                *bad.pointer_mut(place).unwrap() = json!("@@");
                let bytes = bad.to_string().replace("@@", escape);
                let request = Request::builder()
                    .method(*method)
                    .uri(format!("/v1{path}"))
                    .header("content-type", "application/json");
                let request = request.header("authorization", format!("Bearer {}", house.key));
                let reply = house.raw(request.body(Body::from(bytes)).unwrap()).await;
                assert_eq!(
                    (reply.status, reply.code(), reply.param()),
                    (400, "invalid_field_value", &*param(place)),
                    "{method} {path} {place}"
                );
            }
        }
    }
    assert_eq!(house.stock().await, before);
}

#[tokio::test]
async fn what_is_required_is_missed() {
    let house = House::new().await;
    let bodies = bodies(&house).await;
    let missed = |method: &'static str, path: String, body: Option<Value>| {
        let house = &house;
        async move {
            let reply = house.with_key(&house.key, method, &path, body).await;
            assert_eq!(
                (reply.status, reply.code()),
                (400, "missing_required_field"),
                "{method} {path}: {}",
                reply.json
            );
            reply.param().to_owned()
        }
    };
    assert_eq!(missed("POST", format!("/{NUMBER}/messages"), None).await, "messaging_product");
    assert_eq!(
        missed("POST", format!("/{NUMBER}/messages"), Some(json!({ "messaging_product": "whatsapp" }))).await,
        "type"
    );
    assert_eq!(missed("POST", "/labels".into(), None).await, "name");
    assert_eq!(
        missed("POST", "/webhook_subscriptions".into(), Some(json!({ "url": "https://example.com" }))).await,
        "events"
    );
    assert_eq!(missed("POST", "/webhook_deliveries/bulk_replay".into(), None).await, "subscription_id");
    let (_, path, _) =
        bodies.iter().find(|(method, path, _)| *method == "PATCH" && path.contains("conversations")).unwrap();
    missed("PATCH", path.clone(), Some(json!({}))).await;
    for body in sends() {
        let kind = body["type"].as_str().unwrap().to_owned();
        for name in ["messaging_product", "to", kind.as_str()] {
            let mut less = body.clone();
            less.as_object_mut().unwrap().remove(name);
            assert_eq!(missed("POST", format!("/{NUMBER}/messages"), Some(less)).await, name);
        }
    }
}

#[tokio::test]
async fn ids_queries_and_media_are_strict() {
    let house = House::new().await;
    for path in [
        format!("/{NUMBER}/messages/x"),
        format!("/{NUMBER}/messages/msg_x/media"),
        format!("/{NUMBER}/messages?conversation_id=x"),
        format!("/{NUMBER}/messages?direction=up"),
        format!("/{NUMBER}/messages?status=queued"),
        format!("/{NUMBER}/messages?created_after=yesterday"),
        format!("/{NUMBER}/conversations?contact_id=cnv_1"),
        format!("/{NUMBER}/contacts?search="),
        format!("/{NUMBER}/contacts?search=%00"),
        format!("/{NUMBER}/templates?status=paused"),
        format!("/{NUMBER}/templates?language=x"),
        format!("/{NUMBER}/templates/{}", "x".repeat(513)),
        "/labels/lbl_0000000000000000000000000I".into(),
        "/webhook_deliveries?event_type=".into(),
        "/webhook_subscriptions?status=on".into(),
    ] {
        let reply = house.get(&path).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_field_value"), "{path}");
        assert_ne!(reply.param(), "", "{path}");
    }
    assert_eq!(house.get(&format!("/labels/{NO_LABEL}")).await.status, 404);
    assert_eq!(house.get(&format!("/{NUMBER}/contacts?phone=0812")).await.code(), "invalid_phone_number");
    for object in [json!({}), json!({ "link": "https://example.com/a", "id": "1" }), json!({ "caption": "x" })] {
        let body = json!({ "messaging_product": "whatsapp", "to": "+6281234567890", "type": "image", "image": object });
        let reply = house.post(&format!("/{NUMBER}/messages"), body).await;
        assert_eq!((reply.status, reply.code(), reply.param()), (400, "invalid_field_value", "image"));
    }
    let unknown =
        json!({ "messaging_product": "whatsapp", "to": "+6281234567890", "type": "sticker", "sticker": { "id": "1" } });
    assert_eq!(house.post(&format!("/{NUMBER}/messages"), unknown).await.param(), "type");
    for to in ["0812345678", "+62 812", "abc", ""] {
        let body = json!({ "messaging_product": "whatsapp", "to": to, "type": "text", "text": { "body": "x" } });
        let reply = house.post(&format!("/{NUMBER}/messages"), body).await;
        assert_eq!((reply.status, reply.code(), reply.param()), (400, "invalid_phone_number", "to"), "{to}");
    }
}

#[tokio::test]
async fn limits_are_where_they_are_said_to_be() {
    let house = House::new().await;
    let text = |count: usize| json!({ "body": "é".repeat(count) });
    let list = |button: usize, title: usize, description: usize| {
        let row = json!({ "id": "1", "title": "t".repeat(title), "description": "d".repeat(description) });
        json!({ "type": "list", "body": { "text": "b" }, "action": { "button": "b".repeat(button), "sections": [{ "rows": [row] }] } })
    };
    let cards = |count: usize| {
        let action = json!({ "name": "cta_url", "parameters": { "display_text": "x", "url": "https://example.com" } });
        let card = json!({ "header": { "type": "image", "image": { "link": "https://example.com/a.png" } }, "action": action });
        json!({ "type": "carousel", "body": { "text": "b" }, "action": { "cards": vec![card; count] } })
    };
    let link = |caption: usize| json!({ "link": "https://example.com/a.png", "caption": "c".repeat(caption) });
    for (kind, object, wrong) in [
        ("text", text(4096), ""),
        ("text", text(4097), "text.body"),
        ("text", text(0), "text.body"),
        ("image", link(1024), ""),
        ("image", link(1025), "image.caption"),
        ("audio", json!({ "link": "ftp://example.com/a" }), "audio.link"),
        ("audio", json!({ "id": "" }), "audio.id"),
        ("template", json!({ "name": "about_approved", "language": "e" }), "template.language"),
        ("template", json!({ "name": "about_approved", "language": { "policy": "x" } }), "template.language.code"),
        ("template", json!({ "name": "about_rejected_not", "language": "en" }), "template.name"),
        ("interactive", list(20, 24, 72), ""),
        ("interactive", list(21, 24, 72), "interactive.action.button"),
        ("interactive", list(20, 25, 72), "interactive.action.sections[0].rows[0].title"),
        ("interactive", list(20, 24, 73), "interactive.action.sections[0].rows[0].description"),
        ("interactive", cards(10), ""),
        ("interactive", cards(1), "interactive.action.cards"),
        ("interactive", cards(11), "interactive.action.cards"),
        ("interactive", json!({ "type": "button", "body": { "text": "b" }, "action": {} }), "interactive.type"),
    ] {
        let body = json!({ "messaging_product": "whatsapp", "to": "+6281234567890", "type": kind, kind: object });
        let reply = house.post(&format!("/{NUMBER}/messages"), body.clone()).await;
        let status = if wrong.is_empty() { 200 } else { 400 };
        assert_eq!(reply.status, status, "{body}: {}", reply.json);
        assert_eq!(reply.param(), wrong, "{body}");
    }
}
