//! What a person does on the phone, as the control API says it (Meta-shaped), made into a message.
//!
//! A message that carries a file is a [`Draft`]: the caller fetches the file's bytes, seals and
//! uploads them, and [`Draft::attach`]es what came out. Everything else is ready at once.

use super::{
    Random,
    media::{File, Kind},
    parts::{contacts, file, location, needed, poll, set_file, string, text},
};
use rand_10::RngExt;
use serde_json::Value;
use wacore::{
    poll::{compute_option_hash, encrypt_poll_vote_with_secret},
    proto_helpers::MessageExt,
};
use waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message as part, message::protocol_message::Type},
};

/// Why the body makes no message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ContentError {
    /// A field that this type needs.
    #[error("`{0}` is missing or of the wrong type")]
    Missing(&'static str),
    /// A type that a phone does not send.
    #[error("a phone cannot send type {0}")]
    Unknown(String),
    /// A reply, reaction or vote names a message that is not in the chat.
    #[error("there is no message {0} in this chat")]
    NoSuchMessage(String),
    /// The message is no poll, or the option is not among its options.
    #[error("{0}")]
    NotAPoll(&'static str),
}

/// A message that the chat already holds.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Who wrote it, without device (`1234@lid`).
    pub sender: String,
    /// Whether this phone's account did.
    pub from_me: bool,
    /// What it says.
    pub message: wa::Message,
}

/// Where the message goes.
pub struct Place<'a> {
    /// The chat's address.
    pub chat: &'a str,
    /// This phone's own address, spelled as the chat spells senders.
    pub own: &'a str,
    /// Milliseconds.
    pub now: i64,
    /// Finds a message of this chat.
    pub find: &'a dyn Fn(&str) -> Option<Known>,
}

/// Where a file's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Given with the request.
    Data(Vec<u8>),
    /// To be fetched.
    Link(String),
}

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Which keys it is sealed with.
    pub kind: Kind,
    /// Where its bytes are.
    pub source: Source,
    /// What it is.
    pub mime_type: String,
}

/// A message, lacking at most its file.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) message: wa::Message,
    /// What [`Draft::attach`] waits for.
    pub attachment: Option<Attachment>,
}

impl Draft {
    fn ready(message: wa::Message) -> Self {
        Self { message, attachment: None }
    }

    /// The message of a draft without attachment.
    pub fn message(self) -> wa::Message {
        self.message
    }

    /// The message with its uploaded file.
    pub fn attach(mut self, file: &File) -> wa::Message {
        set_file(&mut self.message, file);
        self.message
    }
}

/// Reads what to send: `{type, <type>: {…}, context?: {message_id}}`, `type` defaulting to `text`.
pub fn read(body: &Value, place: &Place<'_>, random: &mut Random) -> Result<Draft, ContentError> {
    let kind = body["type"].as_str().unwrap_or("text");
    let given = &body[kind];
    let mut draft = match kind {
        "text" => Draft::ready(text(given)?),
        "image" | "video" | "ptv" | "audio" | "document" | "sticker" => file(kind, given)?,
        "location" => Draft::ready(location(given)?),
        "contacts" => Draft::ready(contacts(given)?),
        "interactive" => return reply(given, body, place).map(Draft::ready),
        "poll" => Draft::ready(poll(given)?),
        "reaction" => return reaction(given, place).map(Draft::ready),
        "poll_vote" => return vote(body, place).map(Draft::ready),
        other => return Err(ContentError::Unknown(other.to_owned())),
    };
    if let Some(context) = context(body, place)? {
        set_context(&mut draft.message, context);
    }
    // Votes, edits and comments on a message are encrypted with its secret.
    let secret: [u8; 32] = random.random();
    draft.message.message_context_info.get_or_insert_default().message_secret = Some(secret.to_vec());
    Ok(draft)
}

/// New words for a message this account wrote.
pub fn edit(known: &Known, text: &str, place: &Place<'_>) -> wa::Message {
    let mut edited = known.message.clone();
    edited.message_context_info = MessageField::default();
    if !replace_words(&mut edited, text) {
        edited = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
    }
    protocol(part::ProtocolMessage {
        key: key(known, place).into(),
        r#type: Some(Type::MESSAGE_EDIT),
        edited_message: edited.into(),
        timestamp_ms: Some(place.now),
        ..Default::default()
    })
}

/// Deletes a message for everyone.
pub fn revoke(known: &Known, place: &Place<'_>) -> wa::Message {
    protocol(part::ProtocolMessage { key: key(known, place).into(), r#type: Some(Type::REVOKE), ..Default::default() })
}

fn replace_words(message: &mut wa::Message, text: &str) -> bool {
    let text = Some(text.to_owned());
    if let Some(part) = message.extended_text_message.as_option_mut() {
        part.text = text;
    } else if let Some(part) = message.image_message.as_option_mut() {
        part.caption = text;
    } else if let Some(part) = message.video_message.as_option_mut() {
        part.caption = text;
    } else if let Some(part) = message.document_message.as_option_mut() {
        part.caption = text;
    } else {
        return false;
    }
    true
}

fn protocol(message: part::ProtocolMessage) -> wa::Message {
    wa::Message { protocol_message: message.into(), ..Default::default() }
}

fn key(known: &Known, place: &Place<'_>) -> wa::MessageKey {
    let group = place.chat.ends_with("@g.us");
    wa::MessageKey {
        remote_jid: Some(place.chat.to_owned()),
        from_me: Some(known.from_me),
        id: Some(known.id.clone()),
        participant: (group && !known.from_me).then(|| known.sender.clone()),
    }
}

fn find(id: &str, place: &Place<'_>) -> Result<Known, ContentError> {
    (place.find)(id).ok_or_else(|| ContentError::NoSuchMessage(id.to_owned()))
}

fn reaction(given: &Value, place: &Place<'_>) -> Result<wa::Message, ContentError> {
    let known = find(&needed(given, "message_id")?, place)?;
    let part = part::ReactionMessage {
        key: key(&known, place).into(),
        text: Some(string(given, "emoji").unwrap_or_default()),
        sender_timestamp_ms: Some(place.now),
        ..Default::default()
    };
    Ok(wa::Message { reaction_message: part.into(), ..Default::default() })
}

/// `{poll_id, options}`, at the top or within `poll_vote`; no options take the vote back.
fn vote(body: &Value, place: &Place<'_>) -> Result<wa::Message, ContentError> {
    let given = if body["poll_vote"].is_object() { &body["poll_vote"] } else { body };
    let known = find(&needed(given, "poll_id")?, place)?;
    let poll =
        super::show::poll(known.message.get_base_message()).ok_or(ContentError::NotAPoll("the message is no poll"))?;
    let chosen = given["options"].as_array().ok_or(ContentError::Missing("options"))?;
    let hashes = chosen.iter().map(|option| {
        let option = option.as_str().ok_or(ContentError::Missing("options"))?;
        let known = poll.options.iter().any(|it| it.option_name.as_deref() == Some(option));
        let known = known.then(|| compute_option_hash(option).to_vec());
        known.ok_or(ContentError::NotAPoll("the poll has no such option"))
    });
    let hashes = hashes.collect::<Result<Vec<_>, _>>()?;
    let context = &known.message.message_context_info;
    let secret = context.message_secret.as_deref().unwrap_or_default();
    let (payload, iv) = encrypt_poll_vote_with_secret(&hashes, secret, &known.id, &known.sender, place.own)
        .map_err(|_| ContentError::NotAPoll("the poll came without its secret"))?;
    let part = part::PollUpdateMessage {
        poll_creation_message_key: key(&known, place).into(),
        vote: part::PollEncValue { enc_payload: Some(payload), enc_iv: Some(iv.to_vec()) }.into(),
        sender_timestamp_ms: Some(place.now),
        ..Default::default()
    };
    Ok(wa::Message { poll_update_message: part.into(), ..Default::default() })
}

/// `{type: "button_reply" | "list_reply" | "nfm_reply", <type>: {…}}`: the person tapped something.
fn reply(given: &Value, body: &Value, place: &Place<'_>) -> Result<wa::Message, ContentError> {
    let kind = needed(given, "type")?;
    let tapped = &given[kind.as_str()];
    let context = MessageField::from(context(body, place)?);
    let mut message = wa::Message::default();
    match kind.as_str() {
        "list_reply" => {
            let part = part::ListResponseMessage {
                title: string(tapped, "title"),
                description: string(tapped, "description"),
                list_type: Some(part::list_response_message::ListType::SINGLE_SELECT),
                single_select_reply: part::list_response_message::SingleSelectReply {
                    selected_row_id: Some(needed(tapped, "id")?),
                }
                .into(),
                context_info: context,
            };
            message.list_response_message = part.into();
        }
        "button_reply" => {
            let part = part::ButtonsResponseMessage {
                selected_button_id: Some(needed(tapped, "id")?),
                r#type: Some(part::buttons_response_message::Type::DISPLAY_TEXT),
                response: string(tapped, "title").map(part::buttons_response_message::Response::SelectedDisplayText),
                context_info: context,
            };
            message.buttons_response_message = part.into();
        }
        "nfm_reply" => message.interactive_response_message = flow_reply(tapped, context).into(),
        _ => return Err(ContentError::Unknown(kind)),
    }
    Ok(message)
}

fn flow_reply(tapped: &Value, context_info: MessageField<wa::ContextInfo>) -> part::InteractiveResponseMessage {
    use part::interactive_response_message as response;
    let params = match &tapped["response_json"] {
        Value::String(text) => text.clone(),
        Value::Null => "{}".to_owned(),
        other => other.to_string(),
    };
    let answer = response::NativeFlowResponseMessage {
        name: Some(string(tapped, "name").unwrap_or_else(|| "flow".to_owned())),
        params_json: Some(params),
        version: Some(3),
    };
    part::InteractiveResponseMessage {
        body: response::Body { text: string(tapped, "body"), ..Default::default() }.into(),
        context_info,
        interactive_response_message: Some(response::InteractiveResponseMessage::NativeFlowResponseMessage(Box::new(
            answer,
        ))),
    }
}

fn context(body: &Value, place: &Place<'_>) -> Result<Option<wa::ContextInfo>, ContentError> {
    let given = &body["context"];
    let id = given["message_id"].as_str().or(given["id"].as_str());
    let mentions = body["mentions"].as_array().or(given["mentions"].as_array());
    let mentioned = mentions.into_iter().flatten().filter_map(Value::as_str);
    let mut context = wa::ContextInfo {
        mentioned_jid: mentioned.map(str::to_owned).collect(),
        expiration: body["expiration"].as_u64().and_then(|it| u32::try_from(it).ok()),
        is_forwarded: given["forwarded"].as_bool().filter(|it| *it),
        ..Default::default()
    };
    if let Some(id) = id {
        let known = find(id, place)?;
        context.quoted_message = MessageField::from_box(known.message.prepare_for_quote());
        context.stanza_id = Some(known.id);
        context.participant = Some(known.sender);
    }
    Ok((context != wa::ContextInfo::default()).then_some(context))
}

fn set_context(message: &mut wa::Message, context: wa::ContextInfo) {
    if let Some(words) = message.conversation.take() {
        let part = part::ExtendedTextMessage { text: Some(words), ..Default::default() };
        message.extended_text_message = part.into();
    }
    message.set_context_info(context);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{media, show, tests::random};
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde_json::json;
    use wacore::poll::{PollVoteCiphertext, decrypt_poll_vote_with_secret};

    const CHAT: &str = "2@lid";
    const OWN: &str = "1@lid";

    fn known(id: &str, message: wa::Message) -> Known {
        Known { id: id.to_owned(), sender: CHAT.to_owned(), from_me: false, message }
    }

    fn sent(body: &Value, in_chat: &[Known]) -> Result<Draft, ContentError> {
        let find = |id: &str| in_chat.iter().find(|known| known.id == id).cloned();
        let place = Place { chat: CHAT, own: OWN, now: 5_000, find: &find };
        read(body, &place, &mut random(1))
    }

    fn hello() -> Known {
        known("3A", wa::Message { conversation: Some("hello".into()), ..Default::default() })
    }

    #[test]
    fn what_is_sent_shows_as_it_was_said() {
        for body in [
            json!({"type": "text", "text": {"body": "hi"}}),
            json!({"type": "location",
                   "location": {"latitude": 1.5, "longitude": -2.0, "name": "here", "address": "1 Road"}}),
            json!({"type": "poll",
                   "poll": {"name": "Lunch?", "options": ["rice", "soup"], "selectable_count": 2}}),
        ] {
            let message = sent(&body, &[]).unwrap().message();
            let shown = show::content(&message);
            let kind = body["type"].as_str().unwrap();
            assert_eq!(shown["type"], kind);
            assert_eq!(shown[kind], body[kind]);
        }
        let short = sent(&json!({"text": "hi"}), &[]).unwrap().message();
        assert_eq!(show::content(&short)["text"]["body"], "hi");
    }

    #[test]
    fn files_wait_for_their_upload() {
        for (kind, extra) in [
            ("image", json!({"caption": "look", "view_once": true})),
            ("video", json!({"caption": "see", "seconds": 3})),
            ("ptv", json!({})),
            ("audio", json!({"voice": true})),
            ("document", json!({"filename": "a.pdf", "caption": "read"})),
            ("sticker", json!({"animated": true})),
        ] {
            let mut given = extra.clone();
            given["data"] = BASE64_STANDARD.encode(kind).into();
            given["mime_type"] = "x/y".into();
            let draft = sent(&json!({"type": kind, kind: given}), &[]).unwrap();
            let attachment = draft.attachment.clone().unwrap();
            assert_eq!(attachment.source, Source::Data(kind.as_bytes().to_vec()));
            let mut sealed = media::seal(attachment.kind, kind.as_bytes(), Some("x/y"), &mut random(2)).unwrap();
            sealed.file.direct_path = Some("/f".to_owned());
            let message = draft.attach(&sealed.file);
            let file = media::file(&message).unwrap();
            assert_eq!(file, sealed.file, "{kind}");
            assert_eq!(file.open(&sealed.upload).unwrap(), kind.as_bytes());
            let shown = show::content(&message);
            assert_eq!((&shown["type"], &shown[kind]["mime_type"]), (&kind.into(), &"x/y".into()));
            for (name, value) in extra.as_object().unwrap() {
                assert_eq!(&shown[kind][name], value, "{kind}.{name}");
            }
        }
        let link = sent(&json!({"type": "image", "image": {"link": "http://x/y.jpg"}}), &[]);
        let attachment = link.unwrap().attachment.unwrap();
        assert_eq!(attachment.source, Source::Link("http://x/y.jpg".into()));
        assert_eq!(attachment.mime_type, "image/jpeg");
    }

    #[test]
    fn replies_quote_and_reactions_point() {
        let chat = [hello()];
        let body = json!({
            "type": "text", "text": {"body": "you too"}, "context": {"message_id": "3A"},
            "mentions": ["9@lid"], "expiration": 86_400,
        });
        let shown = show::content(&sent(&body, &chat).unwrap().message());
        assert_eq!(shown["text"]["body"], "you too");
        assert_eq!(shown["context"], json!({"message_id": "3A", "from": CHAT}));
        assert_eq!(shown["mentions"], json!(["9@lid"]));
        assert_eq!(shown["expiration"], 86_400);

        let body = json!({"type": "reaction", "reaction": {"message_id": "3A", "emoji": "👍"}});
        let message = sent(&body, &chat).unwrap().message();
        let target = &message.reaction_message.key;
        assert_eq!((target.id.as_deref(), target.from_me), (Some("3A"), Some(false)));
        let shown = show::change(&message);
        assert_eq!(shown, Some(show::Change::Reaction { id: "3A".into(), emoji: "👍".into() }));
        let body = json!({"type": "reaction", "reaction": {"message_id": "3B", "emoji": "👍"}});
        assert_eq!(sent(&body, &chat).unwrap_err(), ContentError::NoSuchMessage("3B".into()));
    }

    #[test]
    fn taps_answer_buttons_lists_and_flows() {
        for (kind, tapped) in [
            ("button_reply", json!({"id": "b1", "title": "Yes"})),
            ("list_reply", json!({"id": "r1", "title": "Rice", "description": "hot"})),
            ("nfm_reply", json!({"name": "flow", "body": "Sent", "response_json": "{\"a\":1}"})),
        ] {
            let body = json!({"type": "interactive",
                "interactive": {"type": kind, kind: tapped}, "context": {"message_id": "3A"}});
            let shown = show::content(&sent(&body, &[hello()]).unwrap().message());
            assert_eq!(shown["type"], "interactive");
            assert_eq!(shown["interactive"], json!({"type": kind, kind: tapped}));
            assert_eq!(shown["context"]["message_id"], "3A");
        }
    }

    #[test]
    fn a_vote_opens_with_the_polls_secret() {
        let body = json!({"type": "poll", "poll": {"name": "Lunch?", "options": ["rice", "soup"]}});
        let poll = known("3P", sent(&body, &[]).unwrap().message());
        let secret = poll.message.message_context_info.message_secret.clone().unwrap();
        let body = json!({"type": "poll_vote", "poll_id": "3P", "options": ["soup"]});
        let message = sent(&body, std::slice::from_ref(&poll)).unwrap().message();
        let vote = &message.poll_update_message.vote;
        let sealed = PollVoteCiphertext {
            enc_payload: vote.enc_payload.as_deref().unwrap(),
            enc_iv: vote.enc_iv.as_deref().unwrap(),
        };
        let read = decrypt_poll_vote_with_secret(sealed, &secret, "3P", CHAT, OWN).unwrap();
        assert_eq!(read, [compute_option_hash("soup")]);
        let opened = show::vote(&message, &poll, OWN);
        assert_eq!(opened, Some(vec!["soup".to_owned()]));

        let other = json!({"type": "poll_vote", "poll_id": "3P", "options": ["bread"]});
        assert!(matches!(sent(&other, &[poll]), Err(ContentError::NotAPoll(_))));
        let other = json!({"type": "poll_vote", "poll_id": "3A", "options": ["bread"]});
        assert!(matches!(sent(&other, &[hello()]), Err(ContentError::NotAPoll(_))));
    }

    #[test]
    fn edits_and_deletions_name_their_message() {
        let find = |_: &str| None;
        let place = Place { chat: CHAT, own: OWN, now: 5_000, find: &find };
        let mine = Known { from_me: true, sender: OWN.to_owned(), ..hello() };
        let change = show::change(&edit(&mine, "hello!", &place));
        let Some(show::Change::Edit { id, content }) = change else { panic!("{change:?}") };
        assert_eq!((id.as_str(), &content["text"]["body"]), ("3A", &"hello!".into()));
        assert_eq!(show::change(&revoke(&mine, &place)), Some(show::Change::Delete { id: "3A".into() }));
        let image = part::ImageMessage { caption: Some("old".into()), ..Default::default() };
        let image = wa::Message { image_message: image.into(), ..Default::default() };
        let change = show::change(&edit(&known("3I", image), "new", &place));
        let Some(show::Change::Edit { content, .. }) = change else { panic!("{change:?}") };
        assert_eq!(content["image"]["caption"], "new");
    }

    #[test]
    fn contacts_and_nonsense() {
        let ann = json!({"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+1 555"}]});
        let one = sent(&json!({"type": "contacts", "contacts": [ann]}), &[]).unwrap().message();
        let shown = show::content(&one);
        assert_eq!(
            (&shown["type"], &shown["contacts"][0]["name"]["formatted_name"]),
            (&"contact".into(), &"Ann".into())
        );
        assert!(shown["contacts"][0]["vcard"].as_str().unwrap().contains("waid=1555:+1 555"));
        let two = sent(&json!({"type": "contacts", "contacts": [ann, ann]}), &[]).unwrap();
        assert_eq!(show::content(&two.message())["contacts"].as_array().unwrap().len(), 2);
        for body in [
            json!({"type": "text"}),
            json!({"type": "image", "image": {}}),
            json!({"type": "image", "image": {"data": "?"}}),
            json!({"type": "location", "location": {"latitude": "1"}}),
            json!({"type": "contacts", "contacts": []}),
            json!({"type": "poll", "poll": {"name": "x"}}),
            json!({"type": "interactive", "interactive": {"type": "list_reply"}}),
        ] {
            assert!(matches!(sent(&body, &[]), Err(ContentError::Missing(_))), "{body}");
        }
        let other = sent(&json!({"type": "telepathy"}), &[]).unwrap_err();
        assert_eq!(other, ContentError::Unknown("telepathy".into()));
    }
}
