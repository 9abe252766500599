//! How this dialect spells ids: 24 hexadecimal digits, after a prefix for some nouns.

use engine::Id;

use crate::errors::Error;

/// What an id is the id of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Message,
    Contact,
    Endpoint,
    Event,
    Request,
    Verification,
}

impl Noun {
    fn prefix(self) -> &'static str {
        match self {
            Self::Message | Self::Contact | Self::Verification => "",
            Self::Endpoint => "wh",
            Self::Event => "evt_",
            Self::Request => "req_",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Contact => "contact",
            Self::Endpoint => "webhook endpoint",
            Self::Event => "event",
            Self::Request => "request",
            Self::Verification => "verification",
        }
    }

    pub(crate) fn spell(self, id: &Id) -> String {
        [self.prefix(), &id.hex24()].concat()
    }

    /// Ids are opaque to callers: what is not spelt like one does not exist.
    pub(crate) fn parse(self, text: &str) -> Result<Id, Error> {
        let id = text.strip_prefix(self.prefix()).and_then(Id::parse_hex24);
        id.ok_or_else(|| Error::not_found(self.name()))
    }
}
