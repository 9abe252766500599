//! `X-Twilio-Signature`: base64 of HMAC-SHA1 over the address and, in order of their names, the fields with their values.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, header};
use ring::hmac;

/// `mark` is the same for all tries of one callback.
pub(super) fn headers(token: &str, url: &str, fields: &[(String, String)], mark: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("TwilioProxy/1.1"));
    for (name, value) in
        [("x-twilio-signature", signature(token, url, fields)), ("i-twilio-idempotency-token", mark.to_owned())]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn signature(token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort();
    sorted.dedup();
    let fields: String = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, format!("{url}{fields}").as_bytes()))
}
