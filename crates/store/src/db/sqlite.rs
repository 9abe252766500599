//! SQLite: one thread writes, a few connections read.
//!
//! The writer takes whatever work is waiting, runs it all in one transaction and commits it with one
//! `fsync` (`synchronous=FULL`): group commit. Each piece of work is answered after that commit. Where one
//! piece fails after it has already written something, the whole batch is rolled back and run again
//! with a savepoint around each piece, so that only the failing one is lost.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::error::Source;
use super::tx::Connection as Held;
use super::{Error, Reader, Result, Tx, Work};

/// How many pieces of work share a commit at most.
const BATCH: usize = 512;
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
        let writer = connect(path, false)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || Writer(Tx(Held::Sqlite(writer))).work_off(waiting))
            .map_err(|error| Error::Unavailable(Arc::new(error)))?;
        let readers =
            Readers { path: path.to_owned(), idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS)) };
        Ok(Self { path: path.to_owned(), queue, readers: Arc::new(readers) })
    }

    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        let (reply, answer) = oneshot::channel();
        let pending = Box::new(Slot { work, outcome: None, reply: Some(reply) });
        self.queue.send(pending).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    pub(super) async fn reader(&self) -> Result<Reader> {
        let permit = self.readers.permits.clone().acquire_owned().await.map_err(|_| stopped())?;
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let tx = match idle {
            Some(tx) => tx,
            None => Tx(Held::Sqlite(connect(&self.readers.path, true)?)),
        };
        let home = Home { readers: self.readers.clone(), _permit: permit };
        Ok(Reader { tx: Some(tx), home: Some(home) })
    }

    /// Asked on the writing connection, whose own commits do not change it.
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
        let row = tx.query_opt("PRAGMA data_version", &[]).await?;
        row.map_or(Ok(0), |mut row| row.take())
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
        connection.execute_batch("PRAGMA cache_size=-2000; PRAGMA query_only=1;")?;
        return Ok(connection);
    }
    connection.execute_batch(
        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
         PRAGMA cache_size=-32000; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864;
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

fn stopped() -> Error {
    Error::Unavailable(Arc::new(std::io::Error::other("the store's writer has stopped")))
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

/// A piece of work whose kind the writer does not know.
trait Pending: Send {
    fn run(&mut self, tx: &mut Tx);
    fn failed(&self) -> bool;
    fn answer(self: Box<Self>, commit: &Result<()>);
}

struct Slot<W: Work> {
    work: W,
    outcome: Option<Result<W::Output>>,
    reply: Option<oneshot::Sender<Result<W::Output>>>,
}

impl<W: Work> Pending for Slot<W> {
    fn run(&mut self, tx: &mut Tx) {
        let run = std::panic::AssertUnwindSafe(|| self.work.run(tx).now_or_never());
        self.outcome = Some(match std::panic::catch_unwind(run) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(Error::Unsupported("work on the store may not wait for anything else")),
            Err(_) => Err(Error::Unsupported("work on the store panicked")),
        });
    }

    fn failed(&self) -> bool {
        !matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(mut self: Box<Self>, commit: &Result<()>) {
        let outcome = match (commit, self.outcome.take()) {
            (Err(error), Some(Ok(_)) | None) => Err(error.clone()),
            (Ok(()), None) => Err(stopped()),
            (_, Some(outcome)) => outcome,
        };
        if let Some(reply) = self.reply.take() {
            // Nobody may be waiting any more; the work is committed all the same.
            let _ = reply.send(outcome);
        }
    }
}

struct Writer(Tx);

impl Writer {
    fn work_off(mut self, mut waiting: mpsc::Receiver<Box<dyn Pending>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
            metrics::histogram!("hermod_store_batch_size").record(batch.len() as f64);
            let commit = self.commit(&mut batch);
            for pending in batch.drain(..) {
                pending.answer(&commit);
            }
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Pending>]) -> Result<()> {
        self.try_commit(batch).inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "a commit failed");
            // Whatever happened, the next batch finds no transaction open.
            if !self.connection().is_autocommit() {
                let _ = self.connection().execute_batch("ROLLBACK");
            }
        })
    }

    fn try_commit(&mut self, batch: &mut [Box<dyn Pending>]) -> Result<()> {
        self.sql("BEGIN IMMEDIATE")?;
        if self.run_together(batch) {
            return self.sql("COMMIT");
        }
        // A full disk, for one, has rolled everything back already.
        if !self.connection().is_autocommit() {
            self.sql("ROLLBACK")?;
        }
        self.sql("BEGIN IMMEDIATE")?;
        for pending in batch {
            self.sql("SAVEPOINT work")?;
            pending.run(&mut self.0);
            if pending.failed() {
                self.sql("ROLLBACK TO work")?;
            }
            self.sql("RELEASE work")?;
        }
        self.sql("COMMIT")
    }

    /// Runs everything in one go; `false` when something failed and had written before it did.
    fn run_together(&mut self, batch: &mut [Box<dyn Pending>]) -> bool {
        for pending in batch {
            let before = self.connection().total_changes();
            pending.run(&mut self.0);
            let connection = self.connection();
            if pending.failed() && (connection.total_changes() != before || connection.is_autocommit()) {
                return false;
            }
        }
        true
    }

    fn sql(&self, sql: &str) -> Result<()> {
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.raw_execute()?;
        Ok(())
    }

    fn connection(&self) -> &Connection {
        match &self.0.0 {
            Held::Sqlite(connection) => connection,
            Held::Postgres(_) => unreachable!("the SQLite writer holds a SQLite connection"),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(Arc::new(error) as Source)
    }
}
