//! What kind of file it is, by its first bytes. What the caller declares is a hint, used only where bytes leave it open.

use std::borrow::Cow;

use super::data_url::is_mime;

/// What a file can be sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Picture,
    Audio,
    Video,
    Document,
}

/// The type of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Without parameters.
    pub mime: Cow<'static, str>,
    pub family: Family,
}

/// The type that the bytes show, else the declared one, else `application/octet-stream`.
pub fn sniff(bytes: &[u8], declared: Option<&str>) -> Type {
    let declared = declared.map(essence).filter(|mime| is_mime(mime) && mime != "application/octet-stream");
    let mime: Cow<'static, str> = match (shown(bytes), declared) {
        // The same container carries sound alone and sound with pictures.
        (Some("video/mp4" | "video/3gpp"), Some(mime)) if family(&mime) == Family::Audio => "audio/mp4".into(),
        // Office files, books and apps are archives too.
        (Some("application/zip" | "application/x-ole-storage"), Some(mime)) => mime.into(),
        (Some(mime), _) => mime.into(),
        (None, Some(mime)) if family(&mime) == Family::Document => mime.into(),
        // Bytes that are no picture must not be called one.
        (None, _) => "application/octet-stream".into(),
    };
    Type { family: family(&mime), mime }
}

/// The type that the bytes show.
pub fn shown(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(brand(bytes.get(8..12)?));
    }
    if bytes.starts_with(b"OggS") {
        return Some(if bytes.get(28..35) == Some(b"\x80theora") { "video/ogg" } else { "audio/ogg" });
    }
    if bytes.starts_with(b"\x1aE\xdf\xa3") {
        let webm = bytes[..bytes.len().min(64)].windows(4).any(|name| name == b"webm");
        return Some(if webm { "video/webm" } else { "video/x-matroska" });
    }
    if bytes.starts_with(b"#!AMR") {
        return Some("audio/amr");
    }
    let mpeg_audio = matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0);
    let known = infer::get(bytes).map(|kind| match kind.mime_type() {
        "audio/x-flac" => "audio/flac",
        "audio/x-wav" => "audio/wav",
        "audio/m4a" => "audio/mp4",
        other => other,
    });
    known.or(mpeg_audio.then_some("audio/mpeg"))
}

/// The type of an ISO media file by its major brand.
fn brand(brand: &[u8]) -> &'static str {
    match brand {
        b"M4A " | b"M4B " | b"M4P " => "audio/mp4",
        b"qt  " => "video/quicktime",
        b"avif" | b"avis" => "image/avif",
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => "image/heif",
        [b'3', b'g', ..] => "video/3gpp",
        _ => "video/mp4",
    }
}

fn family(mime: &str) -> Family {
    match mime.split_once('/') {
        Some(("image", _)) => Family::Picture,
        Some(("audio", _)) => Family::Audio,
        Some(("video", _)) => Family::Video,
        _ => Family::Document,
    }
}

/// A declared type without its parameters.
fn essence(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::jpeg(b"\xff\xd8\xff\xe0\0\x10JFIF\0", None, "image/jpeg", Family::Picture)]
    #[case::bytes_win(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("video/mp4"), "image/png", Family::Picture)]
    #[case::gif(b"GIF89a\x01\0\x01\0", None, "image/gif", Family::Picture)]
    #[case::webp(b"RIFF\x10\0\0\0WEBPVP8 ", None, "image/webp", Family::Picture)]
    #[case::heif(b"\0\0\0\x18ftypheic\0\0\0\0", None, "image/heif", Family::Picture)]
    #[case::mp4(b"\0\0\0\x18ftypisom\0\0\x02\0", None, "video/mp4", Family::Video)]
    #[case::rare_brand(b"\0\0\0\x18ftypXYZW\0\0\0\0", None, "video/mp4", Family::Video)]
    #[case::sound_in_mp4(b"\0\0\0\x18ftypisom\0\0\x02\0", Some("audio/x-m4a"), "audio/mp4", Family::Audio)]
    #[case::m4a(b"\0\0\0\x18ftypM4A \0\0\0\0", Some("video/mp4"), "audio/mp4", Family::Audio)]
    #[case::three_gp(b"\0\0\0\x18ftyp3gp5\0\0\0\0", None, "video/3gpp", Family::Video)]
    #[case::quicktime(b"\0\0\0\x14ftypqt  \0\0\0\0", None, "video/quicktime", Family::Video)]
    #[case::ogg(
        b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01",
        None,
        "audio/ogg",
        Family::Audio
    )]
    #[case::mp3_tagged(b"ID3\x04\0\0\0\0\0\0", None, "audio/mpeg", Family::Audio)]
    #[case::mp3_bare(b"\xff\xfa\x90\x64\0\0\0\0", None, "audio/mpeg", Family::Audio)]
    #[case::adts(b"\xff\xf1\x50\x80\0\0\0\0", None, "audio/aac", Family::Audio)]
    #[case::wav(b"RIFF\x24\0\0\0WAVEfmt ", None, "audio/wav", Family::Audio)]
    #[case::webm(b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87", None, "video/webm", Family::Video)]
    #[case::amr(b"#!AMR\n\x3c\x91", None, "audio/amr", Family::Audio)]
    #[case::pdf(b"%PDF-1.7\n", Some("text/plain"), "application/pdf", Family::Document)]
    #[case::archive(b"PK\x03\x04\x14\0\0\0", Some("application/epub+zip"), "application/epub+zip", Family::Document)]
    #[case::text(b"a,b\n1,2\n", Some("text/csv; charset=utf-8"), "text/csv", Family::Document)]
    #[case::no_picture(b"hello", Some("image/png"), "application/octet-stream", Family::Document)]
    #[case::nonsense(b"hello", Some("<script>"), "application/octet-stream", Family::Document)]
    #[case::nothing(b"", None, "application/octet-stream", Family::Document)]
    fn names(#[case] bytes: &[u8], #[case] declared: Option<&str>, #[case] mime: &str, #[case] family: Family) {
        assert_eq!(sniff(bytes, declared), Type { mime: mime.to_owned().into(), family });
    }
}
