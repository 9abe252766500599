//! A sample of every message that can be sent.

use meta_wire::send::interactive::Kind;
use meta_wire::send::{Content, Outgoing, Posted, Read, Sent, content::Text};
use meta_wire::tagged::Kinds;
use serde_json::{Value, json};

fn body(kind: &str, content: Value) -> Value {
    json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15550100001",
        "context": {"message_id": "wamid.A"}, "biz_opaque_callback_data": "ours",
        "type": kind, kind: content, "brand_new": {"a": 1}})
}

fn interactive(kind: &str, action: Value) -> Value {
    body(
        "interactive",
        json!({"type": kind, "header": {"type": "image", "image": {"id": "5"}},
        "body": {"text": "b"}, "footer": {"text": "f"}, "action": action}),
    )
}

fn template(components: Value) -> Value {
    body(
        "template",
        json!({"name": "t", "language": {"code": "en", "policy": "deterministic"}, "components": components}),
    )
}

fn samples() -> Vec<Value> {
    vec![
        body("text", json!({"body": "hi", "preview_url": true})),
        body("image", json!({"id": "5", "caption": "c"})),
        body("video", json!({"link": "https://example.com/v.mp4"})),
        body("audio", json!({"id": 5, "voice": true})),
        body("document", json!({"link": "https://example.com/d", "filename": "d.pdf"})),
        body("sticker", json!({"id": "5"})),
        body("location", json!({"latitude": 1.5, "longitude": -2, "name": "n", "address": "a"})),
        body(
            "contacts",
            json!([{"name": {"formatted_name": "Ann", "first_name": "Ann"}, "birthday": "2000-01-31",
            "emails": [{"email": "a@example.com", "type": "WORK"}], "urls": [{"url": "u"}], "addresses": [{"city": "c"}]}]),
        ),
        body("reaction", json!({"message_id": "wamid.B", "emoji": ""})),
        body("pin", json!({"type": "pin", "message_id": "wamid.B", "expiration_days": 7})),
        interactive("button", json!({"buttons": [{"type": "reply", "reply": {"id": "1", "title": "One"}}]})),
        interactive(
            "list",
            json!({"button": "Open", "sections": [{"title": "s", "rows": [{"id": "1", "title": "r", "description": "d"}]}]}),
        ),
        interactive(
            "cta_url",
            json!({"name": "cta_url", "parameters": {"display_text": "See", "url": "https://example.com"}}),
        ),
        interactive(
            "flow",
            json!({"name": "flow", "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Go",
            "flow_action": "navigate", "flow_action_payload": {"screen": "A", "data": {"x": [1]}}}}),
        ),
        interactive("location_request_message", json!({"name": "send_location"})),
        interactive("product", json!({"catalog_id": "1", "product_retailer_id": "2"})),
        interactive(
            "product_list",
            json!({"catalog_id": "1", "sections": [{"title": "s", "product_items": [{"product_retailer_id": "2"}]}]}),
        ),
        interactive(
            "catalog_message",
            json!({"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "2"}}),
        ),
        interactive(
            "carousel",
            json!({"cards": [{"card_index": 0, "type": "cta_url", "header": {"type": "video", "video": {"link": "l"}},
            "body": {"text": "b"}, "action": {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "1", "title": "t"}}]}}]}),
        ),
        interactive(
            "address_message",
            json!({"name": "address_message", "parameters": {"country": "IN", "values": {"name": "n"}}}),
        ),
        interactive(
            "order_details",
            json!({"name": "review_and_pay", "parameters": {"reference_id": "r", "total_amount": {"value": 1}}}),
        ),
        interactive("voice_call", json!({"name": "voice_call", "parameters": {"ttl_minutes": 5}})),
        interactive("request_contact_info", json!({"name": "request_contact_info"})),
        template(json!([
            {"type": "header", "parameters": [{"type": "document", "document": {"link": "l", "filename": "f"}}]},
            {"type": "BODY", "parameters": [{"parameter_name": "who", "type": "text", "text": "Ann"},
                {"type": "currency", "currency": {"fallback_value": "$1", "code": "USD", "amount_1000": 1000}},
                {"type": "date_time", "date_time": {"fallback_value": "today"}}, {"type": "hologram", "hologram": 1}]},
            {"type": "button", "sub_type": "URL", "index": 0, "parameters": [{"type": "text", "text": "123"}]},
            {"type": "button", "sub_type": "quick_reply", "index": "1", "parameters": [{"type": "payload", "payload": "p"}]},
            {"type": "button", "sub_type": "copy_code", "index": 2, "parameters": [{"type": "coupon_code", "coupon_code": "C"}]},
            {"type": "button", "sub_type": "flow", "index": 3, "parameters": [{"type": "action", "action": {"flow_token": "t", "flow_action_data": {}}}]},
            {"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1}}]},
            {"type": "carousel", "cards": [{"card_index": 0, "components": [{"type": "header", "parameters": [
                {"type": "product", "product": {"product_retailer_id": "1", "catalog_id": "2"}}]}]}]}
        ])),
    ]
}

#[test]
fn every_message_is_typed_and_prints_as_it_came() {
    for sample in samples() {
        let read: Outgoing = serde_json::from_value(sample.clone()).unwrap();
        assert!(!matches!(read.body.content, Content::Other { .. }), "{sample}");
        if let Content::Interactive(interactive) = &read.body.content {
            assert!(!matches!(interactive.kind, Kind::Unknown(_)));
        }
        assert_eq!(read.body.extra["brand_new"]["a"], 1);
        assert_eq!(serde_json::to_value(&read).unwrap(), sample);
    }
}

#[test]
fn what_clients_write_differently_is_taken() {
    let read = |value: Value| serde_json::from_value::<Outgoing>(value).unwrap();
    let bare = read(json!({"to": 15_550_100_001_u64, "text": {"body": "hi"}}));
    assert_eq!((bare.to.as_deref(), bare.body.kind()), (Some("15550100001"), "text"));
    assert_eq!(bare.messaging_product, "whatsapp");
    let short = read(json!({"recipient": "US.a", "type": "template", "template": {"name": "t", "language": "en_US"}}));
    let Content::Template(template) = &short.body.content else { panic!() };
    assert_eq!((template.language.code.as_str(), &template.language.extra), ("en_US", &None));
    assert_eq!(serde_json::to_value(&template.language).unwrap(), json!("en_US"));
    let place = read(json!({"type": "location", "location": {"latitude": "1.5", "longitude": "2"}}));
    assert!(matches!(&place.body.content, Content::Location(l) if l.latitude.get() == 1.5));
    assert!(serde_json::from_value::<Outgoing>(json!({"to": "1", "type": 5})).is_err());
    let made =
        Outgoing { to: Some("+1".to_owned()), body: Content::Text(Text::new("hi")).into(), ..Outgoing::default() };
    assert_eq!(
        serde_json::to_string(&made).unwrap(),
        r#"{"messaging_product":"whatsapp","to":"+1","type":"text","text":{"body":"hi"}}"#
    );
}

#[test]
fn receipts_and_answers() {
    let receipt = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A", "typing_indicator": {"type": "text"}});
    let posted: Posted = serde_json::from_value(receipt.clone()).unwrap();
    assert_eq!(posted, Posted::Read(Box::new(Read::new("wamid.A", true))));
    assert_eq!(serde_json::to_value(&posted).unwrap(), receipt);
    let message: Posted = serde_json::from_value(samples()[0].clone()).unwrap();
    assert!(matches!(message, Posted::Message(message) if message.body.content.kind() == "text"));

    let answer = json!({"messaging_product": "whatsapp", "contacts": [{"input": "+1", "wa_id": "1"}],
        "messages": [{"id": "wamid.A", "message_status": "held_for_quality_assessment"}]});
    let sent: Sent = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(sent.id(), Some("wamid.A"));
    assert_eq!(serde_json::to_value(&sent).unwrap(), answer);
}
