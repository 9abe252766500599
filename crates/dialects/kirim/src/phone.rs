//! Phone numbers: `+` and 8 to 15 digits; the `+` may be missing.

use api::At;

use crate::errors::{Code, Error};

/// Reads a member that must be a phone number; the answer has its `+`.
pub(crate) fn read(at: &At<'_>) -> Result<String, Error> {
    let text = at.value().as_str().ok_or_else(|| at.refuse("must be a string"))?;
    normal(text).ok_or_else(|| invalid(at))
}

/// The same in a query, where an unescaped `+` arrives as a space.
pub(crate) fn read_query(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(0..=64)?;
    normal(text.strip_prefix(' ').unwrap_or(text)).ok_or_else(|| invalid(at))
}

fn invalid(at: &At<'_>) -> Error {
    let error = at.refuse("must be a phone number in E.164 format, like +6281234567890");
    Error::new(Code::InvalidPhoneNumber, error.to_string()).at(error.param)
}

fn normal(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let good = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    good.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_with_their_plus() {
        for good in ["+6281234567890", "6281234567890"] {
            assert_eq!(normal(good).as_deref(), Some("+6281234567890"));
        }
        assert!(normal("12345678").is_some() && normal("+123456789012345").is_some());
        for wrong in [
            "",
            "+",
            "1234567",
            "1234567890123456",
            "+0812345678",
            "0812345678",
            "+62 812345678",
            "+62812-34567",
            "++6281234567",
            "６２８１２３４５６７８",
            "+62812345678\n",
        ] {
            assert_eq!(normal(wrong), None, "{wrong:?}");
        }
    }
}
