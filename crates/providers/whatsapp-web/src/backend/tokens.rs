//! Privacy tokens of contacts. A row has two halves that are written by two: the token that we received, and when we
//! last issued ours. Each writer reads the row in its transaction and leaves the other's half as it is.

use store::Result;
use store::session_state::{Entry, Scope, Writing};
use wacore::store::traits::TcTokenEntry;

use super::change::Change;
use super::json;
use super::key::TOKEN;

/// The row's time is the later one of its halves: what is newer than that can be dead to nobody.
pub(super) fn seal(scope: &Scope, key: Vec<u8>, token: &TcTokenEntry) -> Result<Entry> {
    let received = (!token.token.is_empty()).then_some(token.token_timestamp);
    let latest = received.max(token.sender_timestamp).unwrap_or(i64::MIN);
    Ok(scope.seal(TOKEN, key, &json::write(token)?)?.at(latest.saturating_mul(1000)))
}

async fn read(state: &mut Writing<'_>, key: &[u8]) -> Result<Option<TcTokenEntry>> {
    state.get(TOKEN, key).await?.map(|found| json::read(&found.value)).transpose()
}

/// Ours was issued. The time only moves forward.
pub(super) struct Issued {
    pub(super) key: Vec<u8>,
    /// Unix seconds.
    pub(super) at: i64,
}

impl Change for Issued {
    type Output = ();
    async fn make(&self, scope: &Scope, mut state: Writing<'_>) -> Result<()> {
        let fresh = || TcTokenEntry { token: Vec::new(), token_timestamp: self.at, sender_timestamp: None };
        let mut token = read(&mut state, &self.key).await?.unwrap_or_else(fresh);
        token.sender_timestamp = token.sender_timestamp.max(Some(self.at));
        state.put(&[seal(scope, self.key.clone(), &token)?]).await
    }
}

/// Theirs came. A newer one that is there already stays.
pub(super) struct Received {
    pub(super) key: Vec<u8>,
    pub(super) token: Vec<u8>,
    /// Unix seconds.
    pub(super) at: i64,
}

impl Change for Received {
    type Output = ();
    async fn make(&self, scope: &Scope, mut state: Writing<'_>) -> Result<()> {
        let known = read(&mut state, &self.key).await?;
        if known.as_ref().is_some_and(|known| !known.token.is_empty() && self.at < known.token_timestamp) {
            return Ok(());
        }
        let sender_timestamp = known.and_then(|known| known.sender_timestamp);
        let token = TcTokenEntry { token: self.token.clone(), token_timestamp: self.at, sender_timestamp };
        state.put(&[seal(scope, self.key.clone(), &token)?]).await
    }
}

/// Forgets the rows of which neither half is of use any more, and returns how many they were.
pub(super) struct Expire {
    /// Unix seconds, as is the other one.
    pub(super) received_before: i64,
    pub(super) issued_before: i64,
}

impl Expire {
    fn is_dead(&self, token: &TcTokenEntry) -> bool {
        let received = !token.token.is_empty() && token.token_timestamp >= self.received_before;
        let issued = token.sender_timestamp.is_some_and(|at| at >= self.issued_before);
        !received && !issued
    }
}

impl Change for Expire {
    type Output = u32;
    async fn make(&self, _: &Scope, mut state: Writing<'_>) -> Result<u32> {
        let before = self.received_before.max(self.issued_before).saturating_mul(1000);
        let mut dead = Vec::new();
        for found in state.older(TOKEN, before).await? {
            if self.is_dead(&json::read(&found.value)?) {
                dead.push(found.key);
            }
        }
        Ok(u32::try_from(state.delete(TOKEN, &dead).await?).unwrap_or(u32::MAX))
    }
}
