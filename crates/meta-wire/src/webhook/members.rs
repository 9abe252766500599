use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What stands behind a member's name, as text.
#[derive(Debug)]
pub(super) enum Member<'a> {
    Raw(&'a str),
    /// A list that was asked for, element by element.
    List(Vec<&'a str>),
}

/// The members of an object in their order, as text.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Member<'a>)>);

impl<'a> Members<'a> {
    /// Takes an object apart; the members named in `lists` are split into their elements.
    pub(super) fn read(json: &'a str, lists: &'static [&'static str]) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let members = Split(lists).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(members)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.iter().find_map(|(key, member)| match member {
            Member::Raw(raw) if key == name => Some(*raw),
            _ => None,
        })
    }

    pub(super) fn list(&self, name: &str) -> &[&'a str] {
        let found = self.iter().find_map(|(key, member)| match member {
            Member::List(list) if key == name => Some(list.as_slice()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Member<'a>)> {
        self.0.iter().map(|(key, member)| (key.as_ref(), member))
    }
}

struct Split(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Split {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Split {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Member<'de>)> = Vec::with_capacity(6);
        while let Some(Name(name)) = map.next_key()? {
            // Another reader of the same text might take the other one.
            if self.0.contains(&name.as_ref()) && members.iter().any(|(seen, _)| *seen == name) {
                return Err(A::Error::custom(format_args!("`{name}` stands twice")));
            }
            let member = if self.0.contains(&name.as_ref()) {
                let list: Option<Vec<&RawValue>> = map.next_value()?;
                Member::List(list.unwrap_or_default().into_iter().map(RawValue::get).collect())
            } else {
                Member::Raw(map.next_value::<&RawValue>()?.get())
            };
            members.push((name, member));
        }
        Ok(Members(members))
    }
}

/// Borrowed from the text unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
