//! Rows that wait to be inserted.
//!
//! SQLite inserts many rows of one table with one statement for a fraction of what it takes for each alone: the
//! statement is bound and begun once, and a row that belongs at the end of an index is put there without a search.
//! PostgreSQL does so too, and is not waited for row by row. So `Tx::append` only gathers rows while a batch is run, on
//! PostgreSQL a piece of work; they are inserted before the commit, and before every statement that could miss them. As
//! work is answered after the commit only, a crash takes nothing that was promised. A row that turns out not to fit fails
//! the whole batch, which is then run again with nothing gathered (see `writer` and `postgres`): each row is inserted at
//! once.

use std::ops::Range;
use std::sync::OnceLock;

use super::pipeline::Pipeline;
use super::value::places;
use super::{Result, Value};

/// How many rows are inserted with one statement, as long as there are so many.
const SIZES: [usize; 3] = [32, 8, 1];

/// How rows are added to a table.
pub(crate) struct Insert {
    /// `table (column, …)`
    into: &'static str,
    columns: usize,
    /// `ON CONFLICT …`, or nothing. Gathered rows do without: one that is there already fails the batch.
    conflict: &'static str,
    /// On SQLite only: a row that is there already gives way.
    replaces: bool,
    at_once: OnceLock<String>,
    gathered: OnceLock<Statements>,
    posted: OnceLock<Statements>,
}

/// For so many rows as `SIZES` says.
type Statements = [String; SIZES.len()];

impl Insert {
    pub(crate) const fn new(into: &'static str, columns: usize, conflict: &'static str) -> Self {
        Self {
            into,
            columns,
            conflict,
            replaces: false,
            at_once: OnceLock::new(),
            gathered: OnceLock::new(),
            posted: OnceLock::new(),
        }
    }

    /// For SQLite: rows that take the place of those with the same key.
    pub(crate) const fn replacing(into: &'static str, columns: usize) -> Self {
        let mut insert = Self::new(into, columns, "");
        insert.replaces = true;
        insert
    }

    fn verb(&self, otherwise: &'static str) -> &'static str {
        if self.replaces { "INSERT OR REPLACE" } else { otherwise }
    }

    /// The statement for one row.
    pub(super) fn at_once(&self) -> &str {
        let verb = self.verb("INSERT");
        self.at_once.get_or_init(|| format!("{verb} INTO {} VALUES {} {}", self.into, self.places(1), self.conflict))
    }

    /// SQLite's statements for many rows. What fails is undone with its transaction: `OR FAIL` spares SQLite the copies
    /// of pages from which it would undo the statement alone.
    fn gathered(&self) -> &Statements {
        self.gathered.get_or_init(|| self.statements(self.verb("INSERT OR FAIL")))
    }

    /// PostgreSQL's.
    fn posted(&self) -> &Statements {
        self.posted.get_or_init(|| self.statements("INSERT"))
    }

    fn statements(&self, verb: &str) -> Statements {
        SIZES.map(|rows| format!("{verb} INTO {} VALUES {}", self.into, self.places(rows)))
    }

    fn places(&self, rows: usize) -> String {
        let row = |row: usize| format!("({})", places(row * self.columns + 1, self.columns));
        (0..rows).map(row).collect::<Vec<_>>().join(", ")
    }
}

/// All rows that wait, by table.
#[derive(Default)]
pub(super) struct Waiting(Vec<Rows>);

impl Waiting {
    pub(super) fn push(&mut self, insert: &'static Insert, values: &[Value<'_>]) {
        debug_assert_eq!(insert.columns, values.len(), "{}", insert.into);
        if let Some(rows) = self.of(insert) {
            return rows.push(values);
        }
        let mut rows = Rows { insert, cells: Vec::new(), texts: String::new(), bytes: Vec::new() };
        rows.push(values);
        self.0.push(rows);
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Rows::len).sum()
    }

    /// Whether a row waits that has these values in these columns.
    pub(super) fn has(&mut self, insert: &'static Insert, wanted: &[(usize, Value<'_>)]) -> bool {
        self.of(insert).is_some_and(|rows| rows.has(wanted))
    }

    fn of(&mut self, insert: &'static Insert) -> Option<&mut Rows> {
        self.0.iter_mut().find(|rows| std::ptr::eq(rows.insert, insert))
    }

    /// Inserts what waits. Where that fails it goes on waiting, so that it fails again before the commit.
    pub(super) fn insert(&mut self, connection: &rusqlite::Connection) -> Result<()> {
        self.0.iter().try_for_each(|rows| rows.insert(connection))?;
        self.clear();
        Ok(())
    }

    /// The same on PostgreSQL, where whether it succeeds is known later.
    pub(super) async fn post(&mut self, pipeline: &mut Pipeline) -> Result<()> {
        for rows in &self.0 {
            for (sql, cells) in rows.by(rows.insert.posted()) {
                let values: Vec<_> = cells.iter().map(|cell| rows.value(cell)).collect();
                pipeline.post(sql, &values).await?;
            }
        }
        self.clear();
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(Rows::clear);
    }
}

/// The rows of one table, in the order in which they came.
struct Rows {
    insert: &'static Insert,
    cells: Vec<Cell>,
    texts: String,
    bytes: Vec<u8>,
}

enum Cell {
    Null,
    Int(i64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

impl Rows {
    fn len(&self) -> usize {
        self.cells.len() / self.insert.columns
    }

    fn push(&mut self, values: &[Value<'_>]) {
        for value in values {
            self.cells.push(match *value {
                Value::Null => Cell::Null,
                Value::Int(int) => Cell::Int(int),
                Value::Text(text) => {
                    self.texts.push_str(text);
                    Cell::Text(self.texts.len() - text.len()..self.texts.len())
                }
                Value::Bytes(bytes) => {
                    self.bytes.extend_from_slice(bytes);
                    Cell::Bytes(self.bytes.len() - bytes.len()..self.bytes.len())
                }
            });
        }
    }

    fn value(&self, cell: &Cell) -> Value<'_> {
        match cell {
            Cell::Null => Value::Null,
            Cell::Int(int) => Value::Int(*int),
            Cell::Text(range) => Value::Text(&self.texts[range.clone()]),
            Cell::Bytes(range) => Value::Bytes(&self.bytes[range.clone()]),
        }
    }

    fn has(&self, wanted: &[(usize, Value<'_>)]) -> bool {
        let fits = |row: &[Cell]| wanted.iter().all(|(column, value)| self.value(&row[*column]) == *value);
        self.cells.chunks_exact(self.insert.columns).any(fits)
    }

    fn insert(&self, connection: &rusqlite::Connection) -> Result<()> {
        self.by(self.insert.gathered()).try_for_each(|(sql, cells)| self.insert_some(connection, sql, cells))
    }

    /// All rows, divided among the statements for so many.
    fn by<'a>(&'a self, statements: &'a Statements) -> impl Iterator<Item = (&'a str, &'a [Cell])> {
        let mut rest = &self.cells[..];
        let sizes = SIZES.into_iter().zip(statements);
        sizes.flat_map(move |(size, text)| {
            let cells = size * self.insert.columns;
            let (now, later) = rest.split_at(rest.len() / cells * cells);
            rest = later;
            now.chunks_exact(cells).map(|cells| (text.as_str(), cells))
        })
    }

    fn insert_some(&self, connection: &rusqlite::Connection, text: &str, cells: &[Cell]) -> Result<()> {
        let mut statement = connection.prepare_cached(text)?;
        for (index, cell) in cells.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, self.value(cell))?;
        }
        statement.raw_execute()?;
        Ok(())
    }

    fn clear(&mut self) {
        self.cells.clear();
        self.texts.clear();
        self.bytes.clear();
    }
}
