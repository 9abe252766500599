//! Every operation of the contract is served, nothing else is, and every body that it shows is taken.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use testkit::{Kind, Operation, tell};

use crate::house::{ADMIN, House, PHONE, User};
use crate::judge::{JUDGE, OURS, examples};

/// Where the contract's own example is not taken, and why.
pub const REFUSED: &[(&str, &str)] = &[
    ("POST /admin/users", "its proxy is spoken to over TLS, which its own description does not offer"),
    ("POST /user/lid/from-lid", "its LID is none (decided: digits, maybe a device)"),
    ("POST /chat/send/document", "its file is cut short in the middle of base64"),
    ("POST /user/photo", "its picture is cut short in the middle of base64"),
];

#[test]
fn every_operation_is_served_and_nothing_else() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let operations = JUDGE.operations();
        assert_eq!(operations.len(), 91);
        let extras = include_str!("../../../../../contracts/extras.toml");
        for (method, path) in OURS {
            let line = format!("method = \"{method}\"\npath = \"{path}\"");
            assert!(extras.contains(&line), "{method} {path}");
        }
        let ours = OURS.iter().map(|(method, path)| Operation { method: (*method).into(), path: (*path).into() });
        let all: Vec<Operation> = operations.into_iter().chain(ours).collect();
        let known: BTreeSet<&str> = all.iter().map(|operation| operation.path.as_str()).collect();
        let routed = routes();
        assert_eq!(routed.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
        for path in known {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let served = all.iter().any(|operation| operation.method == method && operation.path == path);
                let reply = house.by("", method, &path.replace("{id}", "0"), Value::Null).await;
                let expected = match (served, path) {
                    (true, "/health") => 200,
                    (true, _) => 401,
                    (false, _) => 405,
                };
                assert_eq!(reply.status, expected, "{method} {path}");
            }
        }
        for path in ["/", "/session", "/webhooks/digigo", "/admin/user", "/chat/send", "/session/s3/config"] {
            assert_eq!(house.by(ADMIN, "GET", path, Value::Null).await.told(), (404, "not found"), "{path}");
        }
    });
}

/// The paths that the sources route.
fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with("tests.rs") {
                continue;
            }
            let source = std::fs::read_to_string(path).unwrap();
            let routed = source.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            found.extend(routed.filter_map(|rest| rest.split_once('"')).map(|(path, _)| path.to_owned()));
        }
    }
    found
}

#[test]
fn every_body_that_the_contract_shows_is_taken() {
    tell(Kind::Sqlite, async |house: &mut House| {
        answer_everything(house);
        let (user, _line) = house.linked("one").await;
        let mut refused = BTreeSet::new();
        for operation in JUDGE.operations() {
            let name = format!("{} {}", operation.method, operation.path);
            for (number, body) in bodies(&operation).into_iter().enumerate() {
                let body = here(house, body);
                let shown = body.clone();
                let reply = match operation.path.starts_with("/admin") {
                    true => house.admin(&operation.method, &operation.path, body.clone()).await,
                    // Each body its own account: some change it.
                    false => {
                        let own = json!({ "name": "x", "token": format!("own-{}-{number}", operation.path.replace('/', "-")) });
                        let token = own["token"].as_str().unwrap().to_owned();
                        let user = match operation.path.as_str() {
                            "/user/update" | "/session/connect" | "/session/pairphone" => {
                                let made = house.admin("POST", "/admin/users", own).await;
                                let id = engine::Id::parse_hex32(made.data()["id"].as_str().unwrap()).unwrap();
                                let user = User { id, token };
                                if operation.path == "/session/pairphone" {
                                    house.connect(&user).await;
                                }
                                user
                            }
                            _ => user.clone(),
                        };
                        let body = fresh(body, &format!("{}-{number}", operation.path));
                        if operation.path == "/session/connect" {
                            house.clock.advance(std::time::Duration::from_secs(1));
                        }
                        house.by(&user.token, &operation.method, &operation.path, body).await
                    }
                };
                // The file that is said to be there is not: asking for it is all that counts.
                let asked =
                    operation.path.starts_with("/chat/download") && reply.told().1.starts_with("failed to download");
                if reply.status >= 300 && !asked {
                    assert_eq!(reply.status, 400, "{name}: {}\n{shown:#}", reply.json);
                    refused.insert(name.clone());
                }
            }
        }
        let expected: BTreeSet<String> = REFUSED.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(refused, expected);
    });
}

/// What the contract shows of an operation's body: whole examples, or one put together from those of its members.
pub fn bodies(operation: &Operation) -> Vec<Value> {
    let pointer = format!(
        "/paths/{}/{}/requestBody/content/application~1json",
        operation.path.replace('/', "~1"),
        operation.method.to_lowercase()
    );
    let Some(content) = JUDGE.document().pointer(&pointer) else { return Vec::new() };
    let schema = resolved(&content["schema"]);
    let mut shown = examples(content);
    shown.extend(schema.get("example").cloned());
    if shown.is_empty() {
        shown.push(put_together(schema));
    }
    shown
}

/// The schema of an operation's body.
pub fn schema(operation: &Operation) -> Option<&'static Value> {
    let pointer = format!(
        "/paths/{}/{}/requestBody/content/application~1json/schema",
        operation.path.replace('/', "~1"),
        operation.method.to_lowercase()
    );
    JUDGE.document().pointer(&pointer).map(resolved)
}

fn resolved(schema: &'static Value) -> &'static Value {
    let all = schema["allOf"].get(0).unwrap_or(schema);
    match all["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        Some(pointer) => JUDGE.document().pointer(pointer).unwrap(),
        None => all,
    }
}

fn put_together(schema: &'static Value) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(one) = schema["oneOf"].get(0) {
        return put_together(one);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let members = schema["properties"].as_object().into_iter().flatten();
            Value::Object(
                members.map(|(name, member)| (name.clone(), put_together(resolved(member)))).collect::<Map<_, _>>(),
            )
        }
        Some("array") => json!([put_together(resolved(&schema["items"]))]),
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(4),
        _ => json!("aGFuZA=="),
    }
}

/// With files that lie on this machine, and without what excludes each other.
pub fn here(house: &House, body: Value) -> Value {
    match body {
        Value::Object(mut members) => {
            if members.contains_key("ViewOnce") {
                members.remove("Duration");
            }
            let fetched = ["url", "Url", "MediaUrl"];
            let button = members.contains_key("Label") || members.contains_key("buttonId");
            for (name, value) in &mut members {
                let address = value.as_str().filter(|text| text.starts_with("http")).map(str::to_owned);
                *value = match (address, name.as_str()) {
                    (Some(_), "Link") => json!(house.origin.url("/page")),
                    (Some(_), "Image") => json!(house.origin.url("/photo.jpg")),
                    (Some(address), name) if fetched.contains(&name) && !button => {
                        json!(house.origin.url(like(&address)))
                    }
                    (_, "proxy_url") => json!("http://proxy.example:3128"),
                    _ => here(house, value.take()),
                };
            }
            Value::Object(members)
        }
        Value::Array(values) => values.into_iter().map(|value| here(house, value)).collect(),
        other => other,
    }
}

fn like(address: &str) -> &'static str {
    match address.rsplit('.').next() {
        Some("mp4") => "/clip.mp4",
        Some("pdf") => "/file.pdf",
        _ => "/picture.png",
    }
}

/// Under an id of its own, for an id is used once.
pub fn fresh(mut body: Value, end: &str) -> Value {
    for name in ["Id", "id", "token"] {
        if let Some(Value::String(id)) = body.get_mut(name) {
            *id = format!("{id}-{end}");
        }
    }
    body
}

/// A session that has an answer to everything.
pub fn answer_everything(house: &House) {
    let jid = format!("{PHONE}@s.whatsapp.net");
    let pair = json!({ "phone": jid, "hidden": "77@lid", "known_since": 1_640_995_200_000_i64 });
    for (name, answer) in [
        ("pairing_code", json!({ "code": "9H3J-H3J8" })),
        (
            "refresh",
            json!({ "was_connected": true, "was_logged_in": true, "connected": true, "logged_in": true, "app_state": [],
            "prekeys": { "on_server": 47, "uploaded": false, "error": null }, "privacy_fetched": true, "milliseconds": 4 }),
        ),
        ("check_numbers", json!([{ "query": PHONE, "address": jid, "exists": true, "verified_name": null }])),
        ("people", json!([{ "address": jid, "about": "Hi", "devices": [jid] }])),
        (
            "picture",
            json!({ "id": "17", "url": "https://pps.whatsapp.net/a.jpg", "kind": "preview", "direct_path": "/a.jpg" }),
        ),
        ("set_picture", json!({ "id": "17" })),
        ("about", json!("Hi")),
        ("business", json!({ "address": jid })),
        ("privacy", json!({})),
        ("both_addresses", pair.clone()),
        ("known_pairs", json!({ "total": 1, "pairs": [pair] })),
        ("download", json!({ "blob": "nowhere", "size": 4 })),
    ] {
        house.phone.says(name, answer);
    }
}
