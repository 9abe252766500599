//! Ed25519 over `timestamp|body`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, header};
use ring::signature::Ed25519KeyPair;

/// `now`: milliseconds since 1970.
pub(super) fn headers(seed: &[u8; 32], body: &str, now: i64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("telnyx-webhooks"));
    let timestamp = (now / 1000).to_string();
    let Ok(pair) = Ed25519KeyPair::from_seed_unchecked(seed) else { return headers };
    let signature = BASE64_STANDARD.encode(pair.sign(format!("{timestamp}|{body}").as_bytes()));
    for (name, value) in [("telnyx-signature-ed25519", signature), ("telnyx-timestamp", timestamp)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}
