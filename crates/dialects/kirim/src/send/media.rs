//! Files: exactly one of a public link and WhatsApp's id of something uploaded.

use api::At;
use engine::content::{Content, Media, MediaKind, Source};

use crate::errors::Error;

pub(super) fn read(at: &At<'_>, kind: MediaKind) -> Result<Content, Error> {
    let link = at.read("link", |at| at.web_address().map(str::to_owned))?;
    let id = at.read("id", |at| at.string(1..=255))?;
    let source = match (link, id) {
        (Some(link), None) => Source::Link(link),
        (None, Some(id)) => Source::Id(id),
        _ => return Err(at.refuse("must have either a link or an id").into()),
    };
    Ok(Content::Media(Media {
        kind,
        source,
        caption: at.read("caption", |at| at.string(0..=1024))?,
        filename: at.read("filename", |at| at.string(0..=255))?,
        mime: None,
        voice: false,
    }))
}
