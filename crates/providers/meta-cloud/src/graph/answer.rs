use bytes::{Bytes, BytesMut};
use meta_wire::GraphError;
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{Error, Result};

/// Bytes of an answer; the longest are pages of templates.
const MAX: usize = 16 * 1024 * 1024;

/// Reads a successful answer.
pub(super) async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    parse(&body(response).await?)
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser's own message may quote what it found.
        Error::Unreadable(format!("unexpected JSON at line {} column {}", error.line(), error.column()))
    })
}

/// Reads why a call was refused.
pub(super) async fn refusal(response: Response) -> Error {
    let status = response.status().as_u16();
    let Ok(body) = body(response).await else {
        return Error::Status(status);
    };
    match GraphError::parse(&body) {
        Some(error) => Error::Refused { status, error: Box::new(error), body },
        None => Error::Status(status),
    }
}

async fn body(mut response: Response) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::Lost(error.into()))? {
        if body.len() + chunk.len() > MAX {
            return Err(Error::Unreadable(format!("longer than {MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
