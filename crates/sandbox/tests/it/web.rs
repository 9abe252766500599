//! Phones that write to each other, in a build with WhatsApp Web. No device is linked here: that is tried where a client is at hand.

use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::ground::{Ground, options};

const ANN: &str = "+15550188001";
const BOB: &str = "+15550188002";
const EVE: &str = "+15550188003";

impl Ground {
    async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.control(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn says(&self, phone: &str, to: &str, mut body: Value) -> String {
        body["to"] = json!(to);
        let said = self.does("POST", &format!("/phones/{phone}/messages"), body).await;
        said["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the phone shows a message of which `wanted` holds.
    async fn sees(&self, phone: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            loop {
                if let Some(found) = self.list(phone).await.into_iter().find(&wanted) {
                    return found;
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(90), looking).await {
            Ok(found) => found,
            Err(_) => panic!("{phone} shows {:#?}", self.list(phone).await),
        }
    }

    async fn list(&self, phone: &str) -> Vec<Value> {
        let shown = self.does("GET", &format!("/phones/{phone}/messages"), Value::Null).await;
        shown["data"].as_array().unwrap().clone()
    }
}

fn is(id: &str) -> impl Fn(&Value) -> bool {
    move |message| message["id"] == id
}

#[tokio::test]
async fn two_phones_talk_with_ticks_files_reactions_and_second_thoughts() {
    let ground = Ground::new().await;
    let hello = ground.says(ANN, BOB, json!({"type": "text", "text": {"body": "hello"}})).await;
    let came = ground.sees(BOB, is(&hello)).await;
    assert_eq!((&came["direction"], &came["from"], &came["to"]), (&json!("in"), &json!(ANN), &json!(BOB)));
    assert_eq!((&came["type"], &came["text"]["body"]), (&json!("text"), &json!("hello")));
    ground.sees(ANN, |it| it["id"] == hello && it["status"] == "delivered" && it["direction"] == "out").await;
    let read = ground.does("POST", &format!("/phones/{BOB}/read"), json!({})).await;
    assert_eq!(read["read"], 1);
    ground.sees(ANN, |it| it["id"] == hello && it["status"] == "read").await;
    assert_eq!(ground.does("POST", &format!("/phones/{BOB}/read"), json!({})).await["read"], 0);

    let bytes = b"a picture, or so".repeat(1000);
    let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let image = json!({"type": "image", "image": {"data": data, "mime_type": "image/png", "caption": "see"},
                       "context": {"message_id": hello}});
    let image = ground.says(BOB, ANN, image).await;
    let came = ground.sees(ANN, is(&image)).await;
    assert_eq!((&came["image"]["caption"], &came["mime_type"]), (&json!("see"), &json!("image/png")));
    assert_eq!(came["context"]["message_id"], hello);
    let fetched = ground.http.get(came["link"].as_str().unwrap()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(fetched, bytes);
    let own = ground.sees(BOB, is(&image)).await;
    assert_eq!(own["sha256"], came["sha256"]);
    assert_eq!(own["image"]["data"], Value::Null, "the list does not carry whole files");

    let reaction = json!({"type": "reaction", "reaction": {"message_id": image, "emoji": "🎉"}});
    ground.says(ANN, BOB, reaction).await;
    let with_it = |it: &Value| it["id"] == image && it["reactions"] == json!([{"from": ANN, "emoji": "🎉"}]);
    ground.sees(BOB, with_it).await;
    ground.sees(ANN, with_it).await;

    ground.does("PATCH", &format!("/phones/{ANN}/messages/{hello}"), json!({"text": "hello!"})).await;
    ground.sees(BOB, |it| it["id"] == hello && it["edited"] == true && it["text"]["body"] == "hello!").await;
    ground.does("PATCH", &format!("/phones/{BOB}/messages/{image}"), json!({"text": "look"})).await;
    ground.sees(ANN, |it| it["id"] == image && it["image"]["caption"] == "look" && it["link"].is_string()).await;
    let (status, _) = ground.control("PATCH", &format!("/phones/{BOB}/messages/{hello}"), json!({"text": "x"})).await;
    assert_eq!(status, 404, "a message of somebody else is not one's own to change");
    ground.does("DELETE", &format!("/phones/{ANN}/messages/{hello}"), Value::Null).await;
    let gone = ground.sees(BOB, |it| it["id"] == hello && it["deleted"] == true).await;
    assert_eq!(gone["text"], Value::Null);

    let stats = ground.does("GET", "/stats", Value::Null).await;
    assert!(stats["web"]["messages"].as_u64().unwrap() >= 5, "{stats}");
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_group_votes_and_a_phone_that_was_off_catches_up() {
    let ground = Ground::new().await;
    let group = json!({"name": "Lunch", "owner": ANN, "members": [BOB, EVE]});
    let group = ground.does("POST", "/groups", group).await["id"].as_str().unwrap().to_owned();
    ground.does("PATCH", &format!("/phones/{EVE}"), json!({"online": false})).await;
    let poll = json!({"type": "poll", "poll": {"name": "Where?", "options": ["here", "there"]}});
    let poll = ground.says(ANN, &group, poll).await;
    let came = ground.sees(BOB, is(&poll)).await;
    assert_eq!((&came["from"], &came["to"]), (&json!(ANN), &json!(group)));
    assert_eq!(came["poll"]["options"], json!(["here", "there"]));

    let vote = json!({"type": "poll_vote", "poll_id": poll, "options": ["there"]});
    ground.says(BOB, &group, vote).await;
    let voted = ground.sees(ANN, |it| it["type"] == "poll_vote").await;
    assert_eq!(voted["poll_vote"], json!({"poll_id": poll, "options": ["there"]}));

    assert!(ground.list(EVE).await.is_empty());
    ground.does("PATCH", &format!("/phones/{EVE}"), json!({"online": true})).await;
    ground.sees(EVE, is(&poll)).await;
    let (status, _) = ground
        .control("POST", "/phones/+15550188009/messages", json!({"to": group, "text": {"body": "let me in"}}))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn typing_calls_and_what_cannot_be() {
    let ground = Ground::new().await;
    ground.does("POST", &format!("/phones/{ANN}/typing"), json!({"to": BOB, "state": "recording"})).await;
    let wanted = json!([{"from": ANN, "state": "recording"}]);
    let looking =
        async { while ground.does("GET", &format!("/phones/{BOB}"), Value::Null).await["typing"] != wanted {} };
    tokio::time::timeout(Duration::from_secs(90), looking).await.unwrap();
    let call = ground.does("POST", &format!("/phones/{ANN}/calls"), json!({"to": BOB, "video": true})).await;
    let calls = ground.does("GET", &format!("/phones/{ANN}/calls"), Value::Null).await;
    assert_eq!(calls["data"], json!([{"id": call["id"], "to": BOB, "video": true, "status": "ringing"}]));

    for (path, body, wanted) in [
        ("/link", json!({"qr": "nonsense"}), 400),
        ("/link", json!({"code": "ABCD-1234"}), 404),
        ("/link", json!({}), 400),
        ("/passkey", json!({"challenge": "YWJj"}), 400),
        ("/messages", json!({"to": BOB, "type": "telepathy"}), 400),
        ("/messages", json!({"to": "x"}), 400),
        ("/messages", json!({"to": BOB, "type": "reaction", "reaction": {"message_id": "3A"}}), 400),
    ] {
        let (status, answer) = ground.control("POST", &format!("/phones/{ANN}{path}"), body).await;
        assert_eq!(status, wanted, "{path}: {answer}");
    }
    ground.does("PATCH", &format!("/phones/{ANN}"), json!({"passkey": true})).await;
    let assertion = ground.does("POST", &format!("/phones/{ANN}/passkey"), json!({"challenge": "YWJj"})).await;
    assert_eq!(assertion["type"], "public-key");

    for (fault, wanted) in [
        (json!({"target": "web", "kind": "status", "status": 503}), 200),
        (json!({"target": "web", "kind": "conflict", "phone": ANN}), 200),
        (json!({"target": "web", "kind": "code"}), 400),
        (json!({"target": "web", "kind": "timeout"}), 200),
        (json!({"target": "web", "kind": "code", "code": 479, "path": "/messages"}), 200),
        (json!({"target": "web", "kind": "status", "status": 410, "path": "/media"}), 200),
        (json!({"target": "web", "kind": "status", "status": 200, "path": "/media"}), 400),
        (json!({"target": "web", "kind": "code", "code": 515, "path": "/media"}), 400),
        (json!({"target": "web", "kind": "drop", "path": "/messages"}), 400),
        (json!({"target": "web", "kind": "delay"}), 400),
        (json!({"target": "web", "kind": "conflict", "phone": "nobody"}), 400),
        (json!({"target": "meta", "kind": "conflict"}), 400),
    ] {
        let (status, answer) = ground.control("POST", "/faults", fault.clone()).await;
        assert_eq!(status, wanted, "{fault}: {answer}");
    }
}

#[tokio::test]
async fn a_restart_keeps_what_phones_show() {
    let dir = tempfile::tempdir().unwrap();
    let ground = Ground::with(options(Some(dir.path().to_owned()))).await;
    let told = ground.introduce("first").await;
    assert!(told["web"]["server_url"].as_str().unwrap().starts_with("wss://127.0.0.1:"), "{told}");
    let hello = ground.says(ANN, BOB, json!({"text": {"body": "hello"}})).await;
    ground.sees(ANN, |it| it["id"] == hello && it["status"] == "delivered").await;
    let before = (ground.list(ANN).await, ground.list(BOB).await);
    ground.handle.stop().await;

    let ground = Ground::with(options(Some(dir.path().to_owned()))).await;
    assert_eq!((ground.list(ANN).await, ground.list(BOB).await), before);
    let again = ground.says(BOB, ANN, json!({"text": {"body": "still there?"}})).await;
    ground.sees(ANN, is(&again)).await;
}
