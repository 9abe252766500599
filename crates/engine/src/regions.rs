//! Which country a telephone number belongs to.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::fast::RandomState;
use phonenumber::country;

/// ISO 3166-1 alpha-2 of a number in E.164 with `+`; `None` when it has none: a satellite's, or no valid number.
///
/// The patterns behind this take about 18 MB once they are used.
#[must_use]
pub fn of_number(number: &str) -> Option<String> {
    static KNOWN: Known<Option<country::Id>> = LazyLock::new(Mutex::default);
    let region = known(&KNOWN, number, |number| phonenumber::parse(None, number).ok()?.country().id());
    region.map(|id| id.as_ref().to_owned())
}

/// The digits with which all numbers of its country begin.
#[must_use]
pub fn calling_code(number: &str) -> Option<u16> {
    phonenumber::parse(None, number).ok().map(|parsed| parsed.code().value())
}

/// Whether it is a number that somebody can have.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    static KNOWN: Known<bool> = LazyLock::new(Mutex::default);
    known(&KNOWN, number, |number| phonenumber::parse(None, number).is_ok_and(|parsed| parsed.is_valid()))
}

/// A number as people write it, in E.164 with `+`; `None` when it cannot be read as one. It must begin with its country's
/// code, after `+`, `00` or nothing. Signs between digits, digits of other scripts and a national prefix in brackets are
/// understood. Whether anybody can have it is another question ([`is_valid`]).
#[must_use]
pub fn read(text: &str) -> Option<String> {
    // Longer than any spelling: the patterns are not for texts.
    if text.len() > 80 {
        return None;
    }
    let text: String = text.trim().chars().map(plain).collect();
    let text = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(&text);
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '(') || text.chars().any(|c| c.is_alphabetic()) {
        return None;
    }
    let parsed = phonenumber::parse(None, format!("+{text}")).ok()?;
    let number = parsed.format().mode(phonenumber::Mode::E164).to_string();
    digits(&number).filter(|digits| *digits >= 1_000_000).map(|_| number)
}

/// A digit, a plus sign or a space of any script as ASCII's.
fn plain(c: char) -> char {
    const ZEROS: [char; 6] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];
    let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).filter(|digit| *digit < 10));
    match digit.and_then(|digit| char::from_digit(digit, 10)) {
        Some(digit) => digit,
        None if c == '\u{ff0b}' => '+',
        None if c.is_whitespace() => ' ',
        None => c,
    }
}

/// What was found out lately, by a number's digits. A message is told several times within seconds, and each answer
/// costs tens of microseconds: a country that shares its code is found by trying the patterns of all that do.
type Known<T> = LazyLock<Mutex<HashMap<u64, T, RandomState>>>;

/// Then it begins anew: about 300 KB.
const MOST: usize = 10_000;

fn known<T: Copy>(known: &Known<T>, number: &str, find: impl Fn(&str) -> T) -> T {
    let Some(digits) = digits(number) else { return find(number) };
    if let Some(found) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&digits) {
        return *found;
    }
    let found = find(number);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(digits, found);
    found
}

/// Of a number as it is stored. A leading zero would be lost, and no country's code has one.
fn digits(number: &str) -> Option<u64> {
    let digits = number.strip_prefix('+')?;
    let whole = (1..=15).contains(&digits.len()) && !digits.starts_with('0');
    if whole && digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, number) in [
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("0049 171 2345678", "+491712345678"),
            ("+49 (0)171 / 23 45 678", "+491712345678"),
            ("1 (415) 555-2671", "+14155552671"),
            ("+1-415-555-2671", "+14155552671"),
            ("62 812-3456-7890", "+6281234567890"),
            ("+39 06 698 12345", "+390669812345"),
            ("+33 1.42.68.53.00", "+33142685300"),
            ("\u{ff0b}81 90\u{2010}1234\u{2010}5678", "+819012345678"),
            ("+\u{ff18}\u{ff11}9012345678", "+819012345678"),
            ("+\u{669}\u{666}\u{666}501234567", "+966501234567"),
            ("+15557770001", "+15557770001"),
            ("  +55\u{a0}11\u{a0}91234-5678 ", "+5511912345678"),
        ] {
            assert_eq!(read(text).as_deref(), Some(number), "{text}");
            assert_eq!(read(number).as_deref(), Some(number));
        }
        for wrong in ["", "+", "hello", "12", "+0987654321", "+999123", "+1 415 CALL NOW", &"1".repeat(40), "++1415"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_have_countries() {
        for (number, region) in [
            ("+6281234567890", Some("ID")),
            ("+14155552671", Some("US")),
            ("+16135550175", Some("CA")),
            ("+447400123456", Some("GB")),
            ("+77012345678", Some("KZ")),
            ("+79161234567", Some("RU")),
            ("HERMOD", None),
            ("+999123", None),
        ] {
            // found out, then remembered
            assert_eq!(of_number(number).as_deref(), region, "{number}");
            assert_eq!(of_number(number).as_deref(), region, "{number}");
        }
    }
}
