//! Files that callers give to be sent: as a data URL in the request, or as an address to be fetched.
//!
//! Who acts: the operation that needs a file takes it ([`Files::take`]), has it converted, and keeps the result
//! ([`Files::keep`]) in the blob store, where the session finds it by its id. Promised: no more than the limit is ever
//! read, addresses are vetted at every hop, and what was kept for a request that failed is removed again
//! ([`Files::forget`]). A crash, or a caller who hangs up, leaves a blob: the ids of these blobs begin with
//! [`PREFIX`] and hold the time, so that old ones are found and swept ([`sweep`]).

mod fetch;
mod preview;

pub(crate) use preview::first_link;

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use bytes::Bytes;
use engine::Id;
use futures_util::{Stream, StreamExt, stream};
use media::convert::{self, Medium, data_url, sniff};
use media::{Blobs, Meta};

use crate::body::Body;
use crate::call::Call;
use crate::errors::Error;
use crate::options::Options;

/// What the ids of outgoing files begin with; the 24 digits of an [`Id`] follow.
pub(crate) const PREFIX: &str = "out-";

/// Bytes from which the type of a file is told.
const HEAD: usize = 8 * 1024;

/// Bytes of a picture.
pub(crate) const LARGEST_IMAGE: u64 = 5 << 20;
/// Bytes of a sound.
pub(crate) const LARGEST_AUDIO: u64 = 16 << 20;
/// Bytes of anything else, unless the operator allows less.
pub(crate) const LARGEST: u64 = 100 << 20;

/// Takes files in for one request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    options: Options,
    /// Milliseconds.
    now: i64,
    kept: Arc<Mutex<Vec<String>>>,
}

/// A file as it stands in a body.
pub(crate) struct Given {
    /// The member's name, for complaints.
    field: &'static str,
    /// A data URL or an address.
    text: String,
}

/// A file that was brought here.
pub(crate) struct Taken {
    pub(crate) bytes: Bytes,
    /// What its bringer calls it.
    pub(crate) declared: Option<String>,
    /// The end of its address.
    pub(crate) name: Option<String>,
}

/// A file in the blob store that was not looked into.
pub(crate) struct Stored {
    pub(crate) blob: String,
    pub(crate) mime: String,
    pub(crate) name: Option<String>,
}

impl Given {
    /// Takes the file out of a body; one must be there.
    pub(crate) fn take(body: &mut Body, field: &'static str) -> Result<Self, Error> {
        Self::maybe(body, field)?.ok_or_else(|| Error::bad(format!("missing {field} in Payload")))
    }

    pub(crate) fn maybe(body: &mut Body, field: &'static str) -> Result<Option<Self>, Error> {
        match body.take(&[field]) {
            None => Ok(None),
            Some(serde_json::Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(Self { field, text })),
            Some(_) => Err(Error::undecodable()),
        }
    }

    /// A file whose text was found elsewhere.
    pub(crate) fn of(field: &'static str, text: String) -> Self {
        Self { field, text }
    }

    fn neither(&self) -> Error {
        let field = self.field;
        Error::bad(format!(r#"{field} must be a base64 data URL ("data:image/jpeg;base64,...") or an HTTP/HTTPS URL"#))
    }
}

impl Files {
    pub(crate) fn of(call: &Call) -> Self {
        Self::new(call.digigo.options.clone(), call.engine().now())
    }

    pub(crate) fn new(options: Options, now: i64) -> Self {
        Self { options, now, kept: Arc::default() }
    }

    pub(crate) fn converter(&self) -> &convert::Converter {
        &self.options.converter
    }

    /// Brings a file into memory.
    pub(crate) async fn take(&self, given: Given, medium: Medium, largest: u64) -> Result<Taken, Error> {
        let largest = largest.min(self.options.largest_file);
        if data_url::is_data_url(&given.text) {
            return self.decode(given, medium, largest).await;
        }
        let url = fetch::address(&given.text).ok_or_else(|| given.neither())?;
        let fetched = fetch::whole(&self.options.client, url, largest, self.options.fetch_timeout);
        let fetched = fetched.await.map_err(|why| why.told(given.field))?;
        Ok(Taken { bytes: fetched.bytes, declared: fetched.mime, name: fetched.name })
    }

    /// Brings a file into the blob store as it is, without holding it in memory where it has to be fetched.
    pub(crate) async fn store(&self, given: Given, mime: Option<&str>) -> Result<Stored, Error> {
        if data_url::is_data_url(&given.text) {
            let Taken { bytes, declared, name } = self.take(given, Medium::Media, LARGEST).await?;
            let mime = mime.map_or_else(|| shown(&bytes, declared.as_deref()), str::to_owned);
            let blob = self.keep(bytes, &mime).await?;
            return Ok(Stored { blob, mime, name });
        }
        let url = fetch::address(&given.text).ok_or_else(|| given.neither())?;
        let (largest, patience) = (LARGEST.min(self.options.largest_file), self.options.fetch_timeout);
        let fetching = async {
            let coming = fetch::open(&self.options.client, url, largest, patience).await?;
            let (name, declared) = (coming.name.clone(), coming.mime.clone());
            let (head, rest) = fetch::head(coming.body, HEAD).await?;
            let mime = mime.map_or_else(|| shown(&head, declared.as_deref()), str::to_owned);
            let all = stream::iter([Ok(head)]).chain(rest);
            let blob = self.put(all, &mime, largest).await?;
            Ok(Stored { blob, mime, name })
        };
        fetch::within(patience, fetching).await.map_err(|why: fetch::Why| why.told(given.field))
    }

    /// Keeps bytes under an id of their own.
    pub(crate) async fn keep(&self, bytes: Bytes, mime: &str) -> Result<String, Error> {
        let all = stream::iter([Ok::<_, net::Error>(bytes)]);
        self.put(all, mime, u64::MAX).await.map_err(|why| why.told("Media"))
    }

    /// Removes what was kept for this request.
    pub(crate) async fn forget(&self) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        remove(&self.options.blobs, &kept).await;
    }

    async fn put(
        &self,
        bytes: impl Stream<Item = Result<Bytes, net::Error>> + Send,
        mime: &str,
        largest: u64,
    ) -> Result<String, fetch::Why> {
        let blob = self.fresh_id();
        let meta = Meta { mime: mime.to_owned(), filename: None };
        self.options.blobs.put(&blob, meta, bytes, largest).await?;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(blob.clone());
        Ok(blob)
    }

    fn fresh_id(&self) -> String {
        let mut random = [0; 8];
        (self.options.random)(&mut random);
        format!("{PREFIX}{}", Id::from_parts(self.now, u64::from_be_bytes(random)).hex24())
    }

    async fn decode(&self, given: Given, medium: Medium, largest: u64) -> Result<Taken, Error> {
        let decoded = self.converter().run(medium, move |_| {
            let url = data_url::parse(&given.text)?;
            Ok((url.mime.map(str::to_owned), url.decode(medium, largest)?))
        });
        let (declared, bytes) = decoded.await.map_err(unusable)?;
        Ok(Taken { bytes: bytes.into(), declared, name: None })
    }
}

/// Whether a text is an address of the web.
pub(crate) fn is_address(text: &str) -> bool {
    fetch::address(text).is_some()
}

/// How long an outgoing file is kept at most: longer than its message is tried, and its event told.
const KEPT_MS: i64 = 2 * 24 * 60 * 60 * 1000;

/// Removes outgoing files that nobody removed: those of told echoes, and those that a crash left. `now` in
/// milliseconds. To be called from time to time.
pub async fn sweep(blobs: &Blobs, now: i64) {
    match blobs.sweep(PREFIX, now - KEPT_MS).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "old outgoing files were removed"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "old outgoing files could not be removed");
        }
    }
}

/// Removes blobs; one that cannot be removed is swept later.
pub(crate) async fn remove(blobs: &Blobs, ids: &[String]) {
    for id in ids {
        if let Err(error) = blobs.delete(id).await {
            tracing::warn!(blob = %id, error = &error as &dyn std::error::Error, "an outgoing file stays behind");
        }
    }
}

fn shown(bytes: &[u8], declared: Option<&str>) -> String {
    sniff::sniff(bytes, declared).mime.into_owned()
}

/// A file that could not be made fit for sending, as callers are told.
pub(crate) fn unusable(error: convert::Error) -> Error {
    match error {
        convert::Error::DataUrl(_) => Error::bad("could not decode base64 encoded data from payload"),
        convert::Error::TooLarge { .. } => Error::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        _ if error.is_callers_fault() => {
            tracing::debug!(why = error.detail(), "a file was refused");
            Error::bad(error.to_string())
        }
        _ => {
            tracing::error!(why = error.detail(), "a file could not be converted");
            Error::failed(error.to_string())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
