//! `YCloud-Signature: t=…,s=…`: over the time in seconds, a dot and the body; the key is the whole secret as it is
//! written, its prefix included.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// `at` in seconds.
pub(super) fn sign(at: i64, body: &[u8], secret: &str) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={at},s={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_vector_is_met() {
        let body = br#"{"id":"evt_01","type":"whatsapp.inbound_message.received","apiVersion":"v2"}"#;
        assert_eq!(
            sign(1_700_000_000, body, "whsec_test_6c2f0f6c3a6d4b16"),
            "t=1700000000,s=4ee5dc4c43b9d27aa16b9e46a59ea8700d0b3b90d9da6139a302aa7a55cbdaa1"
        );
    }

    proptest! {
        #[test]
        fn every_part_counts(at in 0_i64..4_000_000_000, body: Vec<u8>, secret in "[a-z0-9_]{1,40}", more: u8) {
            let signed = sign(at, &body, &secret);
            let (time, digits) = signed.split_once(",s=").unwrap();
            prop_assert_eq!(time, format!("t={at}"));
            prop_assert!(digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            prop_assert_ne!(&sign(at + 1, &body, &secret), &signed);
            prop_assert_ne!(sign(at, &[&body[..], &[more]].concat(), &secret), signed.clone());
            prop_assert_ne!(sign(at, &body, &format!("{secret}x")), signed);
        }
    }
}
