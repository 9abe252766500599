//! Buttons as WhatsApp's own clients know them: a name, and parameters as JSON in a text.

use serde_json::{Value, json};
use web_wire::send::NativeButton;

use crate::errors::Error;
use crate::files::is_address;

fn button(name: &str, params: &Value) -> NativeButton {
    NativeButton { name: name.to_owned(), params: params.to_string() }
}

/// Answers with its id.
pub(super) fn reply(label: &str, id: &str) -> NativeButton {
    button("quick_reply", &json!({ "display_text": label, "id": id }))
}

/// Opens a page.
pub(super) fn page(label: &str, url: &str, merchant_url: &str) -> Result<NativeButton, Error> {
    if !is_address(url) {
        return Err(Error::bad("a button's url must be an HTTP/HTTPS URL"));
    }
    Ok(button("cta_url", &json!({ "display_text": label, "url": url, "merchant_url": merchant_url })))
}

/// Calls a number.
pub(super) fn call(label: &str, phone: &str) -> NativeButton {
    button("cta_call", &json!({ "display_text": label, "phone_number": phone, "id": phone }))
}

/// Puts a code into the clipboard.
pub(super) fn copy(label: &str, code: &str) -> NativeButton {
    button("cta_copy", &json!({ "display_text": label, "copy_code": code, "id": code }))
}

pub(super) fn payment(name: &str, params: &Value) -> NativeButton {
    button(name, params)
}
