//! `X-Hub-Signature-256`: HMAC-SHA-256 of the raw body under the app secret.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The header's name in lower case.
pub const HEADER: &str = "x-hub-signature-256";
const PREFIX: &str = "sha256=";

fn mac(app_secret: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app_secret).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

/// The header's value for `body`.
pub fn sign(app_secret: &[u8], body: &[u8]) -> String {
    let tag = mac(app_secret, body).finalize().into_bytes();
    format!("{PREFIX}{}", hex::encode(tag))
}

/// Is `header` the signature of exactly these bytes? Takes the same time wherever it differs.
pub fn verify(app_secret: &[u8], body: &[u8], header: &str) -> bool {
    let mut given = [0; 32];
    let Some(digits) = header.strip_prefix(PREFIX) else {
        return false;
    };
    hex::decode_to_slice(digits, &mut given).is_ok() && mac(app_secret, body).verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_bytes_and_secret_pass() {
        // RFC 4231, test case 2.
        let header = sign(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(header, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(verify(b"Jefe", b"what do ya want for nothing?", &header));
        for (secret, body, header) in [
            (&b"jefe"[..], &b"what do ya want for nothing?"[..], header.as_str()),
            (b"Jefe", b"what do ya want for nothing!", &header),
            (b"Jefe", b"what do ya want for nothing?", &header[7..]),
            (b"Jefe", b"what do ya want for nothing?", &header[..70]),
            (b"Jefe", b"what do ya want for nothing?", ""),
            (b"Jefe", b"what do ya want for nothing?", "sha256=é"),
            (b"Jefe", b"what do ya want for nothing?", &header.replace("sha256", "sha1")),
        ] {
            assert!(!verify(secret, body, header), "{header}");
        }
    }
}
