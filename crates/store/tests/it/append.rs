//! Rows that are gathered for the commit: looked for, doubled, replaced.

use store::idempotency::{self, Answer, LIFE};
use store::jobs::{self, Job, State};
use store::{Error, Id, Result, Tx, Work};
use testkit::{Scratch, on_both};

/// Answers under a key, unless that was done; tells which answer counts.
#[derive(Clone, Copy)]
struct Keep {
    key: u8,
    answer: u8,
    now: i64,
}

impl Work for Keep {
    type Output = u8;
    async fn run(&self, tx: &mut Tx) -> Result<u8> {
        if let Some(kept) = idempotency::get(tx, &[self.key; 16], self.now).await? {
            return Ok(kept.answer[0]);
        }
        let answer = Answer { fingerprint: vec![1], status: 200, answer: vec![self.answer] };
        match idempotency::put(tx, &[self.key; 16], &answer, self.now).await? {
            true => Ok(self.answer),
            false => Err(Error::contended("another was first")),
        }
    }
}

/// Adds a job and finds it.
struct Queue(u64);

impl Work for Queue {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let id = Id::from_parts(1, self.0);
        let job = Job {
            id,
            organization_id: id,
            kind: "send".into(),
            lane: id,
            state: State::Ready,
            attempts: 0,
            due_at: 1,
            called_at: None,
            created_at: 1,
        };
        jobs::insert(tx, &job).await?;
        // Every other one looks at once, which has everything inserted that was gathered until then.
        Ok(self.0.is_multiple_of(2) || jobs::about(tx, &id).await?.is_some())
    }
}

on_both! {
    async fn of_many_with_one_key_the_first_counts(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let keep = |number: u8| db.write(Keep { key: number % 7, answer: number, now: 1 });
        let answers = futures_util::future::join_all((0..200).map(keep)).await;
        let answers: Vec<u8> = answers.into_iter().map(Result::unwrap).collect();
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, answers[number % 7], "all of a key get the same answer");
            assert_eq!(usize::from(*answer) % 7, number % 7);
        }
        let later = Keep { key: 0, answer: 255, now: LIFE };
        assert_eq!(db.write(later).await.unwrap(), answers[0]);
        assert_eq!(db.write(Keep { now: LIFE + 1, ..later }).await.unwrap(), 255, "it was forgotten");
        assert_eq!(db.write(Keep { now: LIFE + 2, answer: 3, ..later }).await.unwrap(), 255);
    }

    async fn a_row_that_does_not_fit_harms_no_other(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        // Every third one wants the same place.
        let place = |number: u64| if number.is_multiple_of(3) { 1000 } else { number };
        let done = futures_util::future::join_all((0..150).map(|number| db.write(Queue(place(number))))).await;
        let (doubled, other): (Vec<_>, Vec<_>) = (0..150_u64).zip(done).partition(|(number, _)| number.is_multiple_of(3));
        assert!(other.iter().all(|(_, done)| matches!(done, Ok(true))), "{other:?}");
        assert_eq!(doubled.iter().filter(|(_, done)| matches!(done, Ok(true))).count(), 1);
        assert_eq!(doubled.iter().filter(|(_, done)| matches!(done, Err(Error::Exists(_)))).count(), 49);
        assert_eq!(jobs::backlog(&mut db.reader().await.unwrap(), "send").await.unwrap(), (101, Some(1)));
    }
}
