//! Files that lie encrypted with WhatsApp, fetched into the blob store.

use std::io::Cursor;

use ::media::Blobs;
use base64::Engine as _;
use engine::Id;
use engine::sessions::CallError;
use sha2::{Digest, Sha256};
use web_wire::ask::{Download, File};
use whatsapp_rust::Client;
use whatsapp_rust::download::{DownloadParams, MediaType};

use super::errors;
use crate::Options;
use crate::live::Connection;

/// What the names of files begin with that somebody asked for; the 24 digits of an [`Id`] follow. Whoever asked removes
/// it; one that nobody came for, or that a crash left, is swept.
const PREFIX: &str = "dl-";
/// How long a file waits to be taken, in milliseconds.
const KEPT_MS: i64 = 60 * 60 * 1000;

/// Length and hash are checked on the way.
pub(super) async fn download(options: &Options, live: &Connection, wanted: &Download) -> Result<File, CallError> {
    if wanted.length > options.largest_file {
        return Err(CallError::Invalid("the file is too large".into()));
    }
    params(wanted)?;
    let bytes = fetch(&live.client, wanted).await.map_err(|error| errors::of_any(&error))?;
    let size = bytes.len() as u64;
    let blob = format!("{PREFIX}{}", Id::from_parts(live.clock.now(), rand::random()).hex24());
    crate::files::keep(&options.blobs, &blob, "application/octet-stream", bytes, options.largest_file)
        .await
        .map_err(|error| CallError::Refused { code: None, message: error.to_string() })?;
    Ok(File { blob, size })
}

/// Removes files that nobody came for; to be called at the start and now and then. `now` in milliseconds.
pub async fn sweep(blobs: &Blobs, now: i64) {
    match blobs.sweep(PREFIX, now - KEPT_MS).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "removed downloads that nobody came for"),
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "old downloads could not be removed"),
    }
}

/// A file's bytes, decrypted and found to be what was announced.
pub(crate) async fn fetch(client: &Client, wanted: &Download) -> anyhow::Result<Vec<u8>> {
    let params = params(wanted)?;
    let bytes = client.download_from_params_to_writer(&params, Cursor::new(Vec::new())).await?.into_inner();
    let announced = &params.file_sha256;
    anyhow::ensure!(
        announced.is_empty() || *announced == *Sha256::digest(&bytes),
        "the file is not what was announced"
    );
    Ok(bytes)
}

fn params(wanted: &Download) -> Result<DownloadParams, CallError> {
    let invalid = |what: &str| CallError::Invalid(format!("{what} is not valid"));
    let bytes =
        |text: &str, what: &str| base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| invalid(what));
    let path = match (&wanted.direct_path, &wanted.url) {
        (Some(path), _) if !path.is_empty() => path.clone(),
        (_, Some(url)) => path_of(url).ok_or_else(|| invalid("url"))?,
        _ => return Err(invalid("url")),
    };
    // The library puts it behind a host's name as it is: anything else would name another host.
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(invalid("directPath"));
    }
    let encrypted = wanted.encrypted_sha256.as_deref().filter(|text| !text.is_empty());
    Ok(DownloadParams {
        direct_path: path,
        media_key: Some(bytes(&wanted.media_key, "mediaKey")?),
        file_sha256: bytes(&wanted.sha256, "fileSHA256")?,
        file_enc_sha256: encrypted.map(|text| bytes(text, "fileEncSHA256")).transpose()?,
        file_length: wanted.length,
        media_type: kind(&wanted.kind).ok_or_else(|| invalid("kind"))?,
    })
}

/// Only the path of an address counts: hosts are WhatsApp's to name.
fn path_of(url: &str) -> Option<String> {
    let url: url::Url = url.parse().ok()?;
    Some(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

fn kind(kind: &str) -> Option<MediaType> {
    Some(match kind {
        "image" => MediaType::Image,
        "video" => MediaType::Video,
        "audio" => MediaType::Audio,
        "document" => MediaType::Document,
        "sticker" => MediaType::Sticker,
        _ => return None,
    })
}
