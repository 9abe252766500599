//! Bytes that no Meta would send.

use meta_wire::webhook::{MAX_CHANGES, MAX_ITEMS, Notification, ParseError, parse};
use serde_json::json;

fn post(value: &str) -> String {
    format!(r#"{{"object":"o","entry":[{{"id":"1","changes":[{{"field":"messages","value":{value}}}]}}]}}"#)
}

#[test]
fn limits_are_kept() {
    let changes = |count: usize| {
        let mut post = Notification::of("1", None, "security", json!({}));
        post.entry[0].changes = vec![post.entry[0].changes[0].clone(); count];
        serde_json::to_vec(&post).unwrap()
    };
    assert_eq!(parse(&changes(MAX_CHANGES)).unwrap().items().len(), MAX_CHANGES);
    assert!(matches!(parse(&changes(MAX_CHANGES + 1)), Err(ParseError::TooManyChanges)));

    let messages = |count: usize| post(&format!(r#"{{"messages":[{}]}}"#, vec!["{}"; count].join(",")));
    assert_eq!(parse(messages(MAX_ITEMS).as_bytes()).unwrap().items().len(), MAX_ITEMS);
    assert!(matches!(parse(messages(MAX_ITEMS + 1).as_bytes()), Err(ParseError::TooManyItems)));

    let deep = |levels: usize| post(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    // Five brackets are the envelope's own.
    assert!(parse(deep(59).as_bytes()).is_ok());
    assert!(matches!(parse(deep(60).as_bytes()), Err(ParseError::TooDeep)));
    assert!(matches!(parse("[".repeat(1_000_000).as_bytes()), Err(ParseError::TooDeep)));
}

#[test]
fn what_is_no_notification_is_refused() {
    for body in
        [&b""[..], b"null", b"[]", b"5", b"\"x\"", b"{", b"{}x", b"{\"entry\":{}}", b"{\"entry\":[],\"entry\":[]}"]
    {
        assert!(matches!(parse(body), Err(ParseError::NotANotification(_))), "{body:?}");
    }
    assert!(matches!(parse(b"{\"a\":\"\xff\"}"), Err(ParseError::NotUtf8(_))));
}

#[test]
fn no_cut_and_no_changed_byte_makes_it_panic() {
    let whole = post(
        r#"{"metadata":{"phone_number_id":"2"},"contacts":[{"wa_id":"1"}],"messages":[{"id":"a\u0000","from":"1","timestamp":"1",
        "type":"text","text":{"body":"\ud83d\ude00 \ud83d"}}],"statuses":[{"id":"b","status":"sent","timestamp":1}]}"#,
    );
    let bytes = whole.as_bytes();
    assert_eq!(parse(bytes).unwrap().items().len(), 2);
    for end in 0..bytes.len() {
        assert!(parse(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len() {
        for byte in [b'"', b'\\', b'{', b']', b'0', 0, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            if let Ok(batch) = parse(&changed) {
                for item in batch.items() {
                    assert!(parse(item.document().as_bytes()).is_ok());
                }
            }
        }
    }
}
