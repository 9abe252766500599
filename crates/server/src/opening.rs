//! The data directory and the database, opened and checked.

use std::fs::File;
use std::path::{Path, PathBuf};

use store::{Db, Location, SecretKey, Tx, Work};

use crate::secret;
use crate::settings::Settings;

/// An open installation.
pub struct Opened {
    pub db: Db,
    pub key: SecretKey,
    /// Held by `serve` only; other commands work beside it.
    pub lock: Option<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the data directory {0} cannot be used")]
    Directory(PathBuf, #[source] std::io::Error),
    #[error("there is no hermod in {0}: name its --data-dir or --config, or begin with `hermod org create NAME`")]
    Absent(PathBuf),
    #[error("another hermod serves from {0}")]
    Locked(PathBuf),
    #[error(transparent)]
    Secret(#[from] secret::Error),
    #[error("the database cannot be opened")]
    Store(#[from] store::Error),
}

/// What an opening is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve: alone in the data directory.
    Serve { sandbox: bool },
    /// For one command, perhaps beside a running server.
    Command,
    /// For one that may be an operator's first.
    FirstCommand,
}

/// Opens everything, migrates, and checks that the key is the database's own. A command finds what is there: one that
/// looks in the wrong place must not make an empty database and speak of that.
pub async fn open(settings: &Settings, purpose: Purpose) -> Result<Opened, Error> {
    let (dir, location) = (&settings.server.data_dir, settings.location());
    if let (Purpose::Command, Location::Sqlite(file)) = (purpose, &location) {
        is_there(dir, file)?;
    }
    make_private(dir)?;
    let lock = match purpose {
        Purpose::Serve { .. } => Some(lock(dir)?),
        Purpose::Command | Purpose::FirstCommand => None,
    };
    let db = Db::open(&location).await?;
    store::migrate(&db).await?;
    let used = store::settings::has_key(&mut *db.reader().await?).await?;
    let sandbox = purpose == Purpose::Serve { sandbox: true };
    let key = secret::find(dir, !used && (sandbox || !db.is_postgres()))?;
    db.write(CheckKey(key.clone())).await?;
    Ok(Opened { db, key, lock })
}

fn is_there(dir: &Path, file: &Path) -> Result<(), Error> {
    match file.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Absent(dir.to_owned())),
        Err(error) => Err(Error::Directory(dir.to_owned(), error)),
    }
}

fn make_private(dir: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| Error::Directory(dir.to_owned(), error))
}

fn lock(dir: &Path) -> Result<File, Error> {
    let unusable = |error| Error::Directory(dir.to_owned(), error);
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::Locked(dir.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(unusable(error)),
    }
}

struct CheckKey(SecretKey);

impl Work for CheckKey {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> store::Result<()> {
        store::settings::check_key(tx, &self.0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Overrides, load_with};

    #[tokio::test]
    async fn a_command_makes_nothing_and_finds_what_a_first_one_made() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        let overrides = Overrides { data_dir: Some(data_dir.clone()), ..Overrides::default() };
        let settings = load_with(&overrides, &Environment::new()).unwrap();
        let refused = open(&settings, Purpose::Command).await;
        assert!(matches!(refused, Err(Error::Absent(absent)) if absent == data_dir));
        assert!(!data_dir.exists());
        drop(open(&settings, Purpose::FirstCommand).await.unwrap());
        drop(open(&settings, Purpose::Command).await.unwrap());
        std::fs::remove_file(data_dir.join("hermod.db")).unwrap();
        assert!(matches!(open(&settings, Purpose::Command).await, Err(Error::Absent(_))), "a key alone is none");
    }
}
