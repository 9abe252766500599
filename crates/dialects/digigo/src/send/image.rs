//! `POST /chat/send/image`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::convert::Medium;
use web_wire::send::{self as wire, Media, MediaKind};

use super::terms::short;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given, LARGEST_IMAGE, unusable};

/// Characters of what stands under a file.
pub(super) const LONGEST_CAPTION: usize = 1024;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let caption = short(&body, &["Caption"], LONGEST_CAPTION)?;
    let view_once = view_once(&body, &terms)?;
    let picture = make(&files, Given::take(&mut body, "Image")?).await?;
    Ok(terms.draft(wire::Body::Media(Media { caption, view_once, ..picture })))
}

/// What is seen once cannot disappear later, too.
pub(super) fn view_once(body: &Body, terms: &Terms) -> Result<bool, Error> {
    match body.is(&["ViewOnce"])? {
        true if terms.expires_in.is_some() => Err(Error::bad("ViewOnce cannot be combined with Duration")),
        view_once => Ok(view_once),
    }
}

/// A JPEG of whatever was given.
pub(super) async fn make(files: &Files, given: Given) -> Result<Media, Error> {
    const JPEG: &str = "image/jpeg";
    let taken = files.take(given, Medium::Image, LARGEST_IMAGE).await?;
    let made = files.converter().picture(taken.bytes).await.map_err(unusable)?;
    let blob = files.keep(made.picture.bytes, JPEG).await?;
    Ok(Media {
        width: Some(made.picture.width),
        height: Some(made.picture.height),
        thumbnail: Some(STANDARD.encode(&made.thumbnail.bytes)),
        ..plain(MediaKind::Image, blob, JPEG)
    })
}

/// A file of which nothing more is said.
pub(super) fn plain(kind: MediaKind, blob: String, mime: &str) -> Media {
    Media {
        kind,
        blob,
        mime: mime.to_owned(),
        caption: None,
        filename: None,
        width: None,
        height: None,
        seconds: None,
        waveform: None,
        thumbnail: None,
        voice: false,
        view_once: false,
        animated: false,
    }
}
