//! 96-bit ids: 48 bits of milliseconds, then 48 random bits. One id, several spellings: 24 hexadecimal
//! digits; and 128 bits laid out as a ULID, the 96 bits followed by their CRC-32, written as 26 Crockford
//! characters or as 32 hexadecimal digits. A spelling with a wrong check never reaches the database.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 12]);

impl Id {
    #[must_use]
    pub fn from_parts(millis: i64, random: u64) -> Self {
        let mut bytes = [0; 12];
        bytes[..6].copy_from_slice(&millis.max(0).to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random.to_be_bytes()[2..]);
        Self(bytes)
    }

    /// The smallest id of a moment: everything made before it is smaller.
    #[must_use]
    pub fn floor(millis: i64) -> Self {
        Self::from_parts(millis, 0)
    }

    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// When it was made, in milliseconds since 1970.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.0[..6].iter().fold(0, |sum, byte| (sum << 8) | i64::from(*byte))
    }

    /// 24 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex24(&self) -> String {
        hex::encode(self.0)
    }

    #[must_use]
    pub fn parse_hex24(text: &str) -> Option<Self> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// 32 lower-case hexadecimal digits, the last eight a check.
    #[must_use]
    pub fn hex32(&self) -> String {
        format!("{:032x}", self.checked())
    }

    #[must_use]
    pub fn parse_hex32(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok())?.and_then(Self::from_checked)
    }

    /// 26 Crockford characters, spelt like a ULID.
    #[must_use]
    pub fn ulid(&self) -> String {
        let value = self.checked();
        let digits: [u8; 26] = std::array::from_fn(|place| CROCKFORD[(value >> (5 * (25 - place))) as usize & 31]);
        str::from_utf8(&digits).expect("the alphabet is ASCII").to_owned()
    }

    #[must_use]
    pub fn parse_ulid(text: &str) -> Option<Self> {
        if text.len() != 26 || text.as_bytes()[0] > b'7' {
            return None;
        }
        let digit = |byte: u8| CROCKFORD.iter().position(|known| *known == byte);
        let value = text.bytes().try_fold(0_u128, |sum, byte| Some((sum << 5) | digit(byte)? as u128))?;
        Self::from_checked(value)
    }

    fn checked(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&self.0);
        bytes[12..].copy_from_slice(&crc32fast::hash(&self.0).to_be_bytes());
        u128::from_be_bytes(bytes)
    }

    fn from_checked(value: u128) -> Option<Self> {
        let id = Self::from_slice(&value.to_be_bytes()[..12])?;
        (id.checked() == value).then_some(id)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex24())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex24())
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex24())
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse_hex24(&text).ok_or_else(|| serde::de::Error::custom("an id has 24 hexadecimal digits"))
    }
}

/// Makes ids that only grow within a process, also when the clock steps back.
pub struct Ids(Mutex<State>);

struct State {
    last: u128,
    random: StdRng,
}

impl Ids {
    #[must_use]
    pub fn new() -> Self {
        Self::with(StdRng::from_os_rng())
    }

    /// Repeatable ids, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::with(StdRng::seed_from_u64(seed))
    }

    fn with(random: StdRng) -> Self {
        Self(Mutex::new(State { last: 0, random }))
    }

    pub fn next(&self, millis: i64) -> Id {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Leaves room to count upwards within a millisecond.
        let random = state.random.random::<u64>() & 0x7fff_ffff_ffff;
        let fresh = (millis.max(0) as u128) << 48 | u128::from(random);
        // A step forward that nobody can foresee, so that ids of one millisecond cannot be guessed from each other.
        let stride = u128::from(state.random.random::<u32>()) + 1;
        state.last = fresh.max(state.last + stride);
        Id::from_parts((state.last >> 48) as i64, (state.last & 0xffff_ffff_ffff) as u64)
    }
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_spelling_reads_back(millis in 0_i64..1 << 48, random: u64) {
            let id = Id::from_parts(millis, random);
            prop_assert_eq!(id.millis(), millis);
            prop_assert_eq!(Id::parse_hex24(&id.hex24()), Some(id));
            prop_assert_eq!(Id::parse_hex32(&id.hex32()), Some(id));
            prop_assert_eq!(Id::parse_ulid(&id.ulid()), Some(id));
        }

        #[test]
        fn one_wrong_character_is_noticed(millis in 0_i64..1 << 48, random: u64, place in 0_usize..26, other in 0_usize..32) {
            let id = Id::from_parts(millis, random);
            let mut text = id.ulid().into_bytes();
            let character = CROCKFORD[other];
            prop_assume!(text[place] != character);
            text[place] = character;
            prop_assert_eq!(Id::parse_ulid(std::str::from_utf8(&text).unwrap()), None);
        }
    }

    #[test]
    fn ids_grow_even_when_the_clock_steps_back() {
        let ids = Ids::seeded(7);
        let made: Vec<_> = [5_000, 5_000, 4_000, 5_001, 9_000].map(|millis| ids.next(millis)).into();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]), "{made:?}");
        assert_eq!(made[4].millis(), 9_000);
    }

    #[test]
    fn other_lengths_and_alphabets_are_refused() {
        for text in ["", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "0000000000000000000000000I", "é0000000000000000000000000"] {
            assert_eq!(Id::parse_ulid(text), None, "{text}");
        }
        assert_eq!(Id::parse_hex32("+0000000000000000000000000000000"), None);
    }
}
