//! A database that lives as long as its test: a SQLite file, or a schema of its own on a PostgreSQL server.

use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Db, Location, Tx, Work};

use crate::Fixture;

/// The server that tests may fill, as a URL.
const POSTGRES: &str = "HERMOD_TEST_POSTGRES";
/// Enough for a story with fifty callers, few enough for a server with many tests.
const CONNECTIONS: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub struct Scratch {
    pub kind: Kind,
    pub location: Location,
    /// For files beside the database.
    pub dir: tempfile::TempDir,
    /// The server's URL and the schema.
    schema: Option<(String, String)>,
}

impl Scratch {
    /// An empty database without any schema of ours.
    pub async fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        match kind {
            Kind::Sqlite => {
                let location = Location::Sqlite(dir.path().join("hermod.db"));
                Self { kind, location, dir, schema: None }
            }
            Kind::Postgres => {
                let server = server();
                let schema = schema_name();
                let again = [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")];
                run(&server, &again).await;
                let separator = if server.contains('?') { '&' } else { '?' };
                let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
                let location = Location::Postgres { url, max_connections: CONNECTIONS };
                Self { kind, location, dir, schema: Some((server, schema)) }
            }
        }
    }

    /// A handle of its own, as another process would have.
    pub async fn open(&self) -> Db {
        Db::open(&self.location).await.expect("the database opens")
    }

    /// A handle on the database with our schema in it.
    pub async fn migrated(&self) -> Db {
        let db = self.open().await;
        store::migrate(&db).await.expect("the schema can be made");
        db
    }

    pub async fn drop(self) {
        if let Some((server, schema)) = &self.schema {
            run(server, &[format!("DROP SCHEMA {schema} CASCADE")]).await;
        }
    }
}

impl Fixture for Scratch {
    async fn set_up(kind: Kind) -> Self {
        Self::new(kind).await
    }

    async fn finish(self, _: bool) {
        self.drop().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one setting of a test run")]
fn server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!("{POSTGRES} names no server: run `scripts/postgres cargo nextest run …`");
    })
}

fn schema_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

async fn run(server: &str, statements: &[String]) {
    let location = Location::Postgres { url: server.to_owned(), max_connections: 1 };
    let db = Db::open(&location).await.expect("the PostgreSQL server answers");
    for statement in statements {
        db.write(Statement(statement.clone())).await.expect("a schema of its own for each test");
    }
}

/// On PostgreSQL: comes back when another transaction waits for a lock of this one.
pub async fn waited_for(tx: &mut Tx) -> store::Result<()> {
    let sql = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)) LIMIT 1";
    while tx.query_opt(sql, &[]).await?.is_none() {}
    Ok(())
}

struct Statement(String);

impl Work for Statement {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> store::Result<u64> {
        tx.execute(&self.0, &[]).await
    }
}
