//! `POST /chat/send/sticker`: any picture becomes a WebP of 512 by 512.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use media::convert::{Medium, sniff};
use web_wire::send::{self as wire, Media, MediaKind};

use super::image::plain;
use super::video::inline;
use super::{Draft, Terms};
use crate::body::Body;
use crate::errors::Error;
use crate::files::{Files, Given, LARGEST_IMAGE, unusable};

const WEBP: &str = "image/webp";

pub(super) async fn read(files: Files, mut body: Body) -> Result<Draft, Error> {
    let terms = Terms::read(&body)?;
    let thumbnail = thumbnail(&mut body)?;
    let taken = files.take(Given::take(&mut body, "Sticker")?, Medium::Sticker, LARGEST_IMAGE).await?;
    let made = files.converter().sticker(taken.bytes).await.map_err(unusable)?;
    let blob = files.keep(made.bytes, WEBP).await?;
    let sticker = Media {
        width: Some(made.width),
        height: Some(made.height),
        animated: made.animated,
        thumbnail,
        ..plain(MediaKind::Sticker, blob, WEBP)
    };
    Ok(terms.draft(wire::Body::Media(sticker)))
}

fn thumbnail(body: &mut Body) -> Result<Option<String>, Error> {
    let bytes = inline(body, "PngThumbnail")?.filter(|bytes| sniff::shown(bytes) == Some("image/png"));
    Ok(bytes.map(|bytes| STANDARD.encode(bytes)))
}
