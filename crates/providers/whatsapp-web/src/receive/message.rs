//! A message as the engine's fact: who, where, what a person reads, the file that came with it, and the whole of it as
//! webhooks of this family tell it.

use engine::content::{Content, Media, MediaKind, Native, Source};
use engine::facts::{Document, Fact, File, Message};
use serde_json::Value;
use wacore::types::events::InboundMessage;
use waproto::buffa::Message as _;
use web_wire::event::{self, Happening, MediaRef};
use web_wire::jid::Jid;

use super::convert;
use super::pairs::Pairs;
use crate::jids::ours;
use crate::media::{Described, Origin};
use crate::session::Session;

/// Where in a message a file is described, and what it is.
const FILES: [(&str, MediaKind, &str); 6] = [
    ("imageMessage", MediaKind::Image, "image"),
    ("videoMessage", MediaKind::Video, "video"),
    ("ptvMessage", MediaKind::Video, "video"),
    ("audioMessage", MediaKind::Audio, "audio"),
    ("documentMessage", MediaKind::Document, "document"),
    ("stickerMessage", MediaKind::Sticker, "sticker"),
];

/// For whom messages are taken in.
pub(super) struct Taking {
    /// The account's name as a sender.
    pub sender: String,
    pub leave_files: bool,
}

impl Taking {
    pub(super) fn of(session: &Session<'_>) -> Self {
        let config = web_wire::config::Config::read(&session.opened.sender.config);
        Self { sender: session.opened.sender.external_id.clone(), leave_files: config.leave_files }
    }

    /// `None` for what only carries the protocol itself.
    pub(super) fn fact(&self, inbound: &InboundMessage, pairs: &Pairs) -> Option<Fact> {
        let (info, chat) = (&inbound.info, ours(&inbound.info.source.chat).bare());
        let raw = web_wire::proto::read(&inbound.message.encode_to_vec(), "Message").unwrap_or_default();
        let unwrapped = web_wire::message::unwrap(&raw).message.clone();
        if is_inward(&unwrapped) {
            return None;
        }
        let source = pairs.complete(&info.source);
        let author = source.sender.bare();
        let place = Origin { id: info.id.clone(), chat: chat.clone(), author: author.clone(), own: source.is_from_me };
        let file = file(&unwrapped, place).filter(|_| !self.leave_files);
        let told = event::Message::new(convert::info(info, source), web_wire::go::respell(&raw, "Message"));
        let mut happening = Happening::from(told);
        if info.is_offline {
            happening = happening.late();
        }
        if let Some(file) = &file {
            happening = happening.with_media(media_ref(&info.id, &unwrapped, file));
        }
        Some(Fact::Message(Box::new(Message {
            sender: self.sender.clone(),
            provider_id: info.id.clone(),
            chat: chat.to_string(),
            author: author.to_string(),
            own: info.source.is_from_me,
            late: info.is_offline,
            from: convert::addresses(&pairs.of_chat(&chat)),
            profile_name: Some(info.push_name.clone()).filter(|name| !name.is_empty()),
            at: info.timestamp.timestamp_millis(),
            content: content(&unwrapped, &author),
            reply_to: quoted(&unwrapped),
            file_first: file.is_some(),
            file: file.map(|(file, _)| file),
            document: Some(document(&happening)),
        })))
    }
}

pub(super) fn document(happening: &Happening) -> Document {
    Document { format: web_wire::FORMAT.into(), bytes: serde_json::to_vec(happening).unwrap_or_default() }
}

/// Keys, key shares and the like: nothing that anybody said.
fn is_inward(message: &Value) -> bool {
    const INWARD: [&str; 2] = ["senderKeyDistributionMessage", "messageContextInfo"];
    let Some(members) = message.as_object() else { return true };
    if let Some(protocol) = members.get("protocolMessage") {
        // 0: taken back, 14: edited; the rest is between devices.
        return !matches!(protocol["type"].as_i64(), None | Some(0 | 14));
    }
    members.keys().all(|name| INWARD.contains(&name.as_str()))
}

/// What a person reads of it, in neutral words where there are some.
fn content(message: &Value, author: &Jid) -> Content {
    if let Some((kind, body)) = FILES.iter().find_map(|(name, kind, _)| Some((*kind, message.get(name)?))) {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        return Content::Media(Media {
            kind,
            source: Source::Id(text("directPath").unwrap_or_default()),
            caption: text("caption"),
            filename: text("fileName"),
            mime: text("mimetype"),
            voice: body["ptt"].as_bool().unwrap_or(false),
        });
    }
    let words = web_wire::message::text_of(message);
    if message.get("conversation").is_some() || message.get("extendedTextMessage").is_some() {
        return Content::Text { body: words.unwrap_or_default(), preview: false };
    }
    if let Some(reaction) = message.get("reactionMessage") {
        let text = |path: &str| reaction.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        return Content::Reaction { target: text("/key/id"), emoji: text("/text") };
    }
    let mut names = message.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let name = names.find(|name| *name != "messageContextInfo").unwrap_or("unknown").to_owned();
    Content::Native(Native {
        format: web_wire::FORMAT.into(),
        name,
        json: serde_json::json!({ "message": message, "author": author }),
        text: words,
    })
}

fn quoted(message: &Value) -> Option<String> {
    let bodies = message.as_object()?.values();
    bodies.filter_map(|body| body.pointer("/contextInfo/stanzaId")).find_map(|id| id.as_str().map(str::to_owned))
}

/// What is needed to fetch its file later: WhatsApp's own description of it, and whose message to ask for it again.
fn file(message: &Value, origin: Origin) -> Option<(File, &'static str)> {
    let (body, kind) = FILES.iter().find_map(|(name, _, kind)| Some((message.get(name)?, *kind)))?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let download = web_wire::ask::Download {
        kind: kind.into(),
        url: None,
        direct_path: Some(text("directPath")),
        media_key: text("mediaKey"),
        sha256: text("fileSha256"),
        encrypted_sha256: Some(text("fileEncSha256")),
        length: body["fileLength"].as_u64().unwrap_or_default(),
    };
    let named = body["fileName"].as_str().map(str::to_owned);
    let described = serde_json::to_string(&Described { download, origin: Some(origin) }).ok()?;
    Some((File { external_id: described, mime: text("mimetype"), filename: named }, kind))
}

fn media_ref(id: &str, message: &Value, (file, kind): &(File, &'static str)) -> MediaRef {
    let animated = message.pointer("/stickerMessage/isAnimated").and_then(Value::as_bool).unwrap_or(false);
    MediaRef {
        key: String::new(),
        mime: file.mime.clone(),
        file_name: id.to_owned(),
        is_sticker: *kind == "sticker",
        sticker_animated: animated,
    }
}
