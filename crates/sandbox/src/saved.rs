//! The snapshot: accounts, numbers, templates, phones, media records, clock and limits as one file, replaced atomically.
//! A crash loses at most the changes of the last half second here; introductions are saved before they are answered.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::ids::Seed;
use crate::state::State;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot use {path}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is not what this program wrote")]
    Format { path: PathBuf, source: serde_json::Error },
    #[error("{path} is not a seed of 64 hex digits")]
    Seed { path: PathBuf },
    #[error("another sandbox uses {path}")]
    Busy { path: PathBuf },
}

pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

/// The seed of this directory, made at first use.
pub(crate) fn seed(dir: &Path, given: Option<u64>) -> Result<Seed, Error> {
    let path = dir.join("seed");
    match std::fs::read_to_string(&path) {
        Ok(text) => Seed::from_hex(text.trim()).ok_or(Error::Seed { path }),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            let seed = given.map_or_else(|| Seed::new(rand::random()), Seed::from_number);
            replace(&path, seed.to_hex().as_bytes())?;
            Ok(seed)
        }
        Err(other) => Err(io(&path)(other)),
    }
}

pub(crate) fn load(dir: &Path) -> Result<State, Error> {
    let path = dir.join("state.json");
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| Error::Format { path, source }),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
        Err(other) => Err(io(&path)(other)),
    }
}

pub(crate) fn save(dir: &Path, snapshot: &[u8]) -> Result<(), Error> {
    replace(&dir.join("state.json"), snapshot)
}

/// Writes beside, makes it durable, renames over. Readable by the owner only: it holds secrets.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(io(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io(&beside))?;
    std::fs::rename(&beside, path).map_err(io(path))
}

/// Holds the directory for one process; freed when dropped or when the process dies.
pub(crate) fn lock(dir: &Path) -> Result<std::fs::File, Error> {
    let path = dir.join("lock");
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::Busy { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(io(&path)(source)),
    }
}
