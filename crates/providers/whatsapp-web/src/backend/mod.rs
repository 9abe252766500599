//! What the library remembers of one session, kept in the platform's database.
//!
//! The library calls, from many tasks at once; each call is one read or one commit. What returned `Ok` is on the disk:
//! the library sends a message only after the ratchet that encrypts it was put here, so that no crash can make it use
//! a key twice. A call that a crash interrupts is done whole or not at all.
//!
//! Whoever lost the session's lease can no longer write. The first write that is refused for that ends this backend:
//! [`Backend::lost`] is cancelled, upon which the session has to close its socket, and all later calls fail at once.
//!
//! A message that comes again is acknowledged if nothing is kept of it here. One that is not in the platform either was
//! lost between its key and its row; that is noted before the library hears that there is nothing (`wanted`).
//!
//! There is no cache here. The library keeps sessions, identities, sender keys, device lists, groups, mappings and
//! fresh message secrets in memory itself; the one thing that it asks for with every message is the recipient's privacy
//! token, one row by its key.

mod app_sync;
mod change;
mod device;
mod error;
mod json;
mod key;
mod protocol;
mod secrets;
mod signal;
mod tokens;
mod wanted;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use store::session_state::{Entry, Found, Scope};
use store::{Db, Reader};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wacore::store::error::Result;

use change::{Change, Fenced, Permit};
pub use error::is_lease_lost;
use error::tell;
pub(crate) use wanted::Wanted;
use wanted::Watch;

/// How many writes of a session may be under way.
const WRITES: u32 = 1024;

/// The library's storage for one session.
pub struct Backend {
    db: Db,
    scope: Arc<Scope>,
    lost: CancellationToken,
    writes: Arc<Semaphore>,
    watch: Option<Watch>,
}

impl Backend {
    /// `scope` carries the fence of the session as it was taken.
    #[must_use]
    pub fn new(db: Db, scope: Scope) -> Self {
        let writes = Arc::new(Semaphore::new(WRITES as usize));
        Self { db, scope: Arc::new(scope), lost: CancellationToken::new(), writes, watch: None }
    }

    /// Cancelled as soon as a write was refused because the lease is not ours any more, and by [`Self::wipe`].
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Forgets the session's whole state, after a logout. What the library still has to write is refused from then on,
    /// so that nothing of it comes back.
    pub async fn wipe(&self) -> store::Result<()> {
        let alone = self.permit(WRITES).await?;
        self.commit(change::Wipe, alone.clone()).await?;
        self.lost.cancel();
        Ok(())
    }

    async fn write<C: Change>(&self, change: C) -> Result<C::Output> {
        // On PostgreSQL the writes of a session wait for each other: they shall not do it with a connection in hand.
        let permit = self.permit(if self.db.is_postgres() { WRITES } else { 1 }).await.map_err(tell)?;
        self.commit(change, permit).await.map_err(tell)
    }

    /// The permit is the transaction's own, whether or not the caller waits for its end.
    async fn commit<C: Change>(&self, change: C, permit: Permit) -> store::Result<C::Output> {
        self.held()?;
        let done = self.db.write(Fenced { scope: self.scope.clone(), change, _permit: permit }).await;
        if matches!(done, Err(store::Error::LeaseLost)) {
            self.lost.cancel();
        }
        done
    }

    async fn permit(&self, count: u32) -> store::Result<Permit> {
        let permit = self.writes.clone().acquire_many_owned(count).await;
        permit.map(Arc::new).map_err(|_| store::Error::LeaseLost)
    }

    async fn reader(&self) -> Result<Reader> {
        self.held().map_err(tell)?;
        self.db.reader().await.map_err(tell)
    }

    fn held(&self) -> store::Result<()> {
        if self.lost.is_cancelled() { Err(store::Error::LeaseLost) } else { Ok(()) }
    }

    async fn get(&self, kind: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut reader = self.reader().await?;
        let found = self.scope.read(&mut reader).get(kind, key).await.map_err(tell)?;
        Ok(found.map(|found| found.value))
    }

    async fn get_json<T: DeserializeOwned>(&self, kind: &'static str, key: &[u8]) -> Result<Option<T>> {
        let found = self.get(kind, key).await?;
        found.map(|bytes| json::read(&bytes)).transpose().map_err(tell)
    }

    async fn scan(&self, kind: &'static str, prefix: &[u8]) -> Result<Vec<Found>> {
        let mut reader = self.reader().await?;
        self.scope.read(&mut reader).scan(kind, prefix).await.map_err(tell)
    }

    async fn put(&self, kind: &'static str, key: Vec<u8>, value: &[u8]) -> Result<()> {
        self.put_entries(vec![self.seal(kind, key, value)?]).await
    }

    /// All of them in one commit.
    async fn put_all<V: AsRef<[u8]>>(
        &self,
        kind: &'static str,
        rows: impl Iterator<Item = (Vec<u8>, V)>,
    ) -> Result<()> {
        let entries = rows.map(|(key, value)| self.seal(kind, key, value.as_ref())).collect::<Result<_>>()?;
        self.put_entries(entries).await
    }

    async fn put_entries(&self, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.write(change::Put(entries)).await
    }

    async fn delete(&self, kind: &'static str, keys: Vec<Vec<u8>>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.write(change::Delete { kind, keys }).await
    }

    fn seal(&self, kind: &'static str, key: Vec<u8>, value: &[u8]) -> Result<Entry> {
        self.scope.seal(kind, key, value).map_err(tell)
    }
}

/// Milliseconds since 1970 by the library's clock, with which it also reckons what is old.
fn now() -> i64 {
    wacore::time::now_millis()
}
