use engine::content::{self as neutral, Content, Native};
use engine::failure::SendError;
use meta_wire::loose::Degrees;
use meta_wire::send::content as wire;
use meta_wire::send::template::{Language, Template};
use serde::de::DeserializeOwned;

use super::{parts, rejected};
use crate::FORMAT;

/// Members of a message beside its content: no native part may take their place.
const ENVELOPE: &[&str] = &[
    "type",
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "context",
    "status",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
    "product_policy",
    "message_activity_sharing",
];

/// Neutral content in Meta's words.
pub(super) fn content(content: &Content) -> Result<wire::Content, SendError> {
    Ok(match content {
        Content::Text { body, preview } => wire::Content::Text(text(body, *preview)),
        Content::Media(media) => self::media(media),
        Content::Location(place) => wire::Content::Location(location(place)?),
        Content::Contacts { cards } => {
            wire::Content::Contacts(cards.iter().map(parts::card).collect::<Result<_, _>>()?)
        }
        Content::Reaction { target, emoji } => wire::Content::Reaction(reaction(target, emoji)),
        Content::Buttons(buttons) => wire::Content::Interactive(Box::new(parts::buttons(buttons))),
        Content::List(list) => wire::Content::Interactive(Box::new(parts::list(list))),
        Content::Template(template) => wire::Content::Template(self::template(template)?),
        Content::Choice { .. } => {
            return Err(rejected("An answer that somebody chose can be received but not sent."));
        }
        Content::Speech { .. } | Content::Email(_) => {
            return Err(rejected("This is not something that WhatsApp carries."));
        }
        Content::Native(native) => self::native(native)?,
    })
}

fn text(body: &str, preview: bool) -> wire::Text {
    wire::Text { preview_url: preview.then_some(true), ..wire::Text::new(body) }
}

fn media(media: &neutral::Media) -> wire::Content {
    let source = match &media.source {
        neutral::Source::Link(link) => wire::Media::link(link.as_str()),
        neutral::Source::Id(id) => wire::Media::id(id.as_str()),
    };
    let captioned = wire::Media { caption: media.caption.clone(), ..source };
    match media.kind {
        neutral::MediaKind::Image => wire::Content::Image(captioned),
        neutral::MediaKind::Video => wire::Content::Video(captioned),
        neutral::MediaKind::Sticker => wire::Content::Sticker(captioned),
        neutral::MediaKind::Audio => {
            wire::Content::Audio(wire::Media { voice: media.voice.then_some(true), ..captioned })
        }
        neutral::MediaKind::Document => {
            wire::Content::Document(wire::Media { filename: media.filename.clone(), ..captioned })
        }
    }
}

fn location(place: &neutral::Location) -> Result<wire::Location, SendError> {
    let degrees = |value| Degrees::new(value).ok_or_else(|| rejected("The location is not a place on earth."));
    Ok(wire::Location {
        latitude: degrees(place.latitude)?,
        longitude: degrees(place.longitude)?,
        name: place.name.clone(),
        address: place.address.clone(),
        ..wire::Location::default()
    })
}

fn reaction(target: &str, emoji: &str) -> wire::Reaction {
    wire::Reaction { message_id: target.to_owned(), emoji: Some(emoji.to_owned()), ..wire::Reaction::default() }
}

fn template(template: &neutral::Template) -> Result<Template, SendError> {
    let components = template.components.as_ref().map(read).transpose()?;
    Ok(Template {
        name: template.name.clone(),
        language: Language::new(template.language.as_str()),
        components: components.unwrap_or_default(),
        ..Template::default()
    })
}

/// Goes out under its own name, as it is.
fn native(native: &Native) -> Result<wire::Content, SendError> {
    let speakable = native.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if native.format != FORMAT || native.name.is_empty() || !speakable || ENVELOPE.contains(&native.name.as_str()) {
        return Err(rejected("This kind of message cannot be sent over WhatsApp."));
    }
    Ok(wire::Content::Other { kind: native.name.clone(), value: Some(native.json.clone()) })
}

/// A native part that stands inside a neutral one.
pub(super) fn read<T: DeserializeOwned>(native: &Native) -> Result<T, SendError> {
    if native.format != FORMAT {
        return Err(rejected("A part of the message is in the words of another channel."));
    }
    T::deserialize(&native.json)
        .map_err(|_| rejected("A part of the message has not the shape that WhatsApp asks for."))
}
