//! Where bounces go: the envelope's sender. With a place for our id in it, a bounce's recipient says which mail it is
//! about, whatever the bounce itself looks like.

use engine::Id;
use lettre::Address;

use crate::address;

const PLACE: &str = "{}";

/// An account's return path.
#[derive(Clone, Debug)]
pub(crate) struct ReturnPath {
    before: String,
    /// Begins with the `@` at the latest.
    after: String,
    varies: bool,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("`return_path` must be a mail address; it may have one `{{}}` before its `@`")]
pub(crate) struct NoReturnPath;

impl ReturnPath {
    pub(crate) fn parse(text: &str) -> Result<Self, NoReturnPath> {
        let (before, after) = text.split_once(PLACE).unwrap_or((text, ""));
        let varies = text.contains(PLACE);
        let domain = after.split_once('@').map(|(_, domain)| domain);
        if after.contains(PLACE) || (varies && domain.is_none()) {
            return Err(NoReturnPath);
        }
        let path = Self { before: before.to_owned(), after: after.to_owned(), varies };
        path.spelled(&Id::from_parts(0, 0)).map_err(|_| NoReturnPath)?;
        Ok(path)
    }

    /// The one for this mail.
    pub(crate) fn of(&self, id: &Id) -> Address {
        self.spelled(id).expect("it was tried with another id when it was read")
    }

    fn spelled(&self, id: &Id) -> Result<Address, address::NoAddress> {
        let id = if self.varies { id.hex24() } else { String::new() };
        address::parse(&format!("{}{id}{}", self.before, self.after))
    }

    /// Whether it tells mails apart.
    pub(crate) fn varies(&self) -> bool {
        self.varies
    }

    /// The mail whose return path this address is.
    pub(crate) fn read(&self, address: &str) -> Option<Id> {
        let (start, end) = (self.before.len(), address.len().checked_sub(self.after.len())?);
        let (before, id, after) = (address.get(..start)?, address.get(start..end)?, address.get(end..)?);
        let same = before.eq_ignore_ascii_case(&self.before) && after.eq_ignore_ascii_case(&self.after);
        // Relays on the way may have changed the case.
        Id::parse_hex24(&id.to_ascii_lowercase()).filter(|_| self.varies && same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_put_in_and_found_again() {
        let path = ReturnPath::parse("bounces+{}@mail.example").unwrap();
        let id = Id::from_parts(1_795_000_000_000, 7);
        let address = path.of(&id).to_string();
        assert_eq!(address, format!("bounces+{}@mail.example", id.hex24()));
        assert_eq!(path.read(&address), Some(id));
        assert_eq!(path.read(&address.to_uppercase()), Some(id));
        for other in ["", "bounces+@mail.example", "bounces+é@mail.example", "x", &format!("x{address}"), &address[1..]]
        {
            assert_eq!(path.read(other), None, "{other}");
        }
    }

    #[test]
    fn one_without_a_place_is_the_same_for_all_mails() {
        let path = ReturnPath::parse("bounces@mail.example").unwrap();
        assert_eq!(path.of(&Id::from_parts(1, 1)).to_string(), "bounces@mail.example");
        assert_eq!(path.read("bounces@mail.example"), None);
        for wrong in ["", "nobody", "a{}", "a@{}", "{}{}@mail.example", "a{}@b@{}", "a\r\n{}@mail.example"] {
            assert!(ReturnPath::parse(wrong).is_err(), "{wrong:?}");
        }
        let long = format!("{}{{}}@mail.example", "a".repeat(50));
        assert!(ReturnPath::parse(&long).is_err());
    }
}
