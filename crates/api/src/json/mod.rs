//! Reading JSON that anybody may have written.
//!
//! A text is looked through once before it is parsed: nesting deeper than [`DEEPEST`] is refused, and
//! escapes of half a character (lone surrogates), for which a Rust string has no place, are turned into
//! NUL. NUL itself is refused afterwards, in the tree, where the member that holds it has a name; so both
//! are told by the member's path. Members nobody asks for are ignored.

mod at;

use std::borrow::Cow;

pub use at::{At, FieldError, Kind};
use serde_json::Value;

use crate::intake::BodyError;

/// How deep arrays and objects may be nested.
pub const DEEPEST: usize = 64;

pub fn parse(bytes: &[u8]) -> Result<Value, BodyError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BodyError::Unreadable("the body is not UTF-8".into()))?;
    let text = look_through(text)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        BodyError::Unreadable(format!("the body is not JSON (line {}, column {})", error.line(), error.column()))
    })?;
    clean(&value)?;
    Ok(value)
}

/// Checks the nesting and replaces escaped lone surrogates by NUL.
fn look_through(text: &str) -> Result<Cow<'_, str>, BodyError> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut halves) = (0, 0_usize, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = past_text(bytes, at, &mut halves),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(BodyError::Unreadable(format!("the body is nested deeper than {DEEPEST} levels")));
        }
    }
    Ok(without(text, &halves))
}

/// Where a text ends whose first character is at `at`; notes where halves of characters are.
fn past_text(bytes: &[u8], mut at: usize, halves: &mut Vec<usize>) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        let (length, half) = escape(&bytes[at..]);
        if half {
            halves.push(at);
        }
        at += length;
    }
    bytes.len()
}

/// How long the escape at the start is, and whether it is half a character.
fn escape(bytes: &[u8]) -> (usize, bool) {
    match code_unit(bytes) {
        Some(0xd800..=0xdbff) if matches!(bytes.get(6..).and_then(code_unit), Some(0xdc00..=0xdfff)) => (12, false),
        Some(0xd800..=0xdfff) => (6, true),
        _ => (2, false),
    }
}

fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(bytes.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn without<'a>(text: &'a str, halves: &[usize]) -> Cow<'a, str> {
    if halves.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut text = text.to_owned();
    for at in halves {
        text.replace_range(at + 2..at + 6, "0000");
    }
    Cow::Owned(text)
}

/// Refuses the first text that holds a NUL, by its path.
pub(crate) fn clean(value: &Value) -> Result<(), FieldError> {
    match dirty(value) {
        None => Ok(()),
        Some(path) => Err(FieldError {
            param: path.trim_start_matches('.').to_owned(),
            why: "must not hold NUL or half a character".into(),
            kind: Kind::Invalid,
        }),
    }
}

fn dirty(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            let mut found = items.iter().enumerate().filter_map(|(index, item)| Some((index, dirty(item)?)));
            found.next().map(|(index, path)| format!("[{index}]{path}"))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| match name.contains('\0') {
            true => Some(String::new()),
            false => dirty(value).map(|path| format!(".{name}{path}")),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn param(text: &str) -> String {
        match parse(text.as_bytes()) {
            Err(BodyError::Field(error)) => error.param,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn half_characters_and_nul_are_told_by_their_path() {
        assert_eq!(param(r#"{"a":"\ud83d"}"#), "a");
        assert_eq!(param(r#"{"a":{"b":["x","\udc00y"]}}"#), "a.b[1]");
        assert_eq!(param(r#"{"a":"\ud83d\ud83d\ude00"}"#), "a");
        assert_eq!(param(r#"{"a":"\u0000"}"#), "a");
        assert_eq!(param(r#"{"m":{"\u0000":1}}"#), "m");
    }

    #[test]
    fn whole_characters_pass() {
        assert_eq!(parse(br#"{"a":"\ud83d\ude00 \\ud83d \"\\"}"#).unwrap(), json!({ "a": "😀 \\ud83d \"\\" }));
    }

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEEPEST).as_bytes()).is_ok());
        assert!(matches!(parse(nested(DEEPEST + 1).as_bytes()), Err(BodyError::Unreadable(_))));
        assert!(parse(format!("\"{}\"", "[".repeat(200)).as_bytes()).is_ok());
        assert!(matches!(parse("[".repeat(100_000).as_bytes()), Err(BodyError::Unreadable(_))));
    }

    #[test]
    fn what_is_not_json_is_unreadable() {
        for text in
            [&b"{"[..], b"{\"a\":}", b"{\"a\":1}x", b"\xff", b"nul", b"\"\\", b"\"\\u12\"", b"{'a':1}", b"1e999"]
        {
            assert!(matches!(parse(text), Err(BodyError::Unreadable(_))), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>, text in r#"[\[\]{}",:\\ud8c0-9a ]{0,60}"#) {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn clean_texts_come_out_as_they_went_in(text in "[^\0]*") {
            let value = json!({ "t": text });
            prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        }
    }
}
