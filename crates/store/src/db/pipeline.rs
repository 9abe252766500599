//! A PostgreSQL connection on which statements travel together.
//!
//! Each statement that is waited for costs a journey to the server and back, while locks are held. So the beginning of
//! a transaction, rows that were gathered (`append`) and statements whose outcome nothing depends on are sent without
//! waiting ([`Pipeline::post`]): the server runs everything in the order in which it was sent, and answers come with
//! that of the next question, or of the commit. Where one of them fails the server refuses all that follow it; its
//! error is the one that is told, and nothing is committed.

use std::sync::Arc;

use deadpool_postgres::Object;
use futures_util::future::{BoxFuture, join};
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use tokio_postgres::Statement;
use tokio_postgres::types::{ToSql, Type};

use super::value::Cell;
use super::{Error, Result, Row, Value};

pub(crate) struct Pipeline {
    client: Arc<Object>,
    /// Sent, and not answered yet as far as we know.
    sent: FuturesOrdered<BoxFuture<'static, Result<()>>>,
}

impl Pipeline {
    pub(super) fn new(client: Object) -> Self {
        Self { client: Arc::new(client), sent: FuturesOrdered::new() }
    }

    /// Sends a statement; whether it succeeded is known with whatever is waited for next.
    pub(super) async fn post(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        let statement = self.prepared(sql).await?;
        let (client, params) = (self.client.clone(), params.iter().map(Cell::from).collect::<Vec<_>>());
        self.send(async move {
            let params: Vec<_> = params.iter().map(Value::from).collect();
            client.execute(&statement, &by_reference(&params)).await?;
            Ok(())
        })
    }

    /// Sends statements without parameters in the same way.
    pub(super) fn post_batch(&mut self, sql: String) -> Result<()> {
        let client = self.client.clone();
        self.send(async move { Ok(client.batch_execute(&sql).await?) })
    }

    /// What is looked at once is on its way.
    fn send(&mut self, statement: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        let mut statement = statement.boxed();
        match (&mut statement).now_or_never() {
            Some(done) => done,
            None => {
                self.sent.push_back(statement);
                Ok(())
            }
        }
    }

    pub(super) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let statement = self.prepared(sql).await?;
        let params = by_reference(params);
        let (sent, changed) = join(settle(&mut self.sent), self.client.execute(&statement, &params)).await;
        sent?;
        Ok(changed?)
    }

    pub(super) async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        let params = by_reference(params);
        let (sent, rows) = join(settle(&mut self.sent), self.client.query(&statement, &params)).await;
        sent?;
        rows?.iter().map(row).collect()
    }

    /// Several statements without parameters.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<()> {
        let (sent, done) = join(settle(&mut self.sent), self.client.batch_execute(sql)).await;
        sent?;
        Ok(done?)
    }

    async fn prepared(&mut self, sql: &str) -> Result<Statement> {
        match self.client.prepare_cached(&text(sql)).await {
            Ok(statement) => Ok(statement),
            Err(error) => {
                // After a failure nothing can be prepared either.
                settle(&mut self.sent).await?;
                Err(error.into())
            }
        }
    }

    /// Rolls back; a connection that cannot even do that is thrown away instead of going back to the pool.
    pub(super) async fn abandon(self) {
        drop(self.sent);
        if self.client.batch_execute("ROLLBACK").await.is_err()
            && let Some(client) = Arc::into_inner(self.client)
        {
            drop(Object::take(client));
        }
    }
}

/// Until everything was answered, or something failed.
async fn settle(sent: &mut FuturesOrdered<BoxFuture<'static, Result<()>>>) -> Result<()> {
    while let Some(done) = sent.next().await {
        done?;
    }
    Ok(())
}

fn text(sql: &str) -> String {
    sql.replace('?', "$").replace("/* for ", "for ").replace(" */", "")
}

fn by_reference<'a>(params: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn row(row: &tokio_postgres::Row) -> Result<Row> {
    let cells = row.columns().iter().enumerate().map(|(index, column)| cell(row, index, column.type_()));
    Ok(Row::new(cells.collect::<Result<_>>()?))
}

fn cell(row: &tokio_postgres::Row, index: usize, ty: &Type) -> Result<Cell> {
    Ok(match *ty {
        Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Cell::Null, Cell::Int),
        Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map_or(Cell::Null, |int| Cell::Int(int.into())),
        Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map_or(Cell::Null, |bool| Cell::Int(bool.into())),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Cell::Null, Cell::Bytes),
        Type::TEXT | Type::VARCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(index)?.map_or(Cell::Null, Cell::Text)
        }
        _ => return Err(Error::corrupt(format!("a column of type {ty}"))),
    })
}
