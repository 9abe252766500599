//! Media and resumable uploads.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use super::Call;
use super::error::{Outcome, of, parameter, plain};
use super::input;
use crate::accounts::Platform;
use crate::ids::sign;
use crate::media::{self, MAX_BYTES, Media, StoreError, Stored, UPLOAD_LIFE_MS, URL_LIFE_MS, Upload};
use crate::text::Text;
use crate::world::{Shared, World};

/// Where download addresses lead.
pub(super) const DOWNLOAD_PATH: &str = "whatsapp_business/attachments";

/// What the parts of an upload said, in whatever order.
#[derive(Default)]
struct Parts {
    product: Option<String>,
    mime: Option<String>,
    file_mime: Option<String>,
    ttl_minutes: Option<i64>,
    file: Option<Stored>,
}

pub(super) async fn upload(call: &Call, number: &Text, body: Body) -> Outcome {
    let mut request = Request::new(body);
    *request.headers_mut() = call.headers.clone();
    // Each kind has its own limit, and the store the largest.
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &()).await;
    let form = form.map_err(|_| parameter("The parameter file is required as multipart/form-data."))?;
    let mut parts = read_parts(&call.world, form).await?;
    parts.product = parts.product.or_else(|| input::text(&call.query, "messaging_product"));
    parts.mime = parts.mime.or_else(|| input::text(&call.query, "type"));
    match parts.product.as_deref() {
        Some("whatsapp") => {}
        Some(_) => return Err(of(100, "Param messaging_product must be one of {WHATSAPP}")),
        None => return Err(parameter("The parameter messaging_product is required.")),
    }
    let file = parts.file.ok_or_else(|| parameter("The parameter file is required."))?;
    let declared = parts.mime.filter(|mime| mime.contains('/')).or(parts.file_mime).unwrap_or_default();
    let mime = declared.trim().to_ascii_lowercase();
    let rule = media::rule_for(&mime).ok_or_else(|| {
        let types: Vec<&str> = media::KINDS.iter().flat_map(|rule| rule.types).copied().collect();
        parameter(format_args!(
            "Param file must be a file with one of the following types: {}. Received file of type '{mime}'.",
            types.join(", ")
        ))
    })?;
    let most = rule.most(&file);
    if file.size > most || file.size == 0 {
        return Err(parameter(format_args!(
            "Param file of type {mime} must have from 1 to {most} bytes, and has {}.",
            file.size
        )));
    }
    let life = parts.ttl_minutes.map_or(UPLOAD_LIFE_MS, |minutes| minutes.clamp(1, 30 * 24 * 60) * 60_000);
    let until = call.world.clock.now() + life;
    let id = keep(&call.world, number, &mime, file, until);
    Ok(json!({"id": id}))
}

/// Records media under a new id.
pub(crate) fn keep(world: &World, number: &Text, mime: &str, file: Stored, until: i64) -> String {
    let id = world.ids.digits(16);
    let media = Media { number: number.clone(), mime: mime.to_owned(), file, until };
    world.state().media.insert(id.clone(), media);
    world.touch();
    id
}

async fn read_parts(world: &World, mut form: Multipart) -> Outcome<Parts> {
    let broken = |_| parameter("The multipart body cannot be read.");
    let mut parts = Parts::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            "file" => {
                parts.file_mime = field.content_type().map(str::to_owned);
                let stored = world.files.store(&world.ids.hex(), MAX_BYTES, field).await;
                parts.file = Some(stored.map_err(refused)?);
            }
            name @ ("messaging_product" | "type" | "ttl_minutes") => {
                let name = name.to_owned();
                let text = small_text(field).await?;
                match name.as_str() {
                    "messaging_product" => parts.product = Some(text),
                    "type" => parts.mime = Some(text),
                    _ => parts.ttl_minutes = text.parse().ok(),
                }
            }
            _ => {}
        }
    }
    Ok(parts)
}

async fn small_text(mut field: axum::extract::multipart::Field<'_>) -> Outcome<String> {
    let mut bytes = Vec::new();
    while let Some(part) = field.next().await {
        bytes.extend_from_slice(&part.map_err(|_| parameter("The multipart body cannot be read."))?);
        if bytes.len() > 1024 {
            return Err(parameter("A text part of the multipart body is too long."));
        }
    }
    String::from_utf8(bytes).map_err(|_| parameter("A text part of the multipart body is not UTF-8."))
}

fn refused(error: StoreError) -> Box<super::error::Error> {
    match error {
        StoreError::TooLarge(max) => parameter(format_args!("Param file must have at most {max} bytes.")),
        StoreError::Read(_) => parameter("The multipart body cannot be read."),
        StoreError::Io(error) => {
            tracing::error!(%error, "an upload could not be stored");
            of(131000, "The file could not be stored.")
        }
    }
}

pub(super) fn get(call: &Call, id: &str) -> Outcome {
    let now = call.world.clock.now();
    let state = call.world.state();
    let media = state.media.get(id).filter(|media| media.until > now).ok_or_else(|| super::no_object("GET", id))?;
    if let Some(number) = input::text(&call.query, "phone_number_id")
        && *number != *media.number
    {
        return Err(plain(400, 100, "(#100) Param phone_number_id does not own this media"));
    }
    Ok(json!({
        "messaging_product": "whatsapp",
        "url": address(&call.world, id),
        "mime_type": media.mime,
        "sha256": media.file.sha256,
        "file_size": media.file.size,
        "id": id,
    }))
}

/// A download address that works for five minutes.
pub(crate) fn address(world: &World, id: &str) -> String {
    let until = (world.clock.now() + URL_LIFE_MS) / 1000;
    format!("{}/{DOWNLOAD_PATH}/?mid={id}&ext={until}&hash={}", world.graph_url, seal(world, id, until))
}

fn seal(world: &World, id: &str, until: i64) -> String {
    hex::encode(&sign(&world.seed.derive("media"), format!("{id}/{until}").as_bytes())[..16])
}

pub(super) async fn download(world: &Shared, platform: &Platform, query: &Map<String, Value>) -> Response {
    let (id, hash) = (input::text(query, "mid").unwrap_or_default(), input::text(query, "hash").unwrap_or_default());
    let until: i64 = input::text(query, "ext").and_then(|text| text.parse().ok()).unwrap_or(0);
    let now = world.clock.now();
    if until * 1000 < now || !super::same(&hash, &seal(world, &id, until)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let media = {
        let state = world.state();
        let own = |media: &&Media| {
            state.numbers.get(&media.number).is_some_and(|number| platform.wabas.contains(&number.waba))
        };
        state.media.get(&id).filter(|media| media.until > now).filter(own).cloned()
    };
    match media {
        Some(media) => file(world, &media.file.sha256, &media.mime).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A stored file as a response.
pub(crate) async fn file(world: &World, sha256: &str, mime: &str) -> Response {
    let path = world.files.path(sha256);
    let opened = tokio::fs::File::open(&path).await;
    let Ok(file) = opened else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let length = file.metadata().await.map(|meta| meta.len().to_string()).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, mime.to_owned()),
        (header::CONTENT_LENGTH, length),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Body::from_stream(ReaderStream::new(file))).into_response()
}

pub(super) fn delete(call: &Call, id: &str) -> Outcome {
    call.world.state().media.remove(id).ok_or_else(|| super::no_object("DELETE", id))?;
    call.world.touch();
    Ok(json!({"success": true}))
}

pub(super) fn start_upload(call: &Call, fields: &Map<String, Value>) -> Outcome {
    let mime = input::required(fields, "file_type")?;
    let types = ["application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"];
    if !types.contains(&mime.as_str()) {
        return Err(parameter(format_args!("Param file_type must be one of {{{}}}", types.join(", "))));
    }
    let length = input::required(fields, "file_length")?;
    let length: u64 = length.parse().map_err(|_| parameter("Param file_length must be an integer"))?;
    if length == 0 || length > MAX_BYTES {
        return Err(parameter(format_args!("Param file_length must be from 1 to {MAX_BYTES}")));
    }
    let id = format!("upload:{}", call.world.ids.hex());
    let until = call.world.clock.now() + media::DAY_MS;
    let upload = Upload { app: call.platform.app_id.clone(), mime, length, done: 0, handle: None, file: None, until };
    let mut state = call.world.state();
    state.uploads.retain(|_, upload| upload.until > call.world.clock.now());
    state.uploads.insert(id.clone(), upload);
    Ok(json!({"id": id}))
}

pub(super) fn upload_progress(call: &Call, id: &str) -> Outcome {
    let state = call.world.state();
    let upload = state.uploads.get(id).ok_or_else(|| super::no_object("GET", id))?;
    Ok(json!({"id": id, "file_offset": upload.done}))
}

pub(super) async fn continue_upload(call: &Call, id: &str, mut body: Body) -> Outcome {
    let offset =
        call.headers.get("file_offset").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let upload = call.world.state().uploads.get(id).cloned().ok_or_else(|| super::no_object("POST", id))?;
    if offset != Some(upload.done) {
        return Err(parameter(format_args!("Header file_offset must be {}", upload.done)));
    }
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be stored");
        of(131000, "The file could not be stored.")
    };
    let path = call.world.files.partial(&id.replace(':', "-"));
    let mut file = tokio::fs::OpenOptions::new().append(true).create(true).open(&path).await.map_err(failed)?;
    let mut done = upload.done;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if done + part.len() as u64 > upload.length {
            return Err(parameter("More bytes came than file_length said"));
        }
        file.write_all(&part).await.map_err(failed)?;
        done += part.len() as u64;
        record_progress(call, id, done);
    }
    file.flush().await.map_err(failed)?;
    if done < upload.length {
        return Ok(json!({"id": id, "file_offset": done}));
    }
    drop(file);
    let finished = tokio::fs::File::open(&path).await.map_err(failed)?;
    let stored =
        call.world.files.store(&call.world.ids.hex(), MAX_BYTES, ReaderStream::new(finished)).await.map_err(refused)?;
    tokio::fs::remove_file(&path).await.map_err(failed)?;
    let handle = format!("4::{}:{}", call.world.ids.hex(), call.world.ids.trace());
    if let Some(upload) = call.world.state().uploads.get_mut(id) {
        (upload.handle, upload.file) = (Some(handle.clone()), Some(stored));
    }
    call.world.touch();
    Ok(json!({"h": handle}))
}

fn record_progress(call: &Call, id: &str, done: u64) {
    if let Some(upload) = call.world.state().uploads.get_mut(id) {
        upload.done = done;
    }
}
