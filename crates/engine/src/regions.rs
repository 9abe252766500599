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

/// Whether it is a number that somebody can have.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    static KNOWN: Known<bool> = LazyLock::new(Mutex::default);
    known(&KNOWN, number, |number| phonenumber::parse(None, number).is_ok_and(|parsed| parsed.is_valid()))
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
