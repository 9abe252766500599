//! Answers: bare objects, arrays and pages of them, always with 200.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A body that is complete; `None`: there is none.
#[derive(Debug)]
pub(crate) struct Answer(Option<Vec<u8>>);

impl Answer {
    pub(crate) fn of<T: Serialize>(value: &T) -> Self {
        // Room for most answers: growing costs more than what is written.
        let mut text = Vec::with_capacity(512);
        serde_json::to_writer(&mut text, value).expect("answers are made of texts, numbers and JSON");
        Self(Some(text))
    }

    pub(crate) fn nothing() -> Self {
        Self(None)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Some(body) = self.0 else { return Response::new(Body::empty()) };
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
