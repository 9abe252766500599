//! Encryption at rest and keyed hashes, all under one secret key of 32 bytes.
//!
//! Each use has a key of its own, derived by label, so that a value sealed for one purpose cannot be
//! opened, and a hash made for one cannot be used, for another. The `purpose` also binds a sealed value
//! to its place: moved to another row it does not open.

use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::Sha256;

use crate::{Error, Result};

const NONCE: usize = 12;

/// The key of an installation. Cheap to clone; what is derived from it on every request is derived once.
#[derive(Clone)]
pub struct SecretKey {
    bytes: [u8; 32],
    at_rest: Arc<Aes256Gcm>,
}

impl SecretKey {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let at_rest = Aes256Gcm::new(&derive(&bytes, "encryption at rest").into());
        Self { bytes, at_rest: Arc::new(at_rest) }
    }

    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        fill(&mut bytes);
        Self::new(bytes)
    }

    /// 32 bytes in base64, as in `HERMOD_SECRET_KEY` and `secret.key`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
        bytes.try_into().ok().map(Self::new)
    }

    #[must_use]
    pub fn to_base64(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(self.bytes)
    }

    /// A key of its own for each use.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        derive(&self.bytes, label)
    }

    /// Encrypts; the answer carries its nonce.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        fill(&mut nonce);
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = self.at_rest.encrypt(Nonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| Error::Unsupported("too much to encrypt at once"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts what [`Self::seal`] made for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(|| unreadable(purpose))?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.at_rest.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| unreadable(purpose))
    }

    /// The hash under which a high-entropy token is looked up.
    #[must_use]
    pub fn hash(&self, label: &str, token: &str) -> [u8; 32] {
        mac(&self.derive(label), &[token.as_bytes()])
    }

    /// What the database keeps to recognise its key by.
    #[must_use]
    pub fn check_value(&self) -> String {
        hex::encode(self.derive("check value"))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

#[expect(clippy::disallowed_methods, reason = "keys and nonces are the one thing that must never be repeatable")]
fn fill(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

fn derive(key: &[u8; 32], label: &str) -> [u8; 32] {
    mac(key, &[b"hermod/", label.as_bytes()])
}

fn unreadable(purpose: &str) -> Error {
    Error::corrupt(format!("a secret ({purpose}) cannot be decrypted with this key"))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_key_and_in_its_place() {
        let key = SecretKey::generate();
        let sealed = key.seal("account/1", b"token").unwrap();
        assert_eq!(key.open("account/1", &sealed).unwrap(), b"token");
        assert!(key.open("account/2", &sealed).is_err());
        assert!(SecretKey::generate().open("account/1", &sealed).is_err());
        assert!(key.open("account/1", &sealed[..5]).is_err());
        assert_ne!(sealed, key.seal("account/1", b"token").unwrap(), "nonces differ");
        assert_eq!(format!("{key:?}"), "SecretKey(…)");
    }

    #[test]
    fn the_key_is_written_in_base64() {
        let key = SecretKey::generate();
        assert_eq!(SecretKey::parse(&key.to_base64()).unwrap().bytes, key.bytes);
        assert!(SecretKey::parse("c2hvcnQ=").is_none());
    }
}
