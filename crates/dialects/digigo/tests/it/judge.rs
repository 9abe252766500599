//! Holds every answer to the published contract: its schema, its example, and the envelope of its errors.
//!
//! Where the contract contradicts itself, what decides stands in [`EXCEPTIONS`] with its reason.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use testkit::{ContractCheck, Operation};

use crate::house::Reply;

static CONTRACT: &[u8] = include_bytes!("../../../../../contracts/digigo.json");
pub static JUDGE: LazyLock<ContractCheck> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_slice(CONTRACT).unwrap();
    modernise(&mut document);
    ContractCheck::read(&serde_json::to_vec(&document).unwrap())
});

/// Where an answer differs from its example or its schema, and why that is right. The operation, or `*` for all; the
/// place, with `*` for any one member.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("*", "/data/*/s3_config/*", "what is off says only that it is off; files in S3 are not served yet"),
    ("*", "/data/*/rabbitmq_config/*", "likewise"),
    ("POST /admin/users", "/data/s3Config/*", "likewise"),
    ("POST /admin/users", "/data/rabbitmqConfig/*", "likewise"),
    ("*", "/data/*/whatsapp_config/*", "only what was set is shown"),
    ("POST /admin/users", "/success", "the example lacks what all other answers of its envelope have (decided)"),
    ("GET /user/contacts", "/success", "likewise"),
    ("GET /session/status", "/data/state", "ours: how the connection stands, in one word"),
    ("GET /session/status", "/data/stateReason", "ours: why"),
    ("GET /session/status", "/data/nextStep", "ours: what happens next"),
    ("GET /admin/instances/status", "/data/*/qrcode", "only while there is something to scan"),
    ("GET /admin/instances/status", "/data/*/qrcode_text", "likewise"),
    ("GET /admin/instances/status", "/pagination/total", "only when asked for; the schema has it"),
    ("GET /admin/instances/status", "/pagination/next_offset", "null on the last page, as in the schema"),
    ("GET /admin/license/info", "/grace_period_end", "there is no grace period"),
    ("GET /admin/license/info", "/support_email", "there is nobody to write to"),
    ("GET /health", "/environment/hostname", "who runs it need not be told to everybody"),
    ("GET /health", "/environment/app_env", "likewise"),
    ("GET /health", "/environment/app_region", "likewise"),
    ("GET /health", "/services/database/*", "figures of a pool that one of our databases does not have"),
    ("POST /session/refresh", "/success", "500: beside what the example has, as with all errors of its envelope"),
    ("POST /session/refresh", "/*", "500 before anything was done: nothing to tell of the connection"),
    ("POST /session/refresh", "/sync/app_state/*/error", "only of what failed; the schema has it"),
    ("POST /session/refresh", "/sync/prekeys/*", "nothing was checked when that was not asked for"),
    ("POST /user/info", "/data/users/*/verified_name", "only of those who have one"),
    ("POST /user/info", "/data/users/*/business_name", "likewise"),
    ("POST /user/info", "/data/users/*/lid", "likewise"),
    ("POST /user/info", "/data/users/*/first_device", "only of those whose devices are told"),
    ("POST /user/business/profile", "/data/profile_options/*", "whatever WhatsApp tells"),
    ("POST /user/contact/info", "/data/user_info/verified_name", "a text or null, as in the schema"),
    ("POST /user/contact/info", "/data/*", "null of people who are not on WhatsApp, as in the schema"),
];

/// Operations whose errors are `{"error"}`.
const BARE: &[&str] = &[
    "/session/echo/api",
    "/user/pushname",
    "/user/contact/info",
    "/user/contact/add",
    "/user/contact/remove",
    "/user/status",
    "/user/business/profile",
    "/user/privacy/settings",
    "/user/lid/get",
    "/user/lid/from-lid",
    "/user/lid/mappings",
];
/// Operations that tell errors in `data`.
const IN_DATA: &[&str] = &["/user/photo", "/user/photo/remove", "/chat/delete-chat"];
/// Operations that tell strangers `{"error"}`.
const BARE_TO_STRANGERS: &[&str] =
    &["/admin/users", "/admin/users/{id}", "/admin/users/{id}/full", "/admin/instances/status", "/user/update"];
/// Ours: see `contracts/extras.toml`.
pub const OURS: &[(&str, &str)] =
    &[("GET", "/session/passkey"), ("POST", "/session/passkey/response"), ("POST", "/session/passkey/confirm")];

#[track_caller]
pub fn hold(method: &str, path: &str, reply: &Reply) {
    assert!(reply.headers.contains_key("x-request-id"), "{method} {path}");
    let place = format!("{method} {path} {}: {:#}", reply.status, reply.json);
    let operation = JUDGE.find(method, path);
    if reply.status >= 400 {
        let expected = envelope(operation.as_ref(), reply.status);
        assert_eq!(members(&reply.json), members_of(expected), "{place}");
    }
    let Some(operation) = operation else {
        let ours = OURS.contains(&(method, path)) || matches!(reply.status, 404 | 405);
        assert!(ours, "{place}: in no contract");
        return;
    };
    let complaints = complaints(&operation, reply);
    assert!(complaints.is_empty(), "{place}\n{}", complaints.join("\n"));
}

fn complaints(operation: &Operation, reply: &Reply) -> Vec<String> {
    let name = format!("{} {}", operation.method, operation.path);
    let pointer =
        format!("/paths/{}/{}/responses/{}", escaped(&operation.path), operation.method.to_lowercase(), reply.status);
    let Some(described) = JUDGE.document().pointer(&pointer) else {
        // Only what goes well is described everywhere.
        return (reply.status < 400).then(|| format!("{} is not described", reply.status)).into_iter().collect();
    };
    let mut complaints = Vec::new();
    if let Err(why) = JUDGE.answer(operation, reply.status, Some(&reply.json)) {
        complaints
            .extend(why.lines().next().into_iter().filter(|why| !excused(&name, &place_of(why))).map(str::to_owned));
    }
    let examples = examples(&described["content"]["application/json"]);
    // An answer is like one of several examples.
    let all = examples.iter().map(|example| unlike(&name, example, &reply.json));
    complaints.extend(all.min_by_key(Vec::len).unwrap_or_default());
    complaints
}

/// The examples of a body, wherever the contract has put them.
pub fn examples(content: &Value) -> Vec<Value> {
    let named = content["examples"].as_object().into_iter().flatten().map(|(_, example)| example["value"].clone());
    let alone = [&content["example"], &content["schema"]["example"]].into_iter().filter(|example| !example.is_null());
    named.chain(alone.cloned()).collect()
}

/// Where a value has other members or types than an example.
fn unlike(operation: &str, example: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", example, value, &mut found);
    found.retain(|(place, _)| !excused(operation, place));
    found.into_iter().map(|(place, what)| format!("{place}: {what}")).collect()
}

fn compare(place: &str, example: &Value, value: &Value, found: &mut Vec<(String, String)>) {
    match (example, value) {
        (Value::Object(example), Value::Object(value)) => compare_objects(place, example, value, found),
        (Value::Array(example), Value::Array(value)) => {
            for (index, value) in value.iter().enumerate() {
                if let Some(example) = example.first() {
                    compare(&format!("{place}/{index}"), example, value, found);
                }
            }
        }
        (Value::String(_), Value::String(_)) | (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Null) => {}
        (Value::Number(example), Value::Number(value)) if example.is_f64() || !value.is_f64() => {}
        _ => found.push((place.to_owned(), format!("{value} where the example has {example}"))),
    }
}

fn compare_objects(
    place: &str,
    example: &Map<String, Value>,
    value: &Map<String, Value>,
    found: &mut Vec<(String, String)>,
) {
    // Members that are named after people.
    if let Some((_, example)) = example.iter().find(|(name, _)| name.contains('@')) {
        for (name, value) in value {
            compare(&format!("{place}/{name}"), example, value, found);
        }
        return;
    }
    for (name, example) in example {
        let place = format!("{place}/{name}");
        match value.get(name) {
            Some(value) => compare(&place, example, value, found),
            None => found.push((place, "only the example has it".into())),
        }
    }
    for (name, _) in value.iter().filter(|(name, _)| !example.contains_key(*name)) {
        found.push((format!("{place}/{name}"), "the example lacks it".into()));
    }
}

fn excused(operation: &str, place: &str) -> bool {
    let covers = |pattern: &str| {
        let (mut pattern, mut place) = (pattern.split('/'), place.split('/'));
        loop {
            match (pattern.next(), place.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(wanted), Some(given)) if wanted == given => {}
                _ => return false,
            }
        }
    };
    let within = |pattern: &str| covers(pattern) || covers(&pattern.replacen("/data/*/", "/data/", 1));
    EXCEPTIONS.iter().any(|(known, pattern, _)| (*known == "*" || *known == operation) && within(pattern))
}

/// The place that a schema's complaint names: `METHOD path status: /place: why`.
fn place_of(complaint: &str) -> String {
    complaint.split(": ").nth(1).unwrap_or_default().to_owned()
}

#[derive(Clone, Copy)]
enum Envelope {
    Whole,
    Bare,
    InData,
}

fn envelope(operation: Option<&Operation>, status: u16) -> Envelope {
    let path = operation.map(|operation| operation.path.as_str()).unwrap_or_default();
    match status {
        405 => Envelope::Whole,
        401 if BARE_TO_STRANGERS.contains(&path) => Envelope::Bare,
        401 if IN_DATA.contains(&path) => Envelope::Whole,
        _ if BARE.contains(&path) => Envelope::Bare,
        _ if IN_DATA.contains(&path) => Envelope::InData,
        _ => Envelope::Whole,
    }
}

fn members_of(envelope: Envelope) -> Vec<&'static str> {
    match envelope {
        Envelope::Whole => vec!["code", "error", "success"],
        Envelope::Bare => vec!["error"],
        Envelope::InData => vec!["code", "data", "success"],
    }
}

/// The members of an error, without those that single operations have beside.
fn members(error: &Value) -> Vec<&str> {
    let beside = ["refreshSuccess", "wasConnected", "wasLoggedIn", "newConnected", "newLoggedIn", "details"];
    let names = error.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = names.filter(|name| !beside.contains(name)).collect();
    names.sort_unstable();
    names
}

fn escaped(path: &str) -> String {
    path.replace('~', "~0").replace('/', "~1")
}

/// OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own.
fn modernise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("nullable") == Some(&json!(true))
                && let Some(kind) = members.get("type").filter(|kind| kind.is_string()).cloned()
            {
                members.insert("type".into(), json!([kind, "null"]));
            }
            members.values_mut().for_each(modernise);
        }
        Value::Array(values) => values.iter_mut().for_each(modernise),
        _ => {}
    }
}
