//! `Stripe-Signature: t=…,v1=…`: hexadecimal HMAC-SHA-256, under the endpoint's secret, over the time, a point and the body.

use ring::hmac;

/// Seconds that a push may be old, or young.
const TOLERANCE: i64 = 300;

/// `now`: milliseconds since 1970.
pub(crate) fn is_right(secret: &str, header: &str, body: &[u8], now: i64) -> bool {
    let part =
        |name| header.split(',').filter_map(|part| part.trim().split_once('=')).filter(move |(key, _)| *key == name);
    let Some((_, time)) = part("t").next() else { return false };
    let fresh = |at: i64| (now / 1000).saturating_sub(at).saturating_abs() <= TOLERANCE;
    if secret.is_empty() || !time.parse().is_ok_and(fresh) {
        return false;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    let right = |text: &str| hex::decode(text).is_ok_and(|given| hmac::verify(&key, &signed, &given).is_ok());
    part("v1").any(|(_, text)| right(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn signed(time: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"whsec");
        hex::encode(hmac::sign(&key, format!("{time}.{body}").as_bytes()))
    }

    #[test]
    fn only_what_was_signed_a_moment_ago_is_believed() {
        let at = NOW / 1000;
        let right = signed(at, "{}");
        for (header, secret, body, believed) in [
            (format!("t={at},v1={right}"), "whsec", "{}", true),
            (format!("t={at}, v0=00, v1=00, v1={right}"), "whsec", "{}", true),
            (format!("t={},v1={}", at - 300, signed(at - 300, "{}")), "whsec", "{}", true),
            (format!("t={},v1={}", at - 301, signed(at - 301, "{}")), "whsec", "{}", false),
            (format!("t={},v1={}", at + 301, signed(at + 301, "{}")), "whsec", "{}", false),
            (format!("t={at},v1={right}"), "whsec", "{ }", false),
            (format!("t={at},v1={right}"), "other", "{}", false),
            (format!("t={at},v1={right}"), "", "{}", false),
            (format!("v1={right}"), "whsec", "{}", false),
            (format!("t={at}"), "whsec", "{}", false),
            (format!("t={},v1={right}", i64::MIN), "whsec", "{}", false),
            (String::new(), "whsec", "{}", false),
        ] {
            assert_eq!(is_right(secret, &header, body.as_bytes(), NOW), believed, "{header} {body}");
        }
    }
}
