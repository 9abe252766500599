//! What outlives the process: the server's keys, each account and the groups, as JSON files in one directory.
//!
//! A link is on file before the client hears that it is linked, and so is its end. All else is written behind, a moment later
//! (later still where much changes), and once more when the server stops; each file is replaced as a whole, so whoever is killed
//! leaves the old one or the new one. A crash loses the last moments of the rest: clients upload missing keys again and repeat what
//! they cannot read. Chats are not kept: after a restart a phone cannot edit, quote or repeat what it wrote before.
//!
//! Whoever writes an account's file takes its text under the world's lock and waits there for the turn to write; so a newer text is
//! never overwritten by an older one. Who has the turn never asks for the world.

use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand_10::RngExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::error;

use crate::number::Number;
use crate::phone::Random;
use crate::phone::blob::Blob;
use crate::server::{Shared, StartError};
use crate::state::World;
use crate::state::accounts::Account;
use crate::state::groups::Groups;
use crate::tls::{Certificate, TlsError};

/// Between two writings, at least.
const PAUSE: Duration = Duration::from_millis(200);
/// And as many times longer than the last one took: others need the lock and the machine too.
const REST: u32 = 10;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read or written.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// A file holds something else.
    #[error("{0} is not what this program wrote")]
    Format(PathBuf, #[source] serde_json::Error),
}

/// Keys that clients remember the server by.
#[derive(Serialize, Deserialize)]
pub(crate) struct ServerKeys {
    noise: Blob,
    pub(crate) certificate: Certificate,
}

impl ServerKeys {
    pub(crate) fn make(random: &mut Random) -> Result<Self, TlsError> {
        let noise: [u8; 32] = random.random();
        Ok(Self { noise: Blob(noise.to_vec()), certificate: Certificate::make()? })
    }

    pub(crate) fn noise(&self) -> Result<[u8; 32], StartError> {
        self.noise.as_slice().try_into().map_err(|_| StartError::Key)
    }
}

/// The directory.
pub(crate) struct Saved {
    dir: PathBuf,
    turn: Mutex<()>,
}

impl Saved {
    pub(crate) fn open(dir: PathBuf) -> Result<Self, Error> {
        let accounts = dir.join("accounts");
        std::fs::create_dir_all(&accounts).map_err(|source| Error::Io(accounts, source))?;
        Ok(Self { dir, turn: Mutex::default() })
    }

    pub(crate) fn keys(&self, random: &mut Random) -> Result<ServerKeys, StartError> {
        let path = self.dir.join("server.json");
        if let Some(keys) = read(&path)? {
            return Ok(keys);
        }
        let keys = ServerKeys::make(random)?;
        let text = serde_json::to_vec(&keys).map_err(|source| Error::Format(path.clone(), source))?;
        replace(&path, &text)?;
        Ok(keys)
    }

    pub(crate) fn load(&self, world: &mut World) -> Result<(), Error> {
        let dir = self.dir.join("accounts");
        let files = std::fs::read_dir(&dir).map_err(|source| Error::Io(dir.clone(), source))?;
        for file in files {
            let path = file.map_err(|source| Error::Io(dir.clone(), source))?.path();
            if path.extension().is_some_and(|extension| extension == "json")
                && let Some(account) = read::<Account>(&path)?
            {
                world.accounts.put(account);
            }
        }
        world.groups = read::<Groups>(&self.dir.join("groups.json"))?.unwrap_or_default();
        Ok(())
    }

    /// Writes what changed until the server stops, and then once more.
    pub(crate) async fn keep(self: Arc<Self>, shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
        let mut rest = PAUSE;
        loop {
            let last = tokio::select! {
                () = crate::clock::pause(rest) => false,
                _ = stopping.wait_for(|stop| *stop) => true,
            };
            let begun = Instant::now();
            let (saved, world) = (Arc::clone(&self), Arc::clone(&shared));
            match tokio::task::spawn_blocking(move || saved.write(&world)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => error!(error = &error as &dyn std::error::Error, "accounts are not kept"),
                Err(_) => return,
            }
            if last {
                return;
            }
            rest = PAUSE.max(begun.elapsed() * REST);
        }
    }

    /// What cannot be written now is tried again with the next writing.
    fn write(&self, shared: &Shared) -> Result<(), Error> {
        let mut changed = shared.world().accounts.take_changed();
        while let Some(number) = changed.pop_first() {
            // The lock is taken anew for each: others go on in between.
            if let Err(error) = self.write_account(shared.world(), &number) {
                changed.insert(number);
                shared.world().accounts.note_changed(changed);
                return Err(error);
            }
        }
        self.write_groups(shared.world())
    }

    fn write_account<W: Deref<Target = World>>(&self, world: W, number: &Number) -> Result<(), Error> {
        let path = self.dir.join("accounts").join(format!("{}.json", number.digits()));
        let Some(account) = world.accounts.get(number) else { return Ok(()) };
        let text = serde_json::to_vec(account).map_err(|source| Error::Format(path.clone(), source))?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        drop(world);
        replace(&path, &text)
    }

    fn write_groups(&self, mut world: MutexGuard<'_, World>) -> Result<(), Error> {
        let path = self.dir.join("groups.json");
        if !world.groups.take_changed() {
            return Ok(());
        }
        let text = serde_json::to_vec(&world.groups).map_err(|source| Error::Format(path.clone(), source))?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        drop(world);
        replace(&path, &text)
    }
}

impl World {
    /// Has an account on file before anybody relies on it.
    pub(crate) fn keep_now(&self, number: &Number) {
        if let Some(saved) = &self.saved
            && let Err(error) = saved.write_account(self, number)
        {
            error!(error = &error as &dyn std::error::Error, %number, "an account is not kept");
        }
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::Format(path.to_owned(), source)),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Io(path.to_owned(), source)),
    }
}

/// Writes beside, then renames over. For the owner's eyes only: it holds keys.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = path.with_extension("new");
    let io = |source| Error::Io(path.to_owned(), source);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)
}
