//! How this dialect spells ids: a prefix that says what it is, and 26 Crockford characters.

use api::At;
use engine::Id;

use crate::errors::{Code, Error};

/// What an id is the id of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Message,
    Conversation,
    Contact,
    Label,
    Template,
    Subscription,
    Delivery,
    Event,
    Key,
    Secret,
    Request,
    Organization,
}

impl Noun {
    fn prefix(self) -> &'static str {
        match self {
            Self::Message => "msg_",
            Self::Conversation => "cnv_",
            Self::Contact => "ctc_",
            Self::Label => "lbl_",
            Self::Template => "tmpl_",
            Self::Subscription => "wbs_",
            Self::Delivery => "wbd_",
            Self::Event => "evt_",
            Self::Key => "key_",
            Self::Secret => "sec_",
            Self::Request => "req_",
            Self::Organization => "org_",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Conversation => "conversation",
            Self::Contact => "contact",
            Self::Label => "label",
            Self::Template => "template",
            Self::Subscription => "webhook subscription",
            Self::Delivery => "webhook delivery",
            Self::Event => "event",
            Self::Key => "API key",
            Self::Secret => "webhook secret",
            Self::Request => "request",
            Self::Organization => "organization",
        }
    }

    pub(crate) fn spell(self, id: &Id) -> String {
        [self.prefix(), &id.ulid()].concat()
    }

    /// An id that must exist: `param` is wrong when it is not spelt like one, and not found when it
    /// cannot be one of ours.
    pub(crate) fn parse(self, text: &str, param: &str) -> Result<Id, Error> {
        self.parse_or_none(text, param)?.ok_or_else(|| Error::not_found(self.name()))
    }

    /// An id that narrows something down; one that cannot be ours matches nothing.
    pub(crate) fn parse_or_none(self, text: &str, param: &str) -> Result<Option<Id>, Error> {
        let rest = text.strip_prefix(self.prefix()).filter(|rest| rest.len() == 26 && rest.bytes().all(is_crockford));
        let Some(rest) = rest else {
            let message = format!("{param} must be the id of a {}: {}…", self.name(), self.prefix());
            return Err(Error::new(Code::InvalidFieldValue, message).at(param));
        };
        Ok(Id::parse_ulid(rest))
    }

    /// A member of a query by which a list is narrowed; an id that cannot be ours narrows it to nothing.
    pub(crate) fn narrowing(self, query: &At<'_>, name: &str) -> Result<Option<Id>, Error> {
        let id = query.read(name, |at| self.parse_or_none(at.text(0..=64)?, name))?;
        Ok(id.map(|id| id.unwrap_or_else(nobody)))
    }

    pub(crate) fn not_found(self) -> Error {
        Error::not_found(self.name())
    }
}

/// An id that nothing has.
pub(crate) fn nobody() -> Id {
    Id::floor(0)
}

fn is_crockford(byte: u8) -> bool {
    byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILOU".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_others_are_told_apart() {
        let id = Id::from_parts(1_800_000_000_000, 42);
        let text = Noun::Contact.spell(&id);
        assert!(text.starts_with("ctc_") && text.len() == 30);
        assert_eq!(Noun::Contact.parse(&text, "id").unwrap(), id);

        let other = if text.ends_with('0') { "1" } else { "0" };
        let altered = format!("{}{other}", &text[..29]);
        assert_eq!(Noun::Contact.parse(&altered, "id").unwrap_err().code, Code::ResourceNotFound);
        let too_large = format!("ctc_Z{}", "0".repeat(25));
        assert_eq!(Noun::Contact.parse(&too_large, "id").unwrap_err().code, Code::ResourceNotFound);

        let lower = text.to_lowercase();
        let swapped = text.replace("ctc_", "msg_");
        for wrong in ["", "ctc_", &text[..29], &lower, &swapped, &format!("{text}0"), "ctc_0000000000000000000000000I"]
        {
            let error = Noun::Contact.parse(wrong, "contact_id").unwrap_err();
            assert_eq!(error.code, Code::InvalidFieldValue, "{wrong}");
        }
    }
}
