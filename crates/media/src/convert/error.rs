use std::fmt;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What was to be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Image,
    Sticker,
    Audio,
    Video,
    Media,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Sticker => "sticker",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Media => "media",
        })
    }
}

impl Medium {
    /// What callers may send as this medium.
    fn accepted(self) -> &'static str {
        match self {
            Self::Image => "JPEG, PNG, GIF or WebP",
            Self::Sticker => "WebP, PNG, JPEG or GIF",
            Self::Audio => "OGG, MP3, AAC, M4A, WAV or FLAC",
            Self::Video => "MP4 or 3GP with H.264 and AAC",
            Self::Media => "another format",
        }
    }
}

/// Why a conversion failed. `Display` is the message for the caller; [`Error::detail`] is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a data URL (data:<type>;base64,<data>): {0}")]
    DataUrl(&'static str),
    #[error("the {medium} is larger than {limit} bytes")]
    TooLarge { medium: Medium, limit: u64 },
    /// `limit` counts pixels: of the picture, or of all frames of an animation together.
    #[error("the {medium} of {width}x{height} is more than can be decoded ({limit} pixels)")]
    TooManyPixels { medium: Medium, width: u32, height: u32, limit: u64 },
    #[error("the {medium} is longer than {limit} seconds")]
    TooLong { medium: Medium, limit: u32 },
    /// `found` is the type that the bytes show.
    #[error("{found} cannot be used as {medium}: send {}", medium.accepted())]
    Unsupported { medium: Medium, found: String },
    #[error("the {medium} is damaged or incomplete")]
    Broken {
        medium: Medium,
        #[source]
        source: Source,
    },
    #[error("{found} has to be converted with ffmpeg, which this server does not have: send {}", medium.accepted())]
    NeedsFfmpeg { medium: Medium, found: String },
    /// ffmpeg ran and gave up; `log` is the end of what it said.
    #[error("the {medium} could not be converted")]
    Ffmpeg { medium: Medium, log: String },
    #[error("the {medium} takes too long to convert")]
    Timeout { medium: Medium },
    /// Nothing is wrong with what the caller sent, as far as we know.
    #[error("the {medium} could not be converted on this server")]
    Internal {
        medium: Medium,
        #[source]
        source: Source,
    },
}

impl Error {
    /// Whether the caller can mend it by sending something else.
    pub fn is_callers_fault(&self) -> bool {
        !matches!(self, Self::Internal { .. })
    }

    /// The message with its causes and ffmpeg's words, in one line.
    pub fn detail(&self) -> String {
        let mut line = self.to_string();
        if let Self::Ffmpeg { log, .. } = self {
            line.push_str(": ");
            line.push_str(log.trim());
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }

    pub(super) fn broken(medium: Medium, source: impl Into<Source>) -> Self {
        Self::Broken { medium, source: source.into() }
    }

    pub(super) fn internal(medium: Medium, source: impl Into<Source>) -> Self {
        Self::Internal { medium, source: source.into() }
    }

    pub(super) fn unsupported(medium: Medium, found: &str) -> Self {
        Self::Unsupported { medium, found: found.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_reads_what_to_do_and_the_log_reads_why() {
        let broken = Error::broken(Medium::Image, "unexpected end of file");
        assert_eq!(broken.to_string(), "the image is damaged or incomplete");
        assert_eq!(broken.detail(), "the image is damaged or incomplete: unexpected end of file");
        assert!(broken.is_callers_fault());

        let unsupported = Error::unsupported(Medium::Sticker, "application/pdf");
        assert_eq!(unsupported.to_string(), "application/pdf cannot be used as sticker: send WebP, PNG, JPEG or GIF");

        let failed = Error::Ffmpeg { medium: Medium::Video, log: "moov atom not found\n".into() };
        assert_eq!(failed.to_string(), "the video could not be converted");
        assert_eq!(failed.detail(), "the video could not be converted: moov atom not found");

        assert!(!Error::internal(Medium::Audio, "no space left").is_callers_fault());
    }
}
