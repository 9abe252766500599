//! Writes as values: each is one transaction that first shows its fence, and may be run again.

use std::sync::Arc;

use store::session_state::{Entry, Scope, Writing};
use store::{Result, Tx, Work};
use tokio::sync::OwnedSemaphorePermit;

/// What is done to the session's state in one transaction.
pub(super) trait Change: Send + Sync + 'static {
    type Output: Send + 'static;
    fn make(&self, scope: &Scope, state: Writing<'_>) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Held from the moment a write is begun to the end of its transaction.
pub(super) type Permit = Arc<OwnedSemaphorePermit>;

pub(super) struct Fenced<C> {
    pub(super) scope: Arc<Scope>,
    pub(super) change: C,
    pub(super) _permit: Permit,
}

impl<C: Change> Work for Fenced<C> {
    type Output = C::Output;
    async fn run(&self, tx: &mut Tx) -> Result<C::Output> {
        self.change.make(&self.scope, self.scope.write(tx).await?).await
    }
}

pub(super) struct Put(pub(super) Vec<Entry>);

impl Change for Put {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<()> {
        state.put(&self.0).await
    }
}

/// Writes a value where there is none.
pub(super) struct PutNew(pub(super) Entry);

impl Change for PutNew {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<()> {
        state.put_new(&self.0).await.map(drop)
    }
}

pub(super) struct Delete {
    pub(super) kind: &'static str,
    pub(super) keys: Vec<Vec<u8>>,
}

impl Change for Delete {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<()> {
        state.delete(self.kind, &self.keys).await.map(drop)
    }
}

pub(super) struct DeletePrefix {
    pub(super) kind: &'static str,
    pub(super) prefix: Vec<u8>,
}

impl Change for DeletePrefix {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<()> {
        state.delete_prefix(self.kind, &self.prefix).await.map(drop)
    }
}

/// Deletes what is from before a time and returns how much it was of the first kind.
pub(super) struct DeleteOlder {
    pub(super) kinds: &'static [&'static str],
    /// Unix seconds.
    pub(super) before: i64,
}

impl Change for DeleteOlder {
    type Output = u32;
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<u32> {
        let before = self.before.saturating_mul(1000);
        let mut first = None;
        for kind in self.kinds {
            let count = state.delete_older(kind, before).await?;
            first.get_or_insert(u32::try_from(count).unwrap_or(u32::MAX));
        }
        Ok(first.unwrap_or_default())
    }
}

/// Reads a value and deletes it.
pub(super) struct Take {
    pub(super) kind: &'static str,
    pub(super) key: Vec<u8>,
}

impl Change for Take {
    type Output = Option<Vec<u8>>;
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<Option<Vec<u8>>> {
        Ok(state.take(self.kind, &self.key).await?.map(|found| found.value))
    }
}

pub(super) struct Wipe;

impl Change for Wipe {
    type Output = ();
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<()> {
        state.wipe().await
    }
}
