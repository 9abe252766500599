//! Pictures: decoded once within limits, then made into what a message, a preview or a profile needs.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::{Error, Limits, Medium, sniff};

/// Longest side of a picture in a message.
const MESSAGE_SIDE: u32 = 1600;
const MESSAGE_QUALITY: u8 = 82;
/// Longest side of the picture that is shown until the real one is there.
const THUMBNAIL_SIDE: u32 = 100;
const THUMBNAIL_QUALITY: u8 = 55;
/// Side of the square that is a profile photo.
const PROFILE_SIDE: u32 = 640;

/// A decoded picture, upright; of an animation the first frame.
#[derive(Clone, Debug)]
pub struct Picture {
    image: DynamicImage,
    /// A JPEG that needed no turning: its bytes can be sent as they are.
    is_plain_jpeg: bool,
}

/// A picture as JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jpeg {
    pub bytes: Bytes,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A picture as it goes into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePicture {
    pub picture: Jpeg,
    pub thumbnail: Jpeg,
}

/// Makes a picture fit for a message: a JPEG of modest size stays byte for byte as it is, all else becomes one.
pub fn for_message(bytes: &Bytes, limits: &Limits) -> Result<MessagePicture, Error> {
    let decoded = Picture::decode(bytes, limits)?;
    let (width, height) = (decoded.image.width(), decoded.image.height());
    let picture = if decoded.is_plain_jpeg && width.max(height) <= MESSAGE_SIDE {
        Jpeg { bytes: bytes.clone(), width, height }
    } else {
        decoded.jpeg(MESSAGE_SIDE, MESSAGE_QUALITY)?
    };
    Ok(MessagePicture { picture, thumbnail: decoded.thumbnail()? })
}

/// The profile photo of a picture: 640 by 640, cut from the middle.
pub fn profile_photo(bytes: &[u8], limits: &Limits) -> Result<Jpeg, Error> {
    Picture::decode(bytes, limits)?.square(PROFILE_SIDE, MESSAGE_QUALITY)
}

impl Picture {
    /// Decodes JPEG, PNG, GIF or WebP. Refused before memory is taken if it has too many pixels.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::decode_as(Medium::Image, bytes, limits)
    }

    pub(super) fn decode_as(medium: Medium, bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let format = format(medium, bytes)?;
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(image_limits(limits));
        let mut decoder = reader.into_decoder().map_err(|error| refusal(medium, error, limits))?;
        let (width, height) = decoder.dimensions();
        check_pixels(medium, (width, height), decoder.total_bytes().div_ceil(4), limits.picture_pixels)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| refusal(medium, error, limits))?;
        image.apply_orientation(orientation);
        let is_plain_jpeg = format == ImageFormat::Jpeg && orientation == Orientation::NoTransforms;
        Ok(Self { image, is_plain_jpeg })
    }

    /// Pixels.
    pub fn width(&self) -> u32 {
        self.image.width()
    }

    /// Pixels.
    pub fn height(&self) -> u32 {
        self.image.height()
    }

    /// A JPEG of which no side is longer than `max_side`; never enlarged, what is transparent becomes white.
    pub fn jpeg(&self, max_side: u32, quality: u8) -> Result<Jpeg, Error> {
        if self.width().max(self.height()) <= max_side {
            return encode(&on_white(&self.image), quality);
        }
        encode(&on_white(&fit(&self.image, max_side)), quality)
    }

    /// The small JPEG that a message carries along.
    pub fn thumbnail(&self) -> Result<Jpeg, Error> {
        self.jpeg(THUMBNAIL_SIDE, THUMBNAIL_QUALITY)
    }

    /// A square JPEG of `side` pixels, cut from the middle.
    pub fn square(&self, side: u32, quality: u8) -> Result<Jpeg, Error> {
        let shorter = self.width().min(self.height());
        let left = (self.width() - shorter) / 2;
        let top = (self.height() - shorter) / 2;
        let middle = self.image.crop_imm(left, top, shorter, shorter);
        let near = if shorter > 2 * side { middle.thumbnail_exact(2 * side, 2 * side) } else { middle };
        encode(&on_white(&near.resize_exact(side, side, FilterType::CatmullRom)), quality)
    }

    /// The picture scaled to touch the borders of a square, smaller or larger than it was.
    pub(super) fn fitted(&self, side: u32) -> DynamicImage {
        fit(&self.image, side)
    }
}

/// Refuses a picture whose decoded form is too large, counted in pixels of four bytes.
pub(super) fn check_pixels(medium: Medium, size: (u32, u32), pixels: u64, limit: u64) -> Result<(), Error> {
    let (width, height) = size;
    match pixels.max(u64::from(width) * u64::from(height)) <= limit {
        true => Ok(()),
        false => Err(Error::TooManyPixels { medium, width, height, limit }),
    }
}

/// What the decoders themselves watch.
pub(super) fn image_limits(limits: &Limits) -> image::Limits {
    let mut image_limits = image::Limits::default();
    // A little beside the pixels: tables, rows, compressed chunks.
    image_limits.max_alloc = Some(limits.picture_pixels.saturating_mul(5).saturating_add(1024 * 1024));
    image_limits
}

/// Why the decoder gave up, in our words.
pub(super) fn refusal(medium: Medium, error: ImageError, limits: &Limits) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooManyPixels { medium, width: 0, height: 0, limit: limits.picture_pixels },
        other => Error::broken(medium, other),
    }
}

fn format(medium: Medium, bytes: &[u8]) -> Result<ImageFormat, Error> {
    match sniff::shown(bytes) {
        Some("image/jpeg") => Ok(ImageFormat::Jpeg),
        Some("image/png") => Ok(ImageFormat::Png),
        Some("image/gif") => Ok(ImageFormat::Gif),
        Some("image/webp") => Ok(ImageFormat::WebP),
        other => Err(Error::unsupported(medium, other.unwrap_or("a file of unknown type"))),
    }
}

/// Scales to touch the borders of a square; first coarsely, because a fine filter on a huge picture costs more memory
/// than the picture.
pub(super) fn fit(image: &DynamicImage, side: u32) -> DynamicImage {
    if image.width().max(image.height()) > 2 * side {
        return image.thumbnail(2 * side, 2 * side).resize(side, side, FilterType::CatmullRom);
    }
    image.resize(side, side, FilterType::CatmullRom)
}

fn on_white(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let rgba = image.to_rgba8();
    let mix =
        |value: u8, alpha: u8| ((u16::from(value) * u16::from(alpha) + 255 * (255 - u16::from(alpha))) / 255) as u8;
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0;
        image::Rgb([mix(r, a), mix(g, a), mix(b, a)])
    })
}

fn encode(image: &RgbImage, quality: u8) -> Result<Jpeg, Error> {
    let (width, height) = image.dimensions();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(image, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Error::internal(Medium::Image, error))?;
    Ok(Jpeg { bytes: bytes.into(), width, height })
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};
    use rstest::rstest;

    use super::*;

    /// Left half red, right half clear.
    fn sample(width: u32, height: u32) -> DynamicImage {
        let half = |x, _| if x < width / 2 { Rgba([200, 0, 0, 255]) } else { Rgba([0, 0, 0, 0]) };
        RgbaImage::from_fn(width, height, half).into()
    }

    fn written(image: &DynamicImage, format: ImageFormat) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        let plain = matches!(format, ImageFormat::Jpeg).then(|| DynamicImage::from(on_white(image)));
        plain.as_ref().unwrap_or(image).write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    fn read(jpeg: &Jpeg) -> RgbImage {
        let image = image::load_from_memory_with_format(&jpeg.bytes, ImageFormat::Jpeg).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (jpeg.width, jpeg.height));
        image
    }

    fn near(pixel: &image::Rgb<u8>, wanted: [u8; 3]) {
        let far = pixel.0.iter().zip(wanted).any(|(a, b)| a.abs_diff(b) > 40);
        assert!(!far, "{pixel:?} is not {wanted:?}");
    }

    #[rstest]
    #[case(ImageFormat::Jpeg, true)]
    #[case(ImageFormat::Png, false)]
    #[case(ImageFormat::Gif, false)]
    #[case(ImageFormat::WebP, false)]
    fn any_kind_becomes_a_jpeg_with_thumbnail(#[case] format: ImageFormat, #[case] kept: bool) {
        let bytes = written(&sample(300, 200), format);
        let MessagePicture { picture, thumbnail } = for_message(&bytes, &Limits::default()).unwrap();
        assert_eq!(picture.bytes == bytes, kept);
        assert_eq!((picture.width, picture.height), (300, 200));
        let pixels = read(&picture);
        near(pixels.get_pixel(20, 100), [200, 0, 0]);
        near(pixels.get_pixel(280, 100), [255, 255, 255]);
        assert_eq!((thumbnail.width, thumbnail.height), (100, 67));
        assert!(thumbnail.bytes.len() < 3_000, "{}", thumbnail.bytes.len());
        near(read(&thumbnail).get_pixel(10, 30), [200, 0, 0]);
    }

    #[test]
    fn a_large_jpeg_is_made_smaller_and_a_small_one_never_larger() {
        let large = for_message(&written(&sample(1700, 850), ImageFormat::Jpeg), &Limits::default()).unwrap();
        assert_eq!((large.picture.width, large.picture.height), (1600, 800));
        let tiny = for_message(&written(&sample(2, 1), ImageFormat::Png), &Limits::default()).unwrap();
        assert_eq!((tiny.picture.width, tiny.thumbnail.height), (2, 1));
    }

    #[rstest]
    #[case::wide(64, 32)]
    #[case::tall(32, 64)]
    #[case::large(1500, 1400)]
    fn a_profile_photo_is_a_square_from_the_middle(#[case] width: u32, #[case] height: u32) {
        let photo = profile_photo(&written(&sample(width, height), ImageFormat::Png), &Limits::default()).unwrap();
        assert_eq!((photo.width, photo.height), (640, 640));
        let pixels = read(&photo);
        near(pixels.get_pixel(20, 320), [200, 0, 0]);
        near(pixels.get_pixel(620, 320), [255, 255, 255]);
    }

    #[test]
    fn a_picture_taken_sideways_is_turned_upright() {
        let mut jpeg = written(&sample(40, 20), ImageFormat::Jpeg).to_vec();
        // An APP1 segment with one EXIF entry: orientation 6, a quarter turn clockwise.
        let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        let upright = for_message(&jpeg.into(), &Limits::default()).unwrap().picture;
        assert_eq!((upright.width, upright.height), (20, 40));
        near(read(&upright).get_pixel(10, 4), [200, 0, 0]);
    }

    /// A PNG that claims to be huge in a few bytes.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut png = written(&sample(1, 1), ImageFormat::Png).to_vec();
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate_crc(&png[12..29]).to_be_bytes().to_vec();
        png.splice(29..33, crc.drain(..));
        png
    }

    /// The checksum of PNG, bit by bit.
    fn flate_crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[rstest]
    #[case::png(bomb(50_000, 50_000))]
    #[case::png_of_all_pixels(bomb(u32::MAX >> 1, u32::MAX >> 1))]
    #[case::gif(b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;".to_vec())]
    #[case::webp(b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\xff\x00\xff\xff\x00ANIM\0\0\0\0".to_vec())]
    fn a_bomb_is_refused_before_memory_is_taken(#[case] bytes: Vec<u8>) {
        let outcome = Picture::decode(&bytes, &Limits::default());
        let refused = matches!(outcome, Err(Error::TooManyPixels { .. } | Error::Broken { .. }));
        assert!(refused, "{outcome:?}");
    }

    #[rstest]
    #[case::jpeg(ImageFormat::Jpeg)]
    #[case::png(ImageFormat::Png)]
    #[case::gif(ImageFormat::Gif)]
    #[case::webp(ImageFormat::WebP)]
    fn half_a_file_is_broken(#[case] format: ImageFormat) {
        let whole = written(&sample(90, 60), format);
        for length in [8, 20, whole.len() / 3] {
            let outcome = Picture::decode(&whole[..length.max(12)], &Limits::default());
            assert!(matches!(outcome, Err(Error::Broken { .. })), "{length}: {outcome:?}");
        }
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let refused = |bytes: &[u8]| Picture::decode(bytes, &Limits::default()).unwrap_err().to_string();
        assert_eq!(refused(b"%PDF-1.7\n"), "application/pdf cannot be used as image: send JPEG, PNG, GIF or WebP");
        assert_eq!(refused(b""), "a file of unknown type cannot be used as image: send JPEG, PNG, GIF or WebP");
    }
}
