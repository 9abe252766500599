//! The header of a filled template.

use serde_json::{Value, json};

use super::fill_text;
use crate::graph::check::At;
use crate::graph::error::{Outcome, of};
use crate::graph::messages::free;
use crate::graph::messages::wanted::Wanted;
use crate::templates::Template;

/// What stands above the text: words of the template's, or what was sent for it.
pub(super) fn fill(
    template: &Template,
    own: Option<&Value>,
    sent: Option<&At<'_>>,
    pointer: &str,
    wanted: &mut Vec<Wanted>,
) -> Outcome<Option<Value>> {
    let Some(own) = own else {
        return match sent {
            Some(at) if at.get("parameters").value().and_then(Value::as_array).is_some_and(|list| !list.is_empty()) => {
                Err(of(
                    132000,
                    "header: number of localizable_params (1) does not match the expected number of params (0)",
                ))
            }
            _ => Ok(None),
        };
    };
    let format = own["format"].as_str().unwrap_or("TEXT").to_ascii_uppercase();
    if format == "TEXT" {
        let text = fill_text(template, "header", own["text"].as_str().unwrap_or_default(), sent)?;
        return Ok(Some(json!({"type": "text", "text": text})));
    }
    media(&format, sent, pointer, wanted).map(Some)
}

/// The one parameter of a header that is not text: a file, a place, or what the message shows as it is.
fn media(format: &str, sent: Option<&At<'_>>, pointer: &str, wanted: &mut Vec<Wanted>) -> Outcome {
    let list = sent.map(|at| at.get("parameters"));
    let parameters = match &list {
        Some(list) if list.is_there() => list.items(0, 10)?,
        _ => Vec::new(),
    };
    let [parameter] = parameters.as_slice() else {
        return Err(of(132012, format!("header: Format mismatch, expected {format}, received UNKNOWN")));
    };
    let kind = parameter.get("type").text(30)?.to_ascii_lowercase();
    if kind != format.to_ascii_lowercase() {
        return Err(of(
            132012,
            format!("header: Format mismatch, expected {format}, received {}", kind.to_ascii_uppercase()),
        ));
    }
    let inner = parameter.get(&kind);
    let media_kind = match kind.as_str() {
        "image" => "image",
        "video" => "video",
        "gif" => "gif",
        "document" => "document",
        "location" => {
            free::location(inner.object()?)?;
            return Ok(json!({"type": kind, "location": inner.value()}));
        }
        _ => {
            inner.object()?;
            return Ok(json!({"type": &kind, &kind: inner.value()}));
        }
    };
    free::media(&inner, media_kind, &format!("{pointer}/header/{kind}"), wanted)?;
    Ok(json!({"type": &kind, &kind: inner.value()}))
}
