//! What a WhatsApp message says, read from its JSON. Works on Go's spelling and on ours: the few names that
//! differ are looked up in both.

use serde_json::Value;

use crate::event::DeviceSent;

/// Marks what was seen.
type Note = fn(&mut Wrappers);

/// Messages that only carry another message, in the order in which they lie around each other.
const WRAPPERS: [(&str, Note); 8] = [
    ("botInvokeMessage", |seen| seen.bot_invoke = true),
    ("ephemeralMessage", |seen| seen.ephemeral = true),
    ("viewOnceMessage", |seen| seen.view_once = true),
    ("viewOnceMessageV2", |seen| (seen.view_once, seen.view_once_v2) = (true, true)),
    ("viewOnceMessageV2Extension", |seen| {
        (seen.view_once, seen.view_once_v2, seen.view_once_v2_extension) = (true, true, true);
    }),
    ("lottieStickerMessage", |seen| seen.lottie_sticker = true),
    ("documentWithCaptionMessage", |seen| seen.document_with_caption = true),
    ("editedMessage", |seen| seen.edited = true),
];

/// Media by the field that holds them: their stanza's `mediatype`, unless it depends on the content.
const MEDIA: [(&str, &str); 22] = [
    ("imageMessage", "image"),
    ("stickerMessage", "sticker"),
    ("stickerPackMessage", "sticker_pack"),
    ("documentMessage", "document"),
    ("audioMessage", "audio"),
    ("videoMessage", "video"),
    ("ptvMessage", "ptv"),
    ("contactMessage", "vcard"),
    ("contactsArrayMessage", "contact_array"),
    ("locationMessage", "location"),
    ("liveLocationMessage", "livelocation"),
    ("listMessage", "list"),
    ("listResponseMessage", "list_response"),
    ("buttonsMessage", "button"),
    ("buttonsResponseMessage", "buttons_response"),
    ("templateMessage", "template"),
    ("highlyStructuredMessage", "hsm"),
    ("orderMessage", "order"),
    ("productMessage", "product"),
    ("interactiveResponseMessage", "native_flow_response"),
    ("groupInviteMessage", "url"),
    ("messageHistoryBundle", "group_history"),
];

/// Where a message keeps words for people to read, most telling first.
const WORDS: [&str; 33] = [
    "/conversation",
    "/extendedTextMessage/text",
    "/imageMessage/caption",
    "/videoMessage/caption",
    "/documentMessage/caption",
    "/reactionMessage/text",
    "/protocolMessage/editedMessage",
    "/pollCreationMessage/name",
    "/pollCreationMessageV2/name",
    "/pollCreationMessageV3/name",
    "/pollCreationMessageV4/message",
    "/pollCreationMessageV5/name",
    "/pollCreationMessageV6/name",
    "/eventMessage/name",
    "/buttonsMessage/contentText",
    "/listMessage/description",
    "/listMessage/title",
    "/templateMessage/hydratedTemplate/hydratedContentText",
    "/interactiveMessage/body/text",
    "/buttonsResponseMessage/Response/SelectedDisplayText",
    "/buttonsResponseMessage/selectedDisplayText",
    "/listResponseMessage/title",
    "/templateButtonReplyMessage/selectedDisplayText",
    "/interactiveResponseMessage/body/text",
    "/locationMessage/name",
    "/locationMessage/address",
    "/liveLocationMessage/caption",
    "/contactMessage/displayName",
    "/contactsArrayMessage/displayName",
    "/groupInviteMessage/caption",
    "/orderMessage/message",
    "/productMessage/body",
    "/groupMentionedMessage/message",
];

/// `protocolMessage.type` of a message that takes another back, or replaces it.
const REVOKE: i64 = 0;
const EDIT: i64 = 14;

/// Messages may be wrapped in each other without end; nobody's phone does.
const DEEPEST: usize = 16;

/// A message out of its wrappers.
#[derive(Debug)]
pub struct Unwrapped<'a> {
    pub message: &'a Value,
    pub wrappers: Wrappers,
    /// Set for what another device of the account sent.
    pub device_sent: Option<DeviceSent>,
}

/// In what a message was wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wrappers {
    pub bot_invoke: bool,
    pub ephemeral: bool,
    pub view_once: bool,
    pub view_once_v2: bool,
    pub view_once_v2_extension: bool,
    pub lottie_sticker: bool,
    pub document_with_caption: bool,
    pub edited: bool,
}

/// Takes off the device-sent wrapper and each of the others once, in whatsmeow's order.
pub fn unwrap(raw: &Value) -> Unwrapped<'_> {
    let mut unwrapped = Unwrapped { message: raw, wrappers: Wrappers::default(), device_sent: None };
    if let Some(inner) = inside(raw, "deviceSentMessage") {
        let sent = &raw["deviceSentMessage"];
        let text = |name: &str| either(sent, name).and_then(Value::as_str).unwrap_or_default().to_owned();
        unwrapped.device_sent = Some(DeviceSent { destination: text("destinationJid"), phash: text("phash") });
        unwrapped.message = inner;
    }
    for (wrapper, note) in WRAPPERS {
        if let Some(inner) = inside(unwrapped.message, wrapper) {
            unwrapped.message = inner;
            note(&mut unwrapped.wrappers);
        }
    }
    unwrapped
}

/// `Info.Type` of a message that we send ourselves.
pub fn type_of(raw: &Value) -> &'static str {
    let message = unwrap(raw).message;
    let has = |names: &[&str]| names.iter().any(|name| is_set(message, name));
    if has(&["reactionMessage", "encReactionMessage"]) {
        "reaction"
    } else if has(&["pollUpdateMessage"]) || is_poll(message) {
        "poll"
    } else if has(&["eventMessage", "encEventResponseMessage"]) {
        "event"
    } else if !media_type(raw).is_empty() {
        "media"
    } else {
        "text"
    }
}

/// There are many versions of it.
fn is_poll(message: &Value) -> bool {
    message.as_object().is_some_and(|fields| fields.keys().any(|name| name.starts_with("pollCreationMessage")))
}

/// `Info.MediaType` of a message that we send ourselves; nothing for a message without media.
pub fn media_type(raw: &Value) -> &'static str {
    let message = unwrap(raw).message;
    if is_set(&message["extendedTextMessage"], "title") {
        return "url";
    }
    let Some((field, media)) = MEDIA.into_iter().find(|(field, _)| is_set(message, field)) else { return "" };
    let says = |name| either(&message[field], name).and_then(Value::as_bool).unwrap_or_default();
    match media {
        "audio" if says("ptt") => "ptt",
        "video" if says("gifPlayback") => "gif",
        media => media,
    }
}

/// `Info.Edit` of a message that we send ourselves: `1` edit, `2` pin, `7` taken back by its sender, `8` by an
/// admin; nothing for a message that changes no other.
pub fn edit_of(raw: &Value) -> &'static str {
    let message = unwrap(raw).message;
    let protocol = &message["protocolMessage"];
    let own = protocol["key"]["fromMe"].as_bool().unwrap_or_default();
    match protocol["type"].as_i64() {
        Some(REVOKE) if own => "7",
        Some(REVOKE) => "8",
        Some(EDIT) => "1",
        _ if is_set(message, "pinInChatMessage") => "2",
        _ if message["reactionMessage"]["text"] == "" => "7",
        _ => "",
    }
}

/// What a person would read of it: its text, caption, question, chosen answer, name of place or contact.
pub fn text_of(raw: &Value) -> Option<String> {
    words(raw, DEEPEST).map(str::to_owned)
}

fn words(raw: &Value, depth: usize) -> Option<&str> {
    let message = unwrap(raw).message;
    WORDS.iter().filter_map(|place| message.pointer(place)).find_map(|found| match found {
        Value::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        // The message as it is now, of an edit.
        inner => words(inner, depth.checked_sub(1)?),
    })
}

/// The message in a wrapper, if there is one.
fn inside<'a>(message: &'a Value, wrapper: &str) -> Option<&'a Value> {
    message.get(wrapper)?.get("message").filter(|inner| !inner.is_null())
}

fn is_set(message: &Value, name: &str) -> bool {
    message.get(name).is_some_and(|value| !value.is_null())
}

/// A field whose name Go spells otherwise.
fn either<'a>(message: &'a Value, name: &str) -> Option<&'a Value> {
    message.get(name).or_else(|| message.get(crate::go::name(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wrappers_come_off_in_order_and_are_noted() {
        let raw = json!({
            "deviceSentMessage": {
                "destinationJID": "5511988887777@s.whatsapp.net",
                "phash": "2:abc",
                "message": {"ephemeralMessage": {"message": {"viewOnceMessageV2Extension": {"message": {
                    "audioMessage": {"PTT": true},
                }}}}},
            },
            "messageContextInfo": {},
        });
        let unwrapped = unwrap(&raw);
        assert_eq!(unwrapped.message, &json!({"audioMessage": {"PTT": true}}));
        let expected = Wrappers {
            ephemeral: true,
            view_once: true,
            view_once_v2: true,
            view_once_v2_extension: true,
            ..Wrappers::default()
        };
        assert_eq!(unwrapped.wrappers, expected);
        let sent = unwrapped.device_sent.unwrap();
        assert_eq!((sent.destination.as_str(), sent.phash.as_str()), ("5511988887777@s.whatsapp.net", "2:abc"));

        for (wrapper, expected) in [
            ("botInvokeMessage", Wrappers { bot_invoke: true, ..Wrappers::default() }),
            ("viewOnceMessage", Wrappers { view_once: true, ..Wrappers::default() }),
            ("viewOnceMessageV2", Wrappers { view_once: true, view_once_v2: true, ..Wrappers::default() }),
            ("lottieStickerMessage", Wrappers { lottie_sticker: true, ..Wrappers::default() }),
            ("documentWithCaptionMessage", Wrappers { document_with_caption: true, ..Wrappers::default() }),
            ("editedMessage", Wrappers { edited: true, ..Wrappers::default() }),
        ] {
            let raw = json!({wrapper: {"message": {"conversation": "x"}}});
            let unwrapped = unwrap(&raw);
            assert_eq!((unwrapped.wrappers, &unwrapped.message["conversation"]), (expected, &json!("x")), "{wrapper}");
            assert!(unwrapped.device_sent.is_none());
        }
        let empty = json!({"ephemeralMessage": {}, "conversation": "stays"});
        assert_eq!(unwrap(&empty).message, &empty);
    }

    #[test]
    fn types_words_and_media_of_a_message() {
        for (message, kind, media, text) in [
            (json!({"conversation": "hi"}), "text", "", Some("hi")),
            (json!({"extendedTextMessage": {"text": "see", "contextInfo": {}}}), "text", "", Some("see")),
            (json!({"extendedTextMessage": {"text": "see", "title": "T"}}), "media", "url", Some("see")),
            (json!({"imageMessage": {"caption": "c"}}), "media", "image", Some("c")),
            (json!({"videoMessage": {"gifPlayback": true}}), "media", "gif", None),
            (json!({"videoMessage": {"caption": ""}}), "media", "video", None),
            (json!({"audioMessage": {"ptt": true}}), "media", "ptt", None),
            (json!({"audioMessage": {"PTT": false}}), "media", "audio", None),
            (json!({"ptvMessage": {}}), "media", "ptv", None),
            (json!({"stickerMessage": {}}), "media", "sticker", None),
            (json!({"contactMessage": {"displayName": "Ana"}}), "media", "vcard", Some("Ana")),
            (json!({"locationMessage": {"name": "", "address": "Street 1"}}), "media", "location", Some("Street 1")),
            (
                json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "d"}}}}),
                "media",
                "document",
                Some("d"),
            ),
            (json!({"reactionMessage": {"text": "👍"}}), "reaction", "", Some("👍")),
            (json!({"reactionMessage": {"text": ""}}), "reaction", "", None),
            (json!({"pollCreationMessageV3": {"name": "Which?"}}), "poll", "", Some("Which?")),
            (json!({"pollUpdateMessage": {}}), "poll", "", None),
            (json!({"eventMessage": {"name": "Party"}}), "event", "", Some("Party")),
            (
                json!({"buttonsResponseMessage": {"Response": {"SelectedDisplayText": "Yes"}}}),
                "media",
                "buttons_response",
                Some("Yes"),
            ),
            (json!({"listResponseMessage": {"title": "One"}}), "media", "list_response", Some("One")),
            (
                json!({"protocolMessage": {"type": 14, "editedMessage": {"conversation": "new"}}}),
                "text",
                "",
                Some("new"),
            ),
            (json!({"protocolMessage": {"type": 0}}), "text", "", None),
            (json!("nonsense"), "text", "", None),
        ] {
            assert_eq!(type_of(&message), kind, "{message}");
            assert_eq!(media_type(&message), media, "{message}");
            assert_eq!(text_of(&message).as_deref(), text, "{message}");
        }
    }

    #[test]
    fn what_changes_another_message_says_so() {
        for (message, edit) in [
            (json!({"protocolMessage": {"type": 0, "key": {"fromMe": true}}}), "7"),
            (json!({"protocolMessage": {"type": 0, "key": {"fromMe": false}}}), "8"),
            (json!({"editedMessage": {"message": {"protocolMessage": {"type": 14}}}}), "1"),
            (json!({"pinInChatMessage": {"type": 1}}), "2"),
            (json!({"reactionMessage": {"text": ""}}), "7"),
            (json!({"reactionMessage": {"text": "👍"}}), ""),
            (json!({"protocolMessage": {"type": 3}}), ""),
            (json!({"conversation": "hi"}), ""),
        ] {
            assert_eq!(edit_of(&message), edit, "{message}");
        }
    }

    #[test]
    fn endless_edits_end() {
        let mut message = json!({"conversation": "deep"});
        for _ in 0..100 {
            message = json!({"protocolMessage": {"editedMessage": message}});
        }
        assert_eq!(text_of(&message), None);
    }
}
