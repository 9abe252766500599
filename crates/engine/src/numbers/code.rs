//! The code in what a network sends: in a text six digits, perhaps with a hyphen or a blank in their middle; in a call
//! whatever its words became when they were written down.

use secrecy::SecretString;
use store::{Id, Result, SecretKey};

/// Longer texts than any network sends.
const LONGEST: usize = 2000;

/// The one code in a text; `None` where there is none, or more than one.
pub(super) fn find(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    only(runs(text).filter_map(code))
}

/// What all of them are; `None` where there is none, or another.
fn only<T: PartialEq>(mut codes: impl Iterator<Item = T>) -> Option<T> {
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

/// Digits of a code.
const DIGITS: usize = 6;

/// The one code in what was said, however often it was said; `None` where there is none, or more than one.
pub(super) fn find_spoken(words: &str) -> Option<String> {
    if words.len() > LONGEST {
        return None;
    }
    let said = runs_spoken(words);
    only(said.iter().filter_map(|run| repeated(run))).map(str::to_owned)
}

/// A code that was said once, or several times without a word between.
fn repeated(run: &str) -> Option<&str> {
    let code = run.get(..DIGITS)?;
    let times = run.len() / DIGITS;
    (code.repeat(times) == run).then_some(code)
}

/// The digits that were said one after the other, without other words between them.
fn runs_spoken(words: &str) -> Vec<String> {
    let lower = words.to_lowercase();
    let words: Vec<&str> =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut runs = vec![String::new()];
    for (place, word) in words.iter().enumerate() {
        let between = || {
            let last = runs.last().is_some_and(|run| !run.is_empty());
            last && words.get(place + 1).is_some_and(|next| digit(next).is_some())
        };
        match digit(word).or_else(|| sounds_like(word).filter(|_| between())) {
            Some(digits) => runs.last_mut().map(|run| run.push_str(digits)).unwrap_or_default(),
            None => runs.push(String::new()),
        }
    }
    runs
}

/// A digit's word, or digits themselves.
fn digit(word: &str) -> Option<&str> {
    let found = match word {
        "zero" | "oh" | "o" => "0",
        "one" => "1",
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" | "niner" => "9",
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => return None,
    };
    Some(found)
}

/// Among digits, these are misheard ones.
fn sounds_like(word: &str) -> Option<&'static str> {
    Some(match word {
        "won" => "1",
        "to" | "too" => "2",
        "tree" | "free" => "3",
        "for" | "fore" => "4",
        "sex" | "sics" => "6",
        "ate" => "8",
        _ => return None,
    })
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

    #[test]
    fn codes_are_understood_as_they_are_written_down() {
        for (words, found) in [
            ("your WhatsApp code is 1 2 3 4 5 6", Some("123456")),
            ("Your code is 123 456. I repeat, your code is 123-456.", Some("123456")),
            ("Your verification code is one, two, three, four, five, six.", Some("123456")),
            ("1. 2. 3. 4. 5. 6. 1. 2. 3. 4. 5. 6.", Some("123456")),
            ("Your six digit code is 123,456 it is valid for 10 minutes", Some("123456")),
            ("code for WhatsApp is oh 0 to 3 for 5", Some("002345")),
            ("5 6. Your code is 1 2 3 4 5 6", Some("123456")),
            ("Nine niner EIGHT 7 six 5", Some("998765")),
            ("123456", Some("123456")),
            ("your code is 1 2 3 4 5", None),
            ("1 2 3 4 5 6 7", None),
            ("1 2 3 4 5 6 your code 6 5 4 3 2 1", None),
            ("1-800-123-4567", None),
            ("١٢٣٤٥٦", None),
            ("free for two to see", None),
            ("", None),
        ] {
            assert_eq!(find_spoken(words).as_deref(), found, "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_text_can_trip_it(text in ".*") {
            for code in [find(&text), find_spoken(&text)].into_iter().flatten() {
                prop_assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn a_code_is_understood_however_its_digits_are_said(code in "[0-9]{6}", how in prop::collection::vec(0..3_usize, 6)) {
            const WORDS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
            let said = code.bytes().zip(how).map(|(digit, how)| match how {
                0 => format!("{} ", digit - b'0'),
                1 => format!(" {}, ", WORDS[usize::from(digit - b'0')]),
                _ => format!("{}", digit - b'0'),
            });
            let said = format!("Your code is {} thank you", said.collect::<String>());
            prop_assert_eq!(find_spoken(&said), Some(code), "{}", said);
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
