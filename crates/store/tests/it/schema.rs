//! Which database belongs to which program and which key.

use store::{
    Db, Error, Location, Result, SecretKey, Tx, Work, latest_schema, migrate, params, schema_version, settings,
};
use testkit::{Scratch, on_both};

use crate::{add, numbers};

struct FromTheFuture;

impl Work for FromTheFuture {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        tx.execute("INSERT INTO schema_version (version) VALUES (?1)", params![latest_schema() + 1]).await
    }
}

struct CheckKey(SecretKey);

impl Work for CheckKey {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        settings::check_key(tx, &self.0).await
    }
}

on_both! {
    async fn many_processes_may_start_at_once_and_again(scratch: &mut Scratch) {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let db = scratch.open().await;
            tasks.push(tokio::spawn(async move { migrate(&db).await }));
        }
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), latest_schema());
        }
        let db = scratch.migrated().await;
        assert_eq!(schema_version(&mut db.reader().await.unwrap()).await.unwrap(), latest_schema());
    }

    async fn an_older_program_refuses_a_newer_schema(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(add(1)).await.unwrap();
        db.write(FromTheFuture).await.unwrap();
        let refused = migrate(&scratch.open().await).await.unwrap_err();
        assert!(matches!(&refused, Error::Refused(why) if why.contains("use a newer program")), "{refused}");
        assert_eq!(numbers(&db).await, [1]);
    }

    async fn a_database_knows_its_key(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        assert!(!settings::has_key(&mut db.reader().await.unwrap()).await.unwrap());
        for _ in 0..2 {
            db.write(CheckKey(SecretKey::new([1; 32]))).await.unwrap();
        }
        let refused = db.write(CheckKey(SecretKey::new([2; 32]))).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)));
        assert!(settings::has_key(&mut db.reader().await.unwrap()).await.unwrap());
        db.write(CheckKey(SecretKey::new([1; 32]))).await.unwrap();
    }
}

/// An address with a password in it is not repeated in an error.
#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let url = "postgres://user:secret-word@127.0.0.1:1/none".to_owned();
    let error = Db::open(&Location::Postgres { url, max_connections: 1 }).await.err().unwrap();
    assert!(error.is_unavailable());
    let mut text = format!("{error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(next) = source {
        text.push_str(&next.to_string());
        source = next.source();
    }
    assert!(!text.contains("secret-word"), "{text}");
}
