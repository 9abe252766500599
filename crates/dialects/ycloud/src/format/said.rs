//! A change as Meta told of it, kept with the event.

use engine::events::Event;
use meta_wire::FORMAT;
use serde_json::Value;

/// What Meta said: the account, the field, and its value.
pub(super) struct Said {
    pub(super) waba: Value,
    pub(super) field: String,
    pub(super) value: Value,
}

pub(super) fn said(event: &Event) -> Option<Said> {
    let document = event.document.as_ref().filter(|document| document.format == FORMAT)?;
    let document: Value = serde_json::from_slice(&document.bytes).ok()?;
    let change = document.pointer("/entry/0/changes/0")?;
    let waba = document.pointer("/entry/0/id").cloned().unwrap_or_default();
    let (field, value) = (change.get("field")?.as_str()?.to_owned(), change.get("value")?.clone());
    Some(Said { waba, field, value })
}
