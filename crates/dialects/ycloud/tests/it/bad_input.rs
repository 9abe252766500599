//! Whatever comes: the right error, by name, and nothing stored.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use testkit::on_both;

use crate::contract::sends;
use crate::house::{CUSTOMER, House, JUDGE, NUMBER, text};

on_both! {
    async fn messages_that_cannot_be_are_refused_by_name(house: &mut House) {
        let with = |change: fn(&mut Value)| {
            let mut body = text("x");
            change(&mut body);
            body
        };
        for (body, code, target) in [
            (with(|body| drop(body.as_object_mut().unwrap().remove("from"))), "PARAM_MISSING", "from"),
            (with(|body| drop(body.as_object_mut().unwrap().remove("to"))), "PARAM_MISSING", "to"),
            (with(|body| drop(body.as_object_mut().unwrap().remove("type"))), "PARAM_MISSING", "type"),
            (with(|body| body["type"] = json!("telegram")), "PARAM_INVALID", "type"),
            (with(|body| body["to"] = json!("hello")), "PARAM_INVALID", "to"),
            (with(|body| body["to"] = json!(1)), "PARAM_INVALID", "to"),
            (with(|body| body["text"]["body"] = json!("")), "PARAM_INVALID", "text.body"),
            (with(|body| body["text"]["body"] = json!("x".repeat(4097))), "PARAM_INVALID_LENGTH", "text.body"),
            (with(|body| body["text"]["body"] = json!("\u{0}")), "PARAM_INVALID", "text.body"),
            (with(|body| body["externalId"] = json!(["x"])), "PARAM_INVALID", "externalId"),
            (with(|body| body["filterBlocked"] = json!("yes")), "PARAM_INVALID", "filterBlocked"),
            (json!({ "from": NUMBER, "to": CUSTOMER, "type": "image", "image": {} }), "PARAM_MISSING", "image.link"),
            (json!({ "from": NUMBER, "to": CUSTOMER, "type": "image", "image": { "link": "file:///x" } }), "PARAM_INVALID", "image.link"),
            (json!({ "from": NUMBER, "to": CUSTOMER, "type": "location", "location": { "latitude": 91, "longitude": 0 } }), "PARAM_INVALID", "location.latitude"),
            (json!([]), "PARAM_INVALID", ""),
        ] {
            let reply = house.post("/whatsapp/messages", body.clone()).await;
            assert_eq!((reply.status, reply.code(), reply.target()), (400, code, target), "{body}: {}", reply.json);
        }
        house.work().await;
        assert!(house.cloud.sent.lock().unwrap().is_empty());
    }

    async fn what_is_no_json_is_refused_everywhere(house: &mut House) {
        for operation in JUDGE.operations().into_iter().filter(|operation| operation.method == "POST") {
            let path = operation.path.replace(['{', '}'], "");
            for (body, content_type, status) in [
                ("{", "application/json", 400),
                ("{\"a\":\"\\ud800\"}", "application/json", 400),
                ("{}", "text/plain", 415),
            ] {
                let request = Request::builder().method("POST").uri(format!("/v2{path}")).header("x-api-key", &house.key);
                let request = request.header("content-type", content_type).body(Body::from(body)).unwrap();
                let reply = house.raw(request).await;
                // What has no body of its own does not look at it.
                let bodyless = ["rotateSecret", "markAsRead", "register"].iter().any(|end| path.ends_with(end));
                assert!(reply.status == status || (bodyless && reply.status == 404), "{path} {body}: {}", reply.json);
            }
            let large = Request::builder().method("POST").uri(format!("/v2{path}")).header("x-api-key", &house.key);
            let large = large.header("content-type", "application/json").body(Body::from("x".repeat(1 << 21))).unwrap();
            house.raw(large).await.refused(413, "CONTENT_TOO_LARGE", "");
        }
    }

    async fn wrong_types_anywhere_never_break_it(house: &mut House) {
        for good in sends() {
            for path in paths(&good) {
                for wrong in [json!(null), json!(7), json!([]), json!({}), json!("\u{7}"), json!("x".repeat(9000))] {
                    let mut body = good.clone();
                    *body.pointer_mut(&path).unwrap() = wrong;
                    let request = Request::builder().method("POST").uri("/v2/whatsapp/messages").header("x-api-key", &house.key);
                    let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
                    let reply = house.unjudged(request.unwrap()).await;
                    assert!(reply.status < 500, "{path}: {}", reply.json);
                }
            }
        }
    }
}

/// Pointers to everything in a value.
fn paths(value: &Value) -> Vec<String> {
    let below = |name: &str, value: &Value| {
        let mut paths = vec![format!("/{name}")];
        paths.extend(self::paths(value).into_iter().map(|path| format!("/{name}{path}")));
        paths
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(name, value)| below(name, value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| below(&index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    }
}
