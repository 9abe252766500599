//! Which country a telephone number belongs to.

/// ISO 3166-1 alpha-2 of a number in E.164 with `+`; `None` when it has none: a satellite's, or no valid number.
///
/// The patterns behind this take about 18 MB once they are used.
#[must_use]
pub fn of_number(number: &str) -> Option<String> {
    let parsed = phonenumber::parse(None, number).ok()?;
    parsed.country().id().map(|id| id.as_ref().to_owned())
}

/// Whether it is a number that somebody can have.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    phonenumber::parse(None, number).is_ok_and(|parsed| parsed.is_valid())
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
            assert_eq!(of_number(number).as_deref(), region, "{number}");
        }
    }
}
