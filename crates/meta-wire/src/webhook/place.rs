use std::collections::HashMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::members::Members;
use super::{Contact, Metadata};
use crate::loose::{Loose, Timestamp};

/// Where items were found: the change they came in, and all around it.
#[derive(Debug, Default)]
pub(super) struct Place<'a> {
    pub(super) envelope: Arc<Members<'a>>,
    pub(super) entry: Arc<Members<'a>>,
    pub(super) change: Members<'a>,
    pub(super) value: Members<'a>,
    pub(super) object: String,
    pub(super) entry_id: String,
    pub(super) time: Option<i64>,
    pub(super) field: String,
    pub(super) metadata: Option<Metadata>,
    pub(super) contacts: Contacts<'a>,
}

impl<'a> Place<'a> {
    pub(super) fn new(envelope: &Arc<Members<'a>>, entry: &Arc<Members<'a>>) -> Self {
        Self {
            envelope: envelope.clone(),
            entry: entry.clone(),
            object: scalar(envelope, "object"),
            entry_id: scalar(entry, "id"),
            time: entry.raw("time").and_then(|raw| read::<Timestamp>(raw).ok()).map(|time| time.seconds),
            ..Self::default()
        }
    }

    pub(super) fn with_change(mut self, change: Members<'a>, value: Members<'a>) -> Self {
        self.field = scalar(&change, "field");
        self.metadata = value.raw("metadata").and_then(|raw| read(raw).ok());
        self.contacts = Contacts::read(value.list("contacts"));
        self.change = change;
        self.value = value;
        self
    }
}

/// A text or an integer as text; empty where it is neither.
fn scalar(members: &Members<'_>, name: &str) -> String {
    let loose = members.raw(name).and_then(|raw| read::<Loose>(raw).ok());
    loose.unwrap_or_default().into_string()
}

/// The contacts of a value, findable by their ids.
#[derive(Debug, Default)]
pub(super) struct Contacts<'a> {
    list: Vec<(Option<Contact>, &'a str)>,
    by_id: HashMap<String, usize>,
}

impl<'a> Contacts<'a> {
    fn read(list: &[&'a str]) -> Self {
        let mut contacts = Self::default();
        for (at, raw) in list.iter().copied().enumerate() {
            let contact = read::<Contact>(raw).ok();
            let ids = contact.iter().flat_map(|c| [&c.user_id, &c.wa_id]).flatten();
            for id in ids {
                contacts.by_id.entry(id.clone()).or_insert(at);
            }
            contacts.list.push((contact, raw));
        }
        contacts
    }

    /// The first that bears one of the ids. `sole` says that the value has one item; then a single contact is its own,
    /// even where Meta writes the number differently in the two places.
    pub(super) fn find(&self, ids: &[Option<&String>], sole: bool) -> Option<usize> {
        let named = ids.iter().flatten().find_map(|id| self.by_id.get(*id).copied());
        named.or((sole && self.list.len() == 1).then_some(0))
    }

    pub(super) fn get(&self, at: usize) -> (Option<&Contact>, &'a str) {
        let (contact, raw) = &self.list[at];
        (contact.as_ref(), raw)
    }
}

/// Reads a typed thing. Meta cuts long texts between the halves of an emoji; such a half alone is no character and
/// becomes U+FFFD in the typed form.
pub(super) fn read<T: DeserializeOwned>(raw: &str) -> serde_json::Result<T> {
    serde_json::from_str(raw).or_else(|error| match mend(raw) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    })
}

/// The text with each lone half replaced; `None` if there is none.
fn mend(raw: &str) -> Option<String> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = raw[at..].find('\\') {
        let start = at + found;
        let (length, lone) = escape(&raw.as_bytes()[start..]);
        if lone {
            out.push_str(&raw[kept..start]);
            out.push_str("\\ufffd");
            kept = start + length;
        }
        at = start + length;
        if !raw.is_char_boundary(at) {
            return None;
        }
    }
    out.push_str(&raw[kept..]);
    (kept > 0).then_some(out)
}

/// The length of the escape at the beginning, and whether it is half a pair.
fn escape(text: &[u8]) -> (usize, bool) {
    match unit(text) {
        None => (2.min(text.len()), false),
        Some(0xd800..=0xdbff) if matches!(unit(&text[6..]), Some(0xdc00..=0xdfff)) => (12, false),
        Some(0xd800..=0xdfff) => (6, true),
        Some(_) => (6, false),
    }
}

fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_halves_are_mended_and_nothing_else() {
        for (raw, mended) in [
            (r#""a\ud83d""#, Some(r#""a\ufffd""#)),
            (r#""\ude00\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\\ud83d""#, None),
            (r#""\ud83d\ude00\u00e9\n""#, None),
            (r#""\u12""#, None),
            (r#""\é""#, None),
            ("\\", None),
        ] {
            assert_eq!(mend(raw).as_deref(), mended, "{raw}");
        }
        assert_eq!(read::<String>(r#""a\ud83d\u0000b""#).unwrap(), "a\u{fffd}\0b");
    }
}
