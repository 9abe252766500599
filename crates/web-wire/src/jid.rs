//! Addresses as WhatsApp writes them: `user[.agent][:device]@server`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// People by phone number.
pub const PEOPLE: &str = "s.whatsapp.net";
/// People by an id that hides their number.
pub const HIDDEN: &str = "lid";
pub const GROUP: &str = "g.us";
pub const CHANNEL: &str = "newsletter";
pub const BROADCAST: &str = "broadcast";
/// Where status stories go.
pub const STATUS: &str = "status@broadcast";

/// The longest that anything of WhatsApp's is.
const LONGEST: usize = 128;

/// An address; printed and read as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Jid {
    pub user: String,
    pub agent: u8,
    pub device: u16,
    pub server: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address")]
pub struct NotAnAddress;

impl Jid {
    #[must_use]
    pub fn new(user: impl Into<String>, server: &str) -> Self {
        Self { user: user.into(), agent: 0, device: 0, server: server.to_owned() }
    }

    /// The person of a phone number, with or without `+` and usual punctuation.
    pub fn of_phone(phone: &str) -> Result<Self, NotAnAddress> {
        let bare = phone.strip_prefix('+').unwrap_or(phone);
        let digits: String = bare.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
        let good = (5..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self::new(digits, PEOPLE)).ok_or(NotAnAddress)
    }

    /// What people type: a phone number or a whole address.
    pub fn of_text(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        match text.contains('@') {
            true => text.parse(),
            false => Self::of_phone(text),
        }
    }

    /// The kind and value that the engine keeps it under; the device is dropped. The value says by itself what it is.
    #[must_use]
    pub fn to_neutral(&self) -> (&'static str, String) {
        match self.server.as_str() {
            PEOPLE | "c.us" => ("phone", format!("+{}", self.user)),
            HIDDEN => ("hidden", self.bare().to_string()),
            GROUP => ("group", self.bare().to_string()),
            CHANNEL => ("channel", self.bare().to_string()),
            _ => ("other", self.bare().to_string()),
        }
    }

    /// The opposite of [`Jid::to_neutral`].
    pub fn of_neutral(kind: &str, value: &str) -> Result<Self, NotAnAddress> {
        match kind {
            "phone" => Self::of_phone(value),
            _ => value.parse(),
        }
    }

    /// Without device and agent.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { agent: 0, device: 0, ..self.clone() }
    }

    #[must_use]
    pub fn is_group(&self) -> bool {
        self.server == GROUP
    }

    #[must_use]
    pub fn is_person(&self) -> bool {
        self.server == PEOPLE || self.server == HIDDEN
    }

    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.server == HIDDEN
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.user.is_empty() && self.server.is_empty()
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() {
            return f.write_str(&self.server);
        }
        f.write_str(&self.user)?;
        if self.agent > 0 {
            write!(f, ".{}", self.agent)?;
        }
        if self.device > 0 {
            write!(f, ":{}", self.device)?;
        }
        write!(f, "@{}", self.server)
    }
}

impl FromStr for Jid {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let readable = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if text.len() > LONGEST {
            return Err(NotAnAddress);
        }
        let (local, server) = text.split_once('@').ok_or(NotAnAddress)?;
        let (local, device) = match local.split_once(':') {
            Some((local, device)) => (local, device.parse().map_err(|_| NotAnAddress)?),
            None => (local, 0),
        };
        let (user, agent) = match local.rsplit_once('.').map(|(user, agent)| (user, agent.parse::<u8>())) {
            Some((user, Ok(agent))) => (user, agent),
            _ => (local, 0),
        };
        if user.is_empty() || server.is_empty() || !readable(user) || !readable(server) {
            return Err(NotAnAddress);
        }
        Ok(Self { user: user.to_owned(), agent, device, server: server.to_owned() })
    }
}

impl Serialize for Jid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The empty text is the empty address.
impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Ok(Self::default()),
            text => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_every_form() {
        for text in [
            "5511999990000@s.whatsapp.net",
            "5511999990000:12@s.whatsapp.net",
            "5511999990000.1:5@s.whatsapp.net",
            "1234567890:20@lid",
            "120363000000000000@g.us",
            "120363000000000000@newsletter",
            "status@broadcast",
        ] {
            assert_eq!(text.parse::<Jid>().unwrap().to_string(), text);
        }
        for text in ["", "@", "a@", "@lid", "1:x@lid", "a b@lid", "1@lid@lid", &"9".repeat(200)] {
            assert!(text.parse::<Jid>().is_err(), "{text}");
        }
    }

    #[test]
    fn people_type_numbers_in_many_ways() {
        for text in ["5511999990000", "+5511999990000", "+55 (11) 99999-0000", "5511999990000@s.whatsapp.net"] {
            assert_eq!(Jid::of_text(text).unwrap().to_string(), "5511999990000@s.whatsapp.net");
        }
        for text in ["", "12", "+", "12345x", "123456789012345678901"] {
            assert!(Jid::of_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_engine_gets_it_back_as_it_was() {
        for text in ["5511999990000@s.whatsapp.net", "77@lid", "1-2@g.us", "3@newsletter", "status@broadcast"] {
            let jid: Jid = text.parse().unwrap();
            let (kind, value) = jid.to_neutral();
            assert_eq!(Jid::of_neutral(kind, &value).unwrap(), jid);
            assert_eq!(Jid::of_text(&value).unwrap(), jid);
        }
    }
}
