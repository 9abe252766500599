//! The library's records as JSON: it names its fields, so a later version of the library reads what this one wrote.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Error, Result};

pub(super) fn write(record: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(|error| Error::corrupt(error.to_string()))
}

/// What is wrong with it is not told with its words: they may be a secret's.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::corrupt(format!("a session's record, at byte {}", error.column())))
}
