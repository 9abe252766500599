//! The schema and its history. Forward only; each step runs once, under a lock, when a process starts.
//!
//! A release expands first and contracts one release later, so a running older process keeps working for
//! one version. A program that is older than the schema refuses to touch it.

use crate::db::{Db, Error, Result, Tx, Work};
use crate::params;

const STEPS: &[&str] = &[
    include_str!("0001.sql"),
    include_str!("0002.sql"),
    include_str!("0003.sql"),
    include_str!("0004.sql"),
    include_str!("0005.sql"),
    include_str!("0006.sql"),
    include_str!("0007.sql"),
    include_str!("0008.sql"),
    include_str!("0009.sql"),
];

/// Brings the schema up to date and returns its version.
pub async fn run(db: &Db) -> Result<i64> {
    db.batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)".into()).await.or_else(raced)?;
    db.write(Migrate).await
}

/// The version of this program's schema.
#[must_use]
pub fn latest() -> i64 {
    STEPS.len() as i64
}

/// The version of the database's schema; 0 when it is empty.
pub async fn version(tx: &mut Tx) -> Result<i64> {
    let row = tx.query_opt("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}

/// Two processes may create the table at the same moment; the second finds it there.
fn raced(error: Error) -> Result<()> {
    match error {
        Error::Exists(_) => Ok(()),
        other => Err(other),
    }
}

struct Migrate;

impl Work for Migrate {
    type Output = i64;

    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        tx.lock_table("schema_version").await?;
        let found = version(tx).await?;
        if found > latest() {
            return Err(Error::Refused(format!(
                "the database has schema {found}, this program knows only {}: use a newer program",
                latest()
            )));
        }
        for (index, step) in STEPS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
            tx.batch(step).await?;
            tx.post("INSERT INTO schema_version (version) VALUES (?1)", params![index as i64 + 1]).await?;
        }
        Ok(latest())
    }
}
