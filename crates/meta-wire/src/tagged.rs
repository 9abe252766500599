//! Meta's way to write a choice: `{"type": "image", "image": {…}}`. The member `type` names the member that counts.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Extra;

/// An enum whose variants are named by a `type`.
pub trait Kinds: Sized {
    /// The kind where `type` is missing; empty if there is none.
    const DEFAULT: &'static str = "";
    /// What stands in `type`.
    fn kind(&self) -> &str;
    /// Never fails: what is not understood is kept.
    fn read(kind: String, value: Option<Value>) -> Self;
    /// The content of the member named like the kind.
    fn write(&self) -> serde_json::Result<Option<Value>>;
}

/// A choice with the members beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tagged<T> {
    pub content: T,
    /// Neither `type` nor the member it names.
    pub extra: Extra,
}

impl<T> From<T> for Tagged<T> {
    fn from(content: T) -> Self {
        Self { content, extra: Extra::new() }
    }
}

impl<T: Kinds> Tagged<T> {
    /// What stands in `type`; empty if it is missing.
    pub fn kind(&self) -> &str {
        self.content.kind()
    }
}

impl<'de, T: Kinds> Deserialize<'de> for Tagged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = Extra::deserialize(deserializer)?;
        let kind = match extra.shift_remove("type") {
            Some(Value::String(kind)) => kind,
            None | Some(Value::Null) => T::DEFAULT.to_owned(),
            Some(_) => return Err(D::Error::custom("`type` is not a string")),
        };
        let value = extra.shift_remove(&kind);
        Ok(Self { content: T::read(kind, value), extra })
    }
}

impl<T: Kinds> Serialize for Tagged<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = self.content.kind();
        let content = self.content.write().map_err(S::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        if !kind.is_empty() {
            map.serialize_entry("type", kind)?;
        }
        if let Some(content) = content.filter(|value| !value.is_null()) {
            map.serialize_entry(kind, &content)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Reads a content; a missing one is read as null, so that an `Option` accepts it.
pub(crate) fn content<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    T::deserialize(value.unwrap_or(&Value::Null)).ok()
}
