//! Vonage sends along a JWT, signed with a secret that both sides know (HS256), which names the SHA-256 of the body.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use engine::provider::Pushed;
use ring::hmac;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How wrong a clock may be.
const LEEWAY_S: i64 = 5 * 60;

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    payload_hash: String,
    exp: Option<i64>,
}

/// `now`: milliseconds since 1970.
pub(super) fn is_right(secret: &str, push: &Pushed<'_>, now: i64) -> bool {
    let header = (push.header)("authorization").unwrap_or_default();
    match bearer(&header).and_then(|token| claims(secret, token)) {
        Some(claims) => {
            is_about(&claims, &push.body) && claims.exp.is_none_or(|end| now / 1000 <= end.saturating_add(LEEWAY_S))
        }
        None => false,
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a token says, if the secret signed it. Another way of signing is none, whatever the token says of itself.
fn claims(secret: &str, token: &str) -> Option<Claims> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
    let head: Head = serde_json::from_slice(&BASE64.decode(head).ok()?).ok()?;
    let claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    (head.alg == "HS256").then_some(claims)
}

fn is_about(claims: &Claims, body: &[u8]) -> bool {
    let real = hex::encode(Sha256::digest(body));
    real.as_bytes().ct_eq(claims.payload_hash.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn token(alg: &str, claims: &Value, secret: &str) -> String {
        let head = BASE64.encode(json!({ "alg": alg, "typ": "JWT" }).to_string());
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        format!("{signed}.{}", BASE64.encode(hmac::sign(&key, signed.as_bytes())))
    }

    fn check(authorization: &str) -> bool {
        let header = |name: &str| (name == "authorization").then(|| authorization.to_owned());
        is_right("s3cret", &Pushed { account: None, url: "", header: &header, body: Bytes::from_static(b"{}") }, NOW)
    }

    #[test]
    fn only_a_token_about_this_very_body_is_right() {
        let hash = hex::encode(Sha256::digest(b"{}"));
        let seconds = NOW / 1000;
        for (alg, claims, secret, right) in [
            ("HS256", json!({ "payload_hash": hash }), "s3cret", true),
            ("HS256", json!({ "payload_hash": hash.to_uppercase(), "exp": seconds }), "s3cret", true),
            ("HS256", json!({ "payload_hash": hash, "exp": seconds - LEEWAY_S - 1 }), "s3cret", false),
            ("HS256", json!({ "payload_hash": hash }), "other", false),
            ("HS256", json!({ "payload_hash": hex::encode(Sha256::digest(b"{ }")) }), "s3cret", false),
            ("HS256", json!({ "iat": seconds }), "s3cret", false),
            ("none", json!({ "payload_hash": hash }), "s3cret", false),
            ("HS512", json!({ "payload_hash": hash }), "s3cret", false),
        ] {
            let token = token(alg, &claims, secret);
            assert_eq!(check(&format!("Bearer {token}")), right, "{alg} {claims} {secret}");
            assert!(!check(&token), "a token needs its scheme");
        }
        let head = BASE64.encode(r#"{"alg":"none"}"#);
        let unsigned = BASE64.encode(json!({ "payload_hash": hash }).to_string());
        assert!(!check(&format!("Bearer {head}.{unsigned}.")));
    }

    proptest! {
        #[test]
        fn no_push_can_trip_it(authorization in "(Bearer )?[A-Za-z0-9_.-]*|.*") {
            prop_assert!(!check(&authorization));
        }
    }
}
