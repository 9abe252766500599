//! Phone numbers as carriers spell them.

/// As we keep them: a number has its plus, short codes and names stay as they are.
pub(super) fn plus(address: &str) -> String {
    match digits(address) {
        Some(digits) if digits.len() >= SHORTEST => format!("+{digits}"),
        _ => address.to_owned(),
    }
}

/// Without the plus, as some want them.
pub(super) fn bare(address: &str) -> &str {
    digits(address).unwrap_or(address)
}

/// What has fewer digits is a short code and belongs to one country.
const SHORTEST: usize = 7;

fn digits(address: &str) -> Option<&str> {
    let rest = address.strip_prefix('+').unwrap_or(address);
    (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_plus_and_names_have_none() {
        for (given, with, without) in [
            ("+15550100001", "+15550100001", "15550100001"),
            ("15550100001", "+15550100001", "15550100001"),
            ("12345", "12345", "12345"),
            ("HERMOD", "HERMOD", "HERMOD"),
            ("1HERMOD", "1HERMOD", "1HERMOD"),
            ("+", "+", "+"),
            ("", "", ""),
        ] {
            assert_eq!((plus(given).as_str(), bare(given)), (with, without), "{given}");
        }
    }
}
