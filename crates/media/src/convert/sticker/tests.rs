use std::io::Cursor;
use std::time::Duration;

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::{AnimationDecoder, Delay, ExtendedColorType, Frame, ImageDecoder, ImageFormat};
use rstest::rstest;

use super::container::{Place, Writer};
use super::*;

/// A picture with a dot of another colour at a place.
fn dotted(width: u32, height: u32, dot: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        if x.abs_diff(dot) < 8 && y.abs_diff(dot) < 8 { Rgba([250, 20, 20, 255]) } else { Rgba([20, 20, 200, 255]) }
    })
}

fn gif(frames: &[(u32, u32)]) -> Bytes {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for (dot, milliseconds) in frames {
        let delay = Delay::from_saturating_duration(Duration::from_millis(u64::from(*milliseconds)));
        encoder.encode_frame(Frame::from_parts(dotted(64, 64, *dot), 0, 0, delay)).unwrap();
    }
    drop(encoder);
    bytes.into()
}

fn lossless(image: &RgbaImage) -> Bytes {
    let mut bytes = Vec::new();
    let (width, height) = image.dimensions();
    WebPEncoder::new_lossless(&mut bytes).encode(image, width, height, ExtendedColorType::Rgba8).unwrap();
    bytes.into()
}

fn written(image: &RgbaImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::from(image.clone());
    let plain = if format == ImageFormat::Jpeg { image.to_rgb8().into() } else { image };
    plain.write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

fn pixels(webp: &[u8]) -> RgbaImage {
    image::load_from_memory_with_format(webp, ImageFormat::WebP).unwrap().to_rgba8()
}

/// Whether a pixel shows the dot rather than the ground.
fn is_dot(image: &RgbaImage, x: u32, y: u32) -> bool {
    let [r, _, b, a] = image.get_pixel(x, y).0;
    assert_eq!(a, 255);
    r > b
}

#[rstest]
#[case(ImageFormat::Png)]
#[case(ImageFormat::Jpeg)]
#[case(ImageFormat::Gif)]
#[case(ImageFormat::WebP)]
fn a_still_of_any_kind_is_centred_on_a_clear_square(#[case] format: ImageFormat) {
    let made = sticker(&written(&dotted(128, 64, 32), format), &Limits::default()).unwrap();
    assert_eq!((made.width, made.height, made.animated), (512, 512, false));
    assert!(made.bytes.len() <= STILL_BYTES);
    let image = pixels(&made.bytes);
    assert_eq!(image.dimensions(), (512, 512));
    assert_eq!(image.get_pixel(256, 60).0[3], 0, "above the picture");
    assert!(is_dot(&image, 128, 256) && !is_dot(&image, 400, 256));
}

#[test]
fn a_webp_that_fits_is_passed_on_without_what_follows_it() {
    let whole = lossless(&dotted(512, 512, 100));
    let mut longer = whole.to_vec();
    longer.extend_from_slice(b"<script>");
    assert_eq!(sticker(&longer.into(), &Limits::default()).unwrap().bytes, whole);
}

#[test]
fn noise_is_squeezed_by_quality() {
    let mut state = 1_u32;
    let noise = RgbaImage::from_fn(512, 512, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, r, g, b] = state.to_le_bytes();
        Rgba([r, g, b, 255])
    });
    let best = webp(&noise, 85.0).unwrap();
    let made = sticker(&written(&noise, ImageFormat::Png), &Limits::default()).unwrap();
    assert!(best.len() > STILL_BYTES && made.bytes.len() < best.len());
}

#[test]
fn a_gif_becomes_an_animation_with_the_same_frames_and_times() {
    let made = sticker(&gif(&[(16, 100), (32, 250), (32, 150), (48, 0)]), &Limits::default()).unwrap();
    assert!(made.animated);
    let decoder = WebPDecoder::new(Cursor::new(&made.bytes)).unwrap();
    assert_eq!((decoder.has_animation(), decoder.dimensions()), (true, (512, 512)));
    let frames = decoder.into_frames().collect_frames().unwrap();
    let times: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
    assert_eq!(times, [100, 400, 100], "equal frames are one; no delay is a tenth of a second");
    for (frame, shown) in frames.iter().zip([128, 256, 384]) {
        for at in [128, 256, 384] {
            assert_eq!(is_dot(frame.buffer(), at, at), at == shown, "dot {shown} at {at}");
        }
    }
    let only_changes = pixels(&made.bytes);
    let whole = webp(&only_changes, 60.0).unwrap().len();
    assert!(made.bytes.len() < 3 * whole, "{} against {whole} for each frame", made.bytes.len());
}

#[test]
fn an_animated_webp_passes_unharmed() {
    let made = sticker(&gif(&[(16, 100), (48, 100)]), &Limits::default()).unwrap();
    assert_eq!(sticker(&made.bytes, &Limits::default()).unwrap(), made);

    let place = Place { left: 0, top: 0, width: 64, height: 64 };
    let mut small = Writer::new(64);
    small.frame(place, &lossless(&dotted(64, 64, 16)), 100);
    small.frame(place, &lossless(&dotted(64, 64, 48)), 100);
    let small = Bytes::from(small.finish());
    let passed = sticker(&small, &Limits::default()).unwrap();
    assert_eq!((passed.bytes, passed.width, passed.animated), (small, 64, true));
}

#[test]
fn a_long_animation_ends_after_ten_seconds() {
    let made = sticker(&gif(&[(16, 6000), (32, 6000), (48, 6000)]), &Limits::default()).unwrap();
    let frames = WebPDecoder::new(Cursor::new(&made.bytes)).unwrap().into_frames().collect_frames().unwrap();
    assert_eq!(frames.len(), 2);
}

#[rstest]
#[case::cut_webp(lossless(&dotted(64, 64, 9)).slice(..60))]
#[case::empty_webp(Bytes::from_static(b"RIFF\x04\0\0\0WEBP"))]
#[case::chunk_beyond_the_end(Bytes::from_static(b"RIFF\x0c\0\0\0WEBPANMF\xff\xff\xff\x7f"))]
#[case::cut_gif(gif(&[(9, 100), (20, 100)]).slice(..20))]
#[case::cut_png(written(&dotted(64, 64, 9), ImageFormat::Png).slice(..60))]
fn broken_files_are_broken_stickers(#[case] bytes: Bytes) {
    let outcome = sticker(&bytes, &Limits::default());
    assert!(matches!(outcome, Err(Error::Broken { medium: Medium::Sticker, .. })), "{outcome:?}");
}

#[test]
fn limits_hold_for_frames_together() {
    let limits = Limits { animation_pixels: 3 * 64 * 64, picture_pixels: 64 * 64, ..Limits::default() };
    let frames = [(8, 50), (16, 50), (24, 50), (32, 50)];
    assert!(sticker(&gif(&frames[..3]), &limits).unwrap().animated);
    assert!(matches!(sticker(&gif(&frames), &limits), Err(Error::TooManyPixels { .. })));
    let refused = sticker(&Bytes::from_static(b"%PDF-1.7"), &limits).unwrap_err();
    assert!(refused.to_string().starts_with("application/pdf cannot be used as sticker"));
}
