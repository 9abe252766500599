//! How whatsmeow's Go structs spell protobuf messages in JSON, and back.
//!
//! Our own JSON of a protobuf message: lowerCamel names, enums as integers, bytes as padded base64, 64-bit
//! integers as numbers, the members of a oneof beside the other fields, nothing where nothing is set. Go's
//! differs in some names, and nests a oneof under its own name (`null` when unset).

use serde_json::{Map, Value};

use crate::schema::{self, Field, Kind, Label, Message};

/// Words that Go spells otherwise unless they open a name.
const WORDS: [(&str, &str); 11] = [
    ("Cdn", "CDN"),
    ("Id", "ID"),
    ("Ids", "IDs"),
    ("Iv", "IV"),
    ("Jid", "JID"),
    ("Json", "JSON"),
    ("Mac", "MAC"),
    ("Ms", "MS"),
    ("Sha256", "SHA256"),
    ("Ts", "TS"),
    ("Url", "URL"),
];
/// Names that Go spells in capitals when they are the whole name.
const CAPITALS: [&str; 6] = ["fbid", "id", "iv", "jid", "ptt", "url"];

/// The JSON key of a field, from its lowerCamel name.
pub fn name(camel: &str) -> String {
    if CAPITALS.contains(&camel) {
        return camel.to_ascii_uppercase();
    }
    if let Some(head) = camel.strip_suffix("jpegThumbnail").or_else(|| camel.strip_suffix("JpegThumbnail")) {
        return name(head) + "JPEGThumbnail";
    }
    let mut words = split(camel);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + respell_word(word))
}

/// The Go identifier of a oneof or of one of its cases, from its lowerCamel name.
pub fn exported(camel: &str) -> String {
    let name = name(camel);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn respell_word(word: &str) -> &str {
    WORDS.iter().find(|(plain, _)| *plain == word).map_or(word, |(_, go)| go)
}

/// Cuts before every capital.
fn split(camel: &str) -> impl Iterator<Item = &str> {
    let mut rest = camel;
    std::iter::from_fn(move || {
        let end = rest.char_indices().skip(1).find(|(_, letter)| letter.is_ascii_uppercase());
        let (word, tail) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

/// Prints our JSON of the protobuf message of that full name as Go does. What the schema does not know is kept.
pub fn respell(value: &Value, message: &str) -> Value {
    match (value, schema::message(message)) {
        (Value::Object(fields), Some(message)) => respell_message(fields, message).into(),
        _ => value.clone(),
    }
}

fn respell_message(fields: &Map<String, Value>, message: &Message) -> Map<String, Value> {
    let mut printed = Map::new();
    for (key, value) in fields.iter().filter(|(_, value)| is_set(value)) {
        let Some(field) = message.field(key) else {
            printed.insert(name(key), value.clone());
            continue;
        };
        let value = each(field, value, respell_one);
        match field.oneof {
            None => printed.insert(field.go.clone(), value),
            Some(place) => {
                let case = Map::from_iter([(exported(field.name), value)]);
                printed.insert(message.oneofs[place].go.clone(), case.into())
            }
        };
    }
    for oneof in &message.oneofs {
        printed.entry(oneof.go.clone()).or_insert(Value::Null);
    }
    printed
}

fn respell_one(kind: Kind, value: &Value) -> Value {
    match kind {
        Kind::Message(name) => respell(value, name),
        Kind::Enum(name) => enum_number(name, value),
        _ => value.clone(),
    }
}

/// Reads what a caller wrote in Go's names or ours, in any case, into our JSON of the message.
/// What the schema does not know is kept.
pub fn unspell(value: &Value, message: &str) -> Value {
    match (value, schema::message(message)) {
        (Value::Object(fields), Some(message)) => {
            let mut read = Map::new();
            unspell_message(fields, message, &mut read);
            read.into()
        }
        _ => value.clone(),
    }
}

fn unspell_message(fields: &Map<String, Value>, message: &Message, read: &mut Map<String, Value>) {
    for (key, value) in fields.iter().filter(|(_, value)| is_set(value)) {
        if let Some(field) = message.field(key) {
            read.insert(field.name.to_owned(), each(field, value, unspell_one));
        } else if let (Some(_), Value::Object(case)) = (message.oneof(key), value) {
            unspell_cases(case, message, read);
        } else {
            read.insert(key.clone(), value.clone());
        }
    }
}

/// The inside of a oneof; only its members can stand there, so this goes one level deep.
fn unspell_cases(case: &Map<String, Value>, message: &Message, read: &mut Map<String, Value>) {
    for (key, value) in case.iter().filter(|(_, value)| is_set(value)) {
        if let Some(field) = message.field(key).filter(|field| field.oneof.is_some()) {
            read.insert(field.name.to_owned(), unspell_one(field.kind, value));
        }
    }
}

fn unspell_one(kind: Kind, value: &Value) -> Value {
    match kind {
        Kind::Message(name) => unspell(value, name),
        Kind::Enum(name) => enum_number(name, value),
        _ => value.clone(),
    }
}

/// Go leaves out what is nil or empty, but keeps an explicit zero.
fn is_set(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

fn enum_number(name: &str, value: &Value) -> Value {
    match value.as_str().and_then(|value| schema::enum_number(name, value)) {
        Some(number) => number.into(),
        None => value.clone(),
    }
}

/// Applies `one` to every single value in the field.
fn each(field: &Field, value: &Value, one: fn(Kind, &Value) -> Value) -> Value {
    match (field.label, value) {
        (Label::Repeated, Value::Array(list)) => list.iter().map(|value| one(field.kind, value)).collect(),
        (Label::Map, Value::Object(entries)) => {
            let kind = field.message().and_then(|entry| entry.field("value")).map_or(field.kind, |value| value.kind);
            let entries = entries.iter().map(|(key, value)| (key.clone(), one(kind, value)));
            Value::Object(entries.collect())
        }
        _ => one(field.kind, value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn names_follow_the_rule() {
        for (camel, go) in [
            ("id", "ID"),
            ("jid", "JID"),
            ("url", "URL"),
            ("iv", "IV"),
            ("ptt", "PTT"),
            ("fbid", "FBID"),
            ("stanzaId", "stanzaID"),
            ("quotedMessageIds", "quotedMessageIDs"),
            ("mentionedJid", "mentionedJID"),
            ("canonicalUrl", "canonicalURL"),
            ("fileEncSha256", "fileEncSHA256"),
            ("senderTimestampMs", "senderTimestampMS"),
            ("stickerSentTs", "stickerSentTS"),
            ("paramsJson", "paramsJSON"),
            ("mediaCdnKey", "mediaCDNKey"),
            ("macKey", "macKey"),
            ("hmacMac", "hmacMAC"),
            ("encIv", "encIV"),
            ("jpegThumbnail", "JPEGThumbnail"),
            ("attachmentJpegThumbnail", "attachmentJPEGThumbnail"),
            ("idPrefixUrlText", "idPrefixURLText"),
            ("urlText", "urlText"),
            ("vcard", "vcard"),
            ("pngThumbnail", "pngThumbnail"),
            ("phoneNumberToLidMappings", "phoneNumberToLidMappings"),
            ("groupId", "groupID"),
            ("axolotlSenderKeyDistributionMessage", "axolotlSenderKeyDistributionMessage"),
            ("isGroupIdentity", "isGroupIdentity"),
            ("isAiSticker", "isAiSticker"),
        ] {
            assert_eq!(name(camel), go);
        }
        assert_eq!(exported("jpegThumbnail"), "JPEGThumbnail");
        assert_eq!(exported("urlButton"), "UrlButton");
        assert_eq!(exported("aIRichResponseContentItem"), "AIRichResponseContentItem");
        assert_eq!(name(""), "");
        assert_eq!(exported("é"), "é");
    }

    #[test]
    fn a_message_prints_as_in_go() {
        let ours = json!({
            "interactiveMessage": {
                "header": {"title": "t", "imageMessage": {"url": "https://x", "fileSha256": "AA==", "height": 0}},
                "footer": {"text": "f"},
                "nativeFlowMessage": {"buttons": [{"name": "n", "buttonParamsJson": "{}"}], "messageVersion": 1},
            },
            "protocolMessage": {"key": {"remoteJid": "1@s.whatsapp.net", "fromMe": false, "id": "A"}, "type": "REVOKE"},
            "extendedTextMessage": {
                "text": "",
                "contextInfo": {"stanzaId": "B", "mentionedJid": ["1@lid"], "groupMentions": [], "quotedMessage": null},
            },
            "fromTomorrow": {"someId": 1},
        });
        let go = json!({
            "interactiveMessage": {
                "header": {
                    "title": "t",
                    "Media": {"ImageMessage": {"URL": "https://x", "fileSHA256": "AA==", "height": 0}},
                },
                "footer": {"text": "f", "Media": null},
                "InteractiveMessage": {"NativeFlowMessage": {
                    "buttons": [{"name": "n", "buttonParamsJSON": "{}"}],
                    "messageVersion": 1,
                }},
            },
            "protocolMessage": {"key": {"remoteJID": "1@s.whatsapp.net", "fromMe": false, "ID": "A"}, "type": 0},
            "extendedTextMessage": {"text": "", "contextInfo": {"stanzaID": "B", "mentionedJID": ["1@lid"]}},
            "fromTomorrow": {"someId": 1},
        });
        assert_eq!(respell(&ours, "Message"), go);
    }

    #[test]
    fn maps_and_lists_of_messages_are_followed() {
        let action = json!({"musicUserIdAction": {"musicUserId": "m", "musicUserIdMap": {"aId": "bUrl"}}});
        let go = json!({"musicUserIDAction": {"musicUserID": "m", "musicUserIDMap": {"aId": "bUrl"}}});
        assert_eq!(respell(&action, "SyncActionValue"), go);
        assert_eq!(unspell(&go, "SyncActionValue"), action);
        let sync = json!({"syncType": 3, "conversations": [{"id": "c", "messages": [{"msgOrderId": 7}]}]});
        let go = json!({"syncType": 3, "conversations": [{"ID": "c", "messages": [{"msgOrderID": 7}]}]});
        assert_eq!(respell(&sync, "HistorySync"), go);
    }

    #[test]
    fn callers_may_write_any_case() {
        let theirs = json!({
            "ButtonsMessage": {
                "header": {"imageMessage": {"URL": "u", "Nonsense": 1}},
                "ContentText": "c",
                "headertype": "IMAGE",
                "footerText": null,
            },
        });
        let ours = json!({
            "buttonsMessage": {"imageMessage": {"url": "u", "Nonsense": 1}, "contentText": "c", "headerType": 4},
        });
        assert_eq!(unspell(&theirs, "Message"), ours);
        assert_eq!(unspell(&ours, "Message"), ours);
        let unset = json!({"interactiveResponseMessage": {"InteractiveResponseMessage": null, "body": {"text": "b"}}});
        assert_eq!(unspell(&unset, "Message"), json!({"interactiveResponseMessage": {"body": {"text": "b"}}}));
        assert_eq!(unspell(&json!("text"), "Message"), json!("text"));
        assert_eq!(respell(&json!({"stanzaId": 1}), "Nonsense"), json!({"stanzaId": 1}));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(value in sample::any_message()) {
            let (message, value) = value;
            prop_assert_eq!(unspell(&respell(&value, message), message), value);
        }
    }
}
