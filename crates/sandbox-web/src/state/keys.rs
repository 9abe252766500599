//! Public keys a device left with the server, for others to start sessions with.

use std::collections::VecDeque;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A public key: 32 bytes, base64 in files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key(pub(crate) [u8; 32]);

impl Key {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        Self::read(&bytes).ok_or_else(|| D::Error::custom("a key has 32 bytes"))
    }
}

/// The prekey that is used again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signed {
    pub(crate) id: u32,
    pub(crate) key: Key,
    pub(crate) signature: Vec<u8>,
}

/// What a companion uploaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Uploaded {
    pub(crate) registration_id: u32,
    pub(crate) signed: Signed,
    pub(crate) one_time: VecDeque<(u32, Key)>,
}

/// More one-time keys than any client keeps.
const ONE_TIME_LIMIT: usize = 10_000;

impl Uploaded {
    /// Adds keys; an id that is here already keeps its key, since somebody may have seen it.
    pub(crate) fn add(&mut self, keys: impl IntoIterator<Item = (u32, Key)>) {
        let known: std::collections::HashSet<u32> = self.one_time.iter().map(|(id, _)| *id).collect();
        let room = ONE_TIME_LIMIT.saturating_sub(self.one_time.len());
        self.one_time.extend(keys.into_iter().filter(|(id, _)| !known.contains(id)).take(room));
    }

    /// The bundle for one new session; its one-time key is not given again.
    pub(crate) fn hand_out(&mut self, identity: Key) -> Bundle {
        Bundle {
            registration_id: self.registration_id,
            identity,
            signed: self.signed.clone(),
            one_time: self.one_time.pop_front(),
        }
    }
}

/// What is needed to start a session with a device.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) registration_id: u32,
    pub(crate) identity: Key,
    pub(crate) signed: Signed,
    pub(crate) one_time: Option<(u32, Key)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_time_key_is_given_once_and_never_replaced() {
        let signed = Signed { id: 1, key: Key([1; 32]), signature: vec![0; 64] };
        let mut keys = Uploaded { registration_id: 5, signed, one_time: VecDeque::new() };
        keys.add([(7, Key([7; 32])), (8, Key([8; 32]))]);
        keys.add([(7, Key([9; 32]))]);
        let text = serde_json::to_string(&keys).unwrap();
        let mut kept: Uploaded = serde_json::from_str(&text).unwrap();
        let given: Vec<_> = std::iter::repeat_with(|| kept.hand_out(Key([0; 32])).one_time).take(3).collect();
        assert_eq!(given, [Some((7, Key([7; 32]))), Some((8, Key([8; 32]))), None]);
        assert!(serde_json::from_str::<Key>("\"AAAA\"").is_err());
        keys.add((0..20_000).map(|id| (id, Key([0; 32]))));
        assert_eq!(keys.one_time.len(), ONE_TIME_LIMIT);
    }
}
