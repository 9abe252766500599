//! Files in the blob store.

use ::media::{Blobs, Error, Meta};
use bytes::Bytes;

/// Keeps bytes that lie in memory.
pub(crate) async fn keep(blobs: &Blobs, id: &str, mime: &str, bytes: Vec<u8>, largest: u64) -> Result<(), Error> {
    let meta = Meta { mime: mime.to_owned(), filename: None };
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    blobs.put(id, meta, stream, largest).await.map(drop)
}

/// Reads a whole file; those that are sent are limited when they are taken in.
pub(crate) async fn read(blobs: &Blobs, id: &str) -> Result<Vec<u8>, Error> {
    Ok(blobs.open(id).await?.whole().await?)
}
