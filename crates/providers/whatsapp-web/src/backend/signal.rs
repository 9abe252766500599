//! Keys and ratchets of the end-to-end encryption.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wacore::store::error::Result;
use wacore::store::traits::SignalStore;

use super::Backend;
use super::error::tell;
use super::key::{IDENTITY, PREKEY, SENDER_KEY, SESSION, SIGNED_PREKEY, key};

#[async_trait]
impl SignalStore for Backend {
    async fn put_identity(&self, address: &str, key_of_peer: [u8; 32]) -> Result<()> {
        self.put(IDENTITY, key(&[address]), &key_of_peer).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        self.put_all(IDENTITY, identities.iter().map(|(address, identity)| (key(&[address]), identity))).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        let found = self.get(IDENTITY, &key(&[address])).await?;
        found.map(|bytes| bytes.try_into().map_err(|_| corrupt("an identity of another length"))).transpose()
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.delete(IDENTITY, vec![key(&[address])]).await
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        Ok(self.get(SESSION, &key(&[address])).await?.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.put(SESSION, key(&[address]), session).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.put_all(SESSION, sessions.iter().map(|(address, session)| (key(&[address]), session))).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.delete(SESSION, vec![key(&[address])]).await
    }

    async fn has_session(&self, address: &str) -> Result<bool> {
        let mut reader = self.reader().await?;
        self.scope.read(&mut reader).has(SESSION, &key(&[address])).await.map_err(tell)
    }

    async fn has_signal_state_for_user(&self, user: &str) -> Result<bool> {
        let mut reader = self.reader().await?;
        let mut state = self.scope.read(&mut reader);
        // The first device of a user is written user@server, the others user:device@server.
        for prefix in [format!("{user}@"), format!("{user}:")] {
            for kind in [SESSION, IDENTITY] {
                if !state.keys(kind, prefix.as_bytes(), 1).await.map_err(tell)?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Result<()> {
        self.put(PREKEY, number(id), record).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> Result<()> {
        self.put_all(PREKEY, keys.iter().map(|(id, record)| (number(*id), record))).await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        Ok(self.get(PREKEY, &number(id)).await?.map(Bytes::from))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> Result<Vec<(u32, Bytes)>> {
        let keys: Vec<_> = ids.iter().copied().map(number).collect();
        let mut reader = self.reader().await?;
        let found = self.scope.read(&mut reader).get_many(PREKEY, &keys).await.map_err(tell)?;
        let found: HashMap<_, _> = found.into_iter().map(|found| (found.key, Bytes::from(found.value))).collect();
        Ok(ids.iter().filter_map(|id| Some((*id, found.get(&number(*id))?.clone()))).collect())
    }

    /// What was uploaded is told by two watermarks in the device; nobody reads a mark on the key itself.
    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.delete(PREKEY, vec![number(id)]).await
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        let mut reader = self.reader().await?;
        let last = self.scope.read(&mut reader).last_key(PREKEY).await.map_err(tell)?;
        last.map_or(Ok(0), |key| id(&key))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.put(SIGNED_PREKEY, number(id), record).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        self.get(SIGNED_PREKEY, &number(id)).await
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let found = self.scan(SIGNED_PREKEY, b"").await?;
        found.into_iter().map(|found| Ok((id(&found.key)?, found.value))).collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.delete(SIGNED_PREKEY, vec![number(id)]).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.put(SENDER_KEY, key(&[address]), record).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.put_all(SENDER_KEY, sender_keys.iter().map(|(address, record)| (key(&[address]), record))).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        self.get(SENDER_KEY, &key(&[address])).await
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.delete(SENDER_KEY, vec![key(&[address])]).await
    }
}

/// In this spelling keys are in the order of numbers.
fn number(id: u32) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

fn id(key: &[u8]) -> Result<u32> {
    key.try_into().map(u32::from_be_bytes).map_err(|_| corrupt("a key's number of another length"))
}

fn corrupt(what: &str) -> wacore::store::error::StoreError {
    tell(store::Error::corrupt(what))
}
