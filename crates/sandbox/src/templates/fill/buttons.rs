//! The buttons of a filled template.

use serde_json::{Value, json};

use crate::graph::check::At;
use crate::graph::error::{Outcome, of};
use crate::templates::{replace, variables};

/// The sent button component for each place, checked against the template's buttons.
pub(super) fn fill(own: &[Value], sent: &[At<'_>]) -> Outcome<Vec<Value>> {
    let mut given: Vec<Option<&At<'_>>> = vec![None; own.len()];
    for at in sent {
        let is_button = at.value().and_then(|v| v["type"].as_str()).is_some_and(|t| t.eq_ignore_ascii_case("button"));
        if is_button {
            let place = at.get("index").number(0.0, 9.0)? as usize;
            let slot = given
                .get_mut(place)
                .ok_or_else(|| of(132018, format!("buttons: The template has no button at index {place}")))?;
            *slot = Some(at);
        }
    }
    own.iter().zip(given).enumerate().map(|(place, (button, sent))| one_button(place, button, sent)).collect()
}

fn one_button(place: usize, own: &Value, sent: Option<&At<'_>>) -> Outcome {
    let kind = own["type"].as_str().unwrap_or_default().to_ascii_uppercase();
    let text = own["text"].as_str().unwrap_or_default();
    let mut shown = json!({"type": kind, "text": text});
    if let Some(at) = sent {
        let given = at.get("sub_type").text(40)?.to_ascii_lowercase();
        if given != sub_type(&kind) {
            return Err(of(132012, format!("buttons: Button at index {place} is of type {kind}, received {given}")));
        }
    }
    let needs = || of(131008, format!("buttons: Button at index {place} of type {kind} requires a parameter"));
    match kind.as_str() {
        "URL" => link(place, own, sent, &mut shown)?,
        "QUICK_REPLY" => {
            let payload = button_value(sent, place, "payload", 256)?;
            shown["payload"] = json!(payload.as_deref().unwrap_or(text));
        }
        "COPY_CODE" => shown["code"] = json!(button_value(sent, place, "coupon_code", 20)?.ok_or_else(needs)?),
        "PHONE_NUMBER" => shown["phone_number"] = own["phone_number"].clone(),
        "MPM" => {
            let at = sent.ok_or_else(needs)?;
            let list = at.get("parameters");
            for parameter in list.items(1, 1)? {
                parameter.get("action").object()?;
            }
        }
        _ => {}
    }
    Ok(shown)
}

/// How a sent component names a button of this kind.
fn sub_type(kind: &str) -> &'static str {
    match kind {
        "QUICK_REPLY" => "quick_reply",
        "URL" => "url",
        "COPY_CODE" => "copy_code",
        "FLOW" => "flow",
        "CATALOG" => "catalog",
        "MPM" => "mpm",
        "VOICE_CALL" => "voice_call",
        _ => "",
    }
}

/// A link whose end may be sent; one that carries a code is shown as a button that copies it.
fn link(place: usize, own: &Value, sent: Option<&At<'_>>, shown: &mut Value) -> Outcome<()> {
    let url = own["url"].as_str().unwrap_or_default();
    let is_code = url.contains("otp_type=");
    let needs = || of(131008, format!("buttons: Button at index {place} of type URL requires a parameter"));
    let suffix = match (variables(url).is_empty(), sent) {
        (true, None) => None,
        (true, Some(_)) => {
            return Err(of(
                132018,
                format!("buttons: Button at index {place} of type Url does not require parameters"),
            ));
        }
        (false, sent) => Some(button_value(sent, place, "text", if is_code { 15 } else { 2000 })?.ok_or_else(needs)?),
    };
    shown["url"] = json!(replace(url, |_| suffix.clone()));
    if is_code {
        shown["type"] = json!("COPY_CODE");
        shown["code"] = json!(suffix);
    }
    Ok(())
}

/// The value of a button's one parameter, under the name that its kind has.
fn button_value(sent: Option<&At<'_>>, place: usize, name: &str, at_most: usize) -> Outcome<Option<String>> {
    let Some(at) = sent else { return Ok(None) };
    let list = at.get("parameters");
    if !list.is_there() {
        return Ok(None);
    }
    let parameters = list.items(0, 10)?;
    let [parameter] = parameters.as_slice() else {
        return Err(of(
            132000,
            format!("buttons: Button at index {place} takes one parameter, received {}", parameters.len()),
        ));
    };
    let kind = parameter.get("type").text(30)?.to_ascii_lowercase();
    let fits = kind == name || (kind == "text" && name == "payload") || (kind == "payload" && name == "text");
    if !fits {
        return Err(of(
            132012,
            format!("buttons: Button at index {place} expects a parameter of type {name}, received {kind}"),
        ));
    }
    let value = parameter.get(&kind);
    match value.maybe_text(at_most)? {
        Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
        _ => Err(of(131008, format!("buttons: Parameter of type {kind} is missing {kind} value at index {place}"))),
    }
}
