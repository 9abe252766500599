//! Answers: one object or a page of them, in this dialect's envelope.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::idempotency::Given;
use serde::Serialize;

/// An answer that is complete, request id included.
#[derive(Debug)]
pub(crate) struct Answer {
    given: Given,
    kept: Option<Kept>,
}

/// What an idempotency key has to do with an answer. Rides on the response for the intake to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It was made now and is remembered.
    Now,
    /// It was made before.
    Before,
}

impl Answer {
    pub(crate) fn new(given: Given) -> Self {
        Self { given, kept: None }
    }

    pub(crate) fn kept(given: Given, kept: Kept) -> Self {
        Self { given, kept: Some(kept) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        // An answer given again goes under the id it was given with.
        let first_id = (self.kept == Some(Kept::Before)).then(|| request_id(&self.given.body)).flatten();
        let mut response = Response::new(Body::from(self.given.body));
        *response.status_mut() = StatusCode::from_u16(self.given.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(id) = first_id {
            response.headers_mut().insert("x-request-id", id);
        }
        if let Some(kept) = self.kept {
            response.extensions_mut().insert(kept);
        }
        response
    }
}

fn request_id(body: &[u8]) -> Option<HeaderValue> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let id = body.get("request_id").or_else(|| body.pointer("/error/request_id"))?;
    HeaderValue::try_from(id.as_str()?).ok()
}

#[derive(Serialize)]
struct One<'a, T> {
    data: &'a T,
    request_id: &'a str,
}

#[derive(Serialize)]
struct List<'a, T> {
    data: &'a [T],
    has_more: bool,
    next_cursor: Option<&'a str>,
    request_id: &'a str,
}

pub(crate) fn one<T: Serialize>(data: &T, request_id: &str) -> Given {
    given(&One { data, request_id })
}

pub(crate) fn list<T: Serialize>(data: &[T], next_cursor: Option<&str>, request_id: &str) -> Given {
    given(&List { data, has_more: next_cursor.is_some(), next_cursor, request_id })
}

fn given(body: &impl Serialize) -> Given {
    // Room for most answers: growing costs more than what is written.
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, body).expect("answers are made of texts, numbers and JSON");
    Given { status: 200, body: text }
}
