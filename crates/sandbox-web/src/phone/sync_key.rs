//! The keys that app state is encrypted with: made on the phone, shared with its companions.

use super::{Random, blob::Blob};
use rand_10::RngExt;
use serde::{Deserialize, Serialize};
use wacore_appstate::{ExpandedAppStateKeys, expand_app_state_keys};
use waproto::whatsapp::message::{AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId};

/// A key that app state is encrypted with.
#[derive(Clone, Serialize, Deserialize)]
pub struct SyncKey {
    id: Blob,
    data: Blob,
    raw_id: u32,
    timestamp: i64,
}

impl SyncKey {
    /// A new key of device 0; `now` in seconds.
    pub fn generate(epoch: u32, raw_id: u32, now: i64, random: &mut Random) -> Self {
        let mut id = vec![0; 2];
        id.extend(epoch.to_be_bytes());
        let data: [u8; 32] = random.random();
        Self { id: Blob(id), data: data[..].into(), raw_id, timestamp: now }
    }

    /// Two bytes of device, four of epoch.
    pub fn id(&self) -> &[u8] {
        self.id.as_slice()
    }

    /// Counts the keys of a phone.
    pub fn epoch(&self) -> u32 {
        let epoch = self.id.as_slice().get(2..6).and_then(|bytes| bytes.try_into().ok());
        epoch.map_or(0, u32::from_be_bytes)
    }

    pub(super) fn share(&self) -> AppStateSyncKey {
        AppStateSyncKey {
            key_id: AppStateSyncKeyId { key_id: Some(self.id.0.clone()) }.into(),
            key_data: AppStateSyncKeyData {
                key_data: Some(self.data.0.clone()),
                fingerprint: AppStateSyncKeyFingerprint {
                    raw_id: Some(self.raw_id),
                    current_index: Some(self.epoch()),
                    device_indexes: vec![0],
                }
                .into(),
                timestamp: Some(self.timestamp),
            }
            .into(),
        }
    }

    pub(super) fn expand(&self) -> ExpandedAppStateKeys {
        expand_app_state_keys(self.data.as_slice())
    }
}
