//! Moves what stands in SQLite's log into the database file, beside the writer.
//!
//! By itself SQLite does so within a commit, which then waits for all these pages to reach the disk. Here a thread
//! with a connection of its own does it while the writer goes on; what the writer adds meanwhile is little, and
//! is moved by the writer itself (`Checkpoints::after_commit`). Only then is the whole log in the file, and the next
//! commit begins the log anew. A crash in the middle loses nothing: the log still holds what was being moved.

use std::sync::mpsc;

use rusqlite::Connection;

use crate::Result;

/// Pages in the log from which on it is to become shorter.
const LONG: i64 = 8000;
/// So few are moved in no time.
const FEW: i64 = 500;

/// The writer's side.
pub(super) struct Checkpoints {
    wanted: mpsc::SyncSender<()>,
}

impl Checkpoints {
    /// Starts the thread; it ends when this is dropped.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        // One pass may be under way and one more may be wanted: that one sees everything written until it begins.
        let (wanted, heard) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("store-checkpoint".into()).spawn(move || {
            while heard.recv().is_ok() {
                if let Err(error) = run(&connection, "PRAGMA wal_checkpoint(PASSIVE)") {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be made shorter");
                }
            }
        })?;
        Ok(Self { wanted })
    }

    /// Looks at the log and has it made shorter, if it is long.
    pub(super) fn after_commit(&self, writer: &Connection) -> Result<()> {
        let log = run(writer, "PRAGMA wal_checkpoint(NOOP)")?;
        if log.pages < LONG {
            return Ok(());
        }
        if log.pages - log.moved <= FEW {
            return run(writer, "PRAGMA wal_checkpoint(PASSIVE)").map(drop);
        }
        // Where one is wanted already, that is enough.
        let _ = self.wanted.try_send(());
        Ok(())
    }
}

struct Log {
    pages: i64,
    /// How many of them stand in the database file.
    moved: i64,
}

fn run(connection: &Connection, sql: &str) -> Result<Log> {
    let read = |row: &rusqlite::Row<'_>| Ok(Log { pages: row.get(1)?, moved: row.get(2)? });
    Ok(connection.prepare_cached(sql)?.query_row([], read)?)
}
