//! A directory of blobs.
//!
//! Who acts: `put` writes to a file in `incoming/`, makes it durable, and renames it to its place in one of 256 folders;
//! readers only ever open finished files. Promised: a blob that `put` has answered for is whole and survives a power cut;
//! no file is held in memory. A crash leaves at most files in `incoming/`, swept at the next start; one process owns the
//! directory. The quota counts the bytes on disk, those still arriving included.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};
use tokio_util::io::ReaderStream;

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

struct Directory {
    path: PathBuf,
    quota: u64,
    used: AtomicU64,
    arrivals: AtomicU64,
    /// Held while a file gets or leaves its place, so that the count stays right.
    placing: Mutex<()>,
}

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
    /// Opens the directory, makes it if need be, sweeps what a crash left, and counts what is there. Blocks.
    pub fn directory(path: impl Into<PathBuf>, quota_bytes: u64) -> Result<Self, Error> {
        let path = path.into();
        let incoming = path.join("incoming");
        std::fs::create_dir_all(&incoming)?;
        for leftover in std::fs::read_dir(&incoming)? {
            std::fs::remove_file(leftover?.path())?;
        }
        let mut used = 0;
        for folder in folders(&path) {
            std::fs::create_dir_all(&folder)?;
            for blob in std::fs::read_dir(&folder)? {
                used += blob?.metadata()?.len();
            }
        }
        sync_directory(&path)?;
        Ok(Self(Arc::new(Directory {
            path,
            quota: quota_bytes,
            used: used.into(),
            arrivals: 0.into(),
            placing: Mutex::default(),
        })))
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
        let mut arrival = Arrival::new(&self.0, id);
        let mut file = File::create_new(&arrival.path).await?;
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

    /// Removes the blobs with a prefix (`out-`) that were made before a time, in milliseconds; returns how many. Ids
    /// must follow the prefix: they begin with the time.
    pub async fn sweep(&self, prefix: &'static str, before: i64) -> Result<u64, Error> {
        let directory = self.0.clone();
        Ok(blocking(move || directory.sweep(prefix, before)).await?)
    }

    /// Bytes on disk.
    pub fn usage(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
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

impl Directory {
    fn place(&self, id: &str) -> Result<PathBuf, Error> {
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        // What a blob is for may stand before its digits: `out-…`.
        let (purpose, number) = id.split_once('-').unwrap_or(("", id));
        let named = purpose.len() <= 8 && purpose.bytes().all(|byte| byte.is_ascii_lowercase());
        if !named || !(24..=32).contains(&number.len()) || !number.bytes().all(digits) {
            return Err(Error::BadId);
        }
        // Ids begin with the time, so their ends spread better.
        Ok(self.path.join(&number[number.len() - 2..]).join(id))
    }

    fn sweep(&self, prefix: &str, before: i64) -> io::Result<u64> {
        let mut swept = 0;
        for folder in folders(&self.path) {
            for blob in std::fs::read_dir(&folder)? {
                let blob = blob?;
                let made_at = blob.file_name().to_str().and_then(|id| made_at(id.strip_prefix(prefix)?));
                if made_at.is_some_and(|at| at < before) {
                    match self.remove(&blob.path()) {
                        Ok(()) => swept += 1,
                        // Somebody else was faster.
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(swept)
    }

    fn remove(&self, place: &Path) -> io::Result<()> {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let size = std::fs::metadata(place)?.len();
        std::fs::remove_file(place)?;
        self.used.fetch_sub(size, Ordering::Relaxed);
        sync_directory(folder(place))
    }
}

/// A file that is being written. Dropped before it has settled, it takes its file and its share of the quota back.
struct Arrival {
    directory: Arc<Directory>,
    path: PathBuf,
    taken: u64,
    settled: bool,
}

impl Arrival {
    fn new(directory: &Arc<Directory>, id: &str) -> Self {
        let number = directory.arrivals.fetch_add(1, Ordering::Relaxed);
        let path = directory.path.join("incoming").join(format!("{id}.{number}"));
        Self { directory: directory.clone(), path, taken: 0, settled: false }
    }

    fn take(&mut self, bytes: u64) -> Result<(), Error> {
        let quota = self.directory.quota;
        let used = self.directory.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.taken += bytes;
        if used > quota { Err(Error::Quota { quota }) } else { Ok(()) }
    }

    fn settle(mut self, place: &Path) -> io::Result<()> {
        let directory = self.directory.clone();
        let _placing = directory.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = std::fs::metadata(place).map_or(0, |old| old.len());
        std::fs::rename(&self.path, place)?;
        self.settled = true;
        directory.used.fetch_sub(replaced, Ordering::Relaxed);
        sync_directory(folder(place))
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.directory.used.fetch_sub(self.taken, Ordering::Relaxed);
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "an unfinished upload stays until the next start");
            }
            _ => {}
        }
    }
}

/// Where the blobs of a directory lie.
fn folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    (0..=u8::MAX).map(|byte| path.join(hex::encode([byte])))
}

/// The first 48 bits of an id, in milliseconds.
fn made_at(number: &str) -> Option<i64> {
    i64::from_str_radix(number.get(..12)?, 16).ok()
}

fn folder(place: &Path) -> &Path {
    place.parent().unwrap_or(place)
}

/// A rename is durable only once its folder is.
fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
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
