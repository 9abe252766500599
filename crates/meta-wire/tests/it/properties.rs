//! Whatever Meta adds survives.

use meta_wire::send::Outgoing;
use meta_wire::webhook::{Content, Fact, Message, Notification, Status, parse};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn siblings() -> impl Strategy<Value = Map<String, Value>> {
    // The prefix keeps them apart from the members that have a type.
    prop::collection::vec(("x_\\PC{0,6}", any_json()), 0..4).prop_map(|members| members.into_iter().collect())
}

fn with(mut value: Value, siblings: Map<String, Value>) -> Value {
    value.as_object_mut().unwrap().extend(siblings);
    value
}

proptest! {
    #[test]
    fn siblings_survive_reading_and_printing(outer in siblings(), inner in siblings(), text: String) {
        let inbound = with(json!({"id": "w", "from": "1", "timestamp": "5", "type": "text",
            "text": with(json!({"body": text}), inner.clone())}), outer.clone());
        let read: Message = serde_json::from_value(inbound.clone()).unwrap();
        prop_assert!(matches!(&read.body.content, Content::Text(read) if read.body == text));
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), inbound);

        let status = with(json!({"id": "w", "status": "sent", "timestamp": "5",
            "pricing": with(json!({"billable": true}), inner.clone())}), outer.clone());
        let read: Status = serde_json::from_value(status.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), status);

        let outgoing = with(json!({"messaging_product": "whatsapp", "to": "+1", "type": "text",
            "text": with(json!({"body": text}), inner)}), outer);
        let read: Outgoing = serde_json::from_value(outgoing.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&read).unwrap(), outgoing);
    }

    #[test]
    fn any_message_of_any_batch_is_cut_out_whole(
        contents in prop::collection::vec((any_json(), siblings()), 1..6),
        value_siblings in siblings(),
        escaped: bool,
    ) {
        let messages: Vec<Value> = contents.into_iter().enumerate().map(|(n, (content, more))| {
            with(json!({"id": format!("w{n}"), "from": n.to_string(), "timestamp": "1", "type": "thing", "thing": content}), more)
        }).collect();
        let contacts: Vec<Value> = (0..messages.len()).rev().map(|n| json!({"wa_id": n.to_string()})).collect();
        let value = with(json!({"metadata": {"phone_number_id": "2"}, "contacts": contacts, "messages": messages}), value_siblings);
        let post = Notification::of("1", None, "messages", value.clone());
        let body = if escaped { meta_wire::print::ascii(&post) } else { serde_json::to_vec(&post) }.unwrap();
        let batch = parse(&body).unwrap();
        prop_assert_eq!(batch.items().len(), messages.len());
        for (n, item) in batch.items().iter().enumerate() {
            let Fact::Message(read) = &item.fact else { panic!("{:?}", item.fact) };
            prop_assert_eq!(&read.id, &format!("w{n}"));
            prop_assert!(std::str::from_utf8(&body).unwrap().contains(item.raw()));
            let mut expected = value.clone();
            expected["messages"] = json!([messages[n]]);
            expected["contacts"] = json!([{"wa_id": n.to_string()}]);
            let document: Value = serde_json::from_str(&item.document()).unwrap();
            prop_assert_eq!(&document["entry"][0]["changes"][0]["value"], &expected);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, value in any_json()) {
        let _ = parse(&bytes);
        for field in ["messages", "account_update", "history"] {
            let body = serde_json::to_vec(&Notification::of("1", None, field, value.clone())).unwrap();
            for item in parse(&body).unwrap().items() {
                prop_assert!(parse(item.document().as_bytes()).unwrap().single().is_some());
            }
        }
    }
}
