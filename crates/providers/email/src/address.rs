//! Mail addresses: of callers, of accounts, of bounces. All are hostile until they were read here.

use lettre::Address;
use url::Host;

/// Octets of an address, `<` and `>` not counted (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;

/// A text that is no mail address, or none that goes over SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no mail address")]
pub(crate) struct NoAddress;

/// Reads an address. Its domain is written in ASCII from here on; its local part stays as it is.
pub(crate) fn parse(text: &str) -> Result<Address, NoAddress> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(NoAddress);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(NoAddress)?;
    let domain = self::domain(domain).ok_or(NoAddress)?;
    Address::new(local, domain).map_err(|_| NoAddress)
}

/// A host name, written in ASCII.
pub(crate) fn domain(domain: &str) -> Option<String> {
    // A percent sign would be decoded, as in a URL.
    if domain.contains('%') {
        return None;
    }
    match Host::parse(domain) {
        Ok(Host::Domain(name)) if !name.ends_with('.') => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_and_others_are_not() {
        for (text, read) in [
            ("ada@example.org", "ada@example.org"),
            ("Ada+x.y@EXAMPLE.org", "Ada+x.y@example.org"),
            ("\"two words\"@example.org", "\"two words\"@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("dörte@example.org", "dörte@example.org"),
        ] {
            assert_eq!(parse(text).map(|found| found.to_string()).as_deref(), Ok(read));
        }
        let long = format!("a@{}.example", "b".repeat(LONGEST));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "<ada@example.org>",
            "ada@example.org>",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@ex%61mple.org",
            "ada@example.org.",
            "ada@example.org\r\nRCPT TO:<eve@example.org>",
            "\"ada\r\nDATA\"@example.org",
            "ada\0@example.org",
            &long,
        ] {
            assert_eq!(parse(text), Err(NoAddress), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_fits_between_angle_brackets(text in "\\PC{0,40}@?[\\PC\\r\\n \"<>@]{0,40}", raw: String) {
            for text in [text, raw] {
                if let Ok(address) = parse(&text) {
                    let text = address.to_string();
                    prop_assert!(!text.chars().any(char::is_control));
                    prop_assert!(text.starts_with('"') || !text.contains([' ', '<', '>']), "{}", text);
                    prop_assert_eq!(parse(&text), Ok(address));
                }
            }
        }
    }
}
