//! Idempotency keys on SQLite: the newest stand in memory, the others in a table.

use store::idempotency::{self, Answer, Key, LIFE};
use store::retention::{self, Kind};
use store::{Db, Error, Result, Tx, Work};
use testkit::{Scratch, tell};

/// More than stay in memory.
const MANY: u64 = 20_000;

/// As the hash that a key is: in no order.
fn key(number: u64) -> Key {
    u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

/// Answers these numbers at a moment; then fails, or not.
struct Answered {
    numbers: std::ops::Range<u64>,
    now: i64,
    fails: bool,
}

impl Work for Answered {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        for number in self.numbers.clone() {
            assert!(idempotency::get(tx, &key(number), self.now).await?.is_none());
            let answer = Answer { fingerprint: vec![1], status: 200, answer: number.to_be_bytes().to_vec() };
            assert!(idempotency::put(tx, &key(number), &answer, self.now).await?);
        }
        if self.fails { Err(Error::Unsupported("as told")) } else { Ok(()) }
    }
}

/// Which of these numbers are known at a moment.
struct Known(Vec<u64>, i64);

impl Work for Known {
    type Output = Vec<u64>;
    async fn run(&self, tx: &mut Tx) -> Result<Vec<u64>> {
        let mut known = Vec::new();
        for number in &self.0 {
            if let Some(answer) = idempotency::get(tx, &key(*number), self.1).await? {
                assert_eq!(answer.answer, number.to_be_bytes());
                known.push(*number);
            }
        }
        Ok(known)
    }
}

struct Purge(i64);

impl Work for Purge {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        retention::purge(tx, Kind::IdempotencyKeys, self.0, 7000).await
    }
}

async fn answer(db: &Db, numbers: std::ops::Range<u64>, now: i64) {
    db.write(Answered { numbers, now, fails: false }).await.unwrap();
}

async fn known(db: &Db, numbers: &[u64], now: i64) -> Vec<u64> {
    db.write(Known(numbers.to_vec(), now)).await.unwrap()
}

#[test]
fn keys_are_found_in_memory_in_the_table_and_after_a_start() {
    tell(testkit::Kind::Sqlite, async |scratch: &mut Scratch| {
        let db = scratch.migrated().await;
        answer(&db, 0..10, 1).await;
        answer(&db, 10..MANY, 2).await;
        answer(&db, MANY..MANY + 10, 3).await;
        let some = [0, 9, 10, 11, MANY - 1, MANY, MANY + 9, MANY + 10];
        assert_eq!(known(&db, &some, 3).await, some[..7]);
        drop(db);

        let db = scratch.open().await;
        assert_eq!(known(&db, &some, 3).await, some[..7]);
        assert_eq!(known(&db, &some, LIFE + 1).await, some[2..7], "the first ten are forgotten");
        answer(&db, 0..5, LIFE + 1).await;
        assert_eq!(known(&db, &[0, 5], LIFE + 2).await, [0], "and may be used again");
    });
}

#[test]
fn what_was_undone_is_not_known() {
    tell(testkit::Kind::Sqlite, async |scratch: &mut Scratch| {
        let db = scratch.migrated().await;
        answer(&db, 0..3, 1).await;
        let undone = db.write(Answered { numbers: 3..6, now: 1, fails: true });
        let done = db.write(Answered { numbers: 6..9, now: 1, fails: false });
        let (undone, done) = tokio::join!(undone, done);
        assert!(undone.is_err() && done.is_ok());
        assert_eq!(known(&db, &(0..12).collect::<Vec<_>>(), 1).await, [0, 1, 2, 6, 7, 8]);
        answer(&db, 3..6, 1).await;
        assert_eq!(known(&scratch.open().await, &(0..12).collect::<Vec<_>>(), 1).await, (0..9).collect::<Vec<_>>());
    });
}

#[test]
fn the_old_ones_go_wherever_they_stand() {
    tell(testkit::Kind::Sqlite, async |scratch: &mut Scratch| {
        let db = scratch.migrated().await;
        answer(&db, 0..MANY, 1).await;
        answer(&db, MANY..MANY + 10, 1).await;
        answer(&db, MANY + 10..MANY + 20, 5).await;
        let mut gone = Vec::new();
        while gone.last() != Some(&0) {
            gone.push(db.write(Purge(2)).await.unwrap());
        }
        assert_eq!(gone, [7000, 7000, 6010, 0]);
        answer(&db, 0..2, 6).await;
        let some = [0, 2, MANY, MANY + 9, MANY + 10, MANY + 19];
        for db in [db, scratch.open().await] {
            assert_eq!(known(&db, &some, 6).await, [0, MANY + 10, MANY + 19]);
        }
    });
}
