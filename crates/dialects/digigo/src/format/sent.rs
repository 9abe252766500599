//! The protocol's own message of what was sent, as JSON: what the provider makes of it, but for what only the provider
//! knows (where a file went to, secrets).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use web_wire::jid::Jid;
use web_wire::send::{
    Body, Context, Event, Header, Interactive, List, Media, MediaKind, NativeButton, Outgoing, Place, Preview, Quoted,
    Row, Section, Target,
};

/// Numbers of the protocol's enums: a list of which one is chosen, a message taken back, a message changed.
const SINGLE_SELECT: i32 = 1;
const REVOKE: i32 = 0;
const EDIT: i32 = 14;

/// A message, and what it is built around.
pub(super) struct Sent<'a> {
    pub chat: &'a Jid,
    /// The account's own address, without its device.
    pub me: &'a Jid,
    pub outgoing: &'a Outgoing,
    /// Milliseconds.
    pub at: i64,
    /// By their names in the blob store.
    pub files: &'a HashMap<String, File>,
}

/// What is known of a file that was sent.
pub(super) struct File {
    /// Bytes.
    pub length: u64,
    pub sha256: [u8; 32],
}

impl Sent<'_> {
    /// In Go's spelling, which leaves out what is null here.
    pub(super) fn message(&self) -> Value {
        web_wire::go::respell(&self.body(&self.outgoing.body), "Message")
    }

    fn body(&self, body: &Body) -> Value {
        match body {
            Body::Text { text, preview } => self.text(text, preview.as_ref()),
            Body::Media(media) => self.media(media),
            Body::Location { latitude, longitude, name } => json!({ "locationMessage": {
                "degreesLatitude": latitude, "degreesLongitude": longitude, "name": name, "contextInfo": self.context(),
            } }),
            Body::Contact { name, vcard } => json!({ "contactMessage": {
                "displayName": name, "vcard": vcard, "contextInfo": self.context(),
            } }),
            Body::Poll { question, options, choices } => self.poll(question, options, *choices),
            Body::Event(event) => self.event(event),
            Body::List(list) => self.list(list),
            Body::Interactive(card) => json!({ "interactiveMessage": self.card(card, self.context()) }),
            Body::Carousel { text, cards } => json!({ "interactiveMessage": {
                "body": { "text": text },
                "contextInfo": self.context(),
                "carouselMessage": {
                    "cards": cards.iter().map(|card| self.card(card, Value::Null)).collect::<Vec<_>>(),
                    "messageVersion": 1,
                },
            } }),
            Body::Reaction { target, emoji } => json!({ "reactionMessage": {
                "key": self.key(target), "text": emoji, "senderTimestampMs": self.at,
            } }),
            Body::Edit { id, text } => self.edit(id, text),
            Body::Revoke { target } => self.revoke(target),
        }
    }

    fn text(&self, text: &str, preview: Option<&Preview>) -> Value {
        let context = self.context();
        if preview.is_none() && context.is_null() {
            return json!({ "conversation": text });
        }
        json!({ "extendedTextMessage": {
            "text": text,
            "matchedText": preview.map(|preview| &preview.url),
            "title": preview.and_then(|preview| preview.title.as_ref()),
            "description": preview.and_then(|preview| preview.description.as_ref()),
            "jpegThumbnail": preview.and_then(|preview| preview.thumbnail.as_ref()),
            "contextInfo": context,
        } })
    }

    fn media(&self, media: &Media) -> Value {
        let (name, mut file) = self.file(media);
        file["contextInfo"] = self.context();
        let message = match media.kind {
            // A document with words under it travels in an envelope of its own.
            MediaKind::Document if media.caption.is_some() => {
                json!({ "documentWithCaptionMessage": { "message": { name: file } } })
            }
            _ => json!({ name: file }),
        };
        match media.view_once {
            true => json!({ "viewOnceMessageV2": { "message": message } }),
            false => message,
        }
    }

    /// The field that holds it, and its description.
    fn file(&self, media: &Media) -> (&'static str, Value) {
        let known = self.files.get(&media.blob);
        let mut file = json!({
            "mimetype": media.mime,
            "fileSha256": known.map(|file| STANDARD.encode(file.sha256)),
            "fileLength": known.map(|file| file.length),
        });
        let picture = json!({ "width": media.width, "height": media.height, "jpegThumbnail": media.thumbnail });
        let (caption, once) =
            (json!({ "caption": media.caption }), json!({ "viewOnce": media.view_once.then_some(true) }));
        let (name, parts) = match media.kind {
            MediaKind::Image => ("imageMessage", vec![picture, caption, once]),
            MediaKind::Video | MediaKind::Ptv => {
                let name = if media.kind == MediaKind::Ptv { "ptvMessage" } else { "videoMessage" };
                (name, vec![picture, caption, once, json!({ "seconds": media.seconds })])
            }
            MediaKind::Audio => {
                let sound = json!({ "seconds": media.seconds, "ptt": media.voice, "waveform": media.waveform });
                ("audioMessage", vec![sound, once])
            }
            MediaKind::Document => {
                let (name, thumbnail) = (&media.filename, &media.thumbnail);
                let document = json!({ "fileName": name, "title": name, "jpegThumbnail": thumbnail });
                ("documentMessage", vec![document, caption])
            }
            MediaKind::Sticker => {
                let size = json!({ "width": media.width, "height": media.height });
                ("stickerMessage", vec![size, json!({ "isAnimated": media.animated, "pngThumbnail": media.thumbnail })])
            }
        };
        parts.into_iter().for_each(|part| add(&mut file, part));
        (name, file)
    }

    fn poll(&self, question: &str, options: &[String], choices: u32) -> Value {
        let options: Vec<Value> = options.iter().map(|option| json!({ "optionName": option })).collect();
        // The protocol has one form for a single choice and another for several.
        let name = if choices == 1 { "pollCreationMessageV3" } else { "pollCreationMessage" };
        json!({ name: {
            "name": question, "options": options, "selectableOptionsCount": choices, "contextInfo": self.context(),
        } })
    }

    fn event(&self, event: &Event) -> Value {
        let place = |place: &Place| {
            let (latitude, longitude) = (place.latitude, place.longitude);
            json!({ "degreesLatitude": latitude, "degreesLongitude": longitude, "name": place.name })
        };
        json!({ "eventMessage": {
            "contextInfo": self.context(),
            "isCanceled": event.cancelled,
            "name": event.name,
            "description": event.description,
            "location": event.place.as_ref().map(place),
            "startTime": event.starts_at,
            "endTime": event.ends_at,
            "extraGuestsAllowed": event.extra_guests,
            "isScheduleCall": event.call,
        } })
    }

    fn list(&self, list: &List) -> Value {
        let row = |row: &Row| json!({ "title": row.title, "description": row.description, "rowId": row.id });
        let section = |section: &Section| {
            let rows: Vec<Value> = section.rows.iter().map(row).collect();
            json!({ "title": section.title, "rows": rows })
        };
        json!({ "listMessage": {
            "title": list.title,
            "description": list.text,
            "buttonText": list.button,
            "listType": SINGLE_SELECT,
            "sections": list.sections.iter().map(section).collect::<Vec<_>>(),
            "footerText": list.footer,
            "contextInfo": self.context(),
        } })
    }

    fn card(&self, card: &Interactive, context: Value) -> Value {
        let button = |button: &NativeButton| json!({ "name": button.name, "buttonParamsJson": button.params });
        let text = |text: &String| json!({ "text": text });
        json!({
            "header": self.header(card),
            "body": card.text.as_ref().map(text),
            "footer": card.footer.as_ref().map(text),
            "contextInfo": context,
            "nativeFlowMessage": {
                "buttons": card.buttons.iter().map(button).collect::<Vec<_>>(),
                "messageParamsJson": card.params,
                "messageVersion": card.version.unwrap_or(1),
            },
        })
    }

    fn header(&self, card: &Interactive) -> Value {
        match &card.header {
            None => Value::Null,
            Some(Header::Text(title)) => json!({ "title": title, "subtitle": card.subtitle }),
            Some(Header::Media(media)) => {
                let (name, file) = self.file(media);
                json!({ "title": card.title, "subtitle": card.subtitle, "hasMediaAttachment": true, name: file })
            }
        }
    }

    fn edit(&self, id: &str, text: &str) -> Value {
        let author = self.chat.is_group().then_some(self.me);
        json!({ "protocolMessage": {
            "key": { "remoteJid": self.chat, "fromMe": true, "id": id, "participant": author },
            "type": EDIT,
            "editedMessage": self.text(text, None),
            "timestampMs": self.at,
        } })
    }

    fn revoke(&self, target: &Target) -> Value {
        // An administrator of a group takes back what another wrote.
        let author = target.author.as_ref().filter(|_| !target.own).map(Jid::bare);
        json!({ "protocolMessage": {
            "key": { "remoteJid": self.chat, "fromMe": author.is_none(), "id": target.id, "participant": author },
            "type": REVOKE,
        } })
    }

    /// The protocol's name for a message of this chat.
    fn key(&self, target: &Target) -> Value {
        let author = target.author.as_ref().filter(|_| !self.chat.is_person()).map(Jid::bare);
        json!({ "remoteJid": self.chat, "fromMe": target.own, "id": target.id, "participant": author })
    }

    /// Null when there is nothing to say.
    fn context(&self) -> Value {
        let context = self.outgoing.context.clone().unwrap_or_default();
        if context == Context::default() && self.outgoing.expires_in.is_none() {
            return Value::Null;
        }
        let mut info = json!({
            "mentionedJid": context.mentions,
            "nonJidMentions": context.mention_all.then_some(1),
            "isForwarded": context.forwarded.then_some(true),
            "forwardingScore": context.forwarded.then_some(1),
            "expiration": self.outgoing.expires_in,
        });
        if let Some(reply) = &context.reply_to {
            add(&mut info, self.answer(reply));
        }
        info
    }

    fn answer(&self, reply: &Quoted) -> Value {
        let other = if self.chat.is_person() { self.chat } else { self.me };
        json!({
            "stanzaId": reply.id,
            "participant": reply.author.as_ref().unwrap_or(other).bare(),
            "quotedMessage": reply.message.clone().unwrap_or_else(|| json!({ "conversation": "" })),
        })
    }
}

/// Puts members beside others.
fn add(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

#[cfg(test)]
mod tests;
