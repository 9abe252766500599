//! The files behind a blob store: their places, those that are still being written, and how much they take.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use tokio::fs::File;

use crate::Error;

pub(crate) struct Directory {
    path: PathBuf,
    pub(crate) quota: u64,
    /// Bytes of the files in their places, as far as is known.
    placed: AtomicU64,
    /// Bytes of the files that are being written.
    arriving: AtomicU64,
    arrivals: AtomicU64,
    /// Held while a file gets or leaves its place, so that the count stays right.
    placing: Mutex<()>,
}

impl Directory {
    pub(crate) fn new(path: PathBuf, quota: u64) -> Self {
        let (placed, arriving, arrivals) = Default::default();
        Self { path, quota, placed, arriving, arrivals, placing: Mutex::default() }
    }

    /// Makes what is missing.
    pub(crate) fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.incoming())?;
        for folder in self.folders() {
            std::fs::create_dir_all(&folder)?;
        }
        sync_directory(&self.path)
    }

    pub(crate) fn used(&self) -> u64 {
        self.placed.load(Ordering::Relaxed) + self.arriving.load(Ordering::Relaxed)
    }

    /// Counts what is there. What gets or leaves its place meanwhile may be missed until the next time.
    pub(crate) fn count(&self) -> io::Result<()> {
        let (known, mut found) = (self.placed.load(Ordering::Relaxed), 0);
        for folder in self.folders() {
            for blob in entries(&folder)? {
                found += unless_gone(blob?.metadata())?.map_or(0, |blob| blob.len());
            }
        }
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        self.account(found, known);
        Ok(())
    }

    pub(crate) fn place(&self, id: &str) -> Result<PathBuf, Error> {
        // What a blob is for may stand before its digits: `out-…`.
        let (purpose, number) = id.split_once('-').unwrap_or(("", id));
        let named = purpose.len() <= 8 && purpose.bytes().all(|byte| byte.is_ascii_lowercase());
        if !named || !is_number(number) {
            return Err(Error::BadId);
        }
        // Ids begin with the time, so their ends spread better.
        Ok(self.path.join(&number[number.len() - 2..]).join(id))
    }

    pub(crate) fn sweep(&self, prefix: &str, before: i64) -> io::Result<u64> {
        let mut swept = 0;
        for folder in self.folders() {
            for blob in entries(&folder)? {
                let blob = blob?;
                let made_at = blob.file_name().to_str().and_then(|id| made_at(id.strip_prefix(prefix)?));
                if made_at.is_some_and(|at| at < before) {
                    swept += u64::from(unless_gone(self.remove(&blob.path()))?.is_some());
                }
            }
        }
        Ok(swept)
    }

    pub(crate) fn sweep_incoming(&self, before: i64) -> io::Result<u64> {
        let mut swept = 0;
        for file in entries(&self.incoming())? {
            let file = file?;
            let written = unless_gone(file.metadata())?.map(|file| file.modified()).transpose()?;
            let age = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            if age.is_some_and(|age| i64::try_from(age.as_millis()).is_ok_and(|at| at < before)) {
                swept += u64::from(unless_gone(std::fs::remove_file(file.path()))?.is_some());
            }
        }
        Ok(swept)
    }

    pub(crate) fn remove(&self, place: &Path) -> io::Result<()> {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let size = std::fs::metadata(place)?.len();
        std::fs::remove_file(place)?;
        self.account(0, size);
        sync_directory(folder(place))
    }

    /// Only while placing. What goes may be another process's, and never have been counted.
    fn account(&self, more: u64, less: u64) {
        let placed = self.placed.load(Ordering::Relaxed);
        self.placed.store((placed + more).saturating_sub(less), Ordering::Relaxed);
    }

    fn incoming(&self) -> PathBuf {
        self.path.join("incoming")
    }

    /// Where the blobs lie.
    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        (0..=u8::MAX).map(|byte| self.path.join(hex::encode([byte])))
    }
}

/// A file that is being written. Dropped before it has settled, it takes its file and its share of the quota back.
pub(crate) struct Arrival {
    directory: Arc<Directory>,
    path: PathBuf,
    taken: u64,
    settled: bool,
}

impl Arrival {
    /// A name that is taken is left to whoever has it: another process, or one that crashed.
    pub(crate) async fn begin(directory: &Arc<Directory>, id: &str) -> io::Result<(Self, File)> {
        loop {
            let number = directory.arrivals.fetch_add(1, Ordering::Relaxed);
            let path = directory.incoming().join(format!("{id}.{number}"));
            match File::create_new(&path).await {
                Ok(file) => return Ok((Self { directory: directory.clone(), path, taken: 0, settled: false }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Error> {
        self.directory.arriving.fetch_add(bytes, Ordering::Relaxed);
        self.taken += bytes;
        let quota = self.directory.quota;
        if self.directory.used() > quota { Err(Error::Quota { quota }) } else { Ok(()) }
    }

    pub(crate) fn settle(mut self, place: &Path) -> io::Result<()> {
        let directory = self.directory.clone();
        let _placing = directory.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = std::fs::metadata(place).map_or(0, |old| old.len());
        std::fs::rename(&self.path, place)?;
        self.settled = true;
        directory.account(self.taken, replaced);
        directory.arriving.fetch_sub(self.taken, Ordering::Relaxed);
        sync_directory(folder(place))
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        self.directory.arriving.fetch_sub(self.taken, Ordering::Relaxed);
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "an unfinished upload stays until it is swept");
            }
            _ => {}
        }
    }
}

/// What lies in a folder; nothing in one that is not there.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<std::fs::DirEntry>>> {
    Ok(unless_gone(std::fs::read_dir(folder))?.into_iter().flatten())
}

/// Somebody else may have been faster.
fn unless_gone<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The digits of an id.
fn is_number(text: &str) -> bool {
    (24..=32).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The first 48 bits of an id, in milliseconds.
fn made_at(number: &str) -> Option<i64> {
    i64::from_str_radix(number.get(..12).filter(|_| is_number(number))?, 16).ok()
}

fn folder(place: &Path) -> &Path {
    place.parent().unwrap_or(place)
}

/// A rename is durable only once its folder is.
fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}
