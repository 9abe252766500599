//! Scalars that Meta writes now as text, now as numbers. They print as they came.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

/// A text that may be written as an integer. Two are equal if their texts are.
#[derive(Clone, Default)]
pub struct Loose {
    text: String,
    integer: Option<i128>,
}

/// An id of Meta's: text in REST, an integer in some webhooks.
pub type MetaId = Loose;
/// The place of a button or card: text or integer.
pub type Index = Loose;

impl Loose {
    /// Prints as an integer.
    pub fn integer(value: u64) -> Self {
        Self { text: value.to_string(), integer: Some(value.into()) }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn into_string(self) -> String {
        self.text
    }
}

impl From<&str> for Loose {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Loose {
    fn from(text: String) -> Self {
        Self { text, integer: None }
    }
}

impl PartialEq for Loose {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Loose {}

impl Hash for Loose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for Loose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.integer {
            None => serializer.serialize_str(&self.text),
            // serde_json keeps no 128-bit numbers; both halves fit where they came from.
            Some(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.serialize_str(&self.text),
            },
        }
    }
}

struct LooseVisitor;

impl Visitor<'_> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(text.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
        Ok(Loose::integer(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
        Ok(Loose { text: value.to_string(), integer: Some(value.into()) })
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// Seconds since 1970. Text in messages and statuses, a number elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    pub seconds: i64,
    /// How it is written.
    pub as_text: bool,
}

impl Timestamp {
    /// Prints as text.
    pub fn text(seconds: i64) -> Self {
        Self { seconds, as_text: true }
    }

    /// Prints as a number.
    pub fn number(seconds: i64) -> Self {
        Self { seconds, as_text: false }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.as_text { serializer.collect_str(&self.seconds) } else { serializer.serialize_i64(self.seconds) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let loose = Loose::deserialize(deserializer)?;
        let seconds = loose
            .text
            .parse()
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&loose.text), &"seconds since 1970"))?;
        Ok(Self { seconds, as_text: loose.integer.is_none() })
    }
}

/// Degrees of a place: a number, or a number as text. Prints as a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Degrees(Number);

impl Degrees {
    /// `None` for what is no number.
    pub fn new(degrees: f64) -> Option<Self> {
        Number::from_f64(degrees).map(Self)
    }

    pub fn get(&self) -> f64 {
        // `as_f64` answers None only with a feature of serde_json that we do not use.
        self.0.as_f64().unwrap_or(0.0)
    }
}

impl Default for Degrees {
    fn default() -> Self {
        Self(0.into())
    }
}

impl Serialize for Degrees {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => Ok(Self(number)),
            serde_json::Value::String(text) => text
                .trim()
                .parse()
                .map(Self)
                .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"degrees as a number")),
            _ => Err(D::Error::custom("degrees must be a number")),
        }
    }
}

/// A list that may be null.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A scalar of any kind as text; `None` if it is null.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Loose>::deserialize(deserializer)?.map(Loose::into_string))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_str, to_string};

    #[test]
    fn scalars_print_as_they_came() {
        for json in ["\"123\"", "123", "18446744073709551615", "-5", "\"\""] {
            let id: MetaId = from_str(json).unwrap();
            assert_eq!(to_string(&id).unwrap(), json);
        }
        assert_eq!(from_str::<MetaId>("7").unwrap(), MetaId::from("7"));
        for json in ["\"1700000000\"", "1700000000", "-1"] {
            let time: Timestamp = from_str(json).unwrap();
            assert_eq!(to_string(&time).unwrap(), json);
        }
        for json in ["\"soon\"", "1.5", "null", "true", "[]", "\"99999999999999999999\""] {
            assert!(from_str::<Timestamp>(json).is_err(), "{json}");
        }
        for json in ["1.5", "null", "true", "[]", "{}", "1e99"] {
            assert!(from_str::<MetaId>(json).is_err(), "{json}");
        }
        assert_eq!(from_str::<Degrees>("\"-6.2\"").unwrap().get(), -6.2);
        assert_eq!(to_string(&from_str::<Degrees>("12").unwrap()).unwrap(), "12");
        assert!(from_str::<Degrees>("\"NaN\"").is_err() && Degrees::new(f64::NAN).is_none());
    }
}
