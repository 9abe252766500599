//! Amounts as people write them.

/// The longest amount: more is a mistake.
const MOST_UNITS: u64 = 1_000_000_000;

/// Millionths of what is written as `12`, `12.5` or `0.000001`; exact. The error says why it is no amount.
pub fn micros(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || (part.is_empty() && text.contains('.')) {
        return Err(format!("{text:?} is not an amount like 0.0451"));
    }
    if part.len() > 6 {
        return Err(format!("{text:?} has more than 6 decimals"));
    }
    let units = whole.parse().ok().filter(|units| *units <= MOST_UNITS);
    let units: u64 = units.ok_or_else(|| format!("{text:?} is more than {MOST_UNITS}"))?;
    let part = format!("{part:0<6}").parse::<u64>().map_err(|error| error.to_string())?;
    i64::try_from(units * 1_000_000 + part).map_err(|error| error.to_string())
}

/// The same the other way round: `12.5`, `-0.000001`, `3`.
#[must_use]
pub fn spelt(amount: i64) -> String {
    let (sign, amount) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
    let text = format!("{sign}{}.{:06}", amount / 1_000_000, amount % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, amount) in [
            ("0", 0),
            ("12", 12_000_000),
            ("0.0451", 45_100),
            ("0.000001", 1),
            (" 7.50 ", 7_500_000),
            ("1000000000", 1_000_000_000_000_000),
        ] {
            assert_eq!(micros(text), Ok(amount), "{text}");
        }
        for text in
            ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", "0.0000001", "1000000001", "99999999999999999999", "٣"]
        {
            assert!(micros(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_spelt_is_read_again(amount in 0_i64..1_000_000_000_000_000) {
            prop_assert_eq!(micros(&spelt(amount)), Ok(amount));
            let negative = spelt(-amount);
            prop_assert_eq!(negative.trim_start_matches('-'), spelt(amount));
        }
    }
}
