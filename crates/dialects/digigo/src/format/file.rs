//! The file that came or went with a message, in base64 (reference: digigo-events §1.5).

use base64::Engine as _;
use engine::format::Context;
use serde_json::json;
use web_wire::event::{Happening, MediaRef};

use crate::options::Options;

/// Larger files are left where they are: bodies beyond this are refused by most receivers.
const LARGEST: u64 = 64 << 20;

/// Adds it where it was fetched or is there still; otherwise the event is told without.
pub(super) async fn add(options: &Options, context: &Context, happening: &mut Happening) {
    let Some(described) = happening.media.take() else { return };
    let Some((blob, mime)) = kept(context, &described) else { return };
    let bytes = match read(options, &blob).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a file could not be read for an event");
            return;
        }
    };
    let mut put = |name: &str, value| happening.extras.insert(name.to_owned(), value);
    put("base64", json!(base64::engine::general_purpose::STANDARD.encode(bytes)));
    put("mimeType", json!(mime));
    put("fileName", json!(format!("{}{}", described.file_name, extension(&mime))));
    if described.is_sticker {
        put("isSticker", json!(true));
        put("stickerAnimated", json!(described.sticker_animated));
    }
}

/// Where it lies and what it is: named by the event itself where we sent it, else by its message.
fn kept(context: &Context, described: &MediaRef) -> Option<(String, String)> {
    if !described.key.is_empty() {
        return Some((described.key.clone(), described.mime.clone()));
    }
    let fetched = context.media.as_ref().filter(|media| media.status == "ready")?;
    Some((fetched.message_id.hex24(), fetched.mime.clone()))
}

async fn read(options: &Options, id: &str) -> Result<Option<Vec<u8>>, media::Error> {
    let opened = match options.blobs.open(id).await {
        Ok(opened) if opened.size <= LARGEST => opened,
        Ok(_) | Err(media::Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(opened.whole().await?))
}

/// With its dot.
fn extension(mime: &str) -> &'static str {
    match mime.split(';').next().unwrap_or_default().trim() {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/webp" => ".webp",
        "image/gif" => ".gif",
        "video/mp4" => ".mp4",
        "video/3gpp" => ".3gp",
        "audio/ogg" => ".ogg",
        "audio/mpeg" => ".mp3",
        "audio/mp4" => ".m4a",
        "audio/aac" => ".aac",
        "audio/amr" => ".amr",
        "text/plain" => ".txt",
        "text/csv" => ".csv",
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/msword" => ".doc",
        "application/vnd.ms-excel" => ".xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => ".docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => ".xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => ".pptx",
        _ => ".bin",
    }
}
