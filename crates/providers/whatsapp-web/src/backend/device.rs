//! The device that the session is: its keys, its addresses, its counters. One value.

use async_trait::async_trait;
use wacore::stats::StorageResourceReport;
use wacore::store::Device;
use wacore::store::error::Result;
use wacore::store::traits::DeviceStore;

use super::error::tell;
use super::key::DEVICE;
use super::{Backend, change, json};

#[async_trait]
impl DeviceStore for Backend {
    async fn save(&self, device: &Device) -> Result<()> {
        self.put(DEVICE, Vec::new(), &json::write(device).map_err(tell)?).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        self.get_json(DEVICE, b"").await
    }

    async fn exists(&self) -> Result<bool> {
        let mut reader = self.reader().await?;
        self.scope.read(&mut reader).has(DEVICE, b"").await.map_err(tell)
    }

    /// A backend holds one device; one that is there stays as it is.
    async fn create(&self) -> Result<i32> {
        let fresh = self.seal(DEVICE, Vec::new(), &json::write(&Device::new()).map_err(tell)?)?;
        self.write(change::PutNew(fresh)).await?;
        Ok(1)
    }

    /// Nothing of a session's state is kept in memory here.
    async fn resource_report(&self) -> StorageResourceReport {
        StorageResourceReport { memory_bytes: Some(0), ..StorageResourceReport::default() }
    }
}
