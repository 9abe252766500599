//! Whatever comes: the right error, by name, and nothing stored.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use testkit::on_both;

use crate::house::{CUSTOMER, House, JUDGE};

/// A good body for every operation that takes one.
fn bodies(house: &House, draft: &str, contact: &str) -> Vec<(&'static str, String, Value)> {
    let template = json!({ "name": "welcome", "language": "en", "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "x" }] }] });
    let recipients = json!([{ "phone": CUSTOMER, "variables": { "1": "x" } }]);
    let person = json!({ "phone": "+14155550007", "name": "x", "email": "a@b.example", "company": "c", "tags": ["t"], "groups": ["g"],
                         "customFields": { "f": "v" }, "notes": "n" });
    let account = &house.account;
    let with = |mut body: Value| {
        body["accountId"] = account.as_str().into();
        body
    };
    let path = |path: &str| format!("/whatsapp/{path}");
    vec![
        ("POST", path("bulk"), with(json!({ "recipients": recipients, "template": template }))),
        ("POST", path("contacts"), with(person.clone())),
        ("PUT", path(&format!("contacts/{contact}")), person.clone()),
        (
            "POST",
            path("contacts/import"),
            with(json!({ "contacts": [person], "defaultTags": ["t"], "skipDuplicates": true })),
        ),
        ("POST", path("contacts/bulk"), json!({ "action": "addTags", "contactIds": [contact], "tags": ["t"] })),
        ("DELETE", path("contacts/bulk"), json!({ "contactIds": ["000000000000000000000000"] })),
        ("POST", path("groups"), with(json!({ "oldName": "a", "newName": "b" }))),
        ("DELETE", path("groups"), with(json!({ "groupName": "a" }))),
        (
            "POST",
            path("templates"),
            with(json!({ "name": "n", "language": "en", "category": "UTILITY", "components": [{ "type": "BODY" }] })),
        ),
        ("PATCH", path("templates/welcome"), with(json!({ "components": [{ "type": "BODY" }] }))),
        ("POST", path("business-profile"), with(json!({ "about": "a", "websites": ["https://a.example"] }))),
        (
            "POST",
            path("broadcasts"),
            with(json!({ "name": "n", "description": "d", "template": template, "recipients": recipients })),
        ),
        ("PATCH", path(&format!("broadcasts/{draft}/recipients")), json!({ "recipients": recipients })),
        ("DELETE", path(&format!("broadcasts/{draft}/recipients")), json!({ "phones": [CUSTOMER] })),
        ("POST", path(&format!("broadcasts/{draft}/schedule")), json!({ "scheduledAt": "2020-01-01T00:00:00Z" })),
        ("POST", path("phone-numbers/purchase"), json!({ "profileId": house.organization.hex24() })),
    ]
}

async fn drafted(house: &House) -> (String, String) {
    let contact = house.contact("+14155550001", "Ann", json!({})).await;
    let body = json!({ "accountId": house.account, "name": "n", "template": { "name": "welcome", "language": "en" } });
    let draft = house.post("/whatsapp/broadcasts", body).await.good()["broadcast"]["id"].as_str().unwrap().to_owned();
    (draft, contact)
}

on_both! {
    async fn what_is_missing_is_named(house: &mut House) {
        let (draft, contact) = drafted(house).await;
        let mut named = 0;
        for (method, path, good) in bodies(house, &draft, &contact) {
            let operation = JUDGE.operations().into_iter().find(|it| {
                let path = format!("/v1{path}").replace(&draft, "{broadcastId}").replace("/welcome", "/{templateName}").replace(&contact, "{contactId}");
                it.method == method && it.path == path
            });
            let operation = operation.unwrap_or_else(|| panic!("{method} {path}"));
            JUDGE.request(&operation, &good).unwrap();
            let schema = format!("/paths/{}/{}/requestBody/content/application~1json/schema/required",
                operation.path.replace('/', "~1"), method.to_lowercase());
            for name in JUDGE.document().pointer(&schema).and_then(Value::as_array).into_iter().flatten() {
                let name = name.as_str().unwrap();
                let mut body = good.clone();
                body.as_object_mut().unwrap().remove(name);
                let reply = house.with_key(&house.key, method, &path, Some(body)).await;
                reply.refused(400, "validation_error", name);
                assert_eq!(reply.json["details"]["fields"][name][0], "is required");
                named += 1;
            }
        }
        assert!(named >= 25, "{named}");
        house.work().await;
        assert!(house.cloud.sent.lock().unwrap().is_empty());
    }

    async fn wrong_types_anywhere_never_break_it(house: &mut House) {
        let (draft, contact) = drafted(house).await;
        for (method, path, good) in bodies(house, &draft, &contact) {
            // What sends waits for its sending.
            if path.ends_with("/bulk") && method == "POST" && good.get("recipients").is_some() {
                continue;
            }
            for place in paths(&good) {
                for wrong in [json!(null), json!(7), json!([]), json!({}), json!("\u{7}"), json!("x".repeat(9000)), json!("\u{0}")] {
                    let mut body = good.clone();
                    *body.pointer_mut(&place).unwrap() = wrong;
                    let reply = house.with_key(&house.key, method, &path, Some(body)).await;
                    assert!(reply.status < 500, "{method} {path} {place}: {}", reply.json);
                }
            }
            for (body, content_type, status) in [("{", "application/json", 400), ("[]", "application/json", 400),
                ("{\"a\":\"\\ud800\"}", "application/json", 400), ("{}", "text/plain", 415)] {
                let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
                let request = request.header("authorization", format!("Bearer {}", house.key)).header("content-type", content_type);
                let reply = house.raw(request.body(Body::from(body)).unwrap()).await;
                assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.json);
            }
        }
        let large = Request::builder().method("POST").uri("/v1/whatsapp/contacts").header("authorization", format!("Bearer {}", house.key));
        let large = large.header("content-type", "application/json").body(Body::from("x".repeat(1 << 21))).unwrap();
        house.raw(large).await.refused(413, "payload_too_large", "");
        // Many people may have much to be said of each.
        let recipients = format!("/whatsapp/broadcasts/{draft}/recipients");
        for (method, path) in [("POST", "/whatsapp/bulk"), ("POST", "/whatsapp/contacts/import"), ("PATCH", &recipients)] {
            for (size, status, code) in [(7 << 20, 400, "validation_error"), (8 << 20, 413, "payload_too_large")] {
                let reply = house.with_key(&house.key, method, path, Some(json!({ "x": "x".repeat(size) }))).await;
                assert_eq!((reply.status, reply.text("code")), (status, code), "{method} {path}: {}", reply.json);
            }
        }
    }

    async fn too_much_at_once_is_refused(house: &mut House) {
        let many = |count: usize| -> Vec<Value> { (0..count).map(|n| json!({ "phone": format!("+1415{n:07}"), "name": "x" })).collect() };
        let (draft, _) = drafted(house).await;
        let ids: Vec<_> = (0..501).map(|n| format!("{n:024x}")).collect();
        for (method, path, body, param) in [
            ("POST", "/whatsapp/contacts/import".to_owned(), json!({ "accountId": house.account, "contacts": many(1001) }), "contacts"),
            ("POST", "/whatsapp/contacts/import".to_owned(), json!({ "accountId": house.account, "contacts": [] }), "contacts"),
            ("PATCH", format!("/whatsapp/broadcasts/{draft}/recipients"), json!({ "recipients": many(1001) }), "recipients"),
            ("POST", "/whatsapp/contacts/bulk".to_owned(), json!({ "action": "block", "contactIds": ids }), "contactIds"),
            ("DELETE", "/whatsapp/contacts/bulk".to_owned(), json!({ "contactIds": ids }), "contactIds"),
            ("POST", "/whatsapp/contacts/bulk".to_owned(), json!({ "action": "addTags", "contactIds": [ids[0]] }), "tags"),
            ("POST", "/whatsapp/contacts/bulk".to_owned(), json!({ "action": "addGroups", "contactIds": [ids[0]], "groups": [] }), "groups"),
            ("POST", "/whatsapp/contacts/bulk".to_owned(), json!({ "action": "explode", "contactIds": [ids[0]] }), "action"),
        ] {
            house.with_key(&house.key, method, &path, Some(body)).await.refused(400, "validation_error", param);
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
