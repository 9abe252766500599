//! Stickers: WebP of 512 by 512, still or moving. An animated WebP passes unharmed; a GIF becomes one.

mod animation;
mod container;

use bytes::Bytes;
use image::{DynamicImage, Rgba, RgbaImage};

use super::picture::Picture;
use super::{Error, Limits, Medium, sniff};

/// Side of a sticker, in pixels.
pub const SIDE: u32 = 512;
/// Bytes that a still sticker should not exceed.
const STILL_BYTES: usize = 100 * 1024;

/// A sticker as WebP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticker {
    pub bytes: Bytes,
    /// Pixels; 512 unless an animated WebP of another size was passed on.
    pub width: u32,
    /// Pixels, like the width.
    pub height: u32,
    pub animated: bool,
}

/// Makes a sticker of a picture or an animation.
pub fn sticker(bytes: &Bytes, limits: &Limits) -> Result<Sticker, Error> {
    match sniff::shown(bytes) {
        Some("image/webp") => from_webp(bytes, limits),
        Some("image/gif") => match animation::from_gif(bytes, limits)? {
            Some(moving) => Ok(made(moving, true)),
            None => still(bytes, limits),
        },
        _ => still(bytes, limits),
    }
}

fn from_webp(bytes: &Bytes, limits: &Limits) -> Result<Sticker, Error> {
    let file = container::read(bytes)?;
    // Decodes the first frame, whatever the file says of itself.
    let picture = Picture::decode_as(Medium::Sticker, bytes, limits)?;
    let (width, height) = (picture.width(), picture.height());
    if file.animated || (width, height) == (SIDE, SIDE) {
        return Ok(Sticker { bytes: bytes.slice(..file.length), width, height, animated: file.animated });
    }
    encode_still(&picture).map(|bytes| made(bytes, false))
}

fn still(bytes: &[u8], limits: &Limits) -> Result<Sticker, Error> {
    let picture = Picture::decode_as(Medium::Sticker, bytes, limits)?;
    encode_still(&picture).map(|bytes| made(bytes, false))
}

fn made(bytes: Vec<u8>, animated: bool) -> Sticker {
    Sticker { bytes: bytes.into(), width: SIDE, height: SIDE, animated }
}

/// Tries lower qualities until the sticker is small; the last one is taken as it comes.
fn encode_still(picture: &Picture) -> Result<Vec<u8>, Error> {
    let canvas = centred(&picture.fitted(SIDE));
    let mut encoded = Vec::new();
    for quality in [85.0, 65.0, 45.0] {
        encoded = webp(&canvas, quality)?;
        if encoded.len() <= STILL_BYTES {
            break;
        }
    }
    Ok(encoded)
}

/// A picture in the middle of a clear square.
fn centred(image: &DynamicImage) -> RgbaImage {
    let image = image.to_rgba8();
    if image.dimensions() == (SIDE, SIDE) {
        return image;
    }
    let mut canvas = RgbaImage::from_pixel(SIDE, SIDE, Rgba([0, 0, 0, 0]));
    let left = i64::from(SIDE.saturating_sub(image.width()) / 2);
    let top = i64::from(SIDE.saturating_sub(image.height()) / 2);
    image::imageops::replace(&mut canvas, &image, left, top);
    canvas
}

/// A picture as a still, lossy WebP file.
fn webp(image: &RgbaImage, quality: f32) -> Result<Vec<u8>, Error> {
    let encoder = webp::Encoder::from_rgba(image.as_raw(), image.width(), image.height());
    let encoded = encoder
        .encode_simple(false, quality)
        .map_err(|error| Error::internal(Medium::Sticker, format!("the WebP encoder failed: {error:?}")))?;
    Ok(encoded.to_vec())
}

#[cfg(test)]
mod tests;
