//! What is committed together, and what one failure does to the rest.

use store::{Error, Result, Tx, Work, params};
use testkit::{Kind, Scratch, on_both};

use crate::{Add, Then, add, numbers};

/// Fails before it writes anything.
struct Refuse;

impl Work for Refuse {
    type Output = u64;
    async fn run(&self, _: &mut Tx) -> Result<u64> {
        Err(Error::Unsupported("as told"))
    }
}

/// Changes what processes keep in memory.
struct Touch;

impl Work for Touch {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::settings::touch_caches(tx).await
    }
}

on_both! {
    async fn one_failure_harms_nobody_else(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let mut tasks = Vec::new();
        for number in 0..60 {
            let db = db.clone();
            // Many pieces of work wait for one commit: some fail after writing, some before, most do not.
            tasks.push(tokio::spawn(async move {
                match number % 6 {
                    4 => db.write(Add { number, then: Then::Fail }).await,
                    5 => db.write(Refuse).await,
                    _ => db.write(add(number)).await,
                }
            }));
        }
        for (number, task) in (0..60).zip(tasks) {
            let done = task.await.unwrap();
            assert_eq!(done.is_ok(), number % 6 < 4, "{number}: {done:?}");
        }
        assert_eq!(numbers(&db).await, (0..60).filter(|number| number % 6 < 4).collect::<Vec<u64>>());
    }

    async fn only_what_processes_remember_changes_their_version(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let before = db.foreign_version().await.unwrap();
        db.write(add(1)).await.unwrap();
        assert_eq!(db.foreign_version().await.unwrap(), before);
        db.write(Touch).await.unwrap();
        assert_ne!(db.foreign_version().await.unwrap(), before, "also where the same process did it");
    }

    async fn a_panic_is_an_error_and_life_goes_on(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        for number in 0..20 {
            let done = db.write(Add { number, then: Then::Panic }).await;
            assert!(matches!(done, Err(Error::Unsupported(_))), "{done:?}");
            assert_eq!(db.write(add(100 + number)).await.unwrap(), 100 + number);
        }
        assert_eq!(numbers(&db).await, (100..120).collect::<Vec<u64>>());
    }

    async fn a_row_that_is_there_is_said_to_be(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(add(1)).await.unwrap();
        assert!(matches!(db.write(add(1)).await, Err(Error::Exists(_))));
        assert!(matches!(db.write(Orphan).await, Err(Error::Dangling)));
        db.write(add(2)).await.unwrap();
        assert_eq!(numbers(&db).await, [1, 2]);
    }

    async fn what_fails_unasked_is_told_before_anything_is_built_on_it(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        db.write(add(1)).await.unwrap();
        for number in 2..20 {
            let done = db.write(Twice { known: 1, fresh: number }).await;
            assert!(matches!(done, Err(Error::Exists(_))), "{done:?}");
        }
        db.write(Twice { known: 20, fresh: 21 }).await.unwrap();
        assert_eq!(numbers(&db).await, [1, 20, 21]);
    }

    async fn a_caller_who_goes_away_leaves_nothing_half_done(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        for number in 0..50 {
            let mut write = Box::pin(db.write(add(number)));
            // Asked for once, then forgotten.
            let _ = futures_util::poll!(&mut write);
        }
        // Whatever of it was carried out, it does not stand in the way of this.
        db.write(add(100)).await.unwrap();
        assert!(numbers(&db).await.contains(&100));
    }

    async fn readers_are_given_back(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { numbers(&db).await.len() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 0);
        }
    }
}

/// Adds two organizations, asking for nothing after the first but how many there are after the second.
struct Twice {
    known: u64,
    fresh: u64,
}

impl Work for Twice {
    type Output = usize;
    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        add(self.known).run(tx).await?;
        add(self.fresh).run(tx).await?;
        Ok(store::organizations::list(tx).await?.len())
    }
}

/// A key of an organization that does not exist.
struct Orphan;

impl Work for Orphan {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        const SQL: &str = "INSERT INTO labels (id, organization_id, team, name, color, created_at, updated_at)
            VALUES (?1, ?2, 't', 'n', 'c', 0, 0)";
        let nobody = store::Id::from_parts(9, 9);
        tx.execute(SQL, params![&nobody, &nobody]).await
    }
}

/// The SQLite writer must not be made to wait for anything else.
#[test]
fn work_that_waits_is_refused_and_undone() {
    testkit::tell(Kind::Sqlite, async |scratch: &mut Scratch| {
        let db = scratch.migrated().await;
        assert!(matches!(db.write(Add { number: 1, then: Then::Wait }).await, Err(Error::Unsupported(_))));
        db.write(add(2)).await.unwrap();
        assert_eq!(numbers(&db).await, [2]);
    });
}
