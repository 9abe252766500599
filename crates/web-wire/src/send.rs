//! What is sent through a linked account: the `json` of an engine's `Native` content of format [`crate::FORMAT`].
//!
//! A dialect checks and builds it, the engine keeps it unopened, the provider turns it into the protocol's own
//! message. Files lie in the blob store and are named here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jid::Jid;

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    pub body: Body,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// Seconds after which it disappears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
    /// Shown to the other side before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typing: Option<Typing>,
    /// Refuse when the recipient is not on WhatsApp.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_number: bool,
    /// Tell it as an event of the account too, once it is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub echo: bool,
}

impl Outgoing {
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, context: None, expires_in: None, typing: None, check_number: false, echo: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    pub milliseconds: u32,
    #[serde(default)]
    pub recording: bool,
}

/// What a message answers, whom it names, whether it is passed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Quoted>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Jid>,
    /// Everybody in the group.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mention_all: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quoted {
    pub id: String,
    /// Who wrote it; none: the other side of a direct chat.
    pub author: Option<Jid>,
    /// A protobuf message as JSON with lower-camel names, for the preview.
    pub message: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    Text {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<Preview>,
    },
    Media(Media),
    Location {
        latitude: f64,
        longitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    Contact {
        name: String,
        vcard: String,
    },
    Poll {
        question: String,
        options: Vec<String>,
        /// How many may be chosen; 0: all.
        choices: u32,
    },
    Event(Box<Event>),
    List(List),
    Interactive(Box<Interactive>),
    Carousel {
        text: String,
        cards: Vec<Interactive>,
    },
    Reaction {
        target: Target,
        /// Empty: taken back.
        emoji: String,
    },
    /// A new text for a message of ours.
    Edit {
        id: String,
        text: String,
    },
    /// Deletes a message for everyone.
    Revoke {
        target: Target,
    },
}

impl Body {
    /// The word for it in lists, events and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(media) => media.kind.as_str(),
            Self::Location { .. } => "location",
            Self::Contact { .. } => "contacts",
            Self::Poll { .. } => "poll",
            Self::Event(_) => "event",
            Self::List(_) => "list",
            Self::Interactive(_) => "interactive",
            Self::Carousel { .. } => "carousel",
            Self::Reaction { .. } => "reaction",
            Self::Edit { .. } => "edit",
            Self::Revoke { .. } => "revoke",
        }
    }

    /// What a person would read of it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } | Self::Carousel { text, .. } | Self::Edit { text, .. } => Some(text),
            Self::Media(media) => media.caption.as_deref(),
            Self::Location { name, .. } => name.as_deref(),
            Self::Contact { name, .. } => Some(name),
            Self::Poll { question, .. } => Some(question),
            Self::Event(event) => Some(&event.name),
            Self::List(list) => Some(&list.text),
            Self::Interactive(interactive) => interactive.text.as_deref(),
            Self::Reaction { emoji, .. } => Some(emoji),
            Self::Revoke { .. } => None,
        }
    }

    /// Its files, in the order in which it shows them.
    #[must_use]
    pub fn files(&self) -> Vec<&Media> {
        match self {
            Self::Media(media) => vec![media],
            Self::Interactive(interactive) => interactive.file().into_iter().collect(),
            Self::Carousel { cards, .. } => cards.iter().filter_map(Interactive::file).collect(),
            _ => Vec::new(),
        }
    }

    /// Their names in the blob store.
    #[must_use]
    pub fn blobs(&self) -> Vec<&str> {
        self.files().into_iter().map(|file| file.blob.as_str()).collect()
    }
}

/// A message that something is done to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub id: String,
    /// We wrote it.
    pub own: bool,
    /// Who wrote it, in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Jid>,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A small JPEG, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    /// A round video note.
    Ptv,
    Audio,
    Document,
    Sticker,
}

impl MediaKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Ptv => "ptv",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// A file and what is said about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    #[serde(rename = "media")]
    pub kind: MediaKind,
    /// Its name in the blob store.
    pub blob: String,
    pub mime: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// 64 values from 0 to 100, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<String>,
    /// A small JPEG (PNG for stickers), base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// A voice note rather than a piece of music.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub view_once: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub animated: bool,
}

/// Something to come to. Times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub name: String,
    pub starts_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(default)]
    pub extra_guests: bool,
    #[serde(default)]
    pub cancelled: bool,
    /// It is a call.
    #[serde(default)]
    pub call: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub name: Option<String>,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The label that opens the list.
    pub button: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    pub title: String,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
}

/// A card with native buttons, alone or in a carousel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interactive {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// Beside a header that is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    pub buttons: Vec<NativeButton>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// JSON as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<String>,
    /// `buttons` or `flow`: which of its callers' words it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub called: String,
}

impl Interactive {
    fn file(&self) -> Option<&Media> {
        match &self.header {
            Some(Header::Media(media)) => Some(media),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    Text(String),
    Media(Box<Media>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NativeButton {
    /// `quick_reply`, `cta_url`, `cta_call`, `cta_copy`, `payment_info`, `review_and_pay`, `galaxy_message`, …
    pub name: String,
    /// JSON as text.
    pub params: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_store() {
        let media = Media {
            kind: MediaKind::Audio,
            blob: "b".into(),
            mime: "audio/ogg; codecs=opus".into(),
            caption: None,
            filename: None,
            width: None,
            height: None,
            seconds: Some(3),
            waveform: None,
            thumbnail: None,
            voice: true,
            view_once: true,
            animated: false,
        };
        let card = Interactive { header: Some(Header::Media(Box::new(media.clone()))), ..Interactive::default() };
        let target = Target { id: "A1".into(), own: true, author: None };
        for body in [
            Body::Text { text: "hi".into(), preview: None },
            Body::Media(media),
            Body::Poll { question: "?".into(), options: vec!["a".into(), "b".into()], choices: 1 },
            Body::Interactive(Box::new(card.clone())),
            Body::Carousel { text: "c".into(), cards: vec![card] },
            Body::Reaction { target: target.clone(), emoji: "👍".into() },
            Body::Revoke { target },
        ] {
            let message = Outgoing { typing: Some(Typing { milliseconds: 5, recording: true }), ..Outgoing::new(body) };
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Outgoing>(&text).unwrap(), message, "{text}");
        }
    }
}
