//! The parts of a message that stand for themselves: words, files, places, people, polls.

use super::{
    content::{Attachment, ContentError, Draft, Source},
    media::{File, Kind},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use waproto::whatsapp::{self as wa, message as part};

pub(super) fn string(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

pub(super) fn needed(value: &Value, name: &'static str) -> Result<String, ContentError> {
    string(value, name).ok_or(ContentError::Missing(name))
}

pub(super) fn text(given: &Value) -> Result<wa::Message, ContentError> {
    let words = given.as_str().or(given["body"].as_str()).ok_or(ContentError::Missing("body"))?;
    Ok(wa::Message { conversation: Some(words.to_owned()), ..Default::default() })
}

pub(super) fn file(kind: &str, given: &Value) -> Result<Draft, ContentError> {
    let (usual, sealed) = match kind {
        "image" => ("image/jpeg", Kind::Image),
        "video" | "ptv" => ("video/mp4", Kind::Video),
        "audio" => ("audio/ogg; codecs=opus", Kind::Audio),
        "sticker" => ("image/webp", Kind::Sticker),
        _ => ("application/octet-stream", Kind::Document),
    };
    let source = match (string(given, "data"), string(given, "link")) {
        (Some(data), _) => {
            let bytes = BASE64_STANDARD.decode(data.trim());
            Source::Data(bytes.map_err(|_| ContentError::Missing("data"))?)
        }
        (None, Some(link)) => Source::Link(link),
        (None, None) => return Err(ContentError::Missing("data")),
    };
    let mime_type = string(given, "mime_type").unwrap_or_else(|| usual.to_owned());
    Ok(Draft {
        message: file_part(kind, given, mime_type.clone()),
        attachment: Some(Attachment { kind: sealed, source, mime_type }),
    })
}

fn file_part(kind: &str, given: &Value, mime_type: String) -> wa::Message {
    let mimetype = Some(mime_type);
    let caption = string(given, "caption");
    let view_once = given["view_once"].as_bool().filter(|once| *once);
    let seconds = given["seconds"].as_u64().and_then(|it| u32::try_from(it).ok());
    let mut message = wa::Message::default();
    match kind {
        "image" => {
            let part = part::ImageMessage { mimetype, caption, view_once, ..Default::default() };
            message.image_message = part.into();
        }
        "video" | "ptv" => {
            let part = part::VideoMessage { mimetype, caption, view_once, seconds, ..Default::default() };
            if kind == "ptv" {
                message.ptv_message = part.into();
            } else {
                message.video_message = part.into();
            }
        }
        "audio" => {
            let ptt = given["voice"].as_bool();
            let part = part::AudioMessage { mimetype, ptt, view_once, seconds, ..Default::default() };
            message.audio_message = part.into();
        }
        "sticker" => {
            let is_animated = given["animated"].as_bool();
            let part = part::StickerMessage { mimetype, is_animated, ..Default::default() };
            message.sticker_message = part.into();
        }
        _ => {
            let file_name = string(given, "filename");
            let part = part::DocumentMessage { mimetype, caption, file_name, ..Default::default() };
            message.document_message = part.into();
        }
    }
    message
}

pub(super) fn location(given: &Value) -> Result<wa::Message, ContentError> {
    let degrees = |name: &'static str| given[name].as_f64().ok_or(ContentError::Missing(name));
    let part = part::LocationMessage {
        degrees_latitude: Some(degrees("latitude")?),
        degrees_longitude: Some(degrees("longitude")?),
        name: string(given, "name"),
        address: string(given, "address"),
        url: string(given, "url"),
        ..Default::default()
    };
    Ok(wa::Message { location_message: part.into(), ..Default::default() })
}

pub(super) fn contacts(given: &Value) -> Result<wa::Message, ContentError> {
    let people = given.as_array().filter(|people| !people.is_empty());
    let people = people.ok_or(ContentError::Missing("contacts"))?;
    let mut cards = people.iter().map(card).collect::<Result<Vec<_>, _>>()?;
    if cards.len() == 1 {
        let part = cards.remove(0);
        return Ok(wa::Message { contact_message: part.into(), ..Default::default() });
    }
    let part = part::ContactsArrayMessage {
        display_name: Some(format!("{} contacts", cards.len())),
        contacts: cards,
        ..Default::default()
    };
    Ok(wa::Message { contacts_array_message: part.into(), ..Default::default() })
}

fn card(person: &Value) -> Result<part::ContactMessage, ContentError> {
    let name = needed(&person["name"], "formatted_name")?;
    let vcard = string(person, "vcard").unwrap_or_else(|| {
        let phones = person["phones"].as_array().map(Vec::as_slice).unwrap_or_default();
        let phones = phones.iter().filter_map(|phone| {
            let number = phone["phone"].as_str()?;
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            Some(format!("TEL;type=CELL;waid={digits}:{number}\n"))
        });
        let phones: String = phones.collect();
        format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{phones}END:VCARD")
    });
    Ok(part::ContactMessage { display_name: Some(name), vcard: Some(vcard), ..Default::default() })
}

pub(super) fn poll(given: &Value) -> Result<wa::Message, ContentError> {
    let names = given["options"].as_array().ok_or(ContentError::Missing("options"))?;
    let options = names.iter().map(|option| {
        let name = option.as_str().or(option["name"].as_str());
        Ok(part::poll_creation_message::Option {
            option_name: Some(name.ok_or(ContentError::Missing("options"))?.to_owned()),
            ..Default::default()
        })
    });
    let choices = given["selectable_count"].as_u64().and_then(|it| u32::try_from(it).ok());
    let part = part::PollCreationMessage {
        name: Some(needed(given, "name")?),
        options: options.collect::<Result<_, _>>()?,
        selectable_options_count: Some(choices.unwrap_or(1)),
        ..Default::default()
    };
    Ok(wa::Message { poll_creation_message_v3: part.into(), ..Default::default() })
}

macro_rules! fill {
    ($part:expr, $file:expr) => {
        if let Some(part) = $part.as_option_mut() {
            part.url.clone_from(&$file.url);
            part.direct_path.clone_from(&$file.direct_path);
            part.media_key = Some($file.media_key.0.clone());
            part.file_sha256 = Some($file.sha256.0.clone());
            part.file_enc_sha256 = Some($file.enc_sha256.0.clone());
            part.file_length = Some($file.length);
        }
    };
}

/// Puts an uploaded file into the message that waits for it.
pub(super) fn set_file(message: &mut wa::Message, file: &File) {
    fill!(message.image_message, file);
    fill!(message.video_message, file);
    fill!(message.ptv_message, file);
    fill!(message.audio_message, file);
    fill!(message.document_message, file);
    fill!(message.sticker_message, file);
}
