//! `X-Twilio-Signature`: base64 of HMAC-SHA1, under the account's token, over the address that was called and, for a
//! form, its fields in order of their names, each name with its value. What is no form is covered by its SHA-256 in
//! the address itself (`bodySHA256`).

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use engine::provider::Pushed;
use ring::hmac;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const HEADER: &str = "x-twilio-signature";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn is_right(token: &str, push: &Pushed<'_>) -> bool {
    let signature = (push.header)(HEADER).and_then(|text| BASE64_STANDARD.decode(text.trim()).ok());
    let (Some(signature), Some(fields)) = (signature, fields(push)) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    spellings(push.url).iter().any(|url| hmac::verify(&key, format!("{url}{fields}").as_bytes(), &signature).is_ok())
}

/// What is signed after the address; `None` where nothing would vouch for the body.
fn fields(push: &Pushed<'_>) -> Option<String> {
    let kind = (push.header)("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with(FORM) {
        // Twilio signs a field that stands there twice with the same value once.
        let fields: BTreeSet<_> = url::form_urlencoded::parse(&push.body).collect();
        return Some(fields.iter().flat_map(|(name, value)| [&**name, &**value]).collect());
    }
    if push.body.is_empty() {
        return Some(String::new());
    }
    let query = push.url.split_once('?')?.1;
    let (_, told) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256")?;
    let real = hex::encode(Sha256::digest(&push.body));
    bool::from(real.as_bytes().ct_eq(told.to_ascii_lowercase().as_bytes())).then(String::new)
}

/// With and without its port: Twilio signs now one, now the other.
fn spellings(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else { return [url.to_owned(), url.to_owned()] };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let usual = if scheme == "https" { 443 } else { 80 };
    match port(host) {
        Some(name) => [url.to_owned(), format!("{scheme}://{name}{path}")],
        None => [url.to_owned(), format!("{scheme}://{host}:{usual}{path}")],
    }
}

/// The host without its port, where it has one.
fn port(host: &str) -> Option<&str> {
    let (name, port) = host.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn check(token: &str, url: &str, kind: &str, body: &str, signature: &str) -> bool {
        let header = |name: &str| match name {
            HEADER => Some(signature.to_owned()),
            "content-type" => Some(kind.to_owned()),
            _ => None,
        };
        is_right(token, &Pushed { account: None, url, header: &header, body: Bytes::copy_from_slice(body.as_bytes()) })
    }

    /// Signed by Twilio's library for Python.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const BODY: &str =
        "Digits=1234&To=%2B18005551212&From=%2B14158675310&Caller=%2B14158675310&CallSid=CA1234567890ABCDE";
    const RIGHT: &str = "GvWf1cFY/Q7PnoempGyD5oXAezc=";

    #[test]
    fn what_the_carriers_library_signs_is_right_and_nothing_else_is() {
        assert!(check("12345", URL, FORM, BODY, RIGHT));
        assert!(check("12345", "https://mycompany.com:443/myapp.php?foo=1&bar=2", FORM, BODY, RIGHT));
        assert!(check("12345", URL, "Application/x-www-form-urlencoded; charset=utf-8", BODY, RIGHT));
        assert!(!check("12346", URL, FORM, BODY, RIGHT));
        assert!(!check("12345", "https://mycompany.com/myapp.php?foo=1&bar=3", FORM, BODY, RIGHT));
        assert!(!check("12345", URL, FORM, &BODY.replace("1234&", "1235&"), RIGHT));
        assert!(!check("12345", URL, FORM, BODY, "GvWf1cFY/Q7PnoempGyD5oXAezg="));
        for nonsense in ["", "=", "GvWf"] {
            assert!(!check("12345", URL, FORM, BODY, nonsense));
        }
    }

    #[test]
    fn a_body_that_is_no_form_is_covered_by_its_hash_or_refused() {
        let body = r#"{"property": "value", "boolean": true}"#;
        let hash = hex::encode(Sha256::digest(body));
        let url = format!("https://h.example/w?bodySHA256={hash}");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"t");
        let signed = |url: &str| BASE64_STANDARD.encode(hmac::sign(&key, url.as_bytes()));
        assert!(check("t", &url, "application/json", body, &signed(&url)));
        assert!(!check("t", &url, "application/json", "{}", &signed(&url)));
        let bare = "https://h.example/w";
        assert!(!check("t", bare, "application/json", body, &signed(bare)));
        assert!(!check("t", bare, "", body, &signed(bare)));
        assert!(check("t", bare, "", "", &signed(bare)));
    }

    #[test]
    fn ports_come_and_go() {
        for (url, other) in [
            ("https://h.example/w?x=1:2", "https://h.example:443/w?x=1:2"),
            ("http://h.example:8080/w", "http://h.example/w"),
            ("http://h.example", "http://h.example:80"),
            ("http://[::1]/w", "http://[::1]:80/w"),
            ("http://[::1]:8080/w", "http://[::1]/w"),
        ] {
            assert_eq!(spellings(url), [url.to_owned(), other.to_owned()]);
        }
    }

    proptest! {
        #[test]
        fn no_push_can_trip_it(url in ".*", kind in ".*", body in ".*", signature in ".*") {
            prop_assert!(!check("t", &url, &kind, &body, &signature));
        }
    }
}
