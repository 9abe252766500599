//! What a customer changed about an earlier message of his. Meta tells it as a message of its own.

use engine::content::Native;
use meta_wire::FORMAT;
use serde_json::Value;

pub(super) const EDIT: &str = "edit";
pub(super) const REVOKE: &str = "revoke";

/// The provider's id of the message that is changed or taken back.
pub(super) fn of(native: &Native) -> Option<&str> {
    let changes = native.format == FORMAT && [EDIT, REVOKE].contains(&native.name.as_str());
    native.json.get("original_message_id").filter(|_| changes)?.as_str()
}

/// The text after an edit: of a text message, or under a file.
pub(super) fn text(native: &Native) -> Option<&str> {
    let message = native.json.get("message")?;
    let kind = message.get("type")?.as_str()?;
    let place = if kind == "text" { "body" } else { "caption" };
    message.get(kind)?.get(place).and_then(Value::as_str)
}
