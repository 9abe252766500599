//! What a session remembers: sealed, its own, and written only by whoever holds its session.

use store::accounts::{self, Account};
use store::organizations::{self, Organization};
use store::senders::{self, Sender};
use store::session_state::{Entry, Found, Scope, Writing};
use store::{Db, Error, Id, Result, SecretKey, Tx, Work, params, sessions};
use testkit::{Scratch, on_both};

const KIND: &str = "thing";

/// Something done to the state under a scope.
struct Under<C>(Scope, C);

trait Change: Send + Sync + 'static {
    type Output: Send + 'static;
    fn make(&self, scope: &Scope, state: &mut Writing<'_>) -> impl Future<Output = Result<Self::Output>> + Send;
}

impl<C: Change> Work for Under<C> {
    type Output = C::Output;
    async fn run(&self, tx: &mut Tx) -> Result<C::Output> {
        self.1.make(&self.0, &mut self.0.write(tx).await?).await
    }
}

struct Put(Vec<Entry>);
struct Delete(Vec<Vec<u8>>);
struct DeletePrefix(&'static [u8]);
struct DeleteOlder(i64);
struct PutNew(Entry);
struct TakeOut(&'static [u8]);
/// Reads a number and writes the next one.
struct Count;

impl Change for Put {
    type Output = ();
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<()> {
        state.put(&self.0).await
    }
}

impl Change for Delete {
    type Output = u64;
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<u64> {
        state.delete(KIND, &self.0).await
    }
}

impl Change for DeletePrefix {
    type Output = u64;
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<u64> {
        state.delete_prefix(KIND, self.0).await
    }
}

impl Change for DeleteOlder {
    type Output = u64;
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<u64> {
        state.delete_older(KIND, self.0).await
    }
}

impl Change for PutNew {
    type Output = bool;
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<bool> {
        state.put_new(&self.0).await
    }
}

impl Change for TakeOut {
    type Output = Option<Vec<u8>>;
    async fn make(&self, _: &Scope, state: &mut Writing<'_>) -> Result<Self::Output> {
        Ok(state.take(KIND, self.0).await?.map(|found| found.value))
    }
}

impl Change for Count {
    type Output = u8;
    async fn make(&self, scope: &Scope, state: &mut Writing<'_>) -> Result<u8> {
        let next = state.get(KIND, b"count").await?.map_or(1, |found| found.value[0] + 1);
        state.put(&[scope.seal(KIND, *b"count", &[next])?]).await?;
        Ok(next)
    }
}

struct Wipe(Scope);

impl Work for Wipe {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        self.0.write(tx).await?.wipe().await
    }
}

/// Takes a sender's session, which is made where there is none.
struct Take {
    number: u64,
    process: &'static str,
    now: i64,
}

impl Work for Take {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let (id, provider) = (sender(self.number), format!("provider {}", self.number));
        make_sender(tx, id, &provider).await?;
        let mut session = sessions::ensure(tx, &id, &id, "off", 0).await?;
        session.wanted = true;
        sessions::update(tx, &session).await?;
        let taken = sessions::take(tx, &provider, self.process, self.now, self.now + 10, 1).await?;
        Ok(taken[0].fence)
    }
}

/// A sender with an organization and an account of its own, all with the same id.
async fn make_sender(tx: &mut Tx, id: Id, provider: &str) -> Result<()> {
    if senders::get(tx, &id).await?.is_some() {
        return Ok(());
    }
    organizations::insert(tx, &Organization { id, name: provider.into(), created_at: 0 }).await?;
    let account = Account {
        id,
        organization_id: id,
        provider: provider.into(),
        external_id: "account".into(),
        name: String::new(),
        config: "{}".into(),
        secrets: Vec::new(),
        status: "connected".into(),
        status_reason: None,
        heard_at: None,
        created_at: 0,
        updated_at: 0,
    };
    accounts::put(tx, &account).await?;
    let sender = Sender {
        id,
        organization_id: id,
        account_id: id,
        channel: "whatsapp".into(),
        provider: provider.into(),
        external_id: "sender".into(),
        address: String::new(),
        name: None,
        status: "connected".into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: 0,
        updated_at: 0,
    };
    senders::put(tx, &sender).await.map(drop)
}

struct Remove(Id);

impl Work for Remove {
    type Output = bool;
    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        senders::delete(tx, &self.0).await
    }
}

struct Renew(&'static str);

impl Work for Renew {
    type Output = Vec<(Id, i64)>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        sessions::renew(tx, self.0, 20).await
    }
}

/// Gives one sender's sealed values to another.
struct Move(Id, Id);

impl Work for Move {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        tx.execute("UPDATE session_state SET sender_id = ?2 WHERE sender_id = ?1", params![&self.0, &self.1]).await
    }
}

async fn take(db: &Db, process: &'static str, now: i64) -> i64 {
    db.write(Take { number: 1, process, now }).await.unwrap()
}

fn sender(number: u64) -> Id {
    Id::from_parts(1, number)
}

fn scope(number: u64, fence: i64) -> Scope {
    Scope::new(sender(number), fence, SecretKey::new([7; 32]))
}

fn put(scope: &Scope, things: &[(&[u8], &str)]) -> Put {
    Put(things.iter().map(|(key, value)| scope.seal(KIND, *key, value.as_bytes()).unwrap()).collect())
}

fn text(found: Option<Found>) -> Option<String> {
    found.map(|found| String::from_utf8(found.value).unwrap())
}

fn keys(found: &[Found]) -> Vec<&[u8]> {
    found.iter().map(|found| found.key.as_slice()).collect()
}

fn is_lost<T: std::fmt::Debug>(outcome: &Result<T>) -> bool {
    matches!(outcome, Err(Error::LeaseLost))
}

on_both! {
    async fn values_are_written_found_and_deleted(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let mine = scope(1, take(&db, "a", 1).await);
        let things: &[(&[u8], &str)] = &[(b"a\xff1", "one"), (b"a\xff2", "two"), (b"ab", "three"), (b"", "none")];
        db.write(Under(mine.clone(), put(&mine, things))).await.unwrap();
        // Many at once, and the last of several for the same row.
        let many: Vec<Vec<u8>> = (0..=200).map(|number| vec![b'n', number % 200]).collect();
        let entries = (0..).zip(&many).map(|(at, key)| mine.seal(KIND, key.clone(), key).unwrap().at(at).marked(at % 7));
        db.write(Under(mine.clone(), Put(entries.collect()))).await.unwrap();

        let mut reader = db.reader().await.unwrap();
        let mut state = mine.read(&mut reader);
        assert_eq!(text(state.get(KIND, b"ab").await.unwrap()).as_deref(), Some("three"));
        assert_eq!(text(state.get(KIND, b"").await.unwrap()).as_deref(), Some("none"));
        assert!(state.get("other", b"ab").await.unwrap().is_none());
        assert!(state.has(KIND, b"ab").await.unwrap() && !state.has(KIND, b"abc").await.unwrap());
        assert_eq!(keys(&state.scan(KIND, b"a").await.unwrap()), [b"ab".as_slice(), b"a\xff1", b"a\xff2"]);
        assert_eq!(state.keys(KIND, b"a\xff", 9).await.unwrap(), [b"a\xff1", b"a\xff2"]);
        assert_eq!(state.keys(KIND, b"", 1).await.unwrap(), [b""]);
        assert_eq!(state.get_many(KIND, &many[1..]).await.unwrap().len(), 200);
        assert_eq!(state.last_key(KIND).await.unwrap().unwrap(), [b'n', 199]);
        assert_eq!(state.get(KIND, b"n\0").await.unwrap().unwrap().at, Some(200), "the last one counts");
        assert_eq!(state.marked(KIND, 4).await.unwrap().len(), 29);
        assert_eq!(keys(&state.older(KIND, 3).await.unwrap()), [b"n\x01", b"n\x02"]);
        drop(reader);

        assert_eq!(db.write(Under(mine.clone(), DeleteOlder(101))).await.unwrap(), 100, "what has no time stays");
        assert_eq!(db.write(Under(mine.clone(), Delete(many))).await.unwrap(), 100);
        assert_eq!(db.write(Under(mine.clone(), TakeOut(b"ab"))).await.unwrap().as_deref(), Some(b"three".as_slice()));
        assert_eq!(db.write(Under(mine.clone(), TakeOut(b"ab"))).await.unwrap(), None);
        let (old, new) = (mine.seal(KIND, *b"a\xff1", b"late").unwrap(), mine.seal(KIND, *b"ac", b"new").unwrap());
        assert!(!db.write(Under(mine.clone(), PutNew(old))).await.unwrap());
        assert!(db.write(Under(mine.clone(), PutNew(new))).await.unwrap());
        assert_eq!(db.write(Under(mine.clone(), DeletePrefix(b"a\xff"))).await.unwrap(), 2);
        assert_eq!(db.write(Under(mine.clone(), DeletePrefix(b""))).await.unwrap(), 2);
        assert!(mine.read(&mut db.reader().await.unwrap()).scan(KIND, b"").await.unwrap().is_empty());
    }

    async fn a_value_opens_in_its_row_only(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let (mine, other) = (scope(1, take(&db, "a", 1).await), scope(2, 1));
        db.write(Under(mine.clone(), put(&mine, &[(b"k", "a secret")]))).await.unwrap();
        assert!(other.read(&mut db.reader().await.unwrap()).scan(KIND, b"").await.unwrap().is_empty());
        let rows = db.reader().await.unwrap().query("SELECT value FROM session_state", &[]).await.unwrap();
        let stored: Vec<u8> = rows.into_iter().next().unwrap().take().unwrap();
        assert!(!stored.windows(8).any(|window| window == b"a secret"));
        db.write(Move(sender(1), sender(2))).await.unwrap();
        let moved = other.read(&mut db.reader().await.unwrap()).get(KIND, b"k").await;
        assert!(matches!(moved, Err(Error::Corrupt(_))));
        assert!(!format!("{mine:?}").contains("[7, 7"), "{mine:?}");
    }

    async fn an_old_fence_writes_nothing(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let nobody = scope(1, 1);
        assert!(is_lost(&db.write(Under(nobody.clone(), put(&nobody, &[(b"k", "early")]))).await));
        let first = scope(1, take(&db, "a", 1).await);
        db.write(Under(first.clone(), put(&first, &[(b"k", "first")]))).await.unwrap();
        db.write(Renew("a")).await.unwrap();
        db.write(Under(first.clone(), put(&first, &[(b"k", "renewed")]))).await.unwrap();

        let second = scope(1, take(&db, "b", 100).await);
        assert!(is_lost(&db.write(Under(first.clone(), put(&first, &[(b"k", "late")]))).await));
        assert!(is_lost(&db.write(Under(first.clone(), Delete(vec![b"k".to_vec()]))).await));
        assert!(is_lost(&db.write(Under(first.clone(), TakeOut(b"k"))).await));
        assert!(is_lost(&db.write(Wipe(first)).await));
        let found = second.read(&mut db.reader().await.unwrap()).get(KIND, b"k").await.unwrap();
        assert_eq!(text(found).as_deref(), Some("renewed"));
        db.write(Under(second.clone(), put(&second, &[(b"k", "second")]))).await.unwrap();
    }

    async fn who_takes_the_lease_waits_for_what_is_under_way(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let first = scope(1, take(&db, "a", 1).await);
        let write = |_| tokio::spawn({
            let (db, first) = (db.clone(), first.clone());
            async move { db.write(Under(first, Count)).await }
        });
        let before: Vec<_> = (0..20).map(write).collect();
        let second = scope(1, take(&db, "b", 100).await);
        let found = second.read(&mut db.reader().await.unwrap()).get(KIND, b"count").await.unwrap();
        let seen = found.map_or(0, |found| found.value[0]);
        let mut counted = Vec::new();
        for write in before {
            match write.await.unwrap() {
                Ok(number) => counted.push(number),
                refused => assert!(is_lost(&refused), "{refused:?}"),
            }
        }
        counted.sort_unstable();
        assert_eq!(counted, (1..=seen).collect::<Vec<_>>(), "no count is lost, and none comes after the takeover");
    }

    async fn what_is_wiped_or_removed_is_gone(scratch: &mut Scratch) {
        let db = scratch.migrated().await;
        let other = scope(2, db.write(Take { number: 2, process: "a", now: 1 }).await.unwrap());
        db.write(Under(other.clone(), put(&other, &[(b"k", "other")]))).await.unwrap();
        let mine = scope(1, take(&db, "a", 1).await);
        db.write(Under(mine.clone(), put(&mine, &[(b"k", "mine")]))).await.unwrap();
        db.write(Wipe(mine.clone())).await.unwrap();
        assert!(mine.read(&mut db.reader().await.unwrap()).scan(KIND, b"").await.unwrap().is_empty());
        db.write(Under(mine.clone(), put(&mine, &[(b"k", "again")]))).await.unwrap();
        assert!(db.write(Remove(sender(1))).await.unwrap());
        assert!(is_lost(&db.write(Under(mine.clone(), put(&mine, &[(b"k", "late")]))).await));
        assert!(mine.read(&mut db.reader().await.unwrap()).scan(KIND, b"").await.unwrap().is_empty());
        assert_eq!(other.read(&mut db.reader().await.unwrap()).scan(KIND, b"").await.unwrap().len(), 1);
    }
}
