//! GIF into animated WebP: each frame is scaled, only what changed since the last one is encoded.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::imageops::crop_imm;
use image::{AnimationDecoder, Frame, ImageDecoder, RgbaImage};

use super::container::{Place, Writer};
use super::{SIDE, centred, webp};
use crate::convert::picture::{check_pixels, fit, image_limits, refusal};
use crate::convert::{Error, Limits, Medium};

const QUALITY: f32 = 60.0;
/// WhatsApp plays animated stickers of up to ten seconds; what comes later is dropped.
const MAX_MILLISECONDS: u32 = 10_000;
/// Delays below this mean "as fast as possible" in old files; players take a tenth of a second instead.
const MIN_DELAY: u32 = 20;
const DEFAULT_DELAY: u32 = 100;
/// Bytes of a sticker; frames beyond are dropped.
const MAX_BYTES: usize = 900 * 1024;

/// An animated WebP; nothing for a GIF of one frame. Broken frames after the second end the animation.
pub(super) fn from_gif(bytes: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, Error> {
    let mut decoder = GifDecoder::new(Cursor::new(bytes)).map_err(|e| refusal(Medium::Sticker, e, limits))?;
    let size = decoder.dimensions();
    check_pixels(Medium::Sticker, size, 0, limits.picture_pixels)?;
    decoder.set_limits(image_limits(limits)).map_err(|e| refusal(Medium::Sticker, e, limits))?;

    let mut frames = decoder.into_frames();
    let first = frames.next().ok_or_else(|| Error::broken(Medium::Sticker, "it holds no frame"))?;
    let first = first.map_err(|e| refusal(Medium::Sticker, e, limits))?;
    let Some(Ok(second)) = frames.next() else { return Ok(None) };

    let mut animation = Animation::new(first)?;
    let mut pixels = 2 * u64::from(size.0) * u64::from(size.1);
    animation.add(second)?;
    for frame in frames.map_while(Result::ok) {
        pixels += u64::from(size.0) * u64::from(size.1);
        check_pixels(Medium::Sticker, size, pixels, limits.animation_pixels.max(limits.picture_pixels))?;
        if animation.is_full() {
            break;
        }
        animation.add(frame)?;
    }
    animation.finish().map(Some)
}

/// The last frame waits until it is known for how long it stays.
struct Animation {
    writer: Writer,
    shown: RgbaImage,
    waiting: (Place, Vec<u8>),
    delay: u32,
    milliseconds: u32,
}

impl Animation {
    fn new(first: Frame) -> Result<Self, Error> {
        let delay = delay(&first);
        let shown = canvas(first);
        let whole = Place { left: 0, top: 0, width: SIDE, height: SIDE };
        let waiting = (whole, webp(&shown, QUALITY)?);
        Ok(Self { writer: Writer::new(SIDE), shown, waiting, delay, milliseconds: 0 })
    }

    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        let delay = delay(&frame);
        let next = canvas(frame);
        match changed(&self.shown, &next) {
            None => self.delay = self.delay.saturating_add(delay),
            Some(place) => {
                let part = crop_imm(&next, place.left, place.top, place.width, place.height).to_image();
                self.write();
                self.waiting = (place, webp(&part, QUALITY)?);
                self.delay = delay;
                self.shown = next;
            }
        }
        Ok(())
    }

    fn write(&mut self) {
        let delay = self.delay.min(MAX_MILLISECONDS);
        self.writer.frame(self.waiting.0, &self.waiting.1, delay);
        self.milliseconds += delay;
    }

    fn is_full(&self) -> bool {
        self.milliseconds.saturating_add(self.delay) >= MAX_MILLISECONDS
            || self.writer.len() + self.waiting.1.len() >= MAX_BYTES
    }

    fn finish(mut self) -> Result<Vec<u8>, Error> {
        self.write();
        Ok(self.writer.finish())
    }
}

fn canvas(frame: Frame) -> RgbaImage {
    centred(&fit(&frame.into_buffer().into(), SIDE))
}

/// Milliseconds.
fn delay(frame: &Frame) -> u32 {
    let (numerator, denominator) = frame.delay().numer_denom_ms();
    let milliseconds = numerator / denominator.max(1);
    if milliseconds < MIN_DELAY { DEFAULT_DELAY } else { milliseconds }
}

/// The smallest place, with its corner on even pixels, outside of which two pictures of one size are the same.
fn changed(old: &RgbaImage, new: &RgbaImage) -> Option<Place> {
    let row = SIDE as usize * 4;
    let differs = |y: &usize| old.as_raw()[y * row..][..row] != new.as_raw()[y * row..][..row];
    let top = (0..SIDE as usize).find(differs)?;
    let bottom = (top..SIDE as usize).rfind(differs)?;
    let column = |x: &u32| (top..=bottom).any(|y| old.get_pixel(*x, y as u32) != new.get_pixel(*x, y as u32));
    let left = (0..SIDE).find(column)? & !1;
    let right = (left..SIDE).rfind(column)?;
    let top = top as u32 & !1;
    Some(Place { left, top, width: right - left + 1, height: bottom as u32 - top + 1 })
}
