//! Whom things are for: phone numbers and the devices behind them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wacore_binary::{Jid, Server};

/// A phone number in E.164, kept as its digits. `Display` writes the plus.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(Arc<str>);

/// The text is not a phone number: 7 to 15 digits, with or without a plus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in E.164")]
pub struct NotANumber;

impl Number {
    /// The digits alone, as the user part of an address.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The address people know: `digits@s.whatsapp.net`.
    pub fn jid(&self) -> Jid {
        Jid::pn(&*self.0)
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if fits && !digits.starts_with('0') { Ok(Self(digits.into())) } else { Err(NotANumber) }
    }
}

impl TryFrom<String> for Number {
    type Error = NotANumber;

    fn try_from(text: String) -> Result<Self, NotANumber> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// The phone itself; companions count from [`FIRST_COMPANION`].
pub(crate) const PHONE: u16 = 0;
/// What the first linked device of an account is called.
pub(crate) const FIRST_COMPANION: u16 = 33;

/// One device of an account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Address {
    pub(crate) number: Number,
    pub(crate) device: u16,
}

impl Address {
    pub(crate) fn new(number: &Number, device: u16) -> Self {
        Self { number: number.clone(), device }
    }

    pub(crate) fn is_phone(&self) -> bool {
        self.device == PHONE
    }
}

/// Which of its two addresses an account is called by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Naming {
    Phone,
    Lid,
}

impl Naming {
    /// How `jid` names its user; addresses of groups and lists say nothing, and groups name by LID.
    pub(crate) fn of(jid: &Jid) -> Self {
        if jid.server == Server::Pn { Self::Phone } else { Self::Lid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_or_without_plus_and_nothing_else_is() {
        for text in ["+15550100001", "15550100001"] {
            let number: Number = text.parse().unwrap();
            assert_eq!((number.digits(), number.to_string().as_str()), ("15550100001", "+15550100001"));
            assert_eq!(number.jid().to_string(), "15550100001@s.whatsapp.net");
        }
        for text in
            ["", "+", "123456", "1234567890123456", "05550100001", "1555 0100001", "++15550100001", "1555O100001"]
        {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text}");
        }
        let json = serde_json::to_string(&"15550100001".parse::<Number>().unwrap()).unwrap();
        assert_eq!(json, r#""+15550100001""#);
        assert!(serde_json::from_str::<Number>(r#""x""#).is_err());
    }
}
