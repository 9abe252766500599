//! The carrier's names for messages: some say one thing when they take a message and write it another way in the receipt.

use serde::Deserialize;

/// How the name in the answer to a submission becomes the one in receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Naming {
    /// They are the same.
    #[default]
    AsIs,
    /// `7F` is called `127` later.
    HexToDecimal,
    /// `127` is called `7F` later.
    DecimalToHex,
}

impl Naming {
    /// The name of a message that was just taken, as its receipts will have it.
    pub(super) fn taken(self, id: &str) -> String {
        let number = match self {
            Self::AsIs => None,
            Self::HexToDecimal => u128::from_str_radix(id.trim(), 16).ok().map(|number| number.to_string()),
            Self::DecimalToHex => id.trim().parse().ok().map(|number: u128| format!("{number:x}")),
        };
        number.unwrap_or_else(|| id.to_owned())
    }

    /// The name in a receipt, without the zeros and capitals that carriers add.
    pub(super) fn receipted(self, id: &str) -> String {
        let bare = |id: &str| match id.trim_start_matches('0') {
            "" => "0".to_owned(),
            bare => bare.to_ascii_lowercase(),
        };
        let digits = |radix| !id.is_empty() && id.chars().all(|c: char| c.is_digit(radix));
        match self {
            Self::HexToDecimal if digits(10) => bare(id),
            Self::DecimalToHex if digits(16) => bare(id),
            _ => id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_become_one() {
        let cases = [
            (Naming::AsIs, "007F-a", "007F-a"),
            (Naming::HexToDecimal, "7F", "127"),
            (Naming::HexToDecimal, "0000007f", "0000000127"),
            (Naming::HexToDecimal, "FFFFFFFFFFFFFFFF", "18446744073709551615"),
            (Naming::HexToDecimal, "0", "00"),
            (Naming::HexToDecimal, "not-hex", "not-hex"),
            (Naming::DecimalToHex, "127", "7F"),
            (Naming::DecimalToHex, "0127", "0000007f"),
            (Naming::DecimalToHex, "a-127", "a-127"),
        ];
        for (naming, taken, receipted) in cases {
            assert_eq!(naming.taken(taken), naming.receipted(receipted), "{naming:?} {taken}");
        }
        assert_ne!(Naming::AsIs.taken("007F"), Naming::AsIs.receipted("7f"));
    }
}
