//! Every operation of the contract is served, under both roots; what it gives as examples is taken.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use testkit::{Operation, on_both};

use crate::house::{CONTRACT, House, JUDGE, START};

fn concrete(operation: &Operation) -> String {
    let path = operation.path.strip_prefix("/v1").unwrap();
    let names = ["{contactId}", "{broadcastId}", "{phoneNumberId}", "{templateName}"];
    names.iter().fold(path.to_owned(), |path, name| path.replace(name, "000000000000000000000000"))
}

on_both! {
    async fn every_operation_has_a_route_behind_the_guard(house: &mut House) {
        let operations = JUDGE.operations();
        assert_eq!(operations.len(), 37);
        for operation in operations {
            let path = concrete(&operation);
            let reply = house.with_key(&house.key, &operation.method, &path, None).await;
            assert!(reply.status != 405 && reply.status < 500, "{operation:?}: {}", reply.json);
            for root in ["/v1", "/api/v1"] {
                let routed = Request::builder().method("BREW").uri(format!("{root}{path}"));
                let routed = house.raw(routed.body(Body::empty()).unwrap()).await;
                routed.refused(405, "method_not_allowed", "");
                let closed = Request::builder().method(&*operation.method).uri(format!("{root}{path}"));
                let closed = house.raw(closed.body(Body::empty()).unwrap()).await;
                closed.refused(401, "missing_api_key", "");
                assert_eq!(closed.text("error"), "Unauthorized");
            }
            for wrong in ["sk_0", &house.key[1..]] {
                house.with_key(wrong, &operation.method, &path, None).await.refused(401, "invalid_api_key", "");
            }
        }
        let nowhere = house.get("/whatsapp/nothing").await;
        nowhere.refused(404, "not_found", "");
        assert_eq!(nowhere.text("error"), "Not found");
        assert!(house.get("/whatsapp/openapi.json").await.bytes == CONTRACT);
    }

    async fn published_examples_are_taken(house: &mut House) {
        let contact = house.contact("+14155550001", "Ann", json!({})).await;
        let draft = json!({ "accountId": house.account, "name": "n", "recipients": [{ "phone": "+14155550009" }],
                            "template": { "name": "welcome", "language": "en" } });
        let draft = house.post("/whatsapp/broadcasts", draft).await.good()["broadcast"]["id"].as_str().unwrap().to_owned();
        let mut taken = 0;
        for operation in JUDGE.operations() {
            let schema = &JUDGE.document()["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"];
            let Some(example) = schema.pointer("/content/application~1json/example") else { continue };
            let path = operation.path.strip_prefix("/v1").unwrap();
            let path = path.replace("{contactId}", &contact).replace("{broadcastId}", &draft).replace("{templateName}", "welcome");
            if path.contains("phone-numbers") {
                continue;
            }
            let body = fitted(house, &contact, example.clone());
            let reply = house.worked(house.with_key(&house.key, &operation.method, &path, Some(body))).await;
            // The day that the example names may be over.
            let schedule = path.ends_with("/schedule") && reply.text("param") == "scheduledAt";
            // Whom the example before wrote to is known.
            let known = path == "/whatsapp/contacts" && reply.text("code") == "conflict";
            assert!(reply.status == 200 || schedule || known, "{operation:?}: {}", reply.json);
            taken += 1;
        }
        assert!(taken >= 10, "{taken}");
    }

    async fn callers_keep_their_request_ids_and_see_their_limit(house: &mut House) {
        let ask = |id: &str| {
            let request = Request::builder().uri("/api/v1/whatsapp/phone-numbers");
            request.header("authorization", format!("bearer {}", house.key)).header("x-request-id", id)
        };
        for (brought, kept) in [("2f1c-a.b_9", true), ("no spaces please", false), ("", false)] {
            let reply = house.raw(ask(brought).body(Body::empty()).unwrap()).await;
            assert_eq!(reply.header("x-request-id") == brought, kept, "{brought}");
            reply.good();
        }
        house.reopen(dialect_late::Options { requests_per_minute: 3, ..house.options.clone() });
        for left in ["2", "1", "0"] {
            let reply = house.get("/whatsapp/phone-numbers").await;
            assert_eq!((reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")), ("3", left));
        }
        let refused = house.get("/whatsapp/phone-numbers").await;
        refused.refused(429, "rate_limit_exceeded", "");
        assert_eq!((refused.text("type"), refused.header("retry-after")), ("rate_limit_error", "20"));
        let reset: i64 = refused.header("x-ratelimit-reset").parse().unwrap();
        assert_eq!(reset, START / 1000 + 60, "seconds since 1970");
        house.with_key(&house.foreign_key, "GET", "/whatsapp/phone-numbers", None).await.good();
    }
}

/// An example with the names that this house has.
fn fitted(house: &House, contact: &str, mut body: Value) -> Value {
    if body.get("accountId").is_some() {
        body["accountId"] = house.account.as_str().into();
    }
    if body.get("contactIds").is_some() {
        body["contactIds"] = json!([contact]);
    }
    if body.get("template").is_some() {
        body["template"] = json!({ "name": "welcome", "language": "en" });
    }
    body
}
