//! SQLite: one thread writes (`writer`), a few connections read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::error::Source;
use super::tx::Connection as Held;
use super::writer::{self, Pending, Slot, stopped};
use super::{Error, Reader, Result, Tx, Work};
use crate::settings;

/// How many pieces of work may wait for the writer.
const QUEUE: usize = 8192;
const READERS: usize = 4;
const STATEMENTS: usize = 128;

pub(super) struct Sqlite {
    path: PathBuf,
    queue: mpsc::Sender<Box<dyn Pending>>,
    readers: Arc<Readers>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let connection = connect(path, false)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        writer::start(connection, connect(path, false)?, path, waiting)?;
        let readers =
            Readers { path: path.to_owned(), idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS)) };
        Ok(Self { path: path.to_owned(), queue, readers: Arc::new(readers) })
    }

    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        let (reply, answer) = oneshot::channel();
        let pending = Box::new(Slot::new(work, reply));
        self.queue.send(pending).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn reader(&self) -> Result<Reader> {
        let permit = self.readers.permits.clone().acquire_owned().await.map_err(|_| stopped())?;
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let tx = match idle {
            Some(tx) => tx,
            None => Tx::new(Held::Sqlite(connect(&self.readers.path, true)?)),
        };
        let home = Home { readers: self.readers.clone(), _permit: permit };
        Ok(Reader { tx: Some(tx), home: Some(home) })
    }

    /// Changes with every commit of another process, and with those of our own that say so (see `revisions`): whoever asked
    /// for one of them may have gone before he could mind it.
    pub(super) async fn foreign_version(&self) -> Result<i64> {
        self.write(DataVersion).await
    }

    pub(super) async fn backup(&self, target: PathBuf) -> Result<()> {
        let path = self.path.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&path, &target)).await;
        copied.map_err(|error| Error::Unavailable(Arc::new(error)))?
    }
}

struct DataVersion;

impl Work for DataVersion {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let foreign = tx.query_opt("PRAGMA data_version", &[]).await?.map_or(Ok(0), |mut row| row.take::<i64>())?;
        Ok(foreign.wrapping_add(settings::caches(tx).await?))
    }
}

fn copy(path: &Path, target: &Path) -> Result<()> {
    let source = connect(path, true)?;
    let mut copy = Connection::open(target)?;
    let backup = rusqlite::backup::Backup::new(&source, &mut copy)?;
    // In one step: between two steps the writer would make it start again, for as long as it writes.
    let step = backup.step(-1)?;
    drop(backup);
    if !matches!(step, rusqlite::backup::StepResult::Done) {
        return Err(Error::Unavailable(Arc::new(std::io::Error::other("the database is locked by another program"))));
    }
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}

fn connect(path: &Path, read_only: bool) -> Result<Connection> {
    let flags = match read_only {
        true => OpenFlags::SQLITE_OPEN_READ_ONLY,
        false => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans do not depend on bound values: without this, binding alone can make SQLite plan again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    know_all_letters(&connection)?;
    if read_only {
        connection.execute_batch("PRAGMA cache_size=-1000; PRAGMA query_only=1;")?;
        return Ok(connection);
    }
    // `writer` does what FULL would do after each commit, and `checkpoint` what SQLite would do within some.
    // SQLite looks through its whole cache with nearly every commit: a larger one costs more than it saves.
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;
         PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;
         PRAGMA temp_store=MEMORY;",
    )?;
    Ok(connection)
}

/// SQLite's own `LOWER` knows the 26 letters of ASCII only.
fn know_all_letters(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let lower =
        |call: &rusqlite::functions::Context<'_>| Ok(call.get::<Option<String>>(0)?.map(|text| text.to_lowercase()));
    Ok(connection.create_scalar_function("lower", 1, flags, lower)?)
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Tx>>,
    permits: Arc<Semaphore>,
}

/// Where a reading connection goes when it is no longer needed.
pub(super) struct Home {
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Home {
    pub(super) fn give_back(self, tx: Tx) {
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(tx);
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(Arc::new(error) as Source)
    }
}
