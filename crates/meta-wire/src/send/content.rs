use super::card::Card;
use super::interactive::Interactive;
use super::template::Template;
use crate::loose::{Degrees, MetaId};

kinds! {
    /// What is sent; text where `type` is missing.
    Content default "text" {
        Text(Text) = "text",
        Image(Media) = "image",
        Video(Media) = "video",
        Audio(Media) = "audio",
        Document(Media) = "document",
        Sticker(Media) = "sticker",
        Location(Location) = "location",
        Contacts(Vec<Card>) = "contacts",
        Reaction(Reaction) = "reaction",
        Pin(Pin) = "pin",
        Interactive(Box<Interactive>) = "interactive",
        Template(Template) = "template",
    }
}

wire! {
    Text {
        body: String,
        preview_url?: bool,
    }

    /// One of `id` and `link`.
    Media {
        id?: MetaId,
        link?: String,
        /// Not for audio and stickers.
        caption?: String,
        /// For documents.
        filename?: String,
        /// For audio: a voice note.
        voice?: bool,
    }

    Location {
        latitude: Degrees,
        longitude: Degrees,
        name?: String,
        address?: String,
    }

    Reaction {
        message_id: String,
        /// An empty one takes the reaction away.
        emoji?: String,
    }

    /// For groups.
    Pin {
        /// `pin` or `unpin`.
        #[serde(rename = "type")]
        kind: String,
        message_id: String,
        expiration_days?: MetaId,
    }
}

impl Text {
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

impl Media {
    /// An uploaded medium.
    pub fn id(id: impl Into<MetaId>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// A medium that Meta fetches.
    pub fn link(link: impl Into<String>) -> Self {
        Self { link: Some(link.into()), ..Self::default() }
    }
}
