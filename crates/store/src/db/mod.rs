//! One database, two kinds: an embedded SQLite file or a PostgreSQL server.
//!
//! Statements are written once, in the subset both understand, and run by two executors. Writes are
//! [`Work`]: a value that can be run again. On SQLite one thread owns the only writing connection and
//! commits whatever is waiting together (`writer`); on PostgreSQL each piece of work is a
//! transaction of its own and serialization failures are retried here (`postgres`). Either way
//! `write(...).await` returning `Ok` means committed and on disk.
//!
//! After a crash SQLite replays its log when the file is opened; work whose `write` had not returned
//! may be there or not, and nothing half of it.

mod append;
mod checkpoint;
mod error;
mod pipeline;
mod postgres;
mod sqlite;
mod tx;
mod value;
mod writer;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use append::Insert;
pub use error::Error;
pub(crate) use tx::Asked;
pub use tx::Tx;
pub(crate) use value::places;
pub use value::{FromCell, Row, Value};

pub type Result<T> = std::result::Result<T, Error>;

/// A transaction named by its use case. It may be run more than once before it is committed.
pub trait Work: Send + Sync + 'static {
    type Output: Send + 'static;
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Where the rows live.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file; created when absent.
    Sqlite(PathBuf),
    /// A `postgres://` URL.
    Postgres { url: String, max_connections: usize },
}

/// A cheap handle on the open database.
#[derive(Clone)]
pub struct Db(Arc<Kind>);

enum Kind {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Db {
    /// Opens the database; the schema is not touched (see [`crate::migrations`]).
    pub async fn open(location: &Location) -> Result<Self> {
        let kind = match location {
            Location::Sqlite(path) => Kind::Sqlite(sqlite::Sqlite::open(path)?),
            Location::Postgres { url, max_connections } => {
                Kind::Postgres(postgres::Postgres::connect(url, *max_connections).await?)
            }
        };
        Ok(Self(Arc::new(kind)))
    }

    /// Runs `work` in a transaction and returns once it is committed.
    pub async fn write<W: Work>(&self, work: W) -> Result<W::Output> {
        match &*self.0 {
            Kind::Sqlite(sqlite) => sqlite.write(work).await,
            Kind::Postgres(postgres) => postgres.write(work).await,
        }
    }

    /// A connection for reading. Keep it for one use case, not longer.
    pub async fn reader(&self) -> Result<Reader> {
        match &*self.0 {
            Kind::Sqlite(sqlite) => sqlite.reader().await,
            Kind::Postgres(postgres) => postgres.reader().await,
        }
    }

    /// A number that changes when another process has committed something.
    pub async fn foreign_version(&self) -> Result<i64> {
        match &*self.0 {
            Kind::Sqlite(sqlite) => sqlite.foreign_version().await,
            Kind::Postgres(postgres) => postgres.foreign_version().await,
        }
    }

    /// Copies a live SQLite database to a new file, consistently.
    pub async fn backup(&self, target: PathBuf) -> Result<()> {
        match &*self.0 {
            Kind::Sqlite(sqlite) => sqlite.backup(target).await,
            Kind::Postgres(_) => Err(Error::Unsupported("use pg_dump to back up PostgreSQL")),
        }
    }

    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(*self.0, Kind::Postgres(_))
    }

    pub(crate) async fn batch(&self, sql: String) -> Result<()> {
        self.write(Batch(sql)).await
    }
}

/// Several statements without parameters, for migrations.
struct Batch(String);

impl Work for Batch {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        tx.batch(&self.0).await
    }
}

/// A borrowed reading connection; it goes back to its pool when dropped.
pub struct Reader {
    tx: Option<Tx>,
    home: Option<sqlite::Home>,
}

impl std::ops::Deref for Reader {
    type Target = Tx;
    fn deref(&self) -> &Tx {
        self.tx.as_ref().expect("held until dropped")
    }
}

impl std::ops::DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Tx {
        self.tx.as_mut().expect("held until dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let (Some(tx), Some(home)) = (self.tx.take(), self.home.take()) {
            home.give_back(tx);
        }
    }
}
