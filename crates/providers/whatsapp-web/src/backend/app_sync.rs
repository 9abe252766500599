//! Keys, versions and codes of the state that the devices of an account share.

use std::collections::HashMap;

use async_trait::async_trait;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::error::Result;
use wacore::store::traits::{AppStateSyncKey, AppSyncStore};

use super::error::tell;
use super::key::{COLLECTION, LATEST_SYNC_KEY, MUTATION, SYNC_KEY, beginning, key};
use super::{Backend, change, json};

#[async_trait]
impl AppSyncStore for Backend {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        self.get_json(SYNC_KEY, key_id).await
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Result<()> {
        let stored = self.seal(SYNC_KEY, key_id.to_vec(), &json::write(&key).map_err(tell)?)?;
        let latest = self.seal(LATEST_SYNC_KEY, Vec::new(), key_id)?;
        self.put_entries(vec![stored, latest]).await
    }

    async fn get_version(&self, name: &str) -> Result<HashState> {
        Ok(self.get_json(COLLECTION, &key(&[name])).await?.unwrap_or_default())
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.put(COLLECTION, key(&[name]), &json::write(&state).map_err(tell)?).await
    }

    async fn put_mutation_macs(&self, name: &str, _version: u64, mutations: &[AppStateMutationMAC]) -> Result<()> {
        let rows = mutations.iter().map(|mutation| (mutation_key(name, &mutation.index_mac), &mutation.value_mac));
        self.put_all(MUTATION, rows).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(MUTATION, &mutation_key(name, index_mac)).await
    }

    async fn get_mutation_macs(&self, name: &str, index_macs: &[[u8; 32]]) -> Result<HashMap<[u8; 32], Vec<u8>>> {
        let keys: Vec<_> = index_macs.iter().map(|index_mac| mutation_key(name, index_mac)).collect();
        let mut reader = self.reader().await?;
        let found = self.scope.read(&mut reader).get_many(MUTATION, &keys).await.map_err(tell)?;
        let index_mac = |key: &[u8]| key.last_chunk::<32>().copied();
        Ok(found.into_iter().filter_map(|found| Some((index_mac(&found.key)?, found.value))).collect())
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        self.delete(MUTATION, index_macs.iter().map(|index_mac| mutation_key(name, index_mac)).collect()).await
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        self.write(change::DeletePrefix { kind: MUTATION, prefix: beginning(&[name]) }).await
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.get(LATEST_SYNC_KEY, b"").await
    }
}

fn mutation_key(name: &str, index_mac: &[u8]) -> Vec<u8> {
    [&beginning(&[name]), index_mac].concat()
}
