//! Whose a session is.

use store::organizations::{self, Organization};
use store::senders::{self, Sender};
use store::sessions::{self, Session};
use store::{Db, Id, Result, Tx, Work, accounts};
use testkit::{Scratch, on_both};

const PROVIDER: &str = "fake";
const ORGANIZATION: u64 = 1;

fn id(number: u64) -> Id {
    Id::from_parts(1, number)
}

/// Wanted sessions of these numbers, the later in the list the more lately used.
struct Wanted(&'static [u64]);

impl Work for Wanted {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        organizations::insert(tx, &Organization { id: id(ORGANIZATION), name: "Acme".into(), created_at: 1 }).await?;
        accounts::put(tx, &account()).await?;
        for (active_at, number) in self.0.iter().enumerate() {
            senders::put(tx, &sender(*number)).await?;
            let row = sessions::ensure(tx, &id(*number), &id(ORGANIZATION), "off", 1).await?;
            sessions::update(tx, &Session { wanted: true, active_at: active_at as i64, ..row }).await?;
        }
        Ok(())
    }
}

fn account() -> accounts::Account {
    accounts::Account {
        id: id(2),
        organization_id: id(ORGANIZATION),
        provider: PROVIDER.into(),
        external_id: "account".into(),
        name: String::new(),
        config: "{}".into(),
        secrets: Vec::new(),
        status: "active".into(),
        status_reason: None,
        heard_at: None,
        created_at: 1,
        updated_at: 1,
    }
}

fn sender(number: u64) -> Sender {
    Sender {
        id: id(number),
        organization_id: id(ORGANIZATION),
        account_id: id(2),
        channel: "whatsapp".into(),
        provider: PROVIDER.into(),
        external_id: number.to_string(),
        address: String::new(),
        name: None,
        status: "connected".into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: 1,
        updated_at: 1,
    }
}

/// Takes at a moment, for 15.
struct Take(&'static str, i64, i64);

impl Work for Take {
    type Output = Vec<(Id, i64)>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        let Self(holder, now, limit) = *self;
        let taken = sessions::take(tx, PROVIDER, holder, now, now + 15, limit).await?;
        Ok(taken.into_iter().map(|session| (session.sender_id, session.fence)).collect())
    }
}

struct Renew(&'static str, i64);

impl Work for Renew {
    type Output = Vec<(Id, i64)>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        let mut kept = sessions::renew(tx, self.0, self.1).await?;
        kept.sort();
        Ok(kept)
    }
}

struct GiveBack(u64, i64);

impl Work for GiveBack {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        sessions::give_back(tx, &id(self.0), self.1).await
    }
}

struct Guard(u64, i64);

impl Work for Guard {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        sessions::guard(tx, &id(self.0), self.1).await
    }
}

async fn with_sessions(scratch: &mut Scratch, numbers: &'static [u64]) -> Db {
    let db = scratch.migrated().await;
    db.write(Wanted(numbers)).await.unwrap();
    db
}

on_both! {
    async fn the_most_lately_used_are_taken_first(scratch: &mut Scratch) {
        let db = with_sessions(scratch, &[10, 12, 11]).await;
        assert_eq!(db.write(Take("a", 100, 2)).await.unwrap(), [(id(11), 1), (id(12), 1)]);
        assert_eq!(db.write(Take("b", 100, 2)).await.unwrap(), [(id(10), 1)]);
        assert_eq!(db.write(Take("a", 100, 2)).await.unwrap(), []);
    }

    async fn a_session_is_nobody_elses_until_its_lease_is_over(scratch: &mut Scratch) {
        let db = with_sessions(scratch, &[10]).await;
        db.write(Take("a", 100, 9)).await.unwrap();
        assert_eq!(db.write(Take("b", 115, 9)).await.unwrap(), []);
        assert_eq!(db.write(Renew("a", 125)).await.unwrap(), [(id(10), 1)]);
        assert_eq!(db.write(Take("b", 125, 9)).await.unwrap(), []);
        assert_eq!(db.write(Take("b", 126, 9)).await.unwrap(), [(id(10), 2)]);
        assert_eq!(db.write(Renew("a", 200)).await.unwrap(), []);
        assert_eq!([db.write(Guard(10, 1)).await.unwrap(), db.write(Guard(10, 2)).await.unwrap()], [false, true]);
        assert!(!db.write(GiveBack(10, 1)).await.unwrap(), "only its holder gives it back");
        assert!(db.write(GiveBack(10, 2)).await.unwrap());
        assert_eq!(db.write(Take("b", 127, 9)).await.unwrap(), [(id(10), 3)], "the fence grows with every taking");
    }

    async fn many_who_take_at_once_take_each_once(scratch: &mut Scratch) {
        let db = with_sessions(scratch, &[10, 11, 12, 13, 14, 15, 16, 17]).await;
        let mut tasks = Vec::new();
        for holder in ["a", "b", "c", "d"] {
            let db = db.clone();
            tasks.push(tokio::spawn(async move { db.write(Take(holder, 100, 3)).await.unwrap() }));
        }
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.unwrap());
        }
        // Who comes while others are at it may be given less than there is.
        taken.extend(db.write(Take("e", 100, 9)).await.unwrap());
        taken.sort();
        assert_eq!(taken, (10..18).map(|number| (id(number), 1)).collect::<Vec<_>>());
    }
}
