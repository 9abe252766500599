//! Kinds of value, and how their keys are spelled.
//!
//! The parts of a key are parted by a byte that no text contains, so that no two keys of different parts are the same
//! and all keys with the same first parts are found by their beginning. Names come from outside: a very long one is
//! replaced by its hash, as PostgreSQL's index refuses it.

use sha2::{Digest, Sha256};

pub(super) const IDENTITY: &str = "identity";
pub(super) const SESSION: &str = "session";
pub(super) const PREKEY: &str = "prekey";
pub(super) const SIGNED_PREKEY: &str = "signed-prekey";
pub(super) const SENDER_KEY: &str = "sender-key";
pub(super) const SENDER_KEY_DEVICE: &str = "sender-key-device";
pub(super) const SYNC_KEY: &str = "sync-key";
pub(super) const LATEST_SYNC_KEY: &str = "latest-sync-key";
pub(super) const COLLECTION: &str = "collection";
pub(super) const MUTATION: &str = "mutation";
pub(super) const MAPPING: &str = "mapping";
pub(super) const BASE_KEY: &str = "base-key";
pub(super) const DEVICE_LIST: &str = "device-list";
pub(super) const GROUP: &str = "group";
pub(super) const TOKEN: &str = "token";
pub(super) const SENT: &str = "sent";
pub(super) const PENDING: &str = "pending";
pub(super) const WANTED: &str = "wanted";
pub(super) const SECRET: &str = "secret";
pub(super) const DEVICE: &str = "device";

const PARTING: u8 = 0xff;
const LONGEST: usize = 512;

pub(super) fn key(parts: &[&str]) -> Vec<u8> {
    let mut key = beginning(parts);
    key.pop();
    key
}

/// How the keys begin that start with these parts and have more.
pub(super) fn beginning(parts: &[&str]) -> Vec<u8> {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for part in parts {
        match part.len() > LONGEST {
            true => key.extend(hex::encode(Sha256::digest(part)).into_bytes()),
            false => key.extend(part.as_bytes()),
        }
        key.push(PARTING);
    }
    key
}

/// The last part of a key.
pub(super) fn last(key: &[u8]) -> String {
    let last = key.rsplit(|byte| *byte == PARTING).next().unwrap_or_default();
    String::from_utf8_lossy(last).into_owned()
}

/// A number to find rows by that have a second name. Different names may share one.
pub(super) fn mark(name: &str) -> i64 {
    let hash = Sha256::digest(name);
    hash.iter().take(8).fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_parts_differ_and_begin_with_their_first_part() {
        let long = "x".repeat(100_000);
        let cases: &[&[&str]] = &[&["a", "b"], &["ab"], &["a", "", "b"], &["", "ab"], &["a\0", "b"], &["ä", "b"]];
        for (index, parts) in cases.iter().enumerate() {
            assert!(cases[..index].iter().all(|other| key(other) != key(parts)), "{parts:?}");
            assert!(parts.len() == 1 || key(parts).starts_with(&beginning(&parts[..1])));
            assert_eq!(last(&key(parts)), *parts[parts.len() - 1]);
        }
        assert!(key(&[&long, &long, &long]).len() < 1000);
        assert_ne!(key(&[&long]), key(&[&long[1..]]));
        assert_ne!(mark("1"), mark("2"));
    }
}
