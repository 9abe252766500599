//! What stands on top of a card: a title, a file, or both.

use web_wire::send::{Header, Interactive, Media};

use super::terms::short;
use super::{document, image, video};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given};

/// What a file on a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Video,
    Document,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Image, Self::Video, Self::Document];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text))
    }

    /// As it is called in bodies.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        }
    }
}

/// Brings the file in. What is said of it besides (`Filename`, `MimeType`) stands in `about`.
pub(super) async fn file(files: &Files, kind: Kind, given: Given, about: &Body) -> Result<Media, Error> {
    match kind {
        Kind::Image => image::make(files, given).await,
        Kind::Video => video::make(files, given).await,
        Kind::Document => {
            let filename = short(about, &["FileName"], document::LONGEST_NAME)?;
            let made = document::make(files, given, document::mime(about)?.as_deref()).await?;
            Ok(Media { filename: filename.or(made.filename), ..made })
        }
    }
}

/// Puts title and file on top of a card.
pub(super) fn put(card: &mut Interactive, title: Option<String>, file: Option<Media>) {
    match file {
        Some(media) => (card.header, card.title) = (Some(Header::Media(Box::new(media))), title),
        None => card.header = title.map(Header::Text),
    }
}
