//! What the Signal library asks of a device's memory, answered from the phone's own values.

use super::{
    blob::Blob,
    keys::{Keys, OneTimeKeys, SignedKey},
};
use async_trait::async_trait;
use futures_util::FutureExt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::collections::BTreeMap;
use wacore_libsignal::protocol::{
    Direction, GenericSignedPreKey, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyId,
    PreKeyRecord, PreKeyStore, ProtocolAddress, SenderKeyName, SenderKeyRecord, SenderKeyStore, SessionRecord,
    SessionStore, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp,
};

type Result<T, E = SignalProtocolError> = std::result::Result<T, E>;

/// The stores below answer at once, so what awaits them is always ready.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("stores in memory never wait")
}

/// The phone's sessions and sender keys, by address.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Sessions {
    pub(super) sessions: Records<SessionRecord>,
    pub(super) sender_keys: Records<SenderKeyRecord>,
}

/// Records by name; a file holds them in the library's own encoding.
#[derive(Clone)]
pub(super) struct Records<R>(pub(super) BTreeMap<String, R>);

impl<R> Default for Records<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

pub(super) trait Record: Sized {
    fn write(&self) -> Result<Vec<u8>>;
    fn read(bytes: &[u8]) -> Result<Self>;
}

impl Record for SessionRecord {
    fn write(&self) -> Result<Vec<u8>> {
        self.serialize()
    }
    fn read(bytes: &[u8]) -> Result<Self> {
        Self::deserialize(bytes)
    }
}

impl Record for SenderKeyRecord {
    fn write(&self) -> Result<Vec<u8>> {
        self.serialize()
    }
    fn read(bytes: &[u8]) -> Result<Self> {
        Self::deserialize(bytes)
    }
}

impl<R: Record> Serialize for Records<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let written = self.0.iter().map(|(name, record)| Ok((name, Blob(record.write()?))));
        let written = written.collect::<Result<BTreeMap<_, _>>>().map_err(S::Error::custom)?;
        written.serialize(serializer)
    }
}

impl<'de, R: Record> Deserialize<'de> for Records<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let written = BTreeMap::<String, Blob>::deserialize(deserializer)?;
        let read = written.into_iter().map(|(name, blob)| Ok((name, R::read(blob.as_slice())?)));
        Ok(Self(read.collect::<Result<_>>().map_err(D::Error::custom)?))
    }
}

#[async_trait]
impl SessionStore for Records<SessionRecord> {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.get(address.as_str()).cloned())
    }
    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.contains_key(address.as_str()))
    }
    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        self.0.insert(address.as_str().to_owned(), record);
        Ok(())
    }
}

#[async_trait]
impl SenderKeyStore for Records<SenderKeyRecord> {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Result<()> {
        self.0.insert(name.cache_key().to_owned(), record);
        Ok(())
    }
    async fn load_sender_key(&self, name: &SenderKeyName) -> Result<Option<SenderKeyRecord>> {
        Ok(self.0.get(name.cache_key()).cloned())
    }
}

/// The phone's own identity. Others' are taken as they come: a companion that was linked anew has a
/// new one, and here nobody sits between.
pub(super) struct Own {
    pair: IdentityKeyPair,
    registration_id: u32,
}

impl Own {
    pub(super) fn of(keys: &Keys) -> Self {
        Self { pair: keys.identity_pair(), registration_id: keys.registration_id() }
    }
}

#[async_trait]
impl IdentityKeyStore for Own {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.pair.clone())
    }
    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration_id)
    }
    async fn save_identity(&mut self, _address: &ProtocolAddress, _identity: &IdentityKey) -> Result<IdentityChange> {
        Ok(IdentityChange::NewOrUnchanged)
    }
    async fn is_trusted_identity(
        &self,
        _address: &ProtocolAddress,
        _identity: &IdentityKey,
        _direction: Direction,
    ) -> Result<bool> {
        Ok(true)
    }
    async fn get_identity(&self, _address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(None)
    }
}

#[async_trait]
impl PreKeyStore for OneTimeKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        let pair = self.keys.get(&u32::from(id)).ok_or(SignalProtocolError::InvalidPreKeyId)?;
        Ok(PreKeyRecord::new(id, pair.key_pair()))
    }
    async fn save_pre_key(&mut self, _id: PreKeyId, _record: &PreKeyRecord) -> Result<()> {
        Ok(())
    }
    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        self.keys.remove(&u32::from(id));
        Ok(())
    }
}

#[async_trait]
impl SignedPreKeyStore for SignedKey {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        if u32::from(id) != self.id {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        let (pair, signature) = (self.pair.key_pair(), self.signature.as_slice());
        Ok(SignedPreKeyRecord::new(id, Timestamp::from_epoch_millis(0), pair, signature))
    }
    async fn save_signed_pre_key(&mut self, _id: SignedPreKeyId, _record: &SignedPreKeyRecord) -> Result<()> {
        Ok(())
    }
}
