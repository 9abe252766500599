//! A place in a JSON value, with the path that names it to the caller.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

/// What is wrong with a member, and which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{param} {why}")]
pub struct FieldError {
    /// `template.name`, `interactive.action.sections[0].rows`; empty for the body itself.
    pub param: String,
    /// Goes on after the member's name: "must be …".
    pub why: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Invalid,
}

type Result<T> = std::result::Result<T, FieldError>;

/// A value at its place.
#[derive(Clone, Debug)]
pub struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    #[must_use]
    pub fn top(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Whether it has a member of this name, whatever its value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    /// A member that need not be there.
    pub fn maybe(&self, name: &str) -> Result<Option<Self>> {
        Ok(self.object()?.get(name).map(|value| Self { value, path: self.path_to(name) }))
    }

    /// A member that must be there.
    pub fn need(&self, name: &str) -> Result<Self> {
        let missing = || FieldError { param: self.path_to(name), why: "is required".into(), kind: Kind::Missing };
        self.maybe(name)?.ok_or_else(missing)
    }

    /// Reads a member that need not be there.
    pub fn read<T, E: From<FieldError>>(
        &self,
        name: &str,
        how: impl FnOnce(Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<Option<T>, E> {
        self.maybe(name)?.map(how).transpose()
    }

    /// Reads a member that need not be there and may be null: `Some(None)` is null.
    pub fn read_nullable<T, E: From<FieldError>>(
        &self,
        name: &str,
        how: impl FnOnce(Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<Option<Option<T>>, E> {
        self.read(name, |at| at.or_null().map(how).transpose())
    }

    fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value of a member that may also be null: `None` is null.
    #[must_use]
    pub fn or_null(self) -> Option<Self> {
        (!self.value.is_null()).then_some(self)
    }

    /// Says no to this place.
    pub fn refuse(&self, why: impl Into<String>) -> FieldError {
        FieldError { param: self.path.clone(), why: why.into(), kind: Kind::Invalid }
    }

    pub fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.refuse("must be an object"))
    }

    /// A text of so many characters.
    pub fn text(&self, length: RangeInclusive<usize>) -> Result<&'a str> {
        let text = self.value.as_str().ok_or_else(|| self.refuse("must be a string"))?;
        // A character has one to four bytes; most texts need no counting.
        let surely = text.len() <= *length.end() && text.len() / 4 >= *length.start();
        if surely || length.contains(&text.chars().count()) {
            return Ok(text);
        }
        Err(self.refuse(match (*length.start(), *length.end()) {
            (1, _) if text.is_empty() => "must not be empty".into(),
            (least, most) => format!("must have {least} to {most} characters"),
        }))
    }

    /// The same, to keep.
    pub fn string(&self, length: RangeInclusive<usize>) -> Result<String> {
        self.text(length).map(str::to_owned)
    }

    /// One of the words, and what it stands for.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let text = self.value.as_str().ok_or_else(|| self.refuse("must be a string"))?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(format!("must be one of: {}", known.join(", ")))
        })
    }

    pub fn integer(&self, range: RangeInclusive<i64>) -> Result<i64> {
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let number = self.value.as_i64().or_else(|| self.value.as_f64().and_then(whole));
        let number = number.ok_or_else(|| self.refuse("must be a whole number"))?;
        if range.contains(&number) {
            return Ok(number);
        }
        Err(self.refuse(match *range.end() {
            i64::MAX => format!("must be at least {}", range.start()),
            most => format!("must be from {} to {most}", range.start()),
        }))
    }

    pub fn boolean(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.refuse("must be true or false"))
    }

    /// The items of an array of so many.
    pub fn items(&self, count: RangeInclusive<usize>) -> Result<Vec<Self>> {
        let items = self.value.as_array().ok_or_else(|| self.refuse("must be an array"))?;
        if !count.contains(&items.len()) {
            return Err(self.refuse(match *count.end() {
                usize::MAX => format!("must have at least {} items", count.start()),
                most => format!("must have {} to {most} items", count.start()),
            }));
        }
        let item = |(index, value)| Self { value, path: format!("{}[{index}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// An absolute http or https address with a host.
    pub fn web_address(&self) -> Result<&'a str> {
        let text = self.text(1..=2048)?;
        let parsed = url::Url::parse(text).map_err(|_| self.refuse("must be a URL"))?;
        let good = matches!(parsed.scheme(), "http" | "https") && parsed.has_host();
        if good { Ok(text) } else { Err(self.refuse("must be an http or https URL")) }
    }

    /// A date and time with an offset (RFC 3339), in milliseconds since 1970.
    pub fn time(&self) -> Result<i64> {
        let text = self.text(1..=64)?;
        // An unescaped `+` of an offset arrives as a space in a query.
        let text = text.replace(' ', if text.contains(['T', 't']) { "+" } else { "T" });
        let parsed = chrono::DateTime::parse_from_rfc3339(&text);
        parsed
            .map(|time| time.timestamp_millis())
            .map_err(|_| self.refuse("must be a date and time like 2026-01-31T12:00:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_name_the_place() {
        let value = json!({ "a": { "b": [{ "c": 1 }, { "c": "x" }] }, "n": null });
        let top = At::top(&value);
        let items = top.need("a").unwrap().need("b").unwrap().items(1..=5).unwrap();
        assert_eq!(items[1].need("c").unwrap().integer(0..=9).unwrap_err().param, "a.b[1].c");
        assert_eq!(
            items[0].need("d").unwrap_err(),
            FieldError { param: "a.b[0].d".into(), why: "is required".into(), kind: Kind::Missing }
        );
        assert_eq!(items[0].need("c").unwrap().maybe("x").unwrap_err().param, "a.b[0].c");
        assert!(top.need("n").unwrap().or_null().is_none());
        assert!(top.maybe("z").unwrap().is_none());
        let list = json!([]);
        assert_eq!(At::top(&list).need("x").unwrap_err().param, "");
    }

    #[test]
    fn texts_are_counted_in_characters() {
        let good = |text: &str, range| At::top(&json!(text)).text(range).is_ok();
        assert!(good("éé", 1..=2) && good("😀😀", 2..=2) && good("", 0..=0));
        assert!(!good("ééé", 1..=2) && !good("", 1..=2) && !good("é", 2..=5) && !good("abc", 4..=9));
    }

    #[test]
    fn numbers_words_addresses_and_times_are_strict() {
        let integer = |value: Value| At::top(&value).integer(1..=336).ok();
        assert_eq!([integer(json!(1)), integer(json!(336.0))], [Some(1), Some(336)]);
        for wrong in [json!(0), json!(337), json!(1.5), json!("1"), json!(null), json!(1e300)] {
            assert_eq!(integer(wrong.clone()), None, "{wrong}");
        }
        let word = |value: Value| At::top(&value).word(&[("a", 1), ("b", 2)]).ok();
        assert_eq!([word(json!("b")), word(json!("B")), word(json!(2))], [Some(2), None, None]);
        let address = |text: &str| At::top(&json!(text)).web_address().is_ok();
        assert!(address("https://example.com/a?b") && address("http://127.0.0.1:1/"));
        for wrong in ["", "example.com", "ftp://example.com", "https://", "javascript:alert(1)", "//example.com"] {
            assert!(!address(wrong), "{wrong}");
        }
        let time = |text: &str| At::top(&json!(text)).time().ok();
        assert_eq!(time("1970-01-01T00:00:01Z"), Some(1000));
        assert_eq!(time("1970-01-01T01:00:00 01:00"), Some(0));
        assert_eq!([time("1970-01-01"), time("yesterday")], [None, None]);
    }
}
