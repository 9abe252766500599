//! Lower-case hexadecimal digits of the HMAC-SHA-256 of the body, with the secret as its owner typed it.

use hmac::{Hmac, Mac};
use sha2::Sha256;

pub(super) fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second case of RFC 4231, and a secret that is not ASCII.
    #[test]
    fn known_vectors_are_met() {
        let digits = sign(b"what do ya want for nothing?", "Jefe");
        assert_eq!(digits, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_ne!(sign(b"x", "gehäim"), sign(b"x", "geh\u{e4}im "));
        assert_eq!(sign(b"x", "gehäim"), sign(b"x", "geh\u{e4}im"));
    }
}
