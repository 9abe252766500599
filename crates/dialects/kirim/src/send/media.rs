//! Files: exactly one of a public link and WhatsApp's id of something uploaded.

use api::At;
use engine::content::{Content, Media, MediaKind, Source};

use crate::errors::Error;

pub(super) fn read(at: &At<'_>, kind: MediaKind) -> Result<Content, Error> {
    let link = at
        .maybe("link")?
        .map(|at| at.web_address().map(str::to_owned))
        .transpose()?;
    let id = at
        .maybe("id")?
        .map(|at| at.text(1..=255).map(str::to_owned))
        .transpose()?;
    let source = match (link, id) {
        (Some(link), None) => Source::Link(link),
        (None, Some(id)) => Source::Id(id),
        _ => return Err(at.refuse("must have either a link or an id").into()),
    };
    Ok(Content::Media(Media {
        kind,
        source,
        caption: at
            .maybe("caption")?
            .map(|at| at.text(0..=1024).map(str::to_owned))
            .transpose()?,
        filename: at
            .maybe("filename")?
            .map(|at| at.text(0..=255).map(str::to_owned))
            .transpose()?,
        mime: None,
        voice: false,
    }))
}
