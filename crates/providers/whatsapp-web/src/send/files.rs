//! Files on their way out: uploaded encrypted, then named in the message.

use ::media::Blobs;
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;
use waproto::whatsapp::message as parts;
use web_wire::send::{Media, MediaKind};
use whatsapp_rust::Client;
use whatsapp_rust::download::MediaType;
use whatsapp_rust::upload::{UploadOptions, UploadResponse};

use super::build::{Unbuildable, bytes_of};

pub(crate) type Uploaded = UploadResponse;

#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the file is not in the store any more")]
    Gone,
    #[error("the file cannot be read")]
    Read(#[source] ::media::Error),
    #[error("the file could not be uploaded")]
    Upload(#[source] anyhow::Error),
}

/// Uploads a file of the blob store.
pub(crate) async fn upload(client: &Client, blobs: &Blobs, media: &Media) -> Result<Uploaded, UploadError> {
    let bytes = crate::files::read(blobs, &media.blob).await.map_err(|error| match error {
        ::media::Error::NotFound => UploadError::Gone,
        other => UploadError::Read(other),
    })?;
    client.upload(bytes, kind(media.kind), UploadOptions::new()).await.map_err(UploadError::Upload)
}

fn kind(kind: MediaKind) -> MediaType {
    match kind {
        MediaKind::Image => MediaType::Image,
        MediaKind::Video | MediaKind::Ptv => MediaType::Video,
        MediaKind::Audio => MediaType::Audio,
        MediaKind::Document => MediaType::Document,
        MediaKind::Sticker => MediaType::Sticker,
    }
}

/// A message that is a file.
pub(super) fn message(
    media: &Media,
    file: Uploaded,
    context: MessageField<wa::ContextInfo>,
) -> Result<wa::Message, Unbuildable> {
    Ok(match media.kind {
        MediaKind::Image => wa::Message {
            image_message: MessageField::some(parts::ImageMessage { context_info: context, ..image(media, file) }),
            ..Default::default()
        },
        MediaKind::Video => wa::Message {
            video_message: MessageField::some(parts::VideoMessage { context_info: context, ..video(media, file) }),
            ..Default::default()
        },
        MediaKind::Ptv => wa::Message {
            ptv_message: MessageField::some(parts::VideoMessage { context_info: context, ..video(media, file) }),
            ..Default::default()
        },
        MediaKind::Audio => wa::Message {
            audio_message: MessageField::some(parts::AudioMessage { context_info: context, ..audio(media, file)? }),
            ..Default::default()
        },
        MediaKind::Document => {
            let document = parts::DocumentMessage { context_info: context, ..document(media, file) };
            match media.caption.is_some() {
                // A document with words under it travels in an envelope of its own.
                true => wa::Message {
                    document_with_caption_message: MessageField::some(parts::FutureProofMessage {
                        message: MessageField::some(wa::Message {
                            document_message: MessageField::some(document),
                            ..Default::default()
                        }),
                    }),
                    ..Default::default()
                },
                false => wa::Message { document_message: MessageField::some(document), ..Default::default() },
            }
        }
        MediaKind::Sticker => wa::Message {
            sticker_message: MessageField::some(parts::StickerMessage {
                context_info: context,
                ..sticker(media, file)
            }),
            ..Default::default()
        },
    })
}

/// A message about a file: where it lies and how it is opened, the same for every kind, and what this kind says besides.
macro_rules! described {
    ($kind:ident, $media:ident, $file:ident, { $($field:ident: $value:expr,)* }) => {
        parts::$kind {
            url: Some($file.url),
            direct_path: Some($file.direct_path),
            media_key: Some($file.media_key.to_vec()),
            file_sha256: Some($file.file_sha256.to_vec()),
            file_enc_sha256: Some($file.file_enc_sha256.to_vec()),
            file_length: Some($file.file_length),
            media_key_timestamp: Some($file.media_key_timestamp),
            mimetype: Some($media.mime.clone()),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

/// A thumbnail that is no base64 was refused when the message was accepted.
fn thumbnail(media: &Media) -> Option<Vec<u8>> {
    media.thumbnail.as_deref().and_then(|text| bytes_of(text).ok())
}

pub(super) fn image(media: &Media, file: Uploaded) -> parts::ImageMessage {
    described!(ImageMessage, media, file, {
        caption: media.caption.clone(),
        width: media.width,
        height: media.height,
        jpeg_thumbnail: thumbnail(media),
        view_once: media.view_once.then_some(true),
    })
}

pub(super) fn video(media: &Media, file: Uploaded) -> parts::VideoMessage {
    described!(VideoMessage, media, file, {
        streaming_sidecar: file.streaming_sidecar,
        caption: media.caption.clone(),
        seconds: media.seconds,
        width: media.width,
        height: media.height,
        jpeg_thumbnail: thumbnail(media),
        view_once: media.view_once.then_some(true),
    })
}

fn audio(media: &Media, file: Uploaded) -> Result<parts::AudioMessage, Unbuildable> {
    Ok(described!(AudioMessage, media, file, {
        streaming_sidecar: file.streaming_sidecar,
        seconds: media.seconds,
        ptt: Some(media.voice),
        waveform: media.waveform.as_deref().map(bytes_of).transpose()?,
        view_once: media.view_once.then_some(true),
    }))
}

pub(super) fn document(media: &Media, file: Uploaded) -> parts::DocumentMessage {
    described!(DocumentMessage, media, file, {
        file_name: media.filename.clone(),
        title: media.filename.clone(),
        caption: media.caption.clone(),
        jpeg_thumbnail: thumbnail(media),
    })
}

fn sticker(media: &Media, file: Uploaded) -> parts::StickerMessage {
    described!(StickerMessage, media, file, {
        width: media.width,
        height: media.height,
        is_animated: Some(media.animated),
        png_thumbnail: thumbnail(media),
    })
}
