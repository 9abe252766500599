//! The code in a text that a network sends: six digits, perhaps with a hyphen or a blank in their middle.

use secrecy::SecretString;
use store::{Id, Result, SecretKey};

/// Longer texts than any network sends.
const LONGEST: usize = 2000;

/// The one code in a text; `None` where there is none, or more than one.
pub(super) fn find(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let mut codes = runs(text).filter_map(code);
    let first = codes.next()?;
    codes.all(|other| other == first).then_some(first)
}

/// What consists of digits, and of single hyphens and blanks between them.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let part = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | ' ' | '\u{a0}');
    text.split(move |letter| !part(letter)).map(|run| run.trim_matches(|letter: char| !letter.is_ascii_digit()))
}

fn code(run: &str) -> Option<String> {
    let groups: Vec<&str> = run.split(|letter: char| !letter.is_ascii_digit()).collect();
    match groups.as_slice() {
        [all] if all.len() == 6 => Some((*all).to_owned()),
        [first, second] if first.len() == 3 && second.len() == 3 => Some(format!("{first}{second}")),
        _ => None,
    }
}

/// As it is kept until it is used.
pub(super) fn seal(key: &SecretKey, order: &Id, code: &str) -> Result<Vec<u8>> {
    key.seal(&purpose(order), code.as_bytes())
}

pub(super) fn open(key: &SecretKey, order: &Id, sealed: &[u8]) -> Result<SecretString> {
    let plain = key.open(&purpose(order), sealed)?;
    String::from_utf8(plain).map(SecretString::from).map_err(|_| store::Error::corrupt("a code"))
}

fn purpose(order: &Id) -> String {
    format!("number/{}", order.hex24())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_found_and_nothing_else_is_taken_for_one() {
        for (text, found) in [
            ("Your WhatsApp code: 123-456\n\nDon't share this code with others", Some("123456")),
            ("Your WhatsApp Business code 123456. It is valid for 10 minutes", Some("123456")),
            ("<#> 123 456 is your code\n4sgLq1p5sV6", Some("123456")),
            ("Kode Anda 123-456 (123-456)", Some("123456")),
            ("٣ 123-456", Some("123456")),
            ("12-3456", None),
            ("1234567", None),
            ("1-800-123-456", None),
            ("123-456 or 654-321", None),
            ("call +15550100001", None),
            ("", None),
        ] {
            assert_eq!(find(text).as_deref(), found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_can_trip_it(text in ".*") {
            if let Some(code) = find(&text) {
                prop_assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn a_code_is_sealed_for_its_order() {
        use secrecy::ExposeSecret;
        let (key, one, two) = (SecretKey::new([1; 32]), Id::floor(1), Id::floor(2));
        let sealed = seal(&key, &one, "123456").unwrap();
        assert_eq!(open(&key, &one, &sealed).unwrap().expose_secret(), "123456");
        assert!(open(&key, &two, &sealed).is_err());
    }
}
