//! Videos: what phones play passes as it is, with its size and length; the rest is ffmpeg's work, where it is installed.

use bytes::Bytes;
use mp4parse::{CodecType, MediaContext, SampleEntry, Track, TrackType};

use super::picture::{Jpeg, Picture};
use super::{Error, Ffmpeg, Limits, Medium, ffmpeg, sniff};

/// What an MP4 file, or one of its relatives, says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `video/mp4`, `video/3gpp` or `video/quicktime`.
    pub mime: &'static str,
    /// Rounded; at least one.
    pub seconds: u32,
    /// Pixels, as shown: a video taken sideways is turned.
    pub width: u32,
    /// Pixels, like the width.
    pub height: u32,
    /// H.264, with AAC or without sound: what every phone plays.
    pub plays_everywhere: bool,
}

/// A video as it goes into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    pub bytes: Bytes,
    pub mime: &'static str,
    pub seconds: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of the first frame; only ffmpeg can make it.
    pub thumbnail: Option<Jpeg>,
}

/// Makes a video fit for a message: one that plays everywhere stays byte for byte as it is, another is transcoded.
pub fn for_message(bytes: &Bytes, ffmpeg: Option<&Ffmpeg>, limits: &Limits) -> Result<Video, Error> {
    let found = facts(bytes);
    let (bytes, facts) = match found {
        Ok(facts) if facts.plays_everywhere => (bytes.clone(), facts),
        Ok(_) | Err(Error::Unsupported { .. } | Error::Broken { .. }) => transcoded(bytes, found, ffmpeg, limits)?,
        Err(other) => return Err(other),
    };
    let Facts { mime, seconds, width, height, .. } = facts;
    let thumbnail = ffmpeg.and_then(|ffmpeg| thumbnail(&bytes, ffmpeg, limits));
    Ok(Video { bytes, mime, seconds, width, height, thumbnail })
}

fn transcoded(
    bytes: &[u8],
    found: Result<Facts, Error>,
    ffmpeg: Option<&Ffmpeg>,
    limits: &Limits,
) -> Result<(Bytes, Facts), Error> {
    let mime = sniff::shown(bytes).filter(|mime| ffmpeg::reads(mime));
    let Some(mime) = mime else { return Err(found.err().unwrap_or_else(|| Error::unsupported(Medium::Video, "it"))) };
    let Some(ffmpeg) = ffmpeg else {
        let found =
            found.map_or_else(|error| if_unsupported(error, mime), |_| Ok(format!("{mime} with this codec")))?;
        return Err(Error::NeedsFfmpeg { medium: Medium::Video, found });
    };
    let made = Bytes::from(ffmpeg.to_mp4(bytes, limits)?);
    let facts = facts(&made)?;
    Ok((made, facts))
}

/// A damaged file stays what it is; a file of another kind can be named.
fn if_unsupported(error: Error, mime: &str) -> Result<String, Error> {
    if matches!(error, Error::Unsupported { .. }) { Ok(mime.to_owned()) } else { Err(error) }
}

/// A video goes without thumbnail rather than not at all.
fn thumbnail(bytes: &[u8], ffmpeg: &Ffmpeg, limits: &Limits) -> Option<Jpeg> {
    let made = ffmpeg.first_frame(bytes, limits).and_then(|frame| Picture::decode(&frame, limits)?.thumbnail());
    made.inspect_err(|error| tracing::warn!(error = error.detail(), "no thumbnail of a video")).ok()
}

/// Reads the description of an MP4, 3GP or QuickTime file; its pictures are not looked at.
pub fn facts(bytes: &[u8]) -> Result<Facts, Error> {
    let mime = match sniff::shown(bytes) {
        Some(mime @ ("video/mp4" | "video/3gpp" | "video/quicktime")) => mime,
        Some("audio/mp4") => "video/mp4",
        other => return Err(Error::unsupported(Medium::Video, other.unwrap_or("a file of unknown type"))),
    };
    let mut rest = bytes;
    let file = mp4parse::read_mp4(&mut rest).map_err(|error| Error::broken(Medium::Video, error))?;
    let track = file.tracks.iter().find(|track| track.track_type == TrackType::Video);
    let track = track.ok_or_else(|| Error::unsupported(Medium::Video, "a file without pictures"))?;
    let (width, height) = size(track).ok_or_else(|| Error::broken(Medium::Video, "it has no size"))?;
    let sound = file.tracks.iter().find(|track| track.track_type == TrackType::Audio).map(codec);
    let plays_everywhere = codec(track) == CodecType::H264 && matches!(sound, None | Some(CodecType::AAC));
    Ok(Facts { mime, seconds: seconds(&file, track), width, height, plays_everywhere })
}

fn codec(track: &Track) -> CodecType {
    match track.stsd.as_ref().and_then(|entries| entries.descriptions.first()) {
        Some(SampleEntry::Video(entry)) => entry.codec_type,
        Some(SampleEntry::Audio(entry)) => entry.codec_type,
        _ => CodecType::Unknown,
    }
}

/// The size as shown: in the header in 16.16, turned by a quarter where the matrix has nothing on its diagonal.
fn size(track: &Track) -> Option<(u32, u32)> {
    let stored = track.stsd.as_ref().and_then(|entries| match entries.descriptions.first() {
        Some(SampleEntry::Video(entry)) => Some((u32::from(entry.width), u32::from(entry.height))),
        _ => None,
    });
    let header = track.tkhd.as_ref();
    let shown = header.map(|header| (header.width >> 16, header.height >> 16));
    let (width, height) = [shown, stored].into_iter().flatten().find(|(width, height)| *width > 0 && *height > 0)?;
    let turned = header.is_some_and(|header| header.matrix.a == 0 && header.matrix.d == 0 && header.matrix.b != 0);
    Some(if turned { (height, width) } else { (width, height) })
}

/// The length of the track, or of the fragments behind it; one second where neither is told.
fn seconds(file: &MediaContext, track: &Track) -> u32 {
    let scaled = |time: u64, scale: u64| time.checked_add(scale / 2)?.checked_div(scale).filter(|seconds| *seconds > 0);
    let own = track.duration.as_ref().zip(track.timescale.as_ref()).and_then(|(time, scale)| scaled(time.0, scale.0));
    let movie = || {
        let fragments = file.mvex.as_ref().and_then(|extends| extends.fragment_duration.as_ref());
        let header = track.tkhd.as_ref().map(|header| header.duration);
        scaled(fragments.map(|time| time.0).or(header)?, file.timescale.as_ref()?.0)
    };
    own.or_else(movie).and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// 1.2 s of H.264, 64 by 48, with AAC.
    const MP4: &[u8] = include_bytes!("../../tests/samples/clip.mp4");
    /// 1.5 s of H.263, 128 by 96, with AAC.
    const THREE_GP: &[u8] = include_bytes!("../../tests/samples/clip.3gp");
    /// Like the MP4, in fragments.
    const FRAGMENTED: &[u8] = include_bytes!("../../tests/samples/fragmented.mp4");
    const WEBM: &[u8] = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm";

    fn send(bytes: &[u8]) -> Result<Video, Error> {
        for_message(&Bytes::copy_from_slice(bytes), None, &Limits::default())
    }

    /// Where a box begins, by its name.
    fn at(bytes: &[u8], name: &[u8; 4]) -> usize {
        bytes.windows(4).position(|window| window == name).unwrap()
    }

    #[test]
    fn what_plays_everywhere_passes_with_its_facts() {
        let video = send(MP4).unwrap();
        assert_eq!(video.bytes, MP4);
        assert_eq!((video.mime, video.seconds, video.width, video.height), ("video/mp4", 1, 64, 48));
        assert_eq!(video.thumbnail, None, "only ffmpeg can make it");
        let fragmented = facts(FRAGMENTED).unwrap();
        assert_eq!((fragmented.width, fragmented.plays_everywhere), (64, true));
        let three_gp = facts(THREE_GP).unwrap();
        assert_eq!((three_gp.mime, three_gp.seconds, three_gp.width), ("video/3gpp", 2, 128));
        assert!(!three_gp.plays_everywhere);
    }

    #[test]
    fn a_video_taken_sideways_is_as_wide_as_it_is_shown() {
        let mut turned = MP4.to_vec();
        let unit = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        let header = at(MP4, b"tkhd");
        let matrix = header + MP4[header..].windows(20).position(|window| window == unit).unwrap();
        // A quarter turn clockwise: 0 1 / -1 0.
        turned[matrix..matrix + 20].copy_from_slice(&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0]);
        let facts = facts(&turned).unwrap();
        assert_eq!((facts.width, facts.height), (48, 64));
    }

    #[test]
    fn times_that_make_no_sense_are_a_second() {
        let mut odd = MP4.to_vec();
        while let Some(header) = odd.windows(4).position(|window| window == b"mdhd") {
            odd[header..header + 4].copy_from_slice(b"mdhD");
        }
        let read = facts(&odd).map(|facts| facts.seconds);
        assert!(matches!(read, Ok(1) | Err(Error::Broken { .. })), "{read:?}");
        let mut endless = MP4.to_vec();
        let header = at(MP4, b"mdhd");
        endless[header + 16..header + 24].copy_from_slice(&[0, 0, 0, 1, 255, 255, 255, 254]);
        assert_eq!(facts(&endless).unwrap().seconds, u32::MAX - 1);
    }

    #[rstest]
    #[case::h263(THREE_GP, "video/3gpp with this codec has to be converted with ffmpeg")]
    #[case::webm(WEBM, "video/webm has to be converted with ffmpeg")]
    #[case::avi(b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo has to be converted with ffmpeg")]
    #[case::sound(include_bytes!("../../tests/samples/tone.m4a"), "audio/mp4 has to be converted with ffmpeg")]
    #[case::text(b"hello", "a file of unknown type cannot be used as video")]
    #[case::playlist(b"#EXTM3U\nfile:///etc/passwd", "a file of unknown type cannot be used as video")]
    #[case::half(&MP4[..200], "the video is damaged or incomplete")]
    #[case::bare(b"\0\0\0\x14ftypisom\0\0\x02\0isom", "the video is damaged or incomplete")]
    fn the_rest_is_refused_by_name_without_ffmpeg(#[case] bytes: &[u8], #[case] message: &str) {
        let refused = send(bytes).unwrap_err();
        assert!(refused.to_string().starts_with(message), "{refused}");
    }

    #[test]
    fn cut_and_flipped_files_never_do_more_than_fail() {
        for length in 0..MP4.len().min(2_000) {
            let _ = facts(&MP4[..length]);
            let mut flipped = MP4.to_vec();
            flipped[length] ^= 0xff;
            let _ = facts(&flipped);
        }
    }
}
