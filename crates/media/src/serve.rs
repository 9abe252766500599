//! `GET /media/{id}`: blobs for whoever has a good link. Blobs are strangers' files on our origin, so a browser is told
//! to run nothing in them and to show only pictures, sound and films.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::blobs::{Blobs, Error, Opened};
use crate::format::Meta;
use crate::links::{Denied, Links};
use crate::range::{Wanted, wanted};

/// The time, in milliseconds since 1970.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

#[derive(Clone)]
struct Serving {
    blobs: Blobs,
    links: Links,
    now: Now,
}

/// Serves `GET` and `HEAD /media/{id}`: 403 without a good signature, 410 past its time, 404 where the blob is gone.
pub fn router(blobs: Blobs, links: Links, now: Now) -> Router {
    Router::new().route("/media/{id}", get(serve)).with_state(Serving { blobs, links, now })
}

async fn serve(
    State(serving): State<Serving>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(denied) = allowed(&serving, &id, query.as_deref().unwrap_or_default()) {
        let status = match denied {
            Denied::BadSignature => StatusCode::FORBIDDEN,
            Denied::Expired => StatusCode::GONE,
        };
        return (status, denied.to_string()).into_response();
    }
    let answered = match serving.blobs.open(&id).await {
        Ok(blob) => answer(blob, &headers).await.map_err(Error::Io),
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| match error {
        Error::NotFound | Error::BadId => StatusCode::NOT_FOUND.into_response(),
        error => {
            tracing::error!(error = &error as &dyn std::error::Error, id, "a blob could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}

fn allowed(serving: &Serving, id: &str, query: &str) -> Result<(), Denied> {
    let part = |name: &str| {
        let mut parts = query.split('&').filter_map(|part| part.split_once('='));
        parts.find_map(|(key, value)| (key == name).then_some(value))
    };
    let expires = part("e").and_then(|e| e.parse().ok()).ok_or(Denied::BadSignature)?;
    let signature = part("s").ok_or(Denied::BadSignature)?;
    serving.links.verify(id, expires, signature, (serving.now)())
}

/// A blob, or the part of it that the request's headers ask for.
pub async fn answer(blob: Opened, asked: &HeaderMap) -> std::io::Result<Response> {
    let size = blob.size;
    let tag = format!("\"{}\"", hex::encode(blob.sha256));
    let mut headers = safe_headers(&blob.meta);
    set(&mut headers, header::ETAG, &tag);
    if text(asked, header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    // A part is only good to whoever holds the rest of the same bytes.
    let same = text(asked, header::IF_RANGE).is_none_or(|given| given == tag);
    let range = text(asked, header::RANGE).filter(|_| same);
    let (status, range) = match wanted(range, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            set(&mut headers, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (range.start, range.end - 1);
        set(&mut headers, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    }
    headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    let body = Body::from_stream(blob.read(range).await?);
    Ok((status, headers, body).into_response())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn safe_headers(meta: &Meta) -> HeaderMap {
    let mime = HeaderValue::from_str(&meta.mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let kind = match mime.to_str() {
        Ok(mime) if is_shown(mime) => "inline",
        _ => "attachment",
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, mime);
    let disposition = disposition(kind, meta.filename.as_deref());
    set(&mut headers, header::CONTENT_DISPOSITION, &disposition);
    set(&mut headers, header::ACCEPT_RANGES, "bytes");
    set(&mut headers, header::CACHE_CONTROL, "private");
    set(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    headers
}

/// RFC 5987's attr-char.
const VERBATIM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn disposition(kind: &str, filename: Option<&str>) -> String {
    match filename {
        Some(name) => format!("{kind}; filename*=UTF-8''{}", utf8_percent_encode(name, VERBATIM)),
        None => kind.to_owned(),
    }
}

/// Pictures, sound and films; SVG is a document with scripts.
fn is_shown(mime: &str) -> bool {
    let mime = mime.trim().to_ascii_lowercase();
    let family = mime.split('/').next().unwrap_or_default();
    matches!(family, "image" | "audio" | "video") && !mime.starts_with("image/svg")
}
