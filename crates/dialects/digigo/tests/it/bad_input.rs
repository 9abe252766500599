//! What nobody should send: each operation answers in its own envelope, and nothing is half-done.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use engine::sessions::State;
use serde_json::{Value, json};
use testkit::{Kind, Operation, on_both, tell};

use crate::contract::{REFUSED, answer_everything, bodies, fresh, here, schema};
use crate::house::{ADMIN, House, User};
use crate::judge::JUDGE;

/// Members that may hold anything, and why.
const IGNORED: &[(&str, &str, &str)] = &[
    ("/admin/users", "/s3Config", "files in S3 are not served yet"),
    ("/admin/users", "/rabbitmqConfig", "nor is RabbitMQ"),
    ("/admin/users", "/proxyConfig/proxyURL", "the proxy is off"),
    ("/chat/send/carousel", "/Carousel/0/Buttons/0/Id", "a button that opens a page has none"),
    ("/chat/send/carousel", "/Carousel/1/Buttons/0/Id", "likewise"),
    ("/chat/send/carousel", "/Carousel/2/Buttons/0/Id", "likewise"),
    ("/chat/send/flow", "/Buttons/0/ButtonParams", "its members are the caller's words for WhatsApp"),
    ("/chat/send/flow", "/Buttons/0/Params", "likewise"),
    ("/chat/send/image", "/MimeType", "the type of a file is told from the file"),
    ("/chat/send/sticker", "/MimeType", "likewise"),
    ("/chat/send/video", "/MimeType", "likewise"),
    ("/chat/send/text", "/LinkPreview", "there is no link in the text"),
    ("/chat/send/buttons", "/caption", "another word for the text, which is there"),
    ("/chat/send/buttons", "/text", "likewise"),
    ("/chat/send/buttons", "/duration", "an expiry that cannot be is as good as none there"),
    ("/chat/send/flow", "/Caption", "another word for the text, which is there"),
    ("/chat/send/flow", "/Message", "likewise"),
    ("/chat/send/flow", "/Text", "likewise"),
];

fn with_bodies() -> Vec<Operation> {
    JUDGE.operations().into_iter().filter(|operation| schema(operation).is_some()).collect()
}

async fn send(house: &House, user: &User, operation: &Operation, body: impl Into<Body>) -> crate::house::Reply {
    let request = Request::builder().method(operation.method.as_str()).uri(&operation.path);
    let request = request.header("token", &user.token).header("authorization", ADMIN);
    house.raw(request.body(body.into()).unwrap()).await
}

on_both! {
    async fn what_is_not_json_is_refused_everywhere(house: &mut House) {
        let (user, _line) = house.linked("one").await;
        let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
        for operation in with_bodies() {
            let unreadable = if operation.path == "/user/update" { "Invalid JSON" } else { "could not decode payload" };
            for body in [&b"{"[..], b"nonsense", b"{\"Phone\":\"\xff\"}", b"{\"a\":\"\\u0000\"}", b"{\"a\\u0000\":1}", deep.as_bytes()] {
                let reply = send(house, &user, &operation, body.to_vec()).await;
                assert_eq!(reply.told(), (400, unreadable), "{operation:?} {}", String::from_utf8_lossy(body));
            }
            for body in ["[]", "\"x\"", "7", "true"] {
                assert_eq!(send(house, &user, &operation, body).await.told(), (400, "could not decode payload"), "{operation:?} {body}");
            }
        }
        assert_eq!((house.phone.sent().len(), house.phone.asked().len()), (0, 0));
    }

    async fn strangers_are_told_so_everywhere(house: &mut House) {
        house.create("one").await;
        let long = "x".repeat(600);
        for operation in JUDGE.operations().iter().filter(|operation| operation.path != "/health") {
            let path = operation.path.replace("{id}", "0");
            for token in ["", "nobody's", long.as_str()] {
                for header in ["token", "authorization"] {
                    let request = Request::builder().method(operation.method.as_str()).uri(&path).header(header, token);
                    // Whoever is not known is not read either.
                    let reply = house.raw(request.body(Body::from("{")).unwrap()).await;
                    assert_eq!(reply.status, 401, "{operation:?}");
                    assert!(reply.told().1.starts_with("unauthorized"), "{operation:?}");
                }
            }
        }
    }
}

/// Each member of each body in turn, however deep, is something that it cannot be.
#[test]
fn wrong_types_are_refused_everywhere() {
    tell(Kind::Sqlite, async |house: &mut House| {
        answer_everything(house);
        let (user, _line) = house.linked("one").await;
        let mut taken = BTreeSet::new();
        for operation in with_bodies() {
            let mut good = here(house, whole(&operation));
            if operation.path == "/admin/users" {
                good["proxyConfig"]["enabled"] = json!(false);
            }
            let mut places = Vec::new();
            walk(&good, String::new(), &mut places);
            for place in places {
                let mut body = fresh(good.clone(), &format!("{}-{place}", operation.path));
                *body.pointer_mut(&place).unwrap() = json!([{ "a": { "b": true } }]);
                let reply = send(house, &user, &operation, body.to_string()).await;
                match reply.status {
                    400 => {}
                    200 | 201 => drop(taken.insert((operation.path.clone(), place))),
                    _ => panic!("{operation:?} {place}: {} {}", reply.status, reply.json),
                }
            }
        }
        let ignored = |path: &str, place: &str| {
            let within =
                |known: &str| place == known || place.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'));
            IGNORED.iter().any(|(operation, known, _)| *operation == path && within(known))
        };
        taken.retain(|(path, place)| !ignored(path, place));
        assert!(taken.is_empty(), "{taken:#?}");
    });
}

/// The first body that the contract shows, with every other member that its schema has as one that is not there.
fn whole(operation: &Operation) -> Value {
    let mut body = bodies(operation).swap_remove(0);
    for name in schema(operation).unwrap()["properties"].as_object().unwrap().keys() {
        if body.get(name).is_none() {
            body[name] = Value::Null;
        }
    }
    body
}

fn walk(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.push(format!("{place}/{name}"));
            walk(value, format!("{place}/{name}"), found);
        }),
        Value::Array(values) => values.iter().enumerate().for_each(|(index, value)| {
            found.push(format!("{place}/{index}"));
            walk(value, format!("{place}/{index}"), found);
        }),
        _ => {}
    }
}

#[test]
fn too_much_is_refused() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        let text = json!({ "Phone": "5521971532700", "Body": "x".repeat(1 << 21) }).to_string();
        for path in ["/chat/send/text", "/session/connect", "/user/lid/get", "/chat/delete-chat", "/user/update"] {
            let operation = JUDGE.find("POST", path).unwrap();
            assert_eq!(send(house, &user, &operation, text.clone()).await.told(), (413, "payload too large"), "{path}");
        }
        // Where files may come, the body may be large and the file may not.
        let file = format!("data:application/pdf;base64,{}", "A".repeat(9 << 20));
        let document = json!({ "Phone": "5521971532700", "FileName": "a.pdf", "Document": file }).to_string();
        let reply = send(house, &user, &JUDGE.find("POST", "/chat/send/document").unwrap(), document).await;
        assert_eq!(reply.status, 413, "{}", reply.json);
        let long = json!({ "Phone": "5521971532700", "Body": "é".repeat(4097) }).to_string();
        let reply = send(house, &user, &JUDGE.find("POST", "/chat/send/text").unwrap(), long).await;
        assert_eq!(reply.told(), (400, "Body is longer than 4096 characters"));
        assert_eq!((house.phone.sent().len(), house.blobs.usage()), (0, 0));
    });
}

#[test]
fn each_operation_says_what_it_misses() {
    tell(Kind::Sqlite, async |house: &mut House| {
        let (user, _line) = house.linked("one").await;
        let phone = "5521971532700";
        for (path, body, text) in [
            ("/chat/markread", json!({ "Chat": phone }), "missing Id in Payload"),
            ("/chat/markread", json!({ "Id": ["A"] }), "missing Chat in Payload"),
            ("/chat/markread", json!({ "Id": ["A"], "Chat": "1-2@g.us", "Sender": "x" }), "could not parse Sender"),
            ("/chat/presence", json!({ "Phone": phone }), "missing State in Payload"),
            (
                "/chat/presence",
                json!({ "Phone": phone, "State": "asleep" }),
                "invalid State, must be: composing or paused",
            ),
            ("/chat/pin", json!({ "phone": phone }), "missing pin in payload"),
            ("/chat/pin", json!({ "pin": true }), "missing phone in payload"),
            ("/chat/archive", json!({ "phone": phone }), "missing archive in payload"),
            ("/chat/mute", json!({ "phone": phone }), "missing mute in payload"),
            (
                "/chat/mute",
                json!({ "phone": phone, "mute": true, "mute_duration": "2h" }),
                "invalid mute_duration, must be: 8h, 1w, or always",
            ),
            (
                "/chat/star",
                json!({ "chat_jid": "1-2@g.us", "message_id": "A", "star": true }),
                "missing sender_jid in payload",
            ),
            ("/chat/star", json!({ "chat_jid": phone, "star": true }), "missing message_id in payload"),
            ("/chat/delete-chat", json!({}), "missing phone in payload"),
            ("/user/info", json!({}), "missing phone numbers in payload. Use 'Phone' or 'phone' field"),
            ("/user/info", json!({ "Phone": [] }), "missing phone numbers in payload. Use 'Phone' or 'phone' field"),
            ("/user/info", json!({ "Phone": "x" }), "could not parse phone number"),
            ("/user/check", json!({}), "missing Phone in Payload"),
            ("/user/avatar", json!({ "Preview": true }), "missing Phone in Payload"),
            ("/user/avatar", json!({ "Phone": phone, "CommonGID": "x" }), "could not parse CommonGID"),
            ("/user/contact/info", json!({}), "missing phone in payload"),
            ("/user/contact/info", json!({ "phone": "1-2@g.us" }), "invalid phone number, JID, or LID"),
            ("/user/contact/add", json!({ "full_name": "Ann" }), "phone number cannot be empty"),
            ("/user/contact/add", json!({ "phone": phone }), "full name cannot be empty"),
            ("/user/contact/add", json!({ "phone": "x", "full_name": "Ann" }), "could not parse phone number"),
            ("/user/contact/remove", json!({ "phone": "" }), "phone number cannot be empty"),
            ("/user/pushname", json!({ "push_name": " " }), "push name cannot be empty"),
            ("/user/status", json!({}), "could not decode payload"),
            (
                "/user/presence",
                json!({ "type": "away" }),
                "Invalid presence type. Allowed values: 'available', 'unavailable'",
            ),
            ("/user/business/profile", json!({}), "missing phone number in payload"),
            ("/chat/send/carousel", json!({ "Phone": phone }), "Missing required field: Message or Carousel"),
            ("/chat/send/event", json!({ "Phone": phone, "Name": "x" }), "Missing required field: Name or StartTime"),
            ("/chat/send/text", json!({ "Body": "x" }), "missing Phone in Payload"),
            ("/chat/send/text", json!({ "Phone": "x", "Body": "x" }), "could not parse phone number"),
        ] {
            assert_eq!(house.post(&user, path, body.clone()).await.told(), (400, text), "{path} {body}");
        }
        assert_eq!((house.phone.sent().len(), house.phone.asked().len()), (0, 0));
    });
}

/// What needs no connection.
const LOCAL: &[&str] = &[
    "/health",
    "/admin/",
    "/webhook",
    "/session/connect",
    "/session/status",
    "/session/proxy",
    "/session/echo/",
    "/session/skip",
    "/session/globaltransports/",
    "/session/presence/",
    "/chat/list",
    "/user/contacts",
    "/user/update",
];

on_both! {
    /// Never connected, waiting for its owner, disconnected by him: each in the operation's own envelope.
    async fn without_a_connection_each_operation_says_so(house: &mut House) {
        answer_everything(house);
        let user = house.create("one").await;
        let mut asks = Vec::new();
        for operation in JUDGE.operations() {
            let remote = !LOCAL.iter().any(|path| operation.path.starts_with(path));
            // What the contract shows and we do not take is told before anything is asked.
            if remote && !REFUSED.iter().any(|(name, _)| *name == format!("{} {}", operation.method, operation.path)) {
                let query = match operation.path.as_str() {
                    "/user/lid/get" => "?phone=5521971532700",
                    "/user/lid/from-lid" => "?lid=77@lid",
                    _ => "",
                };
                let body = bodies(&operation).into_iter().next().map(|body| here(house, body)).unwrap_or_default();
                asks.push((operation.method, format!("{}{query}", operation.path), body));
            }
        }
        assert_eq!(asks.len(), 52);
        let tell = async |asks: &[(String, String, Value)], expected: &str| {
            for (method, path, body) in asks {
                let reply = house.by(&user.token, method, path, body.clone()).await;
                let (status, text) = reply.told();
                let local = expected == "not connected" && matches!(path.as_str(), "/session/qr" | "/session/pairphone" | "/session/refresh");
                assert!(local || (status == 500 && text.ends_with(expected)), "{method} {path}: {}", reply.json);
            }
        };
        tell(&asks, "no session").await;
        house.connect(&user).await;
        house.stands(&user, State::AwaitingLink).await;
        asks.retain(|(_, path, _)| path != "/session/disconnect");
        tell(&asks, "not connected").await;
        house.post(&user, "/session/disconnect", Value::Null).await;
        tell(&asks, "no session").await;
        assert_eq!((house.phone.sent().len(), house.blobs.usage()), (0, 0));
    }
}
