//! What makes a phone that phone: its identity, the prekeys others start sessions with, and the
//! secrets it shares with its companions. All of it is kept, so that a restarted sandbox is still
//! the same phone to every device that linked it.

use super::{Random, blob::Blob, sync_key::SyncKey};
use rand_10::RngExt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::collections::BTreeMap;
use wacore_libsignal::protocol::{IdentityKey, IdentityKeyPair, KeyPair, PrivateKey};

/// One-time keys handed out and not yet used that a phone remembers; the oldest are forgotten first.
const ONE_TIME_KEYS: usize = 1024;
/// Prekey ids are three bytes on the wire and start anew behind this.
const LAST_PREKEY: u32 = 0x00FF_FFFF;

/// A Curve25519 pair; the file holds the private half.
#[derive(Clone)]
pub struct Pair(KeyPair);

impl Pair {
    /// A new pair.
    pub fn generate(random: &mut Random) -> Self {
        Self(KeyPair::generate(random))
    }

    /// The raw 32 bytes, without the type byte.
    pub fn public(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key.public_key_bytes());
        bytes
    }

    /// XEdDSA over the parts, one after the other.
    pub fn sign(&self, parts: &[&[u8]], random: &mut Random) -> [u8; 64] {
        self.0
            .private_key
            .calculate_signature_for_multipart_message(parts, random)
            .expect("a Curve25519 key signs anything")
    }

    pub(super) fn key_pair(&self) -> &KeyPair {
        &self.0
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Blob::from(&self.0.private_key.serialize()[..]).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let private = PrivateKey::deserialize(Blob::deserialize(deserializer)?.as_slice()).map_err(D::Error::custom)?;
        let public = private.public_key().map_err(D::Error::custom)?;
        Ok(Self(KeyPair::new(public, private)))
    }
}

/// The prekey that stays, with the identity's signature over it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignedKey {
    pub(super) id: u32,
    pub(super) pair: Pair,
    pub(super) signature: Blob,
}

impl SignedKey {
    fn generate(id: u32, identity: &Pair, random: &mut Random) -> Self {
        let pair = Pair::generate(random);
        let signature = identity.sign(&[&pair.key_pair().public_key.serialize()], random);
        Self { id, pair, signature: signature[..].into() }
    }

    /// Id, public key, signature: what a prekey bundle carries.
    pub fn public(&self) -> (u32, [u8; 32], &[u8]) {
        (self.id, self.pair.public(), self.signature.as_slice())
    }
}

/// One-time prekeys that were handed out and not yet used.
#[derive(Clone, Serialize, Deserialize)]
pub struct OneTimeKeys {
    next: u32,
    pub(super) keys: BTreeMap<u32, Pair>,
}

/// All keys of a phone. Serialisable, secret, without `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    pub(super) identity: Pair,
    registration_id: u32,
    raw_id: u32,
    pub(super) signed: SignedKey,
    pub(super) one_time: OneTimeKeys,
    sync_keys: Vec<SyncKey>,
}

impl Keys {
    /// The keys of a phone that registers for the first time; `now` in seconds.
    pub fn generate(now: i64, random: &mut Random) -> Self {
        let identity = Pair::generate(random);
        let raw_id = random.random();
        Self {
            signed: SignedKey::generate(1, &identity, random),
            identity,
            registration_id: random.random_range(1..=0x3FFF),
            raw_id,
            one_time: OneTimeKeys { next: 1, keys: BTreeMap::new() },
            sync_keys: vec![SyncKey::generate(1, raw_id, now, random)],
        }
    }

    /// The identity key, 32 bytes.
    pub fn identity(&self) -> [u8; 32] {
        self.identity.public()
    }

    /// The registration id of device 0.
    pub fn registration_id(&self) -> u32 {
        self.registration_id
    }

    /// Names this set of device lists; it changes when the owner registers anew.
    pub fn raw_id(&self) -> u32 {
        self.raw_id
    }

    /// The signed prekey.
    pub fn signed(&self) -> &SignedKey {
        &self.signed
    }

    /// A fresh one-time prekey (id and public key) for somebody who asked for this phone's bundle.
    pub fn hand_out(&mut self, random: &mut Random) -> (u32, [u8; 32]) {
        let keys = &mut self.one_time;
        let id = keys.next;
        keys.next = if id >= LAST_PREKEY { 1 } else { id + 1 };
        let pair = Pair::generate(random);
        let public = pair.public();
        keys.keys.insert(id, pair);
        if keys.keys.len() > ONE_TIME_KEYS {
            keys.keys.pop_first();
        }
        (id, public)
    }

    /// The app-state keys, oldest first; the last one is in use.
    pub fn sync_keys(&self) -> &[SyncKey] {
        &self.sync_keys
    }

    /// The app-state key new patches are written with.
    pub fn sync_key(&self) -> &SyncKey {
        self.sync_keys.last().expect("a phone is made with one and never drops any")
    }

    /// Takes a new app-state key, as a phone does when a companion was removed.
    pub fn rotate_sync_key(&mut self, now: i64, random: &mut Random) -> &SyncKey {
        let epoch = self.sync_key().epoch() + 1;
        let key = SyncKey::generate(epoch, self.raw_id, now, random);
        self.sync_keys.push(key);
        self.sync_key()
    }

    pub(super) fn identity_pair(&self) -> IdentityKeyPair {
        let pair = self.identity.key_pair();
        IdentityKeyPair::new(IdentityKey::new(pair.public_key), pair.private_key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;
    use wacore_libsignal::protocol::PublicKey;

    #[test]
    fn a_kept_phone_is_the_same_phone() {
        let mut random = random(1);
        let mut keys = Keys::generate(1_700_000_000, &mut random);
        let handed = keys.hand_out(&mut random);
        keys.rotate_sync_key(1_700_000_100, &mut random);
        let text = serde_json::to_string(&keys).unwrap();
        let mut kept: Keys = serde_json::from_str(&text).unwrap();

        assert_eq!(kept.identity(), keys.identity());
        assert_eq!(kept.registration_id(), keys.registration_id());
        assert_eq!(kept.signed().public(), keys.signed().public());
        assert_eq!(kept.one_time.keys[&handed.0].public(), handed.1);
        assert_eq!(kept.sync_keys().len(), 2);
        assert_ne!(kept.hand_out(&mut random).0, handed.0, "an id is not given twice");
        assert!(serde_json::from_str::<Pair>("\"AAAA\"").is_err(), "a short key is refused");
    }

    #[test]
    fn the_signed_prekey_carries_the_identitys_signature() {
        let mut random = random(2);
        let keys = Keys::generate(0, &mut random);
        let identity = PublicKey::from_djb_public_key_bytes(&keys.identity()).unwrap();
        let (_, public, signature) = keys.signed().public();
        let signed = PublicKey::from_djb_public_key_bytes(&public).unwrap().serialize();
        assert!(identity.verify_signature(&signed, signature));
        let other = Keys::generate(0, &mut random);
        let stranger = PublicKey::from_djb_public_key_bytes(&other.identity()).unwrap();
        assert!(!stranger.verify_signature(&signed, signature));
    }

    #[test]
    fn unused_keys_do_not_pile_up() {
        let mut random = random(3);
        let mut keys = Keys::generate(0, &mut random);
        keys.one_time.next = LAST_PREKEY;
        assert_eq!(keys.hand_out(&mut random).0, LAST_PREKEY);
        assert_eq!(keys.hand_out(&mut random).0, 1);
        for _ in 0..ONE_TIME_KEYS {
            keys.hand_out(&mut random);
        }
        assert_eq!(keys.one_time.keys.len(), ONE_TIME_KEYS);
    }
}
