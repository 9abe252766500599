//! `POST /chat/send/document`: any file, as it is.

use web_wire::send::{self as wire, Media, MediaKind};

use super::image::{LONGEST_CAPTION, plain};
use super::terms::{needed, short};
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given};

pub(super) const LONGEST_NAME: usize = 255;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let given = Given::take(&mut body, "Document")?;
    let filename = needed(&body, &["FileName"], LONGEST_NAME)?;
    let caption = short(&body, &["Caption"], LONGEST_CAPTION)?;
    let document = make(&files, given, mime(&body)?.as_deref()).await?;
    Ok(terms.draft(wire::Body::Media(Media { filename: Some(filename), caption, ..document })))
}

/// Called as its address ends, until somebody knows better.
pub(super) async fn make(files: &Files, given: Given, mime: Option<&str>) -> Result<Media, Error> {
    let stored = files.store(given, mime).await?;
    Ok(Media { filename: stored.name, ..plain(MediaKind::Document, stored.blob, &stored.mime) })
}

/// What the caller calls it, whatever its bytes show.
pub(super) fn mime(body: &Body) -> Result<Option<String>, Error> {
    let Some(mime) = short(body, &["MimeType"], 255)? else { return Ok(None) };
    let named = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let printable = mime.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    match essence.split_once('/') {
        Some((kind, subtype)) if printable && named(kind) && named(subtype) => Ok(Some(mime)),
        _ => Err(Error::bad("invalid MimeType")),
    }
}
