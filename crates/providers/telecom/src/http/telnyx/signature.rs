//! Telnyx signs `timestamp|body` with Ed25519. A push that is older than five minutes is none of Telnyx's, even if it
//! once was.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use engine::provider::Pushed;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

const SIGNATURE: &str = "telnyx-signature-ed25519";
const TIMESTAMP: &str = "telnyx-timestamp";
const TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// Telnyx's own, for one customer.
#[derive(Debug)]
pub(super) struct Key([u8; 32]);

pub(super) fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Key).ok_or_else(|| Error::custom("public_key must be base64 of 32 bytes"))
}

impl Key {
    /// `now`: milliseconds since 1970.
    pub(super) fn has_signed(&self, push: &Pushed<'_>, now: i64) -> bool {
        let signature = (push.header)(SIGNATURE).and_then(|text| BASE64_STANDARD.decode(text.trim()).ok());
        let (Some(signature), Some(timestamp)) = (signature, (push.header)(TIMESTAMP)) else { return false };
        if !timestamp.trim().parse().is_ok_and(|seconds| is_fresh(seconds, now)) {
            return false;
        }
        let signed = [timestamp.as_bytes(), b"|", &push.body].concat();
        UnparsedPublicKey::new(&ED25519, self.0).verify(&signed, &signature).is_ok()
    }
}

fn is_fresh(seconds: i64, now: i64) -> bool {
    now.abs_diff(seconds.saturating_mul(1000)) <= TOLERANCE_MS.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn check(signature: &str, timestamp: &str, body: &str) -> bool {
        let header = |name: &str| match name {
            SIGNATURE => Some(signature.to_owned()),
            TIMESTAMP => Some(timestamp.to_owned()),
            _ => None,
        };
        let key = Key(pair().public_key().as_ref().try_into().unwrap());
        let body = Bytes::copy_from_slice(body.as_bytes());
        key.has_signed(&Pushed { account: None, url: "", header: &header, body }, NOW)
    }

    fn signed(text: &str) -> String {
        BASE64_STANDARD.encode(pair().sign(text.as_bytes()))
    }

    #[test]
    fn only_what_telnyx_signed_a_moment_ago_is_taken() {
        let (at, early, late, edge) = (NOW / 1000, NOW / 1000 - 301, NOW / 1000 + 301, NOW / 1000 - 300);
        for (told, meant, body, taken) in [
            (at, at, "{}", true),
            (edge, edge, "{}", true),
            (early, early, "{}", false),
            (late, late, "{}", false),
            (at, edge, "{}", false),
            (at, at, "{ }", false),
        ] {
            assert_eq!(
                check(&signed(&format!("{meant}|{{}}")), &told.to_string(), body),
                taken,
                "{told} {meant} {body}"
            );
        }
        assert!(!check("", &at.to_string(), "{}"));
        assert!(!check(&signed("|{}"), "", "{}"));
        assert!(!check(&signed("9223372036854775807|{}"), "9223372036854775807", "{}"));
    }

    proptest! {
        #[test]
        fn no_push_can_trip_it(signature in ".*", timestamp in "-?[0-9]{0,25}|.*", body in ".*") {
            prop_assert!(!check(&signature, &timestamp, &body));
        }
    }
}
