//! Places in lists, as callers carry them: opaque, and refused when altered or used with another filter
//! than they were made for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::Engine;
use hmac::{Hmac, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How much of the seal is kept: 96 bits that nobody can try offline.
const SEAL: usize = 12;
/// Longer ones were not made by us.
const LONGEST: usize = 1024;

/// Makes and reads cursors under the installation's key, so that every process understands them.
#[derive(Clone)]
pub struct Cursors {
    key: [u8; 32],
}

/// It was not made by us, was altered, or belongs to another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct Foreign;

/// A list as it was asked for: whose, which, narrowed to what.
#[derive(Clone, Copy, Debug)]
pub struct List([u8; 8]);

impl List {
    /// `parts` is everything that decides which rows the list holds.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hash.finalize()[..8]);
        Self(short)
    }
}

#[derive(Serialize, Deserialize)]
struct Inside<P> {
    p: P,
    f: String,
}

impl Cursors {
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self { key: engine.key.derive("cursors") }
    }

    /// A cursor for what follows `place`.
    #[must_use]
    pub fn seal<P: Serialize>(&self, list: List, place: P) -> String {
        let inside = Inside { p: place, f: hex::encode(list.0) };
        let mut bytes = serde_json::to_vec(&inside).expect("places are made of ids and numbers");
        let seal = self.mac(&bytes);
        bytes.extend_from_slice(&seal);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn open<P: DeserializeOwned>(&self, list: List, cursor: &str) -> Result<P, Foreign> {
        if cursor.len() > LONGEST {
            return Err(Foreign);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Foreign)?;
        let inside = bytes.len().checked_sub(SEAL).ok_or(Foreign)?;
        let (inside, seal) = bytes.split_at(inside);
        if !bool::from(self.mac(inside).ct_eq(seal)) {
            return Err(Foreign);
        }
        let inside: Inside<P> = serde_json::from_slice(inside).map_err(|_| Foreign)?;
        if inside.f == hex::encode(list.0) { Ok(inside.p) } else { Err(Foreign) }
    }

    fn mac(&self, bytes: &[u8]) -> [u8; SEAL] {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(bytes);
        let mut short = [0; SEAL];
        short.copy_from_slice(&mac.finalize().into_bytes()[..SEAL]);
        short
    }
}

/// Cuts rows, of which one more than `limit` was asked for, down to a page; tells whether there is more.
pub fn cut<T>(mut rows: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows, more)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursors(key: u8) -> Cursors {
        Cursors { key: [key; 32] }
    }

    #[test]
    fn a_cursor_opens_only_for_its_list_and_key() {
        let list = List::new(&["org", "messages", "inbound"]);
        let sealed = cursors(1).seal(list, (Some(5_i64), "x"));
        let opened: (Option<i64>, String) = cursors(1).open(list, &sealed).unwrap();
        assert_eq!(opened, (Some(5), "x".into()));
        for other in [&["org", "messages"][..], &["org", "messagesinbound"], &["other", "messages", "inbound"]] {
            assert_eq!(cursors(1).open::<(Option<i64>, String)>(List::new(other), &sealed), Err(Foreign));
        }
        assert_eq!(cursors(2).open::<(Option<i64>, String)>(list, &sealed), Err(Foreign));
        for nonsense in ["", "e30", "a b", &"A".repeat(5000)] {
            assert_eq!(cursors(1).open::<i64>(list, nonsense), Err(Foreign));
        }
    }

    proptest! {
        #[test]
        fn any_change_is_noticed(place: i64, at in 0_usize..40, by in 1_u8..255) {
            let list = List::new(&["a"]);
            let sealed = cursors(1).seal(list, place);
            let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= by;
            let altered = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(cursors(1).open::<i64>(list, &altered), Err(Foreign));
            prop_assert_eq!(cursors(1).open::<i64>(list, &sealed), Ok(place));
        }
    }
}
