//! How this dialect spells ids: 24 hexadecimal digits, whatever they name.

use engine::Id;

use crate::errors::Error;

/// Ids are opaque to callers: what is not spelt like one does not exist.
pub(crate) fn parse(text: &str) -> Result<Id, Error> {
    Id::parse_hex24(text).ok_or_else(Error::not_found)
}
