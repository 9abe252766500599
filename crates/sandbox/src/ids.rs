//! Ids and secrets. What must be the same after a restart (accounts, tokens, numbers) is *derived* from the data directory's
//! seed and a label; what must never repeat (messages, media, traces) is *drawn* from the seed, the number of this run and a counter.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

#[derive(Clone)]
pub(crate) struct Seed([u8; 32]);

impl Seed {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn from_number(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }

    pub(crate) fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    /// 32 bytes that depend on nothing but the seed and the label.
    pub(crate) fn derive(&self, label: &str) -> [u8; 32] {
        sign(&self.0, label.as_bytes())
    }

    /// A decimal id of `length` digits starting with `first`.
    pub(crate) fn digits(&self, label: &str, first: char, length: usize) -> String {
        decimal(&self.derive(label), first, length)
    }

    /// Lower-case hex, as Meta spells app secrets.
    pub(crate) fn secret(&self, label: &str) -> String {
        hex::encode(&self.derive(label)[..16])
    }

    /// A long bearer token in Meta's style.
    pub(crate) fn token(&self, label: &str) -> String {
        let mut text = String::from("EAA");
        for part in 0..4 {
            let block = self.derive(&format!("{label}/{part}"));
            text.extend(URL_SAFE_NO_PAD.encode(block).chars().filter(char::is_ascii_alphanumeric));
        }
        text
    }

    /// The business-scoped id under which a portfolio knows a phone: reversible by us, opaque to everybody else.
    pub(crate) fn user_id(&self, business: &str, phone: &str) -> String {
        let (number, mask) = (phone.parse::<u64>().unwrap_or(0), self.derive(&format!("user/{business}")));
        let check = sign(&mask, &number.to_be_bytes());
        format!("US.{:020}{:010}", number ^ leading_u64(&mask), leading_u64(&check) % 10_000_000_000)
    }

    /// The phone behind a business-scoped id, if this portfolio gave it.
    pub(crate) fn phone_of(&self, business: &str, user_id: &str) -> Option<String> {
        let digits = user_id.strip_prefix("US.").filter(|d| d.len() == 30)?;
        let masked: u64 = digits.get(..20)?.parse().ok()?;
        let mask = self.derive(&format!("user/{business}"));
        let phone = (masked ^ leading_u64(&mask)).to_string();
        (self.user_id(business, &phone) == user_id).then_some(phone)
    }
}

/// The source of what is new.
pub(crate) struct Ids {
    key: [u8; 32],
    counter: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: &Seed, run: u64) -> Self {
        Self { key: seed.derive(&format!("run/{run}")), counter: AtomicU64::new(0) }
    }

    fn block(&self) -> [u8; 32] {
        let turn = self.counter.fetch_add(1, Ordering::Relaxed);
        sign(&self.key, &turn.to_le_bytes())
    }

    pub(crate) fn digits(&self, length: usize) -> String {
        let block = self.block();
        decimal(&block, char::from(b'1' + block[31] % 9), length)
    }

    /// A number below `limit`.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        leading_u64(&self.block()) % limit.max(1)
    }

    pub(crate) fn hex(&self) -> String {
        hex::encode(&self.block()[..16])
    }

    /// An error's trace id.
    pub(crate) fn trace(&self) -> String {
        format!("A{}", URL_SAFE_NO_PAD.encode(&self.block()[..16]))
    }

    /// A message id laid out as Meta's are: base64 over the other party's number, a direction byte and 18 hex digits.
    pub(crate) fn wamid(&self, phone: &str, from_business: bool) -> String {
        let mut bytes = Vec::with_capacity(40);
        bytes.extend([0x1c, 0x18, u8::try_from(phone.len()).unwrap_or(u8::MAX)]);
        bytes.extend(phone.as_bytes());
        bytes.extend([0x15, 0x02, 0x00, if from_business { 0x11 } else { 0x12 }, 0x18, 0x12]);
        bytes.extend(hex::encode_upper(&self.block()[..9]).into_bytes());
        bytes.push(0);
        format!("wamid.{}", STANDARD.encode(bytes))
    }
}

/// HMAC-SHA-256.
pub(crate) fn sign(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn leading_u64(bytes: &[u8; 32]) -> u64 {
    bytes.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn decimal(bytes: &[u8; 32], first: char, length: usize) -> String {
    std::iter::once(first)
        .chain(bytes.iter().cycle().enumerate().map(|(turn, byte)| {
            let digit = (usize::from(*byte) + turn / 32) % 10;
            char::from(b'0' + u8::try_from(digit).unwrap_or(0))
        }))
        .take(length)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_is_stable_drawn_is_not() {
        let seed = Seed::from_number(7);
        assert_eq!(seed.digits("waba", '1', 15), seed.digits("waba", '1', 15));
        assert_ne!(seed.digits("waba", '1', 15), seed.digits("other", '1', 15));
        assert_eq!(Seed::from_hex(&seed.to_hex()).unwrap().secret("x"), seed.secret("x"));
        let ids = Ids::new(&seed, 1);
        assert_ne!(ids.wamid("15550199", true), ids.wamid("15550199", true));
        assert_ne!(Ids::new(&seed, 2).digits(15), Ids::new(&seed, 1).digits(15));
    }

    #[test]
    fn a_user_id_leads_back_to_its_phone_in_its_own_portfolio_only() {
        let seed = Seed::from_number(7);
        let id = seed.user_id("biz", "15550199001");
        assert_eq!(seed.phone_of("biz", &id).as_deref(), Some("15550199001"));
        assert_eq!(seed.phone_of("another", &id), None);
        assert_eq!(seed.phone_of("biz", "US.1"), None);
    }
}
