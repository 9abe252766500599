//! The page on which a person plays the customer, and what it needs.

use std::convert::Infallible;
use std::sync::LazyLock;

use axum::extract::{Path, Query, State as AxumState};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{StatusCode, header};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::refuse;
use crate::world::Shared;

/// One page, one script: nothing else has to be fetched, so the token in the page's address is all that it needs.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("page/page.html")
        .replace("/* style */", include_str!("page/style.css"))
        .replace("/* script */", &SCRIPT.concat())
});

const SCRIPT: [&str; 7] = [
    include_str!("page/base.js"),
    include_str!("page/parts.js"),
    include_str!("page/asked.js"),
    include_str!("page/sheets.js"),
    include_str!("page/bubble.js"),
    include_str!("page/talks.js"),
    include_str!("page/main.js"),
];

pub(super) async fn page() -> Response {
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(PAGE.as_str()))
        .into_response()
}

/// The numbers of phones whose screen changed, as server-sent events; `typing:` before a number when the business types.
pub(super) async fn events(AxumState(world): AxumState<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let inbox = world.screens.subscribe();
    let stop = world.stop.clone();
    let told = stream::unfold((inbox, stop), |(mut inbox, stop)| async move {
        let text = tokio::select! {
            () = stop.cancelled() => return None,
            received = inbox.recv() => match received {
                Ok(text) => text,
                Err(RecvError::Lagged(_)) => "all".to_owned(),
                Err(RecvError::Closed) => return None,
            },
        };
        Some((Ok(Event::default().data(text)), (inbox, stop)))
    });
    Sse::new(told).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(rename = "type")]
    mime: Option<String>,
}

/// Stored media as phones show them. The sandbox shows anybody's bytes, so they never run as a page of its own.
pub(super) async fn media(
    AxumState(world): AxumState<Shared>,
    Path(sha256): Path<String>,
    Query(kind): Query<Kind>,
) -> Response {
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return refuse(StatusCode::NOT_FOUND, "there is no such file").into_response();
    }
    let mime = kind.mime.filter(|mime| header::HeaderValue::from_str(mime).is_ok());
    let mut response =
        crate::graph::file(&world, &sha256, &mime.unwrap_or_else(|| "application/octet-stream".to_owned())).await;
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static("sandbox; default-src 'none'"));
    response
}
