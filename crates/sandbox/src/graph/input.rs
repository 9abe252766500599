//! Reading what callers send: JSON, form and query parameters alike become one JSON object, as on Graph.

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

use super::error::{self, Outcome, of, parameter};

/// The largest JSON or form body.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Query parameters as an object.
pub(crate) fn query(text: &str) -> Map<String, Value> {
    url::form_urlencoded::parse(text.as_bytes()).map(|(key, value)| (key.into_owned(), form_value(&value))).collect()
}

/// A form value that looks like a JSON object or list is one.
fn form_value(text: &str) -> Value {
    if text.starts_with(['{', '[']) {
        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    } else {
        Value::String(text.to_owned())
    }
}

/// The body (JSON or form) laid over the query parameters.
pub(crate) async fn fields(headers: &HeaderMap, query: &Map<String, Value>, body: Body) -> Outcome<Map<String, Value>> {
    let bytes = bytes(body).await?;
    let mut all = query.clone();
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(all);
    }
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") && bytes.first() != Some(&b'{') {
        let pairs = url::form_urlencoded::parse(&bytes);
        all.extend(pairs.map(|(key, value)| (key.into_owned(), form_value(&value))));
        return Ok(all);
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => {
            all.extend(members);
            Ok(all)
        }
        _ => Err(parameter("The request body is not a JSON object")),
    }
}

pub(crate) async fn bytes(body: Body) -> Outcome<Bytes> {
    let collected = Limited::new(body, MAX_BODY).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|_| {
        error::plain(413, 1, "Please reduce the amount of data you're asking for, then retry your request")
    })
}

/// A text member; numbers count as text, as in forms.
pub(crate) fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    match fields.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(crate) fn required(fields: &Map<String, Value>, key: &str) -> Outcome<String> {
    text(fields, key)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| parameter(format_args!("The parameter {key} is required.")))
}

/// `true`, `"true"`, `1`, `"1"` and their opposites.
pub(crate) fn flag(fields: &Map<String, Value>, key: &str) -> Outcome<Option<bool>> {
    match text(fields, key).as_deref() {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(parameter(format_args!("Param {key} must be a boolean"))),
    }
}

/// A string list that may come as JSON or as commas.
pub(crate) fn list(fields: &Map<String, Value>, key: &str) -> Option<Vec<String>> {
    match fields.get(key)? {
        Value::Array(items) => {
            Some(items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect())
        }
        Value::String(text) => Some(text.split(',').map(|part| part.trim().to_owned()).collect()),
        Value::Number(number) => Some(vec![number.to_string()]),
        _ => None,
    }
}

/// `messaging_product` must be there and be `whatsapp`.
pub(crate) fn product(fields: &Map<String, Value>) -> Outcome<()> {
    match fields.get("messaging_product").and_then(Value::as_str) {
        Some(name) if name.eq_ignore_ascii_case("whatsapp") => Ok(()),
        Some(_) => Err(of(100, "Param messaging_product must be one of {WHATSAPP}")),
        None => Err(parameter("The parameter messaging_product is required.")),
    }
}
