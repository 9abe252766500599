//! What a message carries, in neutral words: typed where more than one channel can carry it, opaque
//! ([`Native`]) where only one can. The engine stores native parts and never opens them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    Text {
        body: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        preview: bool,
    },
    Media(Media),
    Location(Location),
    Contacts {
        cards: Vec<Card>,
    },
    Reaction {
        /// The provider's id of the message reacted to.
        target: String,
        /// Empty: the reaction is taken back.
        emoji: String,
    },
    Buttons(Buttons),
    List(List),
    Template(Template),
    /// Words to be spoken.
    Speech {
        text: String,
        /// BCP 47.
        language: String,
    },
    Email(Box<Email>),
    /// An answer chosen from buttons, a list or a template.
    Choice {
        id: String,
        title: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// `button`, `list` or `template`.
        of: String,
    },
    Native(Native),
}

/// A part in a channel's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Native {
    /// Whose words.
    pub format: String,
    /// What it is called there.
    pub name: String,
    pub json: Value,
    /// What a person would read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// A voice note rather than a piece of music.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
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
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A public address; whoever carries the message fetches it.
    Link(String),
    /// The provider's name for something uploaded or received before.
    Id(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A contact card; what has no neutral place stays in `native`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
}

/// Up to three buttons that answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buttons {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Button {
    pub id: String,
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct List {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The label that opens the list.
    pub button: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A reference to an approved template, with what fills it in the words of `components`' format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub language: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Native>,
}

/// One mail to one recipient; `to` and `cc` are what its head shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// Beside the sender's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    pub to: Vec<Mailbox>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Mailbox>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<Mailbox>,
    pub subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Content {
    /// Reads what the store keeps.
    pub fn parse(json: &str) -> store::Result<Self> {
        serde_json::from_str(json).map_err(|error| store::Error::Corrupt(format!("a message's content: {error}")))
    }

    /// For the store.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(512);
        serde_json::to_writer(&mut json, self).expect("content is made of texts, numbers and JSON");
        String::from_utf8(json).expect("JSON is UTF-8")
    }

    /// The word for its kind in lists and events: `text`, `image`, `template`, `interactive`, …
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Text { .. } => "text",
            Self::Media(media) => media.kind.as_str(),
            Self::Location(_) => "location",
            Self::Contacts { .. } => "contacts",
            Self::Reaction { .. } => "reaction",
            Self::Buttons(_) | Self::List(_) => "interactive",
            Self::Template(_) => "template",
            Self::Speech { .. } => "speech",
            Self::Email(_) => "email",
            Self::Choice { of, .. } if of == "template" => "button",
            Self::Choice { .. } => "interactive",
            Self::Native(native) => &native.name,
        }
    }

    /// What a person would read of it, if anything.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { body, .. } => Some(body),
            Self::Media(media) => media.caption.as_deref(),
            Self::Location(location) => location.name.as_deref().or(location.address.as_deref()),
            Self::Contacts { cards } => cards.first().map(|card| card.name.as_str()),
            Self::Reaction { emoji, .. } => Some(emoji),
            Self::Buttons(buttons) => Some(&buttons.body),
            Self::List(list) => Some(&list.body),
            Self::Template(template) => Some(&template.name),
            Self::Speech { text, .. } => Some(text),
            Self::Email(email) => Some(&email.subject),
            Self::Choice { title, .. } => Some(title),
            Self::Native(native) => native.text.as_deref(),
        }
    }

    /// The link or the provider's id of its file.
    #[must_use]
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Media(media) => Some(media),
            _ => None,
        }
    }
}
