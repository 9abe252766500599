//! The four kinds of value that both databases share, on their way in and out.

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql as PostgresToSql, Type, to_sql_checked};

use super::{Error, Result};

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Parameters in order: `params![id, name, Some(5)]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*] };
}

/// The places of so many parameters, from one on: `?3, ?4`.
pub(crate) fn places(first: usize, count: usize) -> String {
    (first..first + count).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ")
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<'a> From<&'a crate::Id> for Value<'a> {
    fn from(value: &'a crate::Id) -> Self {
        Self::Bytes(value.as_bytes())
    }
}
impl<'a, T> From<Option<T>> for Value<'a>
where
    Value<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl PostgresToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) if *ty == Type::INT4 => i32::try_from(int)?.to_sql(ty, out),
            Self::Int(int) => int.to_sql(ty, out),
            // PostgreSQL cannot hold NUL in a text; what came with one is not refused for it.
            Self::Text(text) if text.contains('\0') => text.replace('\0', "").to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

/// What stands in a column.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Value<'_>> for Cell {
    fn from(value: &Value<'_>) -> Self {
        match *value {
            Value::Null => Self::Null,
            Value::Int(int) => Self::Int(int),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl<'a> From<&'a Cell> for Value<'a> {
    fn from(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Int(int) => Self::Int(*int),
            Cell::Text(text) => Self::Text(text),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

/// One row of an answer; its columns are taken in the order in which they were selected.
pub struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    /// The next column.
    pub fn take<T: FromCell>(&mut self) -> Result<T> {
        let cell = self.0.next().ok_or_else(|| Error::corrupt("fewer columns than expected"))?;
        T::from_cell(Column(cell))
    }
}

/// An opaque column, read through [`FromCell`].
pub struct Column(Cell);

/// What a column can be read as.
pub trait FromCell: Sized {
    fn from_cell(column: Column) -> Result<Self>;
}

impl FromCell for i64 {
    fn from_cell(column: Column) -> Result<Self> {
        match column.0 {
            Cell::Int(int) => Ok(int),
            _ => Err(Error::corrupt("expected an integer")),
        }
    }
}
impl FromCell for bool {
    fn from_cell(column: Column) -> Result<Self> {
        i64::from_cell(column).map(|int| int != 0)
    }
}
impl FromCell for String {
    fn from_cell(column: Column) -> Result<Self> {
        match column.0 {
            Cell::Text(text) => Ok(text),
            _ => Err(Error::corrupt("expected a text")),
        }
    }
}
impl FromCell for Vec<u8> {
    fn from_cell(column: Column) -> Result<Self> {
        match column.0 {
            Cell::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::corrupt("expected bytes")),
        }
    }
}
impl FromCell for crate::Id {
    fn from_cell(column: Column) -> Result<Self> {
        match column.0 {
            Cell::Bytes(bytes) => Self::from_slice(&bytes).ok_or_else(|| Error::corrupt("an id of another length")),
            _ => Err(Error::corrupt("expected an id")),
        }
    }
}
impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(column: Column) -> Result<Self> {
        match column.0 {
            Cell::Null => Ok(None),
            _ => T::from_cell(column).map(Some),
        }
    }
}
