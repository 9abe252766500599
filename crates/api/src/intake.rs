//! Taking a body in: how large it may be, that it says it is JSON, that it is.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::json::{self, At, FieldError};

/// What a body may measure unless a route says otherwise.
pub const LARGEST: usize = 1 << 20;

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body must be sent as application/json")]
    NotJson,
    /// Its text is not JSON, ends early, or is nested too deep.
    #[error("{0}")]
    Unreadable(String),
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// A body that was taken in; shared between those who look at it.
#[derive(Clone, Debug)]
pub struct Taken {
    pub bytes: Bytes,
    /// `None`: there was no body.
    pub json: Arc<Result<Option<Value>, BodyError>>,
}

impl Taken {
    /// What must be an object, or nothing.
    pub fn object(&self) -> Result<Object, BodyError> {
        if let Err(error) = &*self.json {
            return Err(error.clone());
        }
        let object = Object(self.json.clone());
        object.at().object()?;
        Ok(object)
    }
}

/// A body that is an object, empty where there was none.
#[derive(Clone, Debug)]
pub struct Object(Arc<Result<Option<Value>, BodyError>>);

static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

impl Object {
    #[must_use]
    pub fn at(&self) -> At<'_> {
        match &*self.0 {
            Ok(Some(value)) => At::top(value),
            _ => At::top(&EMPTY),
        }
    }
}

/// Reads a body of up to `largest` bytes whole and leaves the request without one.
pub async fn take(request: &mut Request, largest: usize) -> Result<Taken, BodyError> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > largest as u64) {
        return Err(BodyError::TooLarge(largest));
    }
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let bytes = match Limited::new(body, largest).collect().await {
        Ok(read) => read.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(BodyError::TooLarge(largest)),
        Err(_) => return Err(BodyError::Unreadable("the body ended early".into())),
    };
    let json = Arc::new(parse(request.headers(), &bytes));
    Ok(Taken { bytes, json })
}

fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, BodyError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if !says_json(headers) {
        return Err(BodyError::NotJson);
    }
    json::parse(bytes).map(Some)
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(said) = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()) else {
        return false;
    };
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken(content_type: Option<&str>, body: impl Into<Body>) -> Result<Option<Value>, BodyError> {
        let mut request = Request::new(body.into());
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        (*take(&mut request, LARGEST).await?.json).clone()
    }

    #[tokio::test]
    async fn only_json_of_a_bearable_size_is_taken() {
        let json = Some("application/json; charset=utf-8");
        assert_eq!(taken(json, r#"{"a":1}"#).await, Ok(Some(serde_json::json!({ "a": 1 }))));
        assert_eq!(taken(Some("application/merge-patch+json"), "{}").await, Ok(Some(serde_json::json!({}))));
        assert_eq!(taken(None, " ").await, Ok(None));
        for other in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonish")]
        {
            assert_eq!(taken(other, "{}").await, Err(BodyError::NotJson), "{other:?}");
        }
        let large = format!("\"{}\"", "x".repeat(LARGEST));
        assert_eq!(taken(json, large).await, Err(BodyError::TooLarge(LARGEST)));
    }
}
