//! A `SELECT` whose conditions depend on what the caller asks for.

use crate::db::{Result, Row, Tx, Value, places};

pub(crate) struct Select<'a> {
    sql: String,
    values: Vec<Value<'a>>,
    conditions: usize,
    slow: bool,
}

impl<'a> Select<'a> {
    /// `from` is everything up to the conditions.
    pub(crate) fn new(from: impl Into<String>) -> Self {
        Self { sql: from.into(), values: Vec::new(), conditions: 0, slow: false }
    }

    /// The same where the text up to the conditions has values of its own.
    pub(crate) fn with(from: impl Into<String>, values: &[Value<'a>]) -> Self {
        Self { values: values.to_vec(), ..Self::new(from) }
    }

    /// One more condition, with one `?` for its value.
    pub(crate) fn and(mut self, condition: &str, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        let place = format!("?{}", self.values.len());
        self.keyword();
        self.sql.push_str(&condition.replace('?', &place));
        self
    }

    /// One more condition, with a `?` for each value. Values are never part of the text: PostgreSQL keeps every text that it saw.
    pub(crate) fn and_each(mut self, condition: &str, values: impl IntoIterator<Item = Value<'a>>) -> Self {
        let mut parts = condition.split('?');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (value, part) in values.into_iter().zip(parts) {
            self.values.push(value);
            text.push_str(&format!("?{}{part}", self.values.len()));
        }
        self.and_that(&text)
    }

    /// A condition that stands only when there is a value for it.
    pub(crate) fn and_some<T: Into<Value<'a>>>(self, condition: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }

    /// At least one of several conditions, each with one `?`.
    pub(crate) fn and_any(mut self, conditions: &[&str], values: &'a [String]) -> Self {
        let mut parts = Vec::with_capacity(conditions.len());
        for (condition, value) in conditions.iter().zip(values) {
            self.values.push(Value::from(value));
            parts.push(condition.replace('?', &format!("?{}", self.values.len())));
        }
        self.and_that(&format!("({})", parts.join(" OR ")))
    }

    /// One of these ids.
    pub(crate) fn and_in(mut self, column: &str, ids: &'a [crate::Id]) -> Self {
        let places = places(self.values.len() + 1, ids.len());
        self.values.extend(ids.iter().map(Value::from));
        match ids.is_empty() {
            true => self.and_that("1 = 0"),
            false => self.and_that(&format!("{column} IN ({places})")),
        }
    }

    /// A condition without a value.
    pub(crate) fn and_that(mut self, condition: &str) -> Self {
        self.keyword();
        self.sql.push_str(condition);
        self
    }

    pub(crate) fn order(mut self, order: &str) -> Self {
        self.sql.push_str(" ORDER BY ");
        self.sql.push_str(order);
        self
    }

    /// It may have to look at many rows to find a few.
    pub(crate) fn slow(self, slow: bool) -> Self {
        Self { slow, ..self }
    }

    pub(crate) async fn rows(self, tx: &mut Tx, limit: i64) -> Result<Vec<Row>> {
        self.rows_from(tx, limit, 0).await
    }

    /// The same without the first `offset`.
    pub(crate) async fn rows_from(mut self, tx: &mut Tx, limit: i64, offset: i64) -> Result<Vec<Row>> {
        self.values.push(Value::Int(limit));
        self.sql.push_str(&format!(" LIMIT ?{}", self.values.len()));
        if offset > 0 {
            self.values.push(Value::Int(offset));
            self.sql.push_str(&format!(" OFFSET ?{}", self.values.len()));
        }
        match self.slow {
            true => tx.query_slow(&self.sql, &self.values).await,
            false => tx.query(&self.sql, &self.values).await,
        }
    }

    fn keyword(&mut self) {
        self.sql.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
    }
}

/// A pattern for `LIKE … ESCAPE '!'` that a text is part of, in lower case.
pub(crate) fn like(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}
