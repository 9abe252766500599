//! Media: the bytes lie in files named by their SHA-256, the records say whose they are, what they are and how long they may be fetched.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::text::Text;

pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const UPLOAD_LIFE_MS: i64 = 30 * DAY_MS;
pub(crate) const INBOUND_LIFE_MS: i64 = 7 * DAY_MS;
/// How long a download address works.
pub(crate) const URL_LIFE_MS: i64 = 5 * 60_000;
/// Nothing larger is taken anywhere.
pub(crate) const MAX_BYTES: u64 = 100 * 1024 * 1024;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) number: Text,
    pub(crate) mime: String,
    pub(crate) file: Stored,
    /// Milliseconds after which the id is unknown.
    pub(crate) until: i64,
}

/// A resumable upload session, for template examples and profile pictures.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) app: String,
    pub(crate) mime: String,
    pub(crate) length: u64,
    pub(crate) done: u64,
    pub(crate) handle: Option<String>,
    pub(crate) file: Option<Stored>,
    pub(crate) until: i64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Hex.
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// A WebP that moves.
    #[serde(default)]
    pub(crate) animated: bool,
}

/// The kinds that messages know, with what each may be and how large.
pub(crate) struct KindRule {
    pub(crate) kind: &'static str,
    pub(crate) types: &'static [&'static str],
    pub(crate) max: u64,
}

impl KindRule {
    /// How large this very file may be: a sticker that does not move has less room.
    pub(crate) fn most(&self, file: &Stored) -> u64 {
        if self.kind == "sticker" && !file.animated { STILL_STICKER } else { self.max }
    }
}

const STILL_STICKER: u64 = 100 * 1024;
const MB: u64 = 1024 * 1024;

pub(crate) const KINDS: [KindRule; 5] = [
    KindRule {
        kind: "audio",
        types: &["audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg", "audio/opus"],
        max: 16 * MB,
    },
    KindRule { kind: "sticker", types: &["image/webp"], max: 500 * 1024 },
    KindRule { kind: "image", types: &["image/jpeg", "image/png"], max: 5 * MB },
    KindRule { kind: "video", types: &["video/mp4", "video/3gpp", "video/3gp"], max: 16 * MB },
    KindRule {
        kind: "document",
        types: &[
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.ms-excel",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ],
        max: 100 * MB,
    },
];

/// Uses of a kind's files that take less than the kind does: voice messages and templates' headers that play by themselves.
const NARROWER: [KindRule; 2] = [
    KindRule { kind: "voice", types: &["audio/ogg", "audio/opus"], max: 16 * MB },
    KindRule { kind: "gif", types: &["video/mp4"], max: 7 * MB / 2 },
];

/// `Image/JPEG; charset=x` → `image/jpeg`.
pub(crate) fn bare(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(crate) fn rule_for(mime: &str) -> Option<&'static KindRule> {
    let mime = bare(mime);
    KINDS.iter().find(|rule| rule.types.contains(&mime.as_str()))
}

/// Why this file cannot go out as this kind, if so. Documents may be of any type that Meta takes.
pub(crate) fn misfit(kind: &str, mime: &str, file: &Stored) -> Option<String> {
    let Some(rule) = KINDS.iter().chain(&NARROWER).find(|rule| rule.kind == kind) else {
        return Some(format!("Unknown media kind {kind}"));
    };
    let bare = bare(mime);
    let fits = match kind {
        "document" => rule_for(&bare).is_some(),
        "voice" => rule.types.contains(&bare.as_str()) && codec(mime).is_none_or(|codec| codec == "opus"),
        _ => rule.types.contains(&bare.as_str()),
    };
    if !fits {
        return Some(format!("Unsupported {kind} mime type {mime}. Please use one of: {}.", rule.types.join(", ")));
    }
    let (size, most) = (file.size, rule.most(file));
    (size > most).then(|| format!("{kind} file of {size} bytes is larger than {most} bytes"))
}

/// `audio/ogg; codecs="opus"` → `opus`.
fn codec(mime: &str) -> Option<String> {
    let (_, codec) = mime
        .split(';')
        .skip(1)
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("codecs"))?;
    Some(codec.trim().trim_matches('"').to_ascii_lowercase())
}

/// Where a WebP says whether it moves.
const WEBP_HEAD: usize = 21;

fn is_animated(head: &[u8]) -> bool {
    head.len() == WEBP_HEAD && head.starts_with(b"RIFF") && head[8..16] == *b"WEBPVP8X" && head[20] & 2 != 0
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    #[error("could not be read: {0}")]
    Read(String),
    #[error("could not be stored")]
    Io(#[from] std::io::Error),
}

/// The directory of files.
pub(crate) struct Files {
    dir: PathBuf,
    /// Removes the directory at the end if the sandbox has no data directory.
    temporary: bool,
}

impl Files {
    pub(crate) fn open(dir: PathBuf, temporary: bool) -> std::io::Result<Self> {
        let partial = dir.join("partial");
        std::fs::create_dir_all(&partial)?;
        // What an earlier run did not finish; resumable uploads may go on.
        for entry in std::fs::read_dir(&partial)?.flatten() {
            if !entry.file_name().to_string_lossy().starts_with("upload-") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { dir, temporary })
    }

    pub(crate) fn path(&self, sha256: &str) -> PathBuf {
        self.dir.join(sha256)
    }

    /// Where an unfinished upload gathers.
    pub(crate) fn partial(&self, name: &str) -> PathBuf {
        self.dir.join("partial").join(name)
    }

    pub(crate) async fn store<E: std::fmt::Display>(
        &self,
        name: &str,
        max: u64,
        mut bytes: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Stored, StoreError> {
        let partial = self.partial(name);
        let mut out = tokio::fs::File::create(&partial).await?;
        let (mut hash, mut size, mut head) = (Sha256::new(), 0, Vec::with_capacity(WEBP_HEAD));
        let outcome = loop {
            match bytes.next().await {
                None => break Ok(()),
                Some(Err(error)) => break Err(StoreError::Read(error.to_string())),
                Some(Ok(part)) => {
                    size += part.len() as u64;
                    if size > max {
                        break Err(StoreError::TooLarge(max));
                    }
                    hash.update(&part);
                    head.extend(part.iter().take(WEBP_HEAD - head.len()));
                    if let Err(error) = out.write_all(&part).await {
                        break Err(error.into());
                    }
                }
            }
        };
        let outcome = match outcome {
            Ok(()) => out.flush().await.map_err(StoreError::from),
            failed => failed,
        };
        if let Err(error) = outcome {
            tokio::fs::remove_file(&partial).await?;
            return Err(error);
        }
        let sha256 = hex::encode(hash.finalize());
        tokio::fs::rename(&partial, self.path(&sha256)).await?;
        Ok(Stored { sha256, size, animated: is_animated(&head) })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_take_their_types_up_to_their_size() {
        for (kind, mime, size, fits) in [
            ("image", "image/jpeg", 5 * MB, true),
            ("image", "image/jpeg", 5 * MB + 1, false),
            ("image", "image/webp", 10, false),
            ("sticker", "image/webp", 100 * 1024, true),
            ("sticker", "image/webp", 100 * 1024 + 1, false),
            ("audio", "audio/ogg; codecs=opus", 10, true),
            ("audio", "audio/mpeg", 10, true),
            ("voice", "audio/mpeg", 10, false),
            ("voice", "audio/ogg", 10, true),
            ("voice", "Audio/OGG; Codecs=\"opus\"", 10, true),
            ("voice", "audio/ogg; codecs=vorbis", 10, false),
            ("document", "image/png", 10, true),
            ("document", "application/zip", 10, false),
            ("video", "video/mp4", 16 * MB, true),
            ("gif", "video/mp4", 3_670_016, true),
            ("gif", "video/mp4", 3_670_017, false),
            ("hologram", "video/mp4", 10, false),
        ] {
            let file = Stored { sha256: String::new(), size, animated: false };
            assert_eq!(misfit(kind, mime, &file).is_none(), fits, "{kind} {mime} {size}");
        }
    }

    #[test]
    fn a_sticker_that_moves_has_more_room() {
        let mut head = *b"RIFF....WEBPVP8X....\x02";
        assert!(is_animated(&head));
        head[20] = 0x10;
        assert!(!is_animated(&head) && !is_animated(b"RIFF") && !is_animated(b"RIFF....WEBPVP8 ....\x02"));
        for (size, fits) in [(500 * 1024, true), (500 * 1024 + 1, false)] {
            let file = Stored { sha256: String::new(), size, animated: true };
            assert_eq!(misfit("sticker", "image/webp", &file).is_none(), fits, "{size}");
        }
    }
}
