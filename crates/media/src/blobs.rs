//! A directory of blobs.
//!
//! Who acts: `put` writes to a file in `incoming/`, makes it durable, and renames it to its place in one of 256 folders;
//! readers only ever open finished files. Promised: a blob that `put` has answered for is whole and survives a power cut;
//! no file is held in memory. A crash leaves at most files in `incoming/`, which the serving process sweeps when they are
//! old ([`Blobs::sweep_incoming`]): commands, and other processes that share the directory, work beside it. The quota
//! counts the bytes on disk, those still arriving included; what others bring and take is known after
//! [`Blobs::recount`].

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use tokio_util::io::ReaderStream;

use crate::directory::{Arrival, Directory};
use crate::format::{self, Meta};

/// Why a blob was not kept or found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not the id of a blob")]
    BadId,
    #[error("no such blob")]
    NotFound,
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// The store is full.
    #[error("the media quota of {quota} bytes is used up")]
    Quota { quota: u64 },
    /// Whoever brought the bytes failed.
    #[error("the source of the bytes failed")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the media directory failed")]
    Io(#[from] io::Error),
}

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    pub sha256: [u8; 32],
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs(Arc<Directory>);

/// A blob being read.
#[derive(Debug)]
pub struct Opened {
    pub meta: Meta,
    /// Bytes.
    pub size: u64,
    pub sha256: [u8; 32],
    file: File,
    start: u64,
}

impl Blobs {
    /// Opens the directory, makes it if need be, and counts what is there. Blocks.
    pub fn directory(path: impl Into<PathBuf>, quota_bytes: u64) -> Result<Self, Error> {
        let directory = Directory::new(path.into(), quota_bytes);
        directory.make()?;
        directory.count()?;
        Ok(Self(Arc::new(directory)))
    }

    /// For whoever works beside the process that serves from the directory: nothing is made and nothing counted.
    #[must_use]
    pub fn beside(path: impl Into<PathBuf>, quota_bytes: u64) -> Self {
        Self(Arc::new(Directory::new(path.into(), quota_bytes)))
    }

    /// Keeps the bytes of `stream` under `id`, instead of what may be there. Durable when it returns.
    pub async fn put<E>(
        &self,
        id: &str,
        meta: Meta,
        stream: impl Stream<Item = Result<Bytes, E>> + Send,
        max_bytes: u64,
    ) -> Result<Stored, Error>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let place = self.0.place(id)?;
        let (mut arrival, mut file) = Arrival::begin(&self.0, id).await?;
        arrival.take(format::begin(&mut file, &meta).await?)?;

        let mut stream = pin!(stream);
        let mut digest = Sha256::new();
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await.map_err(|e| Error::Source(e.into()))? {
            size += chunk.len() as u64;
            if size > max_bytes {
                return Err(Error::TooLarge { limit: max_bytes });
            }
            arrival.take(chunk.len() as u64)?;
            digest.update(&chunk);
            file.write_all(&chunk).await?;
        }
        let sha256 = digest.finalize().into();
        format::seal(&mut file, &sha256).await?;
        file.sync_all().await?;
        blocking(move || arrival.settle(&place)).await?;
        Ok(Stored { size, sha256 })
    }

    /// Opens a blob for reading.
    pub async fn open(&self, id: &str) -> Result<Opened, Error> {
        let mut file = File::open(self.0.place(id)?).await.map_err(or_not_found)?;
        let front = format::front(&mut file).await?;
        let size = file.metadata().await?.len().saturating_sub(front.length);
        Ok(Opened { meta: front.meta, size, sha256: front.sha256, file, start: front.length })
    }

    /// Removes a blob; false if there was none.
    pub async fn delete(&self, id: &str) -> Result<bool, Error> {
        let place = self.0.place(id)?;
        let directory = self.0.clone();
        match blocking(move || directory.remove(&place)).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the blobs with a prefix (`out-`, or none) that were made before a time, in milliseconds; returns how many.
    /// Ids must follow the prefix: they begin with the time.
    pub async fn sweep(&self, prefix: &'static str, before: i64) -> Result<u64, Error> {
        let directory = self.0.clone();
        Ok(blocking(move || directory.sweep(prefix, before)).await?)
    }

    /// Removes files that were never finished and that nobody has written to since a time, in the file system's
    /// milliseconds; returns how many.
    pub async fn sweep_incoming(&self, before: i64) -> Result<u64, Error> {
        let directory = self.0.clone();
        Ok(blocking(move || directory.sweep_incoming(before)).await?)
    }

    /// Counts anew what is there: others may have brought or taken some.
    pub async fn recount(&self) -> Result<(), Error> {
        let directory = self.0.clone();
        Ok(blocking(move || directory.count()).await?)
    }

    /// Bytes on disk.
    #[must_use]
    pub fn usage(&self) -> u64 {
        self.0.used()
    }

    /// How many bytes there may be.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.0.quota
    }
}

impl Opened {
    /// All bytes, in memory: for files whose size is limited elsewhere.
    pub async fn whole(self) -> io::Result<Vec<u8>> {
        let size = self.size;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut stream = pin!(self.read(0..size).await?);
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The bytes of `range`, which is cut to the size; all of them for `0..size`.
    pub async fn read(
        mut self,
        range: Range<u64>,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let from = range.start.min(self.size);
        let to = range.end.clamp(from, self.size);
        self.file.seek(SeekFrom::Start(self.start + from)).await?;
        Ok(ReaderStream::with_capacity(self.file.take(to - from), 64 * 1024))
    }
}

fn or_not_found(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::NotFound,
        _ => Error::Io(error),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
