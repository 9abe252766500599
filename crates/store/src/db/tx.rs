//! One connection, inside a transaction when it writes. The only place where statements are run.

use rusqlite::types::ValueRef;

use super::append::{Insert, Waiting};
use super::pipeline::Pipeline;
use super::value::Cell;
use super::{Error, Result, Row, Value};
use crate::Id;
use crate::idempotency::Recent;

/// Runs statements. Parameters are `?1`, `?2`, …; a row lock is written `/* for update */`,
/// `/* for update of c */`, `/* for update skip locked */` or `/* for no key update */`, which SQLite, having one writer, reads as a comment.
pub struct Tx {
    pub(super) connection: Connection,
    /// Rows of `append` are gathered.
    pub(super) gathers: bool,
    pub(super) waiting: Waiting,
    /// Who wants which kind of event; forgotten with the next statement that might change it.
    pub(crate) wanted: Vec<Asked>,
    /// The newest idempotency keys: the writer's own knowledge on SQLite.
    pub(crate) recent: Recent,
}

/// Which kinds of events of a sender anybody wants, as it was found in this batch.
pub(crate) struct Asked {
    pub organization: Id,
    pub sender: Option<Id>,
    /// Lists with a comma on both sides of each kind.
    pub kinds: Vec<String>,
}

pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Pipeline),
}

impl Tx {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, gathers: false, waiting: Waiting::default(), wanted: Vec::new(), recent: Recent::default() }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a statement and returns how many rows it changed.
    pub async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.complete().await?.execute(sql, params).await
    }

    /// Runs a statement of which it does not matter how many rows it changed. On PostgreSQL nobody waits for it: where it
    /// fails, whatever is waited for next fails, at the latest the commit.
    pub async fn post(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.complete().await?.post(sql, params).await
    }

    /// All rows of an answer.
    pub async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        self.complete().await?.query(sql, params).await
    }

    /// The first row, if any.
    pub async fn query_opt(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<Row>> {
        self.complete().await?.query_opt(sql, params).await
    }

    /// The same for what may have to look at many rows: the runtime is told that this thread is busy. Everything
    /// else takes microseconds, less than telling would.
    pub(crate) async fn query_slow(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        match self.complete().await? {
            Connection::Sqlite(connection) => blocking(|| sqlite_query(connection, sql, params)),
            postgres => postgres.query(sql, params).await,
        }
    }

    /// Adds a row; `false` when it was there already. Where rows are gathered that is not known yet: who is
    /// not sure has looked (`looking_for`).
    pub(crate) async fn append(&mut self, insert: &'static Insert, values: &[Value<'_>]) -> Result<bool> {
        if self.gathers {
            self.waiting.push(insert, values);
            return Ok(true);
        }
        Ok(self.connection.execute(insert.at_once(), values).await? > 0)
    }

    /// For statements that have nothing to do with rows that wait, nor with what is remembered.
    pub(crate) fn beside(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// For a statement that asks for one row, by what stands in these columns (from 0) of its insert.
    pub(crate) async fn looking_for(
        &mut self,
        insert: &'static Insert,
        columns: &[(usize, Value<'_>)],
    ) -> Result<&mut Connection> {
        match self.waiting.has(insert, columns) {
            true => self.complete().await,
            false => Ok(&mut self.connection),
        }
    }

    /// Has everything inserted that waits, and forgets what was remembered.
    pub(super) async fn complete(&mut self) -> Result<&mut Connection> {
        self.wanted.clear();
        if self.waiting.len() > 0 {
            match &mut self.connection {
                Connection::Sqlite(connection) => self.waiting.insert(connection)?,
                Connection::Postgres(pipeline) => self.waiting.post(pipeline).await?,
            }
        }
        Ok(&mut self.connection)
    }

    /// Keeps other PostgreSQL transactions out of a table until this one ends; SQLite has one writer.
    pub(crate) async fn lock_table(&mut self, table: &str) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(pipeline) => pipeline.batch(&format!("LOCK TABLE {table}")).await,
        }
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<()> {
        match self.complete().await? {
            Connection::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Connection::Postgres(pipeline) => {
                let sql = sql.split("-- SQLite only").next().unwrap_or_default();
                let sql = sql.replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT").replace("WITHOUT ROWID", "");
                pipeline.batch(&sql).await
            }
        }
    }
}

impl Connection {
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        match self {
            Self::Sqlite(connection) => sqlite_execute(connection, sql, params),
            Self::Postgres(pipeline) => pipeline.execute(sql, params).await,
        }
    }

    /// See [`Tx::post`].
    pub(crate) async fn post(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        match self {
            Self::Sqlite(connection) => sqlite_execute(connection, sql, params).map(drop),
            Self::Postgres(pipeline) => pipeline.post(sql, params).await,
        }
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(connection) => sqlite_query(connection, sql, params),
            Self::Postgres(pipeline) => pipeline.query(sql, params).await,
        }
    }

    pub(crate) async fn query_opt(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }
}

/// Tells a multi-threaded runtime that this thread will be busy for a moment.
fn blocking<T>(run: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let told = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if told { tokio::task::block_in_place(run) } else { run() }
}

fn sqlite_execute(connection: &rusqlite::Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    // A statement with RETURNING gives rows even when nobody asks for them.
    if statement.column_count() > 0 {
        let mut rows = statement.raw_query();
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        return Ok(count);
    }
    Ok(statement.raw_execute()? as u64)
}

fn sqlite_query(connection: &rusqlite::Connection, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    let columns = statement.column_count();
    let mut answer = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|index| sqlite_cell(row.get_ref(index)?)).collect::<Result<_>>()?;
        answer.push(Row::new(cells));
    }
    Ok(answer)
}

fn sqlite_cell(value: ValueRef<'_>) -> Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(int) => Cell::Int(int),
        ValueRef::Text(text) => {
            Cell::Text(String::from_utf8(text.to_vec()).map_err(|_| Error::corrupt("a text that is not UTF-8"))?)
        }
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Error::corrupt("a floating-point number")),
    })
}
