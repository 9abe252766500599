//! Filling a template: the sent parameters against what the approved components ask for, and the message that comes of it.

mod buttons;
mod header;

use serde_json::{Map, Value, json};

use super::{Template, component, replace, variables};
use crate::graph::check::At;
use crate::graph::error::{Outcome, of};
use crate::graph::messages::wanted::Wanted;

/// The longest filled body.
const BODY: usize = 1024;

/// Checks `sent` (the `template` object of a send) and returns what the phone shows.
pub(crate) fn fill(template: &Template, sent: &At<'_>, wanted: &mut Vec<Wanted>) -> Outcome<Map<String, Value>> {
    let list = sent.get("components");
    let components = if list.is_there() { list.items(0, 20)? } else { Vec::new() };
    let mut shown = part(template, &template.components, &components, "", wanted)?;
    if let Some(cards) = template.component("CAROUSEL").and_then(|carousel| carousel["cards"].as_array()) {
        let cards = carousel(template, cards, &components, wanted)?;
        shown.insert("cards".to_owned(), cards);
    }
    Ok(shown)
}

/// One set of header, body, footer and buttons: the template's own, or a card's.
fn part(
    template: &Template,
    own: &[Value],
    sent: &[At<'_>],
    pointer: &str,
    wanted: &mut Vec<Wanted>,
) -> Outcome<Map<String, Value>> {
    let mut shown = Map::new();
    for component in sent {
        component.object()?;
        component.get("type").word(&[
            "header",
            "body",
            "footer",
            "button",
            "carousel",
            "limited_time_offer",
            "order_status",
            "tap_target_configuration",
        ])?;
    }
    let find = |kind: &str| {
        sent.iter().find(|at| at.value().and_then(|v| v["type"].as_str()).is_some_and(|t| t.eq_ignore_ascii_case(kind)))
    };
    if let Some(header) = header::fill(template, component(own, "HEADER"), find("header"), pointer, wanted)? {
        shown.insert("header".to_owned(), header);
    }
    let text = component(own, "BODY").and_then(|body| body["text"].as_str()).unwrap_or_default();
    let filled = fill_text(template, "body", text, find("body"))?;
    if filled.chars().count() > BODY {
        return Err(of(132005, format!("body: the filled text has more than {BODY} characters")));
    }
    shown.insert("text".to_owned(), json!({"body": filled}));
    if let Some(footer) = component(own, "FOOTER").and_then(|footer| footer["text"].as_str()) {
        shown.insert("footer".to_owned(), json!({"text": footer}));
    }
    if component(own, "LIMITED_TIME_OFFER").is_some() {
        offer(find("limited_time_offer"))?;
    }
    let buttons = component(own, "BUTTONS").and_then(|buttons| buttons["buttons"].as_array());
    let buttons = buttons::fill(buttons.map_or(&[], Vec::as_slice), sent)?;
    if !buttons.is_empty() {
        shown.insert("buttons".to_owned(), Value::Array(buttons));
    }
    Ok(shown)
}

/// The text of a component with the sent values in it.
fn fill_text(template: &Template, place: &str, text: &str, sent: Option<&At<'_>>) -> Outcome<String> {
    let expected = variables(text);
    let list = sent.map(|at| at.get("parameters"));
    let parameters = match &list {
        Some(list) if list.is_there() => list.items(0, 100)?,
        _ => Vec::new(),
    };
    if parameters.len() != expected.len() {
        return Err(of(
            132000,
            format!(
                "{place}: number of localizable_params ({}) does not match the expected number of params ({})",
                parameters.len(),
                expected.len()
            ),
        ));
    }
    let mut values = Vec::with_capacity(parameters.len());
    for (position, parameter) in parameters.iter().enumerate() {
        parameter.object()?;
        let name = if template.named {
            let name = parameter.get("parameter_name");
            let Some(text) = name.maybe_text(100)?.filter(|text| !text.is_empty()) else {
                return Err(of(100, "Parameter name is missing or empty"));
            };
            if !expected.contains(&text) {
                return Err(of(132000, format!("{place}: the template has no parameter named {text}")));
            }
            text.to_owned()
        } else {
            (position + 1).to_string()
        };
        values.push((name, text_value(place, parameter)?));
    }
    Ok(replace(text, |name| values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())))
}

fn text_value(place: &str, parameter: &At<'_>) -> Outcome<String> {
    let kind = parameter.get("type");
    let value = match kind.text(30)?.to_ascii_lowercase().as_str() {
        "text" => {
            let text = parameter.get("text");
            match text.maybe_text(32_768)? {
                Some(words) if !words.is_empty() => words.to_owned(),
                _ => {
                    return Err(of(131008, format!("{place}: Parameter of type text is missing text value")));
                }
            }
        }
        typed @ ("currency" | "date_time") => {
            let value = parameter.get(typed);
            value.object()?;
            value.get("fallback_value").text(1000)?.to_owned()
        }
        other => {
            let other = other.to_ascii_uppercase();
            return Err(of(132012, format!("{place}: Format mismatch, expected TEXT, received {other}")));
        }
    };
    if value.contains(['\n', '\t']) || value.contains("     ") {
        return Err(of(
            132018,
            format!("{place}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces"),
        ));
    }
    Ok(value)
}

fn offer(sent: Option<&At<'_>>) -> Outcome<()> {
    let Some(at) = sent else { return Ok(()) };
    let list = at.get("parameters");
    for parameter in list.items(1, 1)? {
        let offer = parameter.get("limited_time_offer");
        offer.object()?;
        offer.get("expiration_time_ms").number(0.0, 1e15)?;
    }
    Ok(())
}

fn carousel(template: &Template, own: &[Value], sent: &[At<'_>], wanted: &mut Vec<Wanted>) -> Outcome {
    let at = sent
        .iter()
        .find(|at| at.value().and_then(|v| v["type"].as_str()).is_some_and(|t| t.eq_ignore_ascii_case("carousel")));
    let Some(at) = at else {
        return Err(of(131008, "carousel: the template needs a component of type carousel"));
    };
    let list = at.get("cards");
    let given = list.items(1, 10)?;
    if given.len() != own.len() {
        return Err(of(
            132000,
            format!("carousel: number of cards ({}) does not match the expected number ({})", given.len(), own.len()),
        ));
    }
    let mut shown = Vec::new();
    for (place, card) in given.iter().enumerate() {
        let index = card.get("card_index").number(0.0, 9.0)? as usize;
        let components = card.get("components");
        let components = components.items(0, 10)?;
        let own = own.get(index).and_then(|card| card["components"].as_array());
        let own = own.ok_or_else(|| of(132018, format!("carousel: The template has no card {index}")))?;
        shown.push(Value::Object(part(template, own, &components, &format!("/cards/{place}"), wanted)?));
    }
    Ok(Value::Array(shown))
}
