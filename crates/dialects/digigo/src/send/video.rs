//! `POST /chat/send/video`, and `/chat/send/ptv` for round video notes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use media::convert::{self, Medium, data_url, sniff};
use web_wire::send::{self as wire, Media, MediaKind};

use super::image::{LONGEST_CAPTION, plain};
use super::terms::short;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given, LARGEST, unusable};

/// Bytes of a thumbnail that a caller brings.
const LARGEST_THUMBNAIL: u64 = 1 << 20;

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let caption = short(&body, &["Caption"], LONGEST_CAPTION)?;
    let view_once = body.is(&["ViewOnce"])?;
    let brought = thumbnail(&files, &mut body).await?;
    let video = make(&files, Given::take(&mut body, "Video")?).await?;
    let thumbnail = brought.or(video.thumbnail);
    Ok(terms.draft(wire::Body::Media(Media { caption, view_once, thumbnail, ..video })))
}

pub(super) async fn read_note(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let video = make(&files, Given::take(&mut body, "Video")?).await?;
    Ok(terms.draft(wire::Body::Media(Media { kind: MediaKind::Ptv, ..video })))
}

pub(super) async fn make(files: &Files, given: Given) -> Result<Media, Error> {
    let taken = files.take(given, Medium::Video, LARGEST).await?;
    let made = match files.converter().video(taken.bytes.clone()).await {
        Err(error @ (convert::Error::Broken { .. } | convert::Error::Ffmpeg { .. })) => {
            return unread(files, taken.bytes, error).await;
        }
        made => made.map_err(unusable)?,
    };
    let blob = files.keep(made.bytes, made.mime).await?;
    Ok(Media {
        width: Some(made.width),
        height: Some(made.height),
        seconds: Some(made.seconds),
        thumbnail: made.thumbnail.map(|small| STANDARD.encode(&small.bytes)),
        ..plain(MediaKind::Video, blob, made.mime)
    })
}

/// What we cannot look into, a phone may yet be able to play.
async fn unread(files: &Files, bytes: Bytes, error: convert::Error) -> Result<Media, Error> {
    match sniff::shown(&bytes) {
        Some(mime @ ("video/mp4" | "video/3gpp")) => {
            let blob = files.keep(bytes, mime).await?;
            Ok(plain(MediaKind::Video, blob, mime))
        }
        _ => Err(unusable(error)),
    }
}

/// The caller's own, made small. A video goes without it rather than not at all.
async fn thumbnail(files: &Files, body: &mut Body) -> Result<Option<String>, Error> {
    let Some(bytes) = inline(body, "JPEGThumbnail")? else { return Ok(None) };
    Ok(files.converter().thumbnail(bytes.into()).await.ok().map(|small| STANDARD.encode(&small.bytes)))
}

/// A small picture that stands in the body in base64, with or without the head of a data URL; `None` where there is
/// none that can be read.
pub(super) fn inline(body: &mut Body, field: &'static str) -> Result<Option<Vec<u8>>, Error> {
    let Some(value) = body.take(&[field]) else { return Ok(None) };
    let text = value.as_str().ok_or_else(Error::undecodable)?.trim();
    let whole = match data_url::is_data_url(text) {
        true => text.to_owned(),
        false => format!("data:;base64,{text}"),
    };
    let decoded = data_url::parse(&whole).and_then(|url| url.decode(Medium::Image, LARGEST_THUMBNAIL));
    Ok(decoded.ok().filter(|bytes| !bytes.is_empty()))
}
