//! Who may be pushed to: a provider's accounts, remembered for a second, for receipts come by the thousand.

use std::sync::{Arc, Mutex, PoisonError};

use engine::provider::{Account, PushError};
use engine::{Engine, Id};

const KEPT_MS: i64 = 1000;

type All = Arc<Vec<Arc<Account>>>;

#[derive(Default)]
pub(super) struct Accounts(Mutex<Option<(i64, All)>>);

impl Accounts {
    /// The account that a path names, by our id or its own, as it was at most a second ago.
    pub(super) async fn known(
        &self,
        engine: &Engine,
        provider: &str,
        named: Option<&str>,
    ) -> Result<Arc<Account>, PushError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, all)) = kept
            && (at..at + KEPT_MS).contains(&engine.now())
            && let Some(account) = find(&all, named)
        {
            return Ok(account);
        }
        self.fresh(engine, provider, named).await
    }

    /// The same, as it is now.
    pub(super) async fn fresh(
        &self,
        engine: &Engine,
        provider: &str,
        named: Option<&str>,
    ) -> Result<Arc<Account>, PushError> {
        let at = engine.now();
        let all: All = Arc::new(engine.accounts_of(provider).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, all.clone()));
        find(&all, named).ok_or(PushError::UnknownAccount)
    }
}

fn find(all: &All, named: Option<&str>) -> Option<Arc<Account>> {
    let named = named?;
    let id = Id::parse_hex24(named);
    all.iter().find(|account| account.external_id == named || id == Some(account.id)).cloned()
}
