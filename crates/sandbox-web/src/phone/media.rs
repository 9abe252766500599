//! Files in messages: sealed before they are uploaded, opened after they were fetched.

use super::{Random, blob::Blob};
use rand_10::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wacore::{
    download::{DownloadUtils, MediaDecryptionError, MediaType},
    upload::encrypt_media_with_key,
};
use waproto::whatsapp as wa;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The ciphertext is not what the message announced.
    #[error("the encrypted file has another hash than the message says")]
    OtherFile,
    /// The key does not fit, or the file was changed.
    #[error("the file cannot be decrypted")]
    Sealed(#[source] MediaDecryptionError),
    /// What came out is not what the message announced.
    #[error("the file has another hash or length than the message says")]
    OtherContent,
}

/// What kind of file; it decides the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A picture.
    Image,
    /// A film, round or not.
    Video,
    /// Sound or a voice note.
    Audio,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
}

impl Kind {
    fn media_type(self) -> MediaType {
        match self {
            Self::Image => MediaType::Image,
            Self::Video => MediaType::Video,
            Self::Audio => MediaType::Audio,
            Self::Document => MediaType::Document,
            Self::Sticker => MediaType::Sticker,
        }
    }

    /// The path that clients upload such files under, e.g. `/mms/image`.
    pub fn upload_path(self) -> &'static str {
        self.media_type().upload_path()
    }
}

/// What a message says about its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Which keys.
    pub kind: Kind,
    /// The full address, if the message names one.
    pub url: Option<String>,
    /// The path on any media host.
    pub direct_path: Option<String>,
    /// The secret that opens it.
    pub media_key: Blob,
    /// SHA-256 of the content.
    pub sha256: Blob,
    /// SHA-256 of the ciphertext.
    pub enc_sha256: Blob,
    /// Bytes of the content.
    pub length: u64,
    /// What the sender says it is.
    pub mime_type: Option<String>,
}

/// A file ready to be uploaded: the bytes, and what the message will say once it has an address.
pub struct Sealed {
    /// What is uploaded.
    pub upload: Vec<u8>,
    /// Without `url` and `direct_path`.
    pub file: File,
}

/// Seals a file under a new key.
pub fn seal(kind: Kind, content: &[u8], mime_type: Option<&str>, random: &mut Random) -> Result<Sealed, MediaError> {
    let key: [u8; 32] = random.random();
    let sealed = encrypt_media_with_key(content, kind.media_type(), Some(&key))
        .map_err(|error| MediaError::Sealed(error.into()))?;
    Ok(Sealed {
        upload: sealed.data_to_upload,
        file: File {
            kind,
            url: None,
            direct_path: None,
            media_key: key[..].into(),
            sha256: sealed.file_sha256[..].into(),
            enc_sha256: sealed.file_enc_sha256[..].into(),
            length: content.len() as u64,
            mime_type: mime_type.map(str::to_owned),
        },
    })
}

impl File {
    /// Opens the ciphertext; checks all that the message says of it.
    pub fn open(&self, encrypted: &[u8]) -> Result<Vec<u8>, MediaError> {
        if Sha256::digest(encrypted)[..] != *self.enc_sha256.as_slice() {
            return Err(MediaError::OtherFile);
        }
        let (key, kind) = (self.media_key.as_slice(), self.kind.media_type());
        let content = DownloadUtils::verify_and_decrypt(encrypted, key, kind).map_err(MediaError::Sealed)?;
        let same = Sha256::digest(&content)[..] == *self.sha256.as_slice();
        if !same || content.len() as u64 != self.length {
            return Err(MediaError::OtherContent);
        }
        Ok(content)
    }
}

macro_rules! file_of {
    ($kind:expr, $message:expr) => {
        File {
            kind: $kind,
            url: $message.url.clone(),
            direct_path: $message.direct_path.clone(),
            media_key: Blob($message.media_key.clone().unwrap_or_default()),
            sha256: Blob($message.file_sha256.clone().unwrap_or_default()),
            enc_sha256: Blob($message.file_enc_sha256.clone().unwrap_or_default()),
            length: $message.file_length.unwrap_or_default(),
            mime_type: $message.mimetype.clone(),
        }
    };
}

/// The file of an (unwrapped) message, if it has one.
pub fn file(message: &wa::Message) -> Option<File> {
    if let Some(image) = message.image_message.as_option() {
        return Some(file_of!(Kind::Image, image));
    }
    if let Some(video) = message.video_message.as_option().or(message.ptv_message.as_option()) {
        return Some(file_of!(Kind::Video, video));
    }
    if let Some(audio) = message.audio_message.as_option() {
        return Some(file_of!(Kind::Audio, audio));
    }
    if let Some(document) = message.document_message.as_option() {
        return Some(file_of!(Kind::Document, document));
    }
    message.sticker_message.as_option().map(|sticker| file_of!(Kind::Sticker, sticker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;

    #[test]
    fn files_come_out_as_they_went_in_and_only_so() {
        let mut random = random(1);
        let content = b"not really a picture".repeat(5_000);
        for kind in [Kind::Image, Kind::Video, Kind::Audio, Kind::Document, Kind::Sticker] {
            let sealed = seal(kind, &content, Some("image/png"), &mut random).unwrap();
            assert_eq!(sealed.file.open(&sealed.upload).unwrap(), content);
            assert_eq!(sealed.file.sha256.as_slice(), &Sha256::digest(&content)[..]);
        }
        let Sealed { mut upload, file } = seal(Kind::Image, &content, None, &mut random).unwrap();
        let other = File { length: 1, ..file.clone() };
        assert!(matches!(other.open(&upload), Err(MediaError::OtherContent)));
        let other = File { kind: Kind::Audio, ..file.clone() };
        assert!(matches!(other.open(&upload), Err(MediaError::Sealed(_))));
        upload[7] ^= 1;
        assert!(matches!(file.open(&upload), Err(MediaError::OtherFile)));
    }

    #[test]
    fn an_empty_file_is_a_file() {
        let sealed = seal(Kind::Document, b"", None, &mut random(2)).unwrap();
        assert_eq!(sealed.file.open(&sealed.upload).unwrap(), b"");
    }
}
