//! What a body is signed with where the operator wants it (reference: digigo-events §1.3).

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Lower-case hex of HMAC-SHA-256 over the very bytes of the body.
pub(super) fn header(key: &SecretString, body: &[u8]) -> (String, String) {
    let key = key.expose_secret().as_bytes();
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body);
    ("x-hmac-signature".to_owned(), hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_signed_as_it_is() {
        // Made with `printf '{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef`.
        let key = SecretString::from("0123456789abcdef0123456789abcdef");
        let (name, value) = header(&key, br#"{"a":1}"#);
        assert_eq!(name, "x-hmac-signature");
        assert_eq!(value, "f0546246da9e2349100c845a8561214788d75d900f3c086a72fcfa03bb1f42ab");
    }
}
