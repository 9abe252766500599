//! The one thread that writes to SQLite, and the one that makes it last: group commit in two stages.
//!
//! `Writer` runs whatever work is waiting in one transaction. While the transaction before is still being
//! written to the disk, it goes on taking in work; once that is done it commits, which hands the changes to
//! the operating system (`synchronous=NORMAL`), and passes the batch on. `Syncer` has the log written to the
//! disk (`fdatasync`) and only then has each piece of work answered, by the runtime, whose threads wake their own tasks
//! for less than another thread does: an answer promises what `synchronous=FULL` promises. Readers may see a commit a moment before it is on the disk; whoever acts on what he read writes
//! first, and as the log is one sequence, his write is on the disk only together with what he read.
//!
//! Where one piece fails after it has already written something, the whole batch is rolled back and run again
//! with a savepoint around each piece and no rows gathered (`append`), so that only the failing one is lost.
//! When the disk refuses a sync, nobody knows any more what is on it: both threads end, all work is answered
//! with an error, and a restart finds what the log holds.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc as threads};
use std::time::Duration;

use futures_util::FutureExt;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::tx::Connection as Held;
use super::{Error, Result, Tx, Work};
use crate::idempotency::{self, Recent};

/// How many pieces of work share a commit at most.
const BATCH: usize = 512;
/// How often the writer looks for more work while it waits for the disk.
const GLANCE: Duration = Duration::from_micros(200);
/// So many rows are worth being inserted while the writer waits.
const MANY: usize = 128;

type Batch = Vec<Box<dyn Pending>>;

/// Starts both threads, and the one that keeps the log short with a connection of its own (`checkpoint`); they end
/// when the last sender of `waiting` is gone.
pub(super) fn start(
    connection: Connection,
    beside: Connection,
    path: &Path,
    waiting: mpsc::Receiver<Box<dyn Pending>>,
) -> std::io::Result<()> {
    let (synced, idle) = threads::channel();
    let (batches, committed) = threads::channel();
    // The syncer is idle at first.
    let _ = synced.send(());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let syncer = Syncer { log: log.into(), file: None, committed, synced, runtime: Handle::try_current().ok() };
    let writer = Writer {
        tx: Tx::new(Held::Sqlite(connection)),
        waiting,
        batches,
        idle,
        checkpoints: Checkpoints::start(beside)?,
    };
    std::thread::Builder::new().name("store-syncer".into()).spawn(move || syncer.work_off())?;
    std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.work_off())?;
    Ok(())
}

pub(super) fn stopped() -> Error {
    Error::Unavailable(Arc::new(std::io::Error::other("the store's writer has stopped")))
}

/// A piece of work whose kind the writer does not know.
pub(super) trait Pending: Send {
    fn run(&mut self, tx: &mut Tx);
    fn failed(&self) -> bool;
    fn answer(self: Box<Self>, commit: &Result<()>);
}

pub(super) struct Slot<W: Work> {
    work: W,
    outcome: Option<Result<W::Output>>,
    reply: Option<oneshot::Sender<Result<W::Output>>>,
}

impl<W: Work> Slot<W> {
    pub(super) fn new(work: W, reply: oneshot::Sender<Result<W::Output>>) -> Self {
        Self { work, outcome: None, reply: Some(reply) }
    }
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

/// A batch that was committed, or was not.
struct Committed {
    batch: Batch,
    outcome: Result<()>,
    /// Whether there is anything to be written to the disk.
    changed: bool,
}

struct Writer {
    tx: Tx,
    waiting: mpsc::Receiver<Box<dyn Pending>>,
    batches: threads::Sender<Committed>,
    idle: threads::Receiver<()>,
    checkpoints: Checkpoints,
}

impl Writer {
    fn work_off(mut self) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            if self.waiting.blocking_recv_many(&mut batch, BATCH) == 0 {
                return;
            }
            let before = self.connection().total_changes();
            let outcome = self.commit(&mut batch);
            metrics::histogram!("hermod_store_batch_size").record(batch.len() as f64);
            let changed = self.connection().total_changes() != before;
            if self.batches.send(Committed { batch, outcome, changed }).is_err() {
                return;
            }
            if changed && let Err(error) = self.checkpoints.after_commit(self.connection()) {
                tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be made shorter");
            }
        }
    }

    fn commit(&mut self, batch: &mut Batch) -> Result<()> {
        self.try_commit(batch).inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "a commit failed");
            // Whatever happened, the next batch finds no transaction open.
            if !self.connection().is_autocommit() {
                let _ = self.connection().execute_batch("ROLLBACK");
            }
            self.tx.recent = Recent::default();
        })
    }

    fn try_commit(&mut self, batch: &mut Batch) -> Result<()> {
        self.gather(true);
        let begun = self.sql("BEGIN IMMEDIATE");
        let together = begun.is_ok() && self.run_together(batch, 0);
        let ready = self.go_on_until_idle(batch, together);
        begun?;
        if ready? && self.complete().is_ok() {
            self.fold()?;
            return self.sql("COMMIT");
        }
        self.run_apart(batch)
    }

    /// Takes in and runs what comes while the batch before is on its way to the disk; `false` when the batch has
    /// to be run apart.
    fn go_on_until_idle(&mut self, batch: &mut Batch, mut together: bool) -> Result<bool> {
        loop {
            let idle = match self.idle.recv_timeout(GLANCE) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return Err(stopped()),
            };
            together = self.go_on(batch, together);
            if idle {
                return Ok(together);
            }
        }
    }

    /// Takes in what came, runs it, and inserts what has been gathered. Not where something went wrong before: a full disk, for
    /// one, has ended the transaction, and each row would be a commit of its own.
    fn go_on(&mut self, batch: &mut Batch, together: bool) -> bool {
        let first = batch.len();
        while batch.len() < BATCH
            && let Ok(pending) = self.waiting.try_recv()
        {
            batch.push(pending);
        }
        together && self.run_together(batch, first) && (self.tx.waiting.len() < MANY || self.complete().is_ok())
    }

    /// From now on rows are gathered, or inserted at once; what waited or was remembered is forgotten.
    fn gather(&mut self, gathers: bool) {
        self.tx.gathers = gathers;
        self.tx.waiting.clear();
        self.tx.wanted.clear();
    }

    /// Runs everything from `first` on; `false` when something failed and had written before it did.
    fn run_together(&mut self, batch: &mut Batch, first: usize) -> bool {
        for pending in &mut batch[first..] {
            let before = self.written();
            pending.run(&mut self.tx);
            if pending.failed() && (self.written() != before || self.connection().is_autocommit()) {
                return false;
            }
        }
        true
    }

    /// What grows with everything that is written, at once or later.
    fn written(&self) -> u64 {
        self.connection().total_changes() + self.tx.waiting.len() as u64
    }

    /// Starts again, with a savepoint around each piece.
    fn run_apart(&mut self, batch: &mut Batch) -> Result<()> {
        // A full disk, for one, has rolled everything back already.
        if !self.connection().is_autocommit() {
            self.sql("ROLLBACK")?;
        }
        self.tx.recent = Recent::default();
        self.sql("BEGIN IMMEDIATE")?;
        for pending in batch {
            self.gather(false);
            self.sql("SAVEPOINT work")?;
            pending.run(&mut self.tx);
            if pending.failed() {
                self.sql("ROLLBACK TO work")?;
                self.tx.recent = Recent::default();
            }
            self.sql("RELEASE work")?;
        }
        self.sql("COMMIT")
    }

    /// Keys in memory that have become many go into their table.
    fn fold(&mut self) -> Result<()> {
        if !self.tx.recent.is_full() {
            return Ok(());
        }
        at_once(idempotency::fold(&mut self.tx))
    }

    /// Inserts the rows that were gathered.
    fn complete(&mut self) -> Result<()> {
        at_once(self.tx.complete()).map(drop)
    }

    fn sql(&self, sql: &str) -> Result<()> {
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.raw_execute()?;
        Ok(())
    }

    fn connection(&self) -> &Connection {
        match &self.tx.connection {
            Held::Sqlite(connection) => connection,
            Held::Postgres(_) => unreachable!("the SQLite writer holds a SQLite connection"),
        }
    }
}

fn at_once<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    work.now_or_never().unwrap_or(Err(Error::Unsupported("SQLite is never waited for")))
}

struct Syncer {
    log: PathBuf,
    /// The log, which stays the same file for as long as the writer's connection is open.
    file: Option<File>,
    committed: threads::Receiver<Committed>,
    synced: threads::Sender<()>,
    /// Where answers are waited for, most likely.
    runtime: Option<Handle>,
}

impl Syncer {
    fn work_off(mut self) {
        while let Ok(Committed { batch, mut outcome, changed }) = self.committed.recv() {
            let synced = if changed && outcome.is_ok() { self.sync() } else { Ok(()) };
            if let Err(error) = &synced {
                tracing::error!(error = error as &dyn std::error::Error, "the disk refused a sync: the store stops");
                outcome = Err(stopped());
            }
            self.answer(batch, outcome);
            if synced.is_err() || self.synced.send(()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, batch: Batch, outcome: Result<()>) {
        let answer = move || batch.into_iter().for_each(|pending| pending.answer(&outcome));
        match &self.runtime {
            Some(runtime) => _ = runtime.spawn(async move { answer() }),
            None => answer(),
        }
    }

    fn sync(&mut self) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.log)?,
        };
        self.file.insert(file).sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::super::append::Insert;
    use super::*;
    use crate::params;

    static ROWS: Insert = Insert::new("gathered (id)", 1, "");

    /// Gathers many rows and then finds the disk full.
    struct Fill;

    impl Work for Fill {
        type Output = ();
        async fn run(&self, tx: &mut Tx) -> Result<()> {
            for id in 0..MANY {
                tx.append(&ROWS, params![id as i64]).await?;
            }
            tx.execute("INSERT INTO large VALUES (zeroblob(1000000))", &[]).await.map(drop)
        }
    }

    fn writer(connection: Connection) -> Writer {
        let (batches, _) = threads::channel();
        let (_, idle) = threads::channel();
        let checkpoints = Checkpoints::start(Connection::open_in_memory().unwrap()).unwrap();
        Writer { tx: Tx::new(Held::Sqlite(connection)), waiting: mpsc::channel(1).1, batches, idle, checkpoints }
    }

    #[test]
    fn rows_that_were_gathered_for_a_transaction_are_not_inserted_without_it() {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE gathered (id); CREATE TABLE large (bytes); PRAGMA max_page_count = 20;";
        connection.execute_batch(tables).unwrap();
        let mut writer = writer(connection);
        let mut batch: Batch = vec![Box::new(Slot::new(Fill, oneshot::channel().0))];
        writer.gather(true);
        writer.sql("BEGIN IMMEDIATE").unwrap();
        let together = writer.run_together(&mut batch, 0);
        assert!(!together && writer.connection().is_autocommit(), "the transaction is gone");
        assert!(!writer.go_on(&mut batch, together));
        let stored: i64 = writer.connection().query_row("SELECT COUNT(*) FROM gathered", [], |row| row.get(0)).unwrap();
        assert_eq!(stored, 0);
    }
}
