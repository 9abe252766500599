//! Answers: objects, always with 200.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A body that is complete.
#[derive(Debug)]
pub(crate) struct Answer(Vec<u8>);

#[derive(Serialize)]
struct Success<'a, T> {
    success: bool,
    #[serde(flatten)]
    what: &'a T,
}

impl Answer {
    /// What is an object, as it is.
    pub(crate) fn of<T: Serialize>(value: &T) -> Self {
        // Room for most answers: growing costs more than what is written.
        let mut text = Vec::with_capacity(512);
        serde_json::to_writer(&mut text, value).expect("answers are made of texts, numbers and JSON");
        Self(text)
    }

    /// The same with `success: true` before it.
    pub(crate) fn success<T: Serialize>(what: &T) -> Self {
        Self::of(&Success { success: true, what })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
