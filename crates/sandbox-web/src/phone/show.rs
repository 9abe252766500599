//! What a phone shows of a message: the control API's JSON, in Meta's words where Meta has one.
//!
//! A message either stands in the list by itself ([`content`]) or changes one that stands there
//! ([`change`]). The caller adds what is about the list: id, direction, status, links to files.

mod asked;

use super::content::Known;
use asked::{asked, tapped};
use serde_json::{Map, Value, json};
use wacore::{
    poll::{PollVoteCiphertext, compute_option_hash, decrypt_poll_vote_with_secret},
    proto_helpers::MessageExt,
};
use waproto::whatsapp::{
    self as wa,
    message::{self as part, protocol_message::Type},
};

/// A message that changes another one.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An emoji on it; empty takes it off.
    Reaction { id: String, emoji: String },
    /// New content, as [`content`] gives it.
    Edit { id: String, content: Value },
    /// Gone for everyone.
    Delete { id: String },
    /// A vote; [`vote`] opens it.
    Vote { id: String },
    /// The chat's messages vanish after so many seconds from now on; 0 = they stay.
    Expiration { seconds: u32 },
    /// Words among devices that nobody sees.
    Silent,
}

/// Whether this message changes another one, and how.
pub fn change(message: &wa::Message) -> Option<Change> {
    // The wrapper of an edit is looked at before it is taken off.
    let edited = message.edited_message.message.protocol_message.as_option();
    let message = message.get_base_message();
    if let Some(reaction) = message.reaction_message.as_option() {
        let id = reaction.key.id.clone()?;
        return Some(Change::Reaction { id, emoji: reaction.text.clone().unwrap_or_default() });
    }
    if let Some(vote) = message.poll_update_message.as_option() {
        return Some(Change::Vote { id: vote.poll_creation_message_key.id.clone()? });
    }
    if let Some(protocol) = message.protocol_message.as_option().or(edited) {
        return protocol_change(protocol);
    }
    let only_keys = message.sender_key_distribution_message.is_set() && kind(message).is_none();
    only_keys.then_some(Change::Silent)
}

fn protocol_change(protocol: &part::ProtocolMessage) -> Option<Change> {
    let id = protocol.key.id.clone();
    Some(match protocol.r#type {
        Some(Type::REVOKE) => Change::Delete { id: id? },
        Some(Type::MESSAGE_EDIT) => Change::Edit { id: id?, content: content(&protocol.edited_message) },
        Some(Type::EPHEMERAL_SETTING) => {
            Change::Expiration { seconds: protocol.ephemeral_expiration.unwrap_or_default() }
        }
        _ => Change::Silent,
    })
}

/// `{type, <type>: {…}, context?, mentions?, view_once?, expiration?, forwarded?}`. Media have no
/// link: the caller knows where the opened file is.
pub fn content(message: &wa::Message) -> Value {
    let view_once = message.is_view_once();
    let message = message.get_base_message();
    let (kind, part) = kind(message).unwrap_or(("unsupported", json!({})));
    let mut shown = Map::new();
    shown.insert("type".to_owned(), kind.into());
    let name = if kind == "contact" { "contacts" } else { kind };
    shown.insert(name.to_owned(), part);
    if let Some(file) = super::media::file(message) {
        shown.insert("mime_type".to_owned(), json!(file.mime_type));
        shown.insert("sha256".to_owned(), hex::encode(file.sha256.as_slice()).into());
    }
    if view_once {
        shown.insert("view_once".to_owned(), true.into());
    }
    if let Some(context) = context_info(message) {
        add_context(&mut shown, context);
    }
    Value::Object(shown)
}

fn add_context(shown: &mut Map<String, Value>, context: &wa::ContextInfo) {
    if let Some(id) = &context.stanza_id {
        let quoted = json!({ "message_id": id, "from": context.participant });
        shown.insert("context".to_owned(), quoted);
    }
    if !context.mentioned_jid.is_empty() {
        shown.insert("mentions".to_owned(), json!(context.mentioned_jid));
    }
    if let Some(count) = context.non_jid_mentions.filter(|count| *count > 0) {
        shown.insert("mentions_all".to_owned(), json!(count));
    }
    if let Some(seconds) = context.expiration.filter(|seconds| *seconds > 0) {
        shown.insert("expiration".to_owned(), seconds.into());
    }
    if context.is_forwarded == Some(true) {
        shown.insert("forwarded".to_owned(), true.into());
    }
}

fn kind(message: &wa::Message) -> Option<(&'static str, Value)> {
    if let Some(words) = message.text_content() {
        return Some(("text", text(message, words)));
    }
    file(message)
        .or_else(|| place(message))
        .or_else(|| people(message))
        .or_else(|| asked(message))
        .or_else(|| tapped(message))
}

fn text(message: &wa::Message, words: &str) -> Value {
    let mut shown = json!({ "body": words });
    if let Some(link) = message.extended_text_message.as_option().filter(|it| it.matched_text.is_some()) {
        shown["preview"] = json!({
            "url": link.matched_text, "title": link.title, "description": link.description,
        });
    }
    shown
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

fn file(message: &wa::Message) -> Option<(&'static str, Value)> {
    let once = |flag: Option<bool>| flag.filter(|it| *it);
    let (kind, part) = if let Some(it) = message.image_message.as_option() {
        let shown = json!({ "caption": it.caption, "view_once": once(it.view_once) });
        ("image", shown)
    } else if let Some(it) = message.video_message.as_option() {
        let shown = json!({
            "caption": it.caption, "seconds": it.seconds, "gif": once(it.gif_playback),
            "view_once": once(it.view_once),
        });
        ("video", shown)
    } else if let Some(it) = message.ptv_message.as_option() {
        ("ptv", json!({ "caption": it.caption, "seconds": it.seconds }))
    } else if let Some(it) = message.audio_message.as_option() {
        let shown = json!({
            "voice": it.ptt.unwrap_or_default(), "seconds": it.seconds,
            "waveform": it.waveform.as_ref().map(Vec::len), "view_once": once(it.view_once),
        });
        ("audio", shown)
    } else if let Some(it) = message.document_message.as_option() {
        let name = it.file_name.as_ref().or(it.title.as_ref());
        ("document", json!({ "caption": it.caption, "filename": name }))
    } else {
        let it = message.sticker_message.as_option()?;
        ("sticker", json!({ "animated": it.is_animated.unwrap_or_default() }))
    };
    let mut part = without_nulls(part);
    let file = super::media::file(message)?;
    part["mime_type"] = json!(file.mime_type);
    part["sha256"] = hex::encode(file.sha256.as_slice()).into();
    part["file_size"] = file.length.into();
    Some((kind, part))
}

fn place(message: &wa::Message) -> Option<(&'static str, Value)> {
    if let Some(it) = message.live_location_message.as_option() {
        let shown = json!({
            "latitude": it.degrees_latitude, "longitude": it.degrees_longitude,
            "caption": it.caption, "live": true,
        });
        return Some(("location", without_nulls(shown)));
    }
    let it = message.location_message.as_option()?;
    let shown = json!({
        "latitude": it.degrees_latitude, "longitude": it.degrees_longitude,
        "name": it.name, "address": it.address, "url": it.url,
    });
    Some(("location", without_nulls(shown)))
}

fn people(message: &wa::Message) -> Option<(&'static str, Value)> {
    if let Some(card) = message.contact_message.as_option() {
        return Some(("contact", json!([person(card)])));
    }
    let cards = message.contacts_array_message.as_option()?;
    Some(("contacts", cards.contacts.iter().map(person).collect()))
}

fn person(card: &part::ContactMessage) -> Value {
    let vcard = card.vcard.as_deref().unwrap_or_default();
    let phones = vcard.lines().filter(|line| line.contains("TEL"));
    let phones = phones.filter_map(|line| line.rsplit_once(':').map(|(_, number)| number.trim()));
    json!({
        "name": { "formatted_name": card.display_name },
        "phones": phones.map(|number| json!({ "phone": number })).collect::<Vec<_>>(),
        "vcard": vcard,
    })
}

/// The poll of an unwrapped message, in any of its versions.
pub fn poll(message: &wa::Message) -> Option<&part::PollCreationMessage> {
    message
        .poll_creation_message
        .as_option()
        .or(message.poll_creation_message_v2.as_option())
        .or(message.poll_creation_message_v3.as_option())
        .or(message.poll_creation_message_v5.as_option())
}

fn context_info(message: &wa::Message) -> Option<&wa::ContextInfo> {
    macro_rules! first {
        ($($part:ident),+ $(,)?) => {
            $(if let Some(part) = message.$part.as_option() {
                return part.context_info.as_option();
            })+
        };
    }
    first!(
        extended_text_message,
        image_message,
        video_message,
        ptv_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        contact_message,
        contacts_array_message,
        poll_creation_message,
        poll_creation_message_v3,
        event_message,
        list_message,
        buttons_message,
        interactive_message,
        list_response_message,
        buttons_response_message,
        interactive_response_message,
        template_button_reply_message,
    );
    None
}

/// The options that `message` votes for in `poll`; `None` if it cannot be opened. `voter` is spelled
/// as the poll's sender is.
pub fn vote(message: &wa::Message, poll: &Known, voter: &str) -> Option<Vec<String>> {
    let update = message.get_base_message().poll_update_message.as_option()?;
    let sealed =
        PollVoteCiphertext { enc_payload: update.vote.enc_payload.as_deref()?, enc_iv: update.vote.enc_iv.as_deref()? };
    let secret = poll.message.message_context_info.message_secret.as_deref()?;
    let hashes = decrypt_poll_vote_with_secret(sealed, secret, &poll.id, &poll.sender, voter).ok()?;
    let names = self::poll(poll.message.get_base_message())?.options.iter();
    let names = names.filter_map(|option| option.option_name.clone());
    Some(names.filter(|name| hashes.iter().any(|hash| hash[..] == compute_option_hash(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use waproto::buffa::MessageField;
    use waproto::whatsapp::message::interactive_message::InteractiveMessage as Body;

    fn wrapped(inner: wa::Message) -> MessageField<part::FutureProofMessage> {
        part::FutureProofMessage { message: inner.into() }.into()
    }

    #[test]
    fn wrappers_do_not_hide_what_is_inside() {
        let words = || wa::Message { conversation: Some("hi".into()), ..Default::default() };
        let sent = part::DeviceSentMessage { message: words().into(), ..Default::default() };
        for message in [
            words(),
            wa::Message { ephemeral_message: wrapped(words()), ..Default::default() },
            wa::Message { device_sent_message: sent.into(), ..Default::default() },
        ] {
            assert_eq!(content(&message), json!({ "type": "text", "text": { "body": "hi" } }));
            assert_eq!(change(&message), None);
        }
        let image = part::ImageMessage { caption: Some("once".into()), ..Default::default() };
        let image = wa::Message { image_message: image.into(), ..Default::default() };
        let once = wa::Message { view_once_message_v2: wrapped(image), ..Default::default() };
        let shown = content(&once);
        assert_eq!((&shown["type"], &shown["view_once"]), (&"image".into(), &true.into()));
    }

    #[test]
    fn interactive_messages_are_told_apart() {
        use part::interactive_message as it;
        let flow = |names: &[&str]| {
            let buttons = names.iter().map(|name| it::native_flow_message::NativeFlowButton {
                name: Some((*name).into()),
                button_params_json: Some(r#"{"id":"1","display_text":"Yes"}"#.into()),
            });
            let flow = it::NativeFlowMessage { buttons: buttons.collect(), ..Default::default() };
            part::InteractiveMessage {
                body: it::Body { text: Some("Well?".into()) }.into(),
                interactive_message: Some(Body::NativeFlowMessage(Box::new(flow))),
                ..Default::default()
            }
        };
        for (names, kind) in [
            (&["quick_reply", "cta_url"][..], "buttons"),
            (&["single_select"][..], "list"),
            (&["galaxy_message"][..], "flow"),
        ] {
            let message = wa::Message { interactive_message: flow(names).into(), ..Default::default() };
            let shown = content(&message);
            assert_eq!(shown["type"], kind);
            assert_eq!(shown[kind]["text"], "Well?");
            assert_eq!(shown[kind]["buttons"][0]["title"], "Yes");
        }
        let cards = vec![flow(&["quick_reply"]), flow(&["cta_url"])];
        let carousel = it::CarouselMessage { cards, ..Default::default() };
        let carousel = part::InteractiveMessage {
            interactive_message: Some(Body::CarouselMessage(Box::new(carousel))),
            ..Default::default()
        };
        let message = wa::Message { interactive_message: carousel.into(), ..Default::default() };
        assert_eq!(content(&message)["carousel"]["cards"][1]["buttons"][0]["name"], "cta_url");
    }

    #[test]
    fn what_nobody_should_see_is_silent_and_what_nobody_knows_is_shown() {
        let keys = part::SenderKeyDistributionMessage { group_id: Some("g".into()), ..Default::default() };
        let mut message = wa::Message { sender_key_distribution_message: keys.into(), ..Default::default() };
        assert_eq!(change(&message), Some(Change::Silent));
        message.conversation = Some("with words".into());
        assert_eq!(change(&message), None);
        let share = part::ProtocolMessage { r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE), ..Default::default() };
        let share = wa::Message { protocol_message: share.into(), ..Default::default() };
        assert_eq!(change(&share), Some(Change::Silent));
        assert_eq!(content(&wa::Message::default())["type"], "unsupported");
    }
}
