//! Neutral messages and what is posted for them.

use engine::Id;
use engine::content::Content;
use engine::failure::Retry;
use serde_json::{Value, json};

use super::*;

fn outgoing(content: Value, kind: &str, value: &str) -> Outgoing {
    Outgoing {
        id: Id::from_parts(1_700_000_000_000, 7),
        to: Address { kind: kind.to_owned(), value: value.to_owned() },
        content: Content::parse(&content.to_string()).unwrap(),
        reply_to: None,
        provider_id: None,
    }
}

fn posted(content: Value) -> Result<Value, SendError> {
    let body = body(&outgoing(content, PHONE, "+15550199001"))?;
    Ok(serde_json::to_value(&body).unwrap())
}

#[test]
fn the_envelope_names_the_recipient_the_quoted_message_and_ours() {
    let text = json!({"type": "text", "body": "Hi"});
    let mut message = outgoing(text, PHONE, "15550199001");
    message.reply_to = Some("wamid.A".to_owned());
    assert_eq!(
        serde_json::to_value(body(&message).unwrap()).unwrap(),
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15550199001",
            "context": {"message_id": "wamid.A"}, "biz_opaque_callback_data": message.id.hex24(),
            "type": "text", "text": {"body": "Hi"},
        })
    );
    message.to = Address { kind: USER.to_owned(), value: "US.13491208655302741918".to_owned() };
    let to_user = serde_json::to_value(body(&message).unwrap()).unwrap();
    assert_eq!((&to_user["to"], &to_user["recipient"]), (&Value::Null, &json!("US.13491208655302741918")));
    message.to.kind = "email".to_owned();
    assert_eq!(body(&message).unwrap_err().retry, Retry::Never);
}

#[test]
fn every_kind_of_content_finds_its_words() {
    let meta = |name: &str, json: Value| json!({"format": "meta", "name": name, "json": json});
    let native = |name: &str, json: Value| {
        let mut native = meta(name, json);
        native["type"] = json!("native");
        native
    };
    let flow =
        json!({"type": "flow", "body": {"text": "Book"}, "action": {"name": "flow", "parameters": {"flow_id": "1"}}});
    let header = json!([{"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]}]);
    let whole_card = json!({"name": {"formatted_name": "Front desk", "last_name": "desk"}, "emails": [{"email": "desk@example.com"}],
        "vcard": "BEGIN:VCARD"});
    let rows = [
        (
            json!({"type": "text", "body": "See https://example.com", "preview": true}),
            json!({"type": "text", "text": {"body": "See https://example.com", "preview_url": true}}),
        ),
        (
            json!({"type": "media", "kind": "image", "source": {"link": "https://example.com/a.png"}, "caption": "A"}),
            json!({"type": "image", "image": {"link": "https://example.com/a.png", "caption": "A"}}),
        ),
        (
            json!({"type": "media", "kind": "document", "source": {"id": "77"}, "filename": "a.pdf", "mime": "application/pdf"}),
            json!({"type": "document", "document": {"id": "77", "filename": "a.pdf"}}),
        ),
        (
            json!({"type": "media", "kind": "audio", "source": {"id": "77"}, "voice": true, "filename": "a.ogg"}),
            json!({"type": "audio", "audio": {"id": "77", "voice": true}}),
        ),
        (
            json!({"type": "media", "kind": "sticker", "source": {"id": "77"}}),
            json!({"type": "sticker", "sticker": {"id": "77"}}),
        ),
        (
            json!({"type": "media", "kind": "video", "source": {"id": "77"}}),
            json!({"type": "video", "video": {"id": "77"}}),
        ),
        (
            json!({"type": "location", "latitude": -6.25, "longitude": 106.5, "name": "Here"}),
            json!({"type": "location", "location": {"latitude": -6.25, "longitude": 106.5, "name": "Here"}}),
        ),
        (
            json!({"type": "contacts", "cards": [
            {"name": "Front desk", "phones": ["+15550199002"]}, {"name": "Front desk", "native": meta("contact", whole_card)}]}),
            json!({"type": "contacts", "contacts": [
            {"name": {"formatted_name": "Front desk", "first_name": "Front desk"}, "phones": [{"phone": "+15550199002"}]},
            {"name": {"formatted_name": "Front desk", "last_name": "desk"}, "emails": [{"email": "desk@example.com"}]}]}),
        ),
        (
            json!({"type": "reaction", "target": "wamid.A", "emoji": ""}),
            json!({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}}),
        ),
        (
            json!({"type": "buttons", "header": "H", "body": "B", "footer": "F", "buttons": [{"id": "y", "title": "Yes"}]}),
            json!({"type": "interactive", "interactive": {"type": "button", "header": {"type": "text", "text": "H"},
            "body": {"text": "B"}, "footer": {"text": "F"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}}}),
        ),
        (
            json!({"type": "list", "body": "B", "button": "Open", "sections": [
            {"title": "S", "rows": [{"id": "1", "title": "One", "description": "D"}, {"id": "2", "title": "Two"}]}]}),
            json!({"type": "interactive", "interactive": {"type": "list", "body": {"text": "B"}, "action": {"button": "Open", "sections": [
            {"title": "S", "rows": [{"id": "1", "title": "One", "description": "D"}, {"id": "2", "title": "Two"}]}]}}}),
        ),
        (
            json!({"type": "template", "name": "hello_world", "language": "en_US"}),
            json!({"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}),
        ),
        (
            json!({"type": "template", "name": "t", "language": "en", "components": meta("components", header.clone())}),
            json!({"type": "template", "template": {"name": "t", "language": {"code": "en"}, "components": header}}),
        ),
        (native("interactive", flow.clone()), json!({"type": "interactive", "interactive": flow})),
        (native("pin", json!({"type": "pin"})), json!({"type": "pin", "pin": {"type": "pin"}})),
    ];
    for (content, expected) in rows {
        let mut posted = posted(content.clone()).unwrap();
        for envelope in ["messaging_product", "recipient_type", "to", "biz_opaque_callback_data"] {
            posted.as_object_mut().unwrap().remove(envelope).unwrap();
        }
        assert_eq!(posted, expected, "{content}");
    }
}

#[test]
fn what_meta_has_no_words_for_is_refused_before_anything_goes_out() {
    let native = |format: &str, name: &str| json!({"type": "native", "format": format, "name": name, "json": {}});
    let components = |format: &str, json: Value| json!({"type": "template", "name": "t", "language": "en", "components": {"format": format, "name": "components", "json": json}});
    for content in [
        json!({"type": "choice", "id": "y", "title": "Yes", "of": "button"}),
        native("smpp", "text"),
        native("meta", "to"),
        native("meta", "type"),
        native("meta", "biz_opaque_callback_data"),
        native("meta", ""),
        native("meta", "Text\": 1, \"to"),
        components("smpp", json!([])),
        components("meta", json!("no list")),
    ] {
        let refused = posted(content.clone()).expect_err(&content.to_string());
        assert_eq!((refused.retry, refused.failure.code), (Retry::Never, Code::Rejected), "{content}");
    }
}
