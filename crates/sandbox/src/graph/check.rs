//! Walking a message body with a finger on the place, so that every refusal names it.

use std::collections::HashSet;

use serde_json::Value;

use super::error::{Error, Outcome, of};

#[derive(Clone, Copy)]
enum Name<'a> {
    Key(&'a str),
    Index(usize),
}

/// A place in a body: perhaps a value, and how one comes there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    value: Option<&'a Value>,
    name: Name<'a>,
    up: Option<&'a At<'a>>,
}

impl<'a> At<'a> {
    pub(crate) fn root(value: Option<&'a Value>, name: &'a str) -> Self {
        Self { value, name: Name::Key(name), up: None }
    }

    pub(crate) fn get(&'a self, key: &'a str) -> At<'a> {
        let value = self.value.and_then(|value| value.get(key)).filter(|value| !value.is_null());
        At { value, name: Name::Key(key), up: Some(self) }
    }

    pub(crate) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    pub(crate) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    pub(crate) fn path(&self) -> String {
        let start = self.up.map(At::path);
        match (start, self.name) {
            (None, Name::Key(key)) => key.to_owned(),
            (Some(start), Name::Key(key)) => format!("{start}['{key}']"),
            (start, Name::Index(index)) => format!("{}[{index}]", start.unwrap_or_default()),
        }
    }

    pub(crate) fn missing(&self) -> Box<Error> {
        of(131008, format!("The parameter {} is required.", self.path()))
    }

    pub(crate) fn wrong(&self, why: impl std::fmt::Display) -> Box<Error> {
        of(131009, format!("Param {} {why}", self.path()))
    }

    pub(crate) fn object(&self) -> Outcome<Self> {
        match self.value {
            None => Err(self.missing()),
            Some(Value::Object(_)) => Ok(*self),
            Some(_) => Err(self.wrong("must be a JSON object.")),
        }
    }

    pub(crate) fn items(&'a self, at_least: usize, at_most: usize) -> Outcome<Vec<At<'a>>> {
        let items = match self.value {
            None => return Err(self.missing()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong("must be an array.")),
        };
        if items.len() < at_least || items.len() > at_most {
            return Err(
                self.wrong(format_args!("must have from {at_least} to {at_most} elements, and has {}.", items.len()))
            );
        }
        let at = |(index, value)| At { value: Some(value), name: Name::Index(index), up: Some(self) };
        Ok(items.iter().enumerate().map(at).collect())
    }

    /// A required string of 1 to `at_most` characters.
    pub(crate) fn text(&self, at_most: usize) -> Outcome<&'a str> {
        match self.maybe_text(at_most)? {
            None => Err(self.missing()),
            Some("") => Err(self.wrong(format_args!("must have from 1 to {at_most} characters."))),
            Some(text) => Ok(text),
        }
    }

    /// A string of up to `at_most` characters, if it is there.
    pub(crate) fn maybe_text(&self, at_most: usize) -> Outcome<Option<&'a str>> {
        match self.value {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= at_most || text.chars().count() <= at_most => Ok(Some(text)),
            Some(Value::String(text)) => {
                let length = text.chars().count();
                Err(self.wrong(format_args!("must be at most {at_most} characters long, and has {length}.")))
            }
            Some(_) => Err(self.wrong("must be a string.")),
        }
    }

    pub(crate) fn word(&self, words: &[&'static str]) -> Outcome<&'static str> {
        let text = self.text(usize::MAX)?;
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| self.wrong(format_args!("must be one of {{{}}}.", words.join(", "))))
    }

    /// A number, or a string that spells one, within bounds.
    pub(crate) fn number(&self, low: f64, high: f64) -> Outcome<f64> {
        let number = match self.value {
            None => return Err(self.missing()),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        number
            .filter(|n| (low..=high).contains(n))
            .ok_or_else(|| self.wrong(format_args!("must be a number from {low} to {high}.")))
    }

    pub(crate) fn maybe_flag(&self) -> Outcome<Option<bool>> {
        match self.value {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
            Some(_) => Err(self.wrong("must be a boolean.")),
        }
    }

    pub(crate) fn link(&self, at_most: usize) -> Outcome<&'a str> {
        let text = self.text(at_most)?;
        let valid = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if valid { Ok(text) } else { Err(self.wrong("must be a valid http or https URL.")) }
    }

    pub(crate) fn absent(&self, why: &str) -> Outcome<()> {
        if self.is_there() { Err(self.wrong(why)) } else { Ok(()) }
    }

    pub(crate) fn unique<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Outcome<()> {
        let mut seen = HashSet::new();
        for text in texts {
            if !seen.insert(text) {
                return Err(self.wrong(format_args!("must not repeat '{text}'.")));
            }
        }
        Ok(())
    }
}
