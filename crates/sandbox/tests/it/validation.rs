use serde_json::{Value, json};

use crate::ground::{Ground, code};

fn interactive(kind: &str, action: Value) -> Value {
    json!({"type": "interactive", "interactive": {"type": kind, "body": {"text": "b"}, "action": action}})
}

fn buttons(list: Value) -> Value {
    interactive("button", json!({"buttons": list}))
}

fn reply(id: &str, title: &str) -> Value {
    json!({"type": "reply", "reply": {"id": id, "title": title}})
}

fn rows(count: usize) -> Value {
    (0..count).map(|n| json!({"id": n.to_string(), "title": format!("row {n}")})).collect()
}

fn list(sections: Value) -> Value {
    interactive("list", json!({"button": "open", "sections": sections}))
}

/// (body, code or 0, what the details must name)
fn table() -> Vec<(Value, i64, &'static str)> {
    let long = |length: usize| "x".repeat(length);
    vec![
        (json!({"text": {"body": "no type is text"}}), 0, ""),
        (json!({"type": "TEXT", "text": {"body": long(4096)}}), 0, ""),
        (json!({"type": "text", "text": {"body": long(4097)}}), 100, "text['body']"),
        (json!({"type": "text", "text": {}}), 131008, "text['body']"),
        (json!({"type": "text", "text": {"body": ""}}), 131009, "text['body']"),
        (json!({"type": "text", "text": {"body": 5}}), 131009, "text['body']"),
        (json!({"type": "text"}), 131008, "text"),
        (json!({"type": "text", "text": "plain"}), 131009, "text"),
        (json!({"type": "text", "text": {"body": "no link", "preview_url": true}}), 131009, "text['body']"),
        (json!({"type": "fax", "fax": {}}), 100, "type"),
        (json!({"type": "text", "text": {"body": "x"}, "recipient_type": "group"}), 100, "recipient_type"),
        (json!({"type": "text", "text": {"body": "x"}, "to": "not a number"}), 131009, "to"),
        (json!({"type": "text", "text": {"body": "x"}, "to": "+1 (555) 010-0001"}), 131021, ""),
        (json!({"type": "text", "text": {"body": "x"}, "context": {}}), 131008, "context['message_id']"),
        (json!({"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": long(513)}), 131009, "biz_opaque"),
        (json!({"type": "image", "image": {}}), 131008, "image['id']"),
        (json!({"type": "image", "image": {"id": "1", "link": "https://a.example/b"}}), 131009, "image"),
        (json!({"type": "image", "image": {"id": "123"}}), 131009, "123"),
        (json!({"type": "image", "image": {"link": "ftp://a.example/b"}}), 131009, "image['link']"),
        (json!({"type": "audio", "audio": {"id": "1", "caption": "no"}}), 131009, "audio['caption']"),
        (json!({"type": "document", "document": {"id": "1", "caption": long(1025)}}), 131009, "document['caption']"),
        (json!({"type": "location", "location": {"latitude": "52.5", "longitude": 13.4}}), 0, ""),
        (json!({"type": "location", "location": {"latitude": 91, "longitude": 13.4}}), 131009, "location['latitude']"),
        (json!({"type": "location", "location": {"latitude": 1}}), 131008, "location['longitude']"),
        (json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "A B", "first_name": "A"}}]}), 0, ""),
        (json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "A B"}}]}), 131008, "contacts[0]['name']"),
        (json!({"type": "contacts", "contacts": []}), 131009, "contacts"),
        (
            json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "A", "first_name": "A"}, "birthday": "1.2.99"}]}),
            131009,
            "birthday",
        ),
        (json!({"type": "reaction", "reaction": {"message_id": "wamid.x"}}), 131008, "reaction['emoji']"),
        (buttons(json!([reply("a", "A"), reply("b", "B"), reply("c", "C")])), 0, ""),
        (buttons(json!([])), 131009, "buttons"),
        (buttons(json!([reply("a", "A"), reply("b", "B"), reply("c", "C"), reply("d", "D")])), 131009, "buttons"),
        (buttons(json!([reply("a", "A"), reply("a", "B")])), 131009, "buttons"),
        (buttons(json!([reply("a", "A"), reply("b", "A")])), 131009, "buttons"),
        (buttons(json!([reply("a", &long(21))])), 131009, "buttons'][0]['reply']['title"),
        (buttons(json!([reply(&long(257), "A")])), 131009, "['id']"),
        (
            json!({"type": "interactive", "interactive": {"type": "button", "action": {"buttons": [reply("a", "A")]}}}),
            131008,
            "interactive['body']",
        ),
        (json!({"type": "interactive", "interactive": {"type": "magic"}}), 131009, "interactive['type']"),
        (list(json!([{"rows": rows(10)}])), 0, ""),
        (list(json!([{"rows": rows(11)}])), 131009, "rows"),
        (list(json!([{"title": "a", "rows": rows(6)}, {"title": "b", "rows": rows(5)}])), 131009, "sections"),
        (
            list(json!([{"title": "a", "rows": rows(1)}, {"rows": [{"id": "z", "title": "z"}]}])),
            131008,
            "sections'][1]['title",
        ),
        (list(json!([{"rows": [{"id": "1", "title": long(25)}]}])), 131009, "title"),
        (list(json!([{"rows": [{"id": "1", "title": "t", "description": long(73)}]}])), 131009, "description"),
        (
            interactive(
                "cta_url",
                json!({"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://a.example"}}),
            ),
            0,
            "",
        ),
        (
            interactive(
                "cta_url",
                json!({"name": "cta_url", "parameters": {"display_text": "Go", "url": "a.example"}}),
            ),
            131009,
            "['url']",
        ),
        (interactive("location_request_message", json!({"name": "send_location"})), 0, ""),
        (
            interactive("flow", json!({"name": "flow", "parameters": {"flow_message_version": "3", "flow_cta": "Go"}})),
            131008,
            "flow_id",
        ),
        (interactive("product_list", json!({"catalog_id": "1", "sections": []})), 131008, "header"),
        (interactive("carousel", json!({"cards": [{"card_index": 0, "type": "cta_url"}]})), 131009, "cards"),
        (interactive("call_permission_request", Value::Null), 138000, ""),
        (json!({"type": "template", "template": {"name": "nothing", "language": {"code": "en"}}}), 132001, "nothing"),
        (json!({"type": "template", "template": {"name": "hello_world", "language": {"code": "en"}}}), 132001, "en"),
        (json!({"type": "template", "template": {"language": {"code": "en"}}}), 131008, "template['name']"),
        (json!({"type": "template", "template": {"name": "hello_world"}}), 131008, "template['language']"),
    ]
}

#[tokio::test]
async fn every_refusal_has_metas_code_and_names_the_place() {
    let ground = Ground::new().await;
    ground.open_window().await;
    for (body, expected, named) in table() {
        let (status, answer) = ground.send(body.clone()).await;
        if expected == 0 {
            assert_eq!(status, 200, "{body}\n{answer}");
            continue;
        }
        assert_eq!(code(&answer), expected, "{body}\n{answer}");
        assert_eq!(status, if expected == 132001 { 404 } else { 400 }, "{body}");
        let details = answer["error"]["error_data"]["details"].as_str().unwrap();
        assert!(details.contains(named), "{named} in {details}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("(#{expected}) ")), "{message}");
        assert_eq!(answer["error"]["type"], "OAuthException");
    }
}

#[tokio::test]
async fn the_envelope_is_checked_before_the_content() {
    let ground = Ground::new().await;
    let path = format!("/{}/messages", ground.number);
    for body in [
        json!({"to": "+15550199001", "type": "text", "text": {"body": "x"}}),
        json!({"messaging_product": "telegram", "to": "+15550199001", "text": {"body": "x"}}),
        json!({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}),
        json!([1]),
    ] {
        let (status, answer) = ground.graph("POST", &path, body.clone()).await;
        assert_eq!((status, code(&answer)), (400, 100), "{body}");
    }
    let bare = format!("{}{path}", ground.handle.graph_url());
    let body = json!({"messaging_product": "whatsapp", "to": "15550199001", "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let by_query = ground.http.post(&bare).query(&[("access_token", ground.token())]).json(&body).send().await.unwrap();
    assert_eq!(by_query.status(), 200, "no version, token in the query");
    let form = [
        ("messaging_product", "whatsapp"),
        ("to", "15550199001"),
        ("type", "template"),
        ("template", r#"{"name":"hello_world","language":{"code":"en_US"}}"#),
    ];
    let by_form = ground.http.post(&bare).bearer_auth(ground.token()).form(&form).send().await.unwrap();
    assert_eq!(by_form.status(), 200, "as a form");
    for request in [ground.http.post(&bare).json(&body), ground.http.post(&bare).bearer_auth("nonsense").json(&body)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(code(&answer.json().await.unwrap()), 190);
    }
}
