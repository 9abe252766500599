//! Amounts as Stripe counts them.

/// Amounts come in millionths of a unit.
const UNIT: i64 = 1_000_000;
/// Currencies without a smaller unit.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// They have none either, and are counted as if they had hundredths.
const WHOLE_IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];
/// Currencies with thousandths, of which ten are the least that is charged.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// As it is counted in the currency's smallest unit, rounded up to what can be charged.
pub(crate) fn smallest(amount: i64, currency: &str) -> i64 {
    let (parts, least) = match currency {
        it if WHOLE.contains(&it) => (UNIT, 1),
        it if WHOLE_IN_HUNDREDTHS.contains(&it) => (UNIT, 100),
        it if THOUSANDTHS.contains(&it) => (UNIT / 100, 10),
        _ => (UNIT / 100, 1),
    };
    let amount = amount.max(0);
    (amount / parts + i64::from(amount % parts > 0)).saturating_mul(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_the_smallest_unit() {
        for (amount, currency, counted) in [
            (2_000_000, "USD", 200),
            (1_999_999, "EUR", 200),
            (500_000_000, "JPY", 500),
            (1, "USD", 1),
            (-1, "USD", 0),
            (2_000_000, "KWD", 2000),
            (5_124_000, "BHD", 5130),
            (5_120_000, "TND", 5120),
            (1, "OMR", 10),
            (2_500_000, "JOD", 2500),
            (5_000_000, "UGX", 500),
            (500_100_000, "ISK", 50_100),
            (i64::MAX, "UGX", 922_337_203_685_500),
        ] {
            assert_eq!(smallest(amount, currency), counted, "{amount} {currency}");
        }
    }
}
