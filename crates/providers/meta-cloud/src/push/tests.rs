//! Posts and the facts in them.

use engine::content::Content;
use engine::facts::{Fact, Message, Notice, Preference, Receipt};
use engine::failure::Code;
use engine::messages::Status;
use meta_wire::webhook::{Notification, parse};
use serde_json::{Value, json};

use super::facts::facts_of;

const WABA: &str = "102290129340398";
const PHONE: &str = "106540352242922";

fn facts(post: &Value) -> Vec<Fact> {
    let body = post.to_string();
    let batch = parse(body.as_bytes()).unwrap();
    let whole = batch.single().is_some().then_some(body.as_bytes());
    facts_of(batch.items(), whole)
}

fn conversation(lists: Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100001", "phone_number_id": PHONE}});
    value.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
    serde_json::to_value(Notification::of(WABA, None, "messages", value)).unwrap()
}

/// A post with one message; `type` names its content.
fn message(content: Value) -> Value {
    let mut message =
        json!({"from": "15550199001", "from_user_id": "US.1349", "id": "wamid.A", "timestamp": "1700000000"});
    message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
    let contact = json!({"profile": {"name": "Front desk"}, "wa_id": "15550199001", "user_id": "US.1349"});
    conversation(json!({"contacts": [contact], "messages": [message]}))
}

fn change(field: &str, value: Value) -> Value {
    serde_json::to_value(Notification::of(WABA, Some(1_700_000_000), field, value)).unwrap()
}

fn received(content: Value) -> Message {
    match facts(&message(content)).remove(0) {
        Fact::Message(message) => *message,
        other => panic!("no message: {other:?}"),
    }
}

fn receipt(status: Value) -> Receipt {
    match facts(&conversation(json!({"statuses": [status]}))).remove(0) {
        Fact::Receipt(receipt) => *receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

fn notice(post: &Value) -> Notice {
    match <[Fact; 1]>::try_from(facts(post)) {
        Ok([Fact::Notice(notice)]) => notice,
        other => panic!("no notice: {other:?}"),
    }
}

fn pairs(addresses: &[engine::contacts::Address]) -> Vec<(&str, &str)> {
    addresses.iter().map(|address| (address.kind.as_str(), address.value.as_str())).collect()
}

#[test]
fn a_message_comes_with_everything_around_it() {
    let post =
        message(json!({"type": "text", "text": {"body": "H\u{e9}llo"}, "context": {"from": "1", "id": "wamid.Q"}}));
    let [Fact::Message(told)] = &facts(&post)[..] else { panic!("not one message") };
    assert_eq!((told.sender.as_str(), told.provider_id.as_str(), told.at), (PHONE, "wamid.A", 1_700_000_000_000));
    assert_eq!(pairs(&told.from), [("phone", "+15550199001"), ("user", "US.1349")]);
    assert_eq!((told.profile_name.as_deref(), told.reply_to.as_deref()), (Some("Front desk"), Some("wamid.Q")));
    let document = told.document.as_ref().unwrap();
    assert_eq!((document.format.as_str(), &document.bytes[..]), ("meta", post.to_string().as_bytes()));
}

#[test]
fn every_kind_of_content_is_told() {
    let native = |name: &str, json: &Value, text: Option<&str>| {
        let mut native = json!({"type": "native", "format": "meta", "name": name, "json": json});
        if let Some(text) = text {
            native["text"] = json!(text);
        }
        native
    };
    let form =
        json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{\"a\":1}"}});
    let order = json!({"catalog_id": "9", "text": "please", "product_items": [{"product_retailer_id": "sku"}]});
    let hash = json!({"type": "customer_identity_changed", "body": "New key", "identity": {"hash": "x"}});
    let card = json!({"name": {"formatted_name": "Desk"}, "phones": [{"phone": "+1 555", "wa_id": "1555"}], "origin": "other"});
    let rows = [
        (json!({"type": "text", "text": {"body": "Hi"}}), json!({"type": "text", "body": "Hi"})),
        (
            json!({"type": "location", "location": {"latitude": 1.5, "longitude": "-2.5", "address": "A"}}),
            json!({"type": "location", "latitude": 1.5, "longitude": -2.5, "address": "A"}),
        ),
        (
            json!({"type": "contacts", "contacts": [card]}),
            json!({"type": "contacts", "cards": [{"name": "Desk", "phones": ["+1 555"],
            "native": {"format": "meta", "name": "contact", "json": card}}]}),
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": "wamid.Q", "emoji": "\u{1f44d}"}}),
            json!({"type": "reaction", "target": "wamid.Q", "emoji": "\u{1f44d}"}),
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": "wamid.Q"}}),
            json!({"type": "reaction", "target": "wamid.Q", "emoji": ""}),
        ),
        (
            json!({"type": "button", "button": {"payload": "stop", "text": "Stop"}}),
            json!({"type": "choice", "id": "stop", "title": "Stop", "of": "template"}),
        ),
        (
            json!({"type": "button", "button": {"text": "Stop"}}),
            json!({"type": "choice", "id": "Stop", "title": "Stop", "of": "template"}),
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}}),
            json!({"type": "choice", "id": "y", "title": "Yes", "of": "button"}),
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "One", "description": "D"}}}),
            json!({"type": "choice", "id": "1", "title": "One", "description": "D", "of": "list"}),
        ),
        (json!({"type": "interactive", "interactive": form}), native("interactive", &form, Some("Sent"))),
        (json!({"type": "order", "order": order}), native("order", &order, Some("please"))),
        (json!({"type": "system", "system": hash}), native("system", &hash, Some("New key"))),
        (json!({"type": "unsupported", "errors": [{"code": 131_051}]}), native("unsupported", &Value::Null, None)),
        (json!({"type": "hologram", "hologram": {"depth": 3}}), native("hologram", &json!({"depth": 3}), None)),
        (json!({"type": "text", "text": "not an object"}), native("text", &json!("not an object"), None)),
    ];
    for (content, expected) in rows {
        let told = received(content.clone());
        let json: Value = serde_json::from_str(&told.content.to_json()).unwrap();
        assert_eq!(json, expected, "{content}");
        assert!(told.file.is_none());
    }
}

#[test]
fn files_are_named_for_fetching() {
    let voice =
        received(json!({"type": "audio", "audio": {"id": "7", "mime_type": "audio/ogg; codecs=opus", "voice": true}}));
    assert!(matches!(&voice.content, Content::Media(media) if media.voice));
    let bare = received(json!({"type": "image", "image": {"id": 8}}));
    let pdf = received(
        json!({"type": "document", "document": {"id": "9", "mime_type": "application/pdf", "filename": "a.pdf", "caption": "C"}}),
    );
    let files =
        [voice, bare, pdf].map(|told| told.file.map(|file| (file.external_id, file.mime, file.filename)).unwrap());
    let name = |text: &str| text.to_owned();
    assert_eq!(
        files,
        [
            (name("7"), name("audio/ogg; codecs=opus"), None),
            (name("8"), name("application/octet-stream"), None),
            (name("9"), name("application/pdf"), Some(name("a.pdf"))),
        ]
    );
}

#[test]
fn people_without_a_number_are_known_by_their_id_and_nobody_is_kept_as_a_notice() {
    let by = |sender: Value| {
        let mut message = json!({"id": "wamid.A", "timestamp": "1", "type": "text", "text": {"body": "Hi"}});
        message.as_object_mut().unwrap().extend(sender.as_object().unwrap().clone());
        conversation(json!({"messages": [message]}))
    };
    let [Fact::Message(hidden)] = &facts(&by(json!({"from_user_id": "US.1349"})))[..] else { panic!("no message") };
    assert_eq!(pairs(&hidden.from), [("user", "US.1349")]);
    assert_eq!(notice(&by(json!({}))).name, "messages");
    assert_eq!(notice(&by(json!({"from": "not a number"}))).account, WABA);
    assert_eq!(notice(&by(json!({"from": "15550199001", "group_id": "G1"}))).name, "messages");
}

#[test]
fn a_changed_number_is_a_message_and_a_new_identity() {
    let system =
        json!({"type": "user_changed_number", "body": "A now B", "wa_id": "15550199009", "user_id": "US.1350"});
    let told = facts(&message(json!({"type": "system", "system": system})));
    let [Fact::Message(_), Fact::Identity(change)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(change.sender, PHONE);
    assert_eq!(pairs(&change.old), [("phone", "+15550199001"), ("user", "US.1349")]);
    assert_eq!(pairs(&change.new), [("phone", "+15550199009"), ("user", "US.1350")]);
    let system = json!({"type": "user_changed_user_id", "wa_id": "15550199001", "user_id": "US.1350"});
    let told = facts(&message(json!({"type": "system", "system": system})));
    let [Fact::Message(_), Fact::Identity(change)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(pairs(&change.new), [("user", "US.1350")]);
}

#[test]
fn statuses_carry_our_id_and_failures_their_reason() {
    let status = |word: &str| {
        json!({"id": "wamid.A", "status": word, "timestamp": "1700000001", "recipient_id": "15550199001",
            "biz_opaque_callback_data": "018bcfe56800000000000007"})
    };
    for (word, expected) in
        [("sent", Status::Sent), ("delivered", Status::Delivered), ("read", Status::Read), ("played", Status::Played)]
    {
        let told = receipt(status(word));
        assert_eq!((told.status, told.at, told.failure), (expected, 1_700_000_001_000, None));
        assert_eq!(told.message.unwrap().hex24(), "018bcfe56800000000000007");
        assert_eq!(pairs(&told.recipient), [("phone", "+15550199001")]);
        assert_eq!((told.sender.as_str(), told.provider_id.as_str()), (PHONE, "wamid.A"));
    }
    let mut failed = status("failed");
    failed["biz_opaque_callback_data"] = json!("someone else's");
    failed["errors"] =
        json!([{"code": 131_047, "title": "Re-engagement message", "error_data": {"details": "24 hours"}}]);
    let told = receipt(failed);
    let why = told.failure.unwrap();
    assert_eq!((told.status, told.message, why.code), (Status::Failed, None, Code::OutsideWindow));
    assert_eq!((why.provider_code, why.details.as_deref()), (Some(131_047), Some("24 hours")));
    assert_eq!(receipt(status("failed")).failure.unwrap().code, Code::Other);
    assert_eq!(notice(&conversation(json!({"statuses": [status("forwarded")]}))).name, "messages");
}

#[test]
fn templates_tell_what_changed() {
    let template = |field: &str, rest: Value| {
        let mut value = json!({"message_template_id": 594_425, "message_template_name": "order_update", "message_template_language": "en-US"});
        value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        match facts(&change(field, value)).remove(0) {
            Fact::Template(change) => change,
            other => panic!("no template: {other:?}"),
        }
    };
    for (event, status, reload) in [
        ("APPROVED", Some("APPROVED"), false),
        ("REJECTED", Some("REJECTED"), false),
        ("PAUSED", Some("PAUSED"), false),
        ("REINSTATED", Some("APPROVED"), false),
        ("FLAGGED", None, false),
        ("UNARCHIVED", None, true),
        ("SHELVED", None, true),
    ] {
        let told = template("message_template_status_update", json!({"event": event, "reason": "NONE"}));
        assert_eq!((told.status.as_deref(), told.reload, told.reason), (status, reload, None), "{event}");
        assert_eq!(
            (told.account.as_str(), told.external_id.as_str(), told.language.as_str()),
            (WABA, "594425", "en_US")
        );
    }
    let rejected = template("message_template_status_update", json!({"event": "REJECTED", "reason": "SCAM"}));
    assert_eq!(rejected.reason.as_deref(), Some("SCAM"));
    let scored = template("message_template_quality_update", json!({"new_quality_score": "RED"}));
    assert_eq!((scored.quality.as_deref(), scored.status), (Some("RED"), None));
    assert!(template("message_template_components_update", json!({"message_template_element": "Hi"})).reload);
    let moved =
        template("template_category_update", json!({"previous_category": "UTILITY", "new_category": "MARKETING"}));
    assert_eq!(moved.category.as_deref(), Some("MARKETING"));
    let ahead = json!({"message_template_id": 1, "correct_category": "MARKETING", "new_category": "UTILITY"});
    assert_eq!(notice(&change("template_category_update", ahead)).name, "template_category_update");
}

#[test]
fn numbers_and_wishes_tell_what_changed() {
    let number = |field: &str, rest: Value| {
        let mut value = json!({"display_phone_number": "15550100001"});
        value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        match facts(&change(field, value)).remove(0) {
            Fact::Sender(change) => (change.sender, change.status, change.reason, change.what),
            other => panic!("no sender: {other:?}"),
        }
    };
    let text = |text: &str| text.to_owned();
    let flagged = number("phone_number_quality_update", json!({"event": "FLAGGED"}));
    assert_eq!(flagged, (text("+15550100001"), Some(text("degraded")), Some(text("FLAGGED")), text("quality")));
    let grown = number("phone_number_quality_update", json!({"event": "THROUGHPUT_UPGRADE"}));
    assert_eq!((grown.1, grown.2), (None, Some(text("THROUGHPUT_UPGRADE"))));
    let name = number("phone_number_name_update", json!({"decision": "REJECTED", "rejection_reason": "TAKEN"}));
    assert_eq!((name.2, name.3), (Some(text("REJECTED: TAKEN")), text("name")));
    let gone = number("account_update", json!({"event": "PHONE_NUMBER_REMOVED", "phone_number": "15550100001"}));
    assert_eq!((gone.0, gone.1, gone.3), (text("+15550100001"), Some(text("disconnected")), text("removed")));

    let wishes = change(
        "user_preferences",
        json!({"metadata": {"phone_number_id": PHONE}, "user_preferences": [
        {"wa_id": "15550199001", "category": "marketing_messages", "value": "stop", "timestamp": 1},
        {"user_id": "US.1349", "category": "marketing_messages", "value": "resume", "timestamp": 1},
        {"wa_id": "15550199001", "category": "marketing_messages", "value": "ponder", "timestamp": 1}]}),
    );
    let told = facts(&wishes);
    let [Fact::Preference(stop), Fact::Preference(resume), Fact::Notice(rest)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(
        (stop.wanted, stop.purpose.as_str(), pairs(&stop.from)),
        (false, "marketing", vec![("phone", "+15550199001")])
    );
    assert_eq!((resume.wanted, pairs(&resume.from)), (true, vec![("user", "US.1349")]));
    assert_eq!((stop.sender.as_str(), rest.name.as_str()), (PHONE, "user_preferences"));
    let alone = |fact: &Preference| -> Value {
        let post: Value = serde_json::from_slice(&fact.document.as_ref().unwrap().bytes).unwrap();
        post.pointer("/entry/0/changes/0/value/user_preferences").unwrap().clone()
    };
    assert_eq!((alone(stop)[0]["value"].as_str(), alone(stop).as_array().unwrap().len()), (Some("stop"), 1));
    assert_eq!(alone(resume)[0]["value"], "resume");
}

#[test]
fn all_else_is_kept_as_it_came() {
    for (field, value) in [
        ("account_update", json!({"event": "ACCOUNT_VIOLATION"})),
        ("account_alerts", json!({"entity_type": "WABA"})),
        ("security", json!({"event": "PIN_CHANGED"})),
        ("smb_message_echoes", json!({"message_echoes": []})),
        ("history", json!({"history": []})),
        ("tomorrow", json!([1, {"a": null}])),
        ("message_template_status_update", json!({"event": 5})),
        ("phone_number_name_update", json!({})),
    ] {
        let post = change(field, value);
        let kept = notice(&post);
        assert_eq!((kept.account.as_str(), kept.name.as_str()), (WABA, field));
        assert_eq!(kept.document.unwrap().bytes, post.to_string().into_bytes());
    }
    assert_eq!(notice(&conversation(json!({"errors": [{"code": 1}]}))).name, "errors");
    assert_eq!(notice(&conversation(json!({"messages": [{"type": "text"}]}))).name, "messages");
}

#[test]
fn of_many_items_each_has_a_document_of_its_own() {
    let one =
        |id: &str| json!({"from": "15550199001", "id": id, "timestamp": "1", "type": "text", "text": {"body": id}});
    let told = facts(&conversation(json!({"messages": [one("wamid.A"), one("wamid.B")]})));
    let documents: Vec<Value> = told
        .iter()
        .map(|fact| match fact {
            Fact::Message(message) => serde_json::from_slice(&message.document.as_ref().unwrap().bytes).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        documents,
        [conversation(json!({"messages": [one("wamid.A")]})), conversation(json!({"messages": [one("wamid.B")]}))]
    );
}
