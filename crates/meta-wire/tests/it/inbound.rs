//! A sample of every kind of content, status and change.

use meta_wire::tagged::Kinds;
use meta_wire::webhook::status::Word;
use meta_wire::webhook::{Change, Content, Fact, Message, Notification, Status, message::Reply, parse};
use meta_wire::{MetaId, Timestamp};
use serde_json::{Value, json};

fn message(kind: &str, content: Value) -> Value {
    let mut message = json!({
        "id": "wamid.A", "from": "15550100001", "from_user_id": "US.abc", "timestamp": "1700000000",
        "context": {"from": "15550100002", "id": "wamid.B", "odd": [1]}, "type": kind, "sibling": {"x": null}
    });
    if !content.is_null() {
        message[kind] = content;
    }
    message
}

fn samples() -> Vec<Value> {
    let media = |extra: Value| {
        let mut media = json!({"id": "77", "mime_type": "a/b", "sha256": "q83v", "url": "https://example.com/m"});
        media.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        media
    };
    let reply = |kind: &str, reply: Value| json!({"type": kind, kind: reply});
    vec![
        message("text", json!({"body": "hi \u{1F600} \u{0}"})),
        message("image", media(json!({"caption": "c", "new": 1}))),
        message("video", media(json!({"caption": "c"}))),
        message("sticker", media(json!({"animated": true}))),
        message("document", media(json!({"filename": "a.pdf"}))),
        message("audio", media(json!({"voice": true}))),
        message("location", json!({"latitude": -6.2, "longitude": 106, "name": "Office"})),
        message(
            "contacts",
            json!([{"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+1", "type": "HOME"}],
            "org": {"company": "C"}, "vcard": "BEGIN", "origin": "other"}]),
        ),
        message("reaction", json!({"message_id": "wamid.C", "emoji": "\u{1F44D}"})),
        message("reaction", json!({"message_id": "wamid.C"})),
        message("button", json!({"payload": "p", "text": "t"})),
        message("interactive", reply("button_reply", json!({"id": "1", "title": "t"}))),
        message("interactive", reply("list_reply", json!({"id": "1", "title": "t", "description": "d"}))),
        message(
            "interactive",
            reply("nfm_reply", json!({"name": "flow", "body": "Sent", "response_json": "{\"a\":1}"})),
        ),
        message(
            "interactive",
            reply("call_permission_reply", json!({"response": "accept", "expiration_timestamp": 1})),
        ),
        message(
            "order",
            json!({"catalog_id": "9", "product_items": [
            {"product_retailer_id": "s", "quantity": 2, "item_price": 1.5, "currency": "USD"}]}),
        ),
        message("system", json!({"type": "user_changed_number", "body": "b", "wa_id": "1", "identity": {"hash": "h"}})),
        message("unsupported", json!({"type": "poll"})),
        message("unsupported", Value::Null),
        message(
            "edit",
            json!({"original_message_id": "wamid.D", "message": {"type": "text", "text": {"body": "new"}}}),
        ),
        message("revoke", json!({"original_message_id": "wamid.D"})),
    ]
}

#[test]
fn every_content_is_typed_and_prints_as_it_came() {
    for sample in samples() {
        let read: Message = serde_json::from_value(sample.clone()).unwrap();
        assert!(!matches!(read.body.content, Content::Other { .. }), "{sample}");
        assert_eq!(read.body.kind(), sample["type"]);
        assert_eq!(read.timestamp, Timestamp::text(1_700_000_000));
        assert_eq!(serde_json::to_value(&read).unwrap(), sample);
    }
}

#[test]
fn contents_are_where_they_should_be() {
    let read = |value: Value| serde_json::from_value::<Message>(value).unwrap().body.content;
    let Content::Interactive(reply) = read(samples()[12].clone()) else { panic!() };
    assert!(matches!(&reply.content, Reply::List(choice) if choice.description.as_deref() == Some("d")));
    let Content::Edit(edit) = read(samples()[19].clone()) else { panic!() };
    assert!(matches!(&edit.message.unwrap().content, Content::Text(text) if text.body == "new"));
    let removed = read(samples()[9].clone());
    assert!(matches!(removed, Content::Reaction(reaction) if reaction.emoji.is_none()));
}

#[test]
fn unknown_kinds_and_broken_contents_are_kept() {
    for sample in [
        message("hologram", json!({"beam": [1, 2]})),
        message("hologram", Value::Null),
        message("text", json!({"body": 5})),
        message("image", json!("no object")),
        message("interactive", json!({"type": "gesture_reply", "gesture_reply": {"wave": true}})),
    ] {
        let read: Message = serde_json::from_value(sample.clone()).unwrap();
        match &read.body.content {
            Content::Other { kind, value } => {
                assert_eq!((kind.as_str(), value.as_ref()), (sample["type"].as_str().unwrap(), sample.get(kind)));
            }
            Content::Interactive(reply) => assert_eq!(reply.content.kind(), "gesture_reply"),
            other => panic!("{other:?}"),
        }
        assert_eq!(serde_json::to_value(&read).unwrap(), sample);
    }
}

#[test]
fn statuses_are_typed_and_print_as_they_came() {
    for word in ["sent", "delivered", "read", "failed", "played", "teleported"] {
        let sample = json!({
            "id": "wamid.A", "status": word, "timestamp": "1700000000", "recipient_id": "1555",
            "recipient_user_id": "US.abc", "biz_opaque_callback_data": "ours",
            "conversation": {"id": "c", "expiration_timestamp": "1700086400", "origin": {"type": "utility"}},
            "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"},
            "errors": [{"code": 131026, "title": "t", "message": "t", "error_data": {"details": "d"}, "href": "h"}],
            "later": 1
        });
        let status: Status = serde_json::from_value(sample.clone()).unwrap();
        assert_eq!(status.fact_id(), format!("wamid.A:{word}"));
        assert_eq!(matches!(status.status, Word::Unknown(_)), word == "teleported");
        assert_eq!(status.errors[0].details(), "d");
        assert_eq!(serde_json::to_value(&status).unwrap(), sample);
    }
    let group = json!({"id": "w", "status": "read", "timestamp": 5, "recipient_participant_id": "1555"});
    let group: Status = serde_json::from_value(group).unwrap();
    assert_eq!(group.fact_id(), "w:read:1555");
    assert_eq!(group.timestamp, Timestamp::number(5));
}

#[test]
fn changes_are_typed_by_field() {
    let template = |more: Value| {
        let mut value = json!({"message_template_id": 594_425_479_261_596_u64, "message_template_name": "a",
            "message_template_language": "en_US"});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let rows = [
        (
            "message_template_status_update",
            template(json!({"event": "REJECTED", "reason": null, "disable_info": {"disable_date": "x"}})),
        ),
        (
            "message_template_quality_update",
            template(json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"})),
        ),
        (
            "message_template_components_update",
            template(
                json!({"message_template_element": "b", "message_template_buttons": [{"message_template_button_type": "URL"}]}),
            ),
        ),
        (
            "template_category_update",
            template(
                json!({"correct_category": "MARKETING", "new_category": "UTILITY", "category_update_timestamp": 1}),
            ),
        ),
        (
            "phone_number_quality_update",
            json!({"display_phone_number": "1", "event": "ONBOARDING", "max_daily_conversations_per_business": "TIER_2K"}),
        ),
        ("phone_number_name_update", json!({"display_phone_number": "1", "decision": "APPROVED"})),
        (
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "d"}}),
        ),
        (
            "account_update",
            json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": "1", "solution_partner_business_ids": ["2"]}}),
        ),
        ("account_update", json!({"event": "SOMETHING_NEW", "thing": {"a": 1}})),
        ("account_review_update", json!({"decision": "APPROVED"})),
        (
            "account_alerts",
            json!({"entity_type": "BUSINESS", "entity_id": 5, "alert_info": {"alert_type": "OBA_APPROVED"}}),
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": 2000, "max_phone_numbers_per_waba": 25}),
        ),
        (
            "user_preferences",
            json!({"metadata": {"display_phone_number": "1", "phone_number_id": "2"},
            "user_preferences": [{"wa_id": "1", "category": "marketing_messages", "value": "stop", "timestamp": 1}]}),
        ),
        ("security", json!({"display_phone_number": "1", "event": "PIN_RESET_REQUEST", "requester": "4"})),
        ("smb_message_echoes", json!({"message_echoes": [message("text", json!({"body": "x"}))]})),
        (
            "smb_app_state_sync",
            json!({"state_sync": [{"type": "contact", "action": "add", "metadata": {"timestamp": "1"}}]}),
        ),
        (
            "history",
            json!({"history": [{"metadata": {"phase": 0, "progress": 55}, "threads": [{"id": "1", "messages": [{}]}]}]}),
        ),
    ];
    for (field, value) in rows {
        let post = Notification::of("1", Some(7), field, value.clone());
        let body = meta_wire::print::ascii(&post).unwrap();
        let batch = parse(&body).unwrap();
        let item = batch.single().unwrap();
        assert_eq!((item.field(), item.entry_id(), item.entry_time()), (field, "1", Some(7)));
        let Fact::Change(change) = &item.fact else { panic!("{field}") };
        assert!(!matches!(**change, Change::Other { .. }), "{field}");
        let mut printed = change.write().unwrap().unwrap();
        let mut expected = value;
        // A null is the same as a missing member.
        expected.as_object_mut().unwrap().retain(|_, v| !v.is_null());
        printed.as_object_mut().unwrap().retain(|_, v| !v.is_null());
        assert_eq!(printed, expected);
        if let Change::TemplateStatus(status) = &**change {
            assert_eq!(status.message_template_id, MetaId::from("594425479261596"));
        }
    }
    for value in [json!({"call": 1}), json!([1]), json!("text"), json!(null), json!({"event": 5})] {
        let body = serde_json::to_vec(&Notification::of("1", None, "account_update", value.clone())).unwrap();
        let batch = parse(&body).unwrap();
        let item = batch.single().unwrap();
        let Fact::Change(change) = &item.fact else { panic!() };
        assert!(
            matches!(&**change, Change::Other { kind, value: Some(kept) } if kind == "account_update" && *kept == value)
        );
        assert_eq!(item.value_raw(), Some(value.to_string().as_str()));
    }
}
