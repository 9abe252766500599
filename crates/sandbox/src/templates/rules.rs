//! What a template may look like. Refusals carry Meta's subcodes where they have one.

use serde_json::{Value, json};

use super::{authentication, component, variables};
use crate::graph::error::{Outcome, parameter, sub};

const FORMATS: [&str; 7] = ["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION", "PRODUCT"];
const BUTTONS: [&str; 13] = [
    "QUICK_REPLY",
    "URL",
    "PHONE_NUMBER",
    "COPY_CODE",
    "OTP",
    "FLOW",
    "CATALOG",
    "MPM",
    "SPM",
    "VOICE_CALL",
    "APP",
    "CALL_PERMISSION_REQUEST",
    "REQUEST_CONTACT_INFO",
];
pub(crate) const CATEGORIES: [&str; 3] = ["AUTHENTICATION", "MARKETING", "UTILITY"];

pub(crate) fn name(name: &str) -> Outcome<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 512 || !name.chars().all(plain) {
        return Err(parameter(
            "Param name must have 1 to 512 characters, lower-case letters, digits and underscores only",
        ));
    }
    Ok(())
}

pub(crate) fn language(code: &str) -> Outcome<()> {
    let valid = (2..=7).contains(&code.len())
        && code.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if valid { Ok(()) } else { Err(parameter(format_args!("Param language must be a language code, not '{code}'"))) }
}

pub(crate) fn ttl(category: &str, seconds: i64) -> Outcome<()> {
    let (low, high) = match category {
        "AUTHENTICATION" => (30, 900),
        "UTILITY" => (30, 43_200),
        _ => (43_200, 2_592_000),
    };
    let fits = (low..=high).contains(&seconds) || (seconds == -1 && category != "MARKETING");
    if fits {
        Ok(())
    } else {
        Err(parameter(format_args!("Param message_send_ttl_seconds must be from {low} to {high} for {category}")))
    }
}

/// Checks the components and returns them as they are kept and listed.
pub(crate) fn components(category: &str, named: bool, given: &[Value]) -> Outcome<Vec<Value>> {
    for one in given {
        let kind = one["type"].as_str().unwrap_or_default().to_ascii_uppercase();
        let known =
            ["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"];
        if !known.contains(&kind.as_str()) {
            return Err(parameter(format_args!("Param components[].type must be one of {{{}}}", known.join(", "))));
        }
        let twice =
            given.iter().filter(|other| other["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(&kind))).count()
                > 1;
        if twice {
            return Err(parameter(format_args!("Component {kind} may be given once only")));
        }
    }
    if category == "AUTHENTICATION" {
        return authentication::components(given);
    }
    let limited = component(given, "LIMITED_TIME_OFFER");
    if let Some(offer) = limited {
        let text = offer["limited_time_offer"]["text"].as_str().unwrap_or_default();
        if text.is_empty() || text.chars().count() > 16 {
            return Err(sub(2388040, "Text is too long", "The offer's text must have from 1 to 16 characters."));
        }
    }
    part(given, named, if limited.is_some() { 600 } else { 1024 }, true)?;
    if let Some(carousel) = component(given, "CAROUSEL") {
        cards(carousel, named)?;
    }
    Ok(given.iter().map(normal).collect())
}

/// Types and formats in capitals, as they are listed back.
fn normal(component: &Value) -> Value {
    let mut component = component.clone();
    for key in ["type", "format"] {
        if let Some(text) = component[key].as_str().map(str::to_ascii_uppercase) {
            component[key] = json!(text);
        }
    }
    if let Some(buttons) = component.get_mut("buttons").and_then(Value::as_array_mut) {
        for button in buttons {
            *button = normal(button);
        }
    }
    component
}

fn part(given: &[Value], named: bool, body_limit: usize, body_required: bool) -> Outcome<()> {
    if let Some(own) = component(given, "HEADER") {
        header(own, named)?;
    }
    match component(given, "BODY") {
        Some(own) => body(own, named, body_limit)?,
        None if body_required => return Err(parameter("A component of type BODY is required")),
        None => {}
    }
    if let Some(footer) = component(given, "FOOTER") {
        let text = footer["text"].as_str().unwrap_or_default();
        if text.is_empty() || text.chars().count() > 60 || !variables(text).is_empty() {
            return Err(sub(
                2388073,
                "Footer format is incorrect",
                "The footer must have from 1 to 60 characters and no variables.",
            ));
        }
    }
    component(given, "BUTTONS")
        .map_or(Ok(()), |buttons_part| buttons(buttons_part["buttons"].as_array().map_or(&[], Vec::as_slice)))
}

fn header(own: &Value, named: bool) -> Outcome<()> {
    let wrong = |why: &str| sub(2388047, "Header format is incorrect", why);
    let format = own["format"].as_str().unwrap_or_default().to_ascii_uppercase();
    if !FORMATS.contains(&format.as_str()) {
        return Err(wrong("The header's format is not known."));
    }
    if ["IMAGE", "VIDEO", "DOCUMENT", "GIF"].contains(&format.as_str()) {
        let handles = own["example"]["header_handle"].as_array().map_or(0, Vec::len);
        return if handles == 1 { Ok(()) } else { Err(wrong("A media header needs one example in header_handle.")) };
    }
    if format != "TEXT" {
        return Ok(());
    }
    let text = own["text"].as_str().unwrap_or_default();
    if text.is_empty() || text.chars().count() > 60 || text.contains('\n') {
        return Err(wrong("The header must have from 1 to 60 characters on one line."));
    }
    let found = variables(text);
    if found.len() > 1 {
        return Err(wrong("The header may have one variable."));
    }
    check_names(&found, named)?;
    let example = &own["example"];
    let has = example["header_text"].as_array().or(example["header_text_named_params"].as_array()).map_or(0, Vec::len);
    if has < found.len() {
        return Err(wrong("The header's variable needs an example."));
    }
    Ok(())
}

fn body(own: &Value, named: bool, limit: usize) -> Outcome<()> {
    let wrong = |why: &str| sub(2388072, "Body format is incorrect", why);
    let text = own["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(parameter("The component of type BODY needs a text"));
    }
    if text.chars().count() > limit {
        return Err(sub(2388040, "Text is too long", format!("The body must have at most {limit} characters.")));
    }
    let found = variables(text);
    check_names(&found, named)?;
    if found.is_empty() {
        return Ok(());
    }
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(sub(2388299, "Variables at the start or end", "The body must not start or end with a variable."));
    }
    if text.split_whitespace().collect::<Vec<_>>().join(" ").replace("}} {{", "}}{{").contains("}}{{") {
        return Err(wrong("Two variables must not stand side by side."));
    }
    let words = super::replace(text, |_| Some(String::new())).split_whitespace().count();
    if words < found.len() * 2 + 1 {
        return Err(sub(2388293, "Too many variables", "The body has too many variables for its length."));
    }
    let example = &own["example"];
    let given = if named {
        example["body_text_named_params"].as_array().map_or(0, Vec::len)
    } else {
        example["body_text"].get(0).and_then(Value::as_array).map_or(0, Vec::len)
    };
    if given != found.len() {
        return Err(wrong("The body's variables need one example each."));
    }
    Ok(())
}

/// Positional variables count from 1; named ones are lower-case words.
fn check_names(found: &[&str], named: bool) -> Outcome<()> {
    let wrong = |why: &str| Err(sub(2388072, "Variable format is incorrect", why));
    if named {
        let word = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        return if found.iter().all(word) {
            Ok(())
        } else {
            wrong("Named variables are lower-case letters, digits and underscores.")
        };
    }
    let mut numbers: Vec<usize> = Vec::new();
    for name in found {
        match name.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => {
                return wrong("Variables are numbers in double braces; named ones need parameter_format NAMED.");
            }
        }
    }
    numbers.sort_unstable();
    if numbers.iter().enumerate().all(|(place, number)| place + 1 == *number) {
        Ok(())
    } else {
        wrong("Variables count from {{1}} without gaps.")
    }
}

fn buttons(list: &[Value]) -> Outcome<()> {
    let wrong = |why: String| sub(2388072, "Buttons are incorrect", why);
    if list.is_empty() || list.len() > 10 {
        return Err(wrong("There must be from 1 to 10 buttons.".to_owned()));
    }
    let kinds: Vec<String> =
        list.iter().map(|button| button["type"].as_str().unwrap_or_default().to_ascii_uppercase()).collect();
    if let Some(unknown) = kinds.iter().find(|kind| !BUTTONS.contains(&kind.as_str())) {
        return Err(parameter(format_args!("Button type must be one of {{{}}}, not '{unknown}'", BUTTONS.join(", "))));
    }
    for (kind, most) in
        [("URL", 2), ("PHONE_NUMBER", 1), ("COPY_CODE", 1), ("FLOW", 1), ("CATALOG", 1), ("MPM", 1), ("SPM", 1)]
    {
        if kinds.iter().filter(|other| *other == kind).count() > most {
            return Err(wrong(format!("There may be {most} buttons of type {kind}.")));
        }
    }
    let changes = kinds.windows(2).filter(|pair| (pair[0] == "QUICK_REPLY") != (pair[1] == "QUICK_REPLY")).count();
    if changes > 1 {
        return Err(wrong("Quick replies and other buttons must stand in two groups.".to_owned()));
    }
    list.iter().zip(&kinds).try_for_each(|(button, kind)| one_button(button, kind))
}

fn one_button(button: &Value, kind: &str) -> Outcome<()> {
    let wrong = |why: &str| Err(sub(2388072, "Buttons are incorrect", why));
    let text = button["text"].as_str().unwrap_or_default();
    let labelled =
        !["COPY_CODE", "OTP", "APP", "SPM", "CALL_PERMISSION_REQUEST", "REQUEST_CONTACT_INFO"].contains(&kind);
    if (labelled && text.is_empty()) || text.chars().count() > 25 {
        return wrong("A button's text must have from 1 to 25 characters.");
    }
    match kind {
        "URL" => {
            let url = button["url"].as_str().unwrap_or_default();
            let found = variables(url);
            if !(url.starts_with("http://") || url.starts_with("https://")) || url.len() > 2000 {
                return wrong("A URL button needs an http or https URL of at most 2000 characters.");
            }
            if found.len() > 1 || (found.len() == 1 && !url.ends_with("}}")) {
                return wrong("A URL may have one variable, at its end.");
            }
            let example =
                button["example"].as_array().map_or_else(|| usize::from(button["example"].is_string()), Vec::len);
            if example < found.len() {
                return wrong("A URL with a variable needs an example.");
            }
            Ok(())
        }
        "PHONE_NUMBER" => {
            let number = button["phone_number"].as_str().unwrap_or_default();
            if number.is_empty() || number.len() > 20 {
                wrong("A call button needs a phone number of at most 20 characters.")
            } else {
                Ok(())
            }
        }
        "COPY_CODE" => {
            let example = button["example"].as_str().or(button["example"][0].as_str()).unwrap_or_default();
            if example.is_empty() || example.chars().count() > 20 {
                wrong("A copy button needs an example of at most 20 characters.")
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

fn cards(carousel: &Value, named: bool) -> Outcome<()> {
    let wrong = |why: &str| sub(2388072, "Carousel is incorrect", why);
    let cards = carousel["cards"].as_array().map_or(&[][..], Vec::as_slice);
    if !(2..=10).contains(&cards.len()) {
        return Err(wrong("A carousel must have from 2 to 10 cards."));
    }
    let mut shapes = Vec::new();
    for card in cards {
        let own = card["components"].as_array().ok_or_else(|| wrong("A card needs components."))?;
        part(own, named, 160, false)?;
        let shape = |component: &Value| {
            let buttons = component["buttons"]
                .as_array()
                .map(|list| list.iter().map(|b| b["type"].to_string()).collect::<Vec<_>>());
            (component["type"].to_string(), component["format"].to_string(), buttons)
        };
        shapes.push(own.iter().map(shape).collect::<Vec<_>>());
    }
    if shapes.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(wrong("All cards must have the same components."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_with(text: &str, examples: &[&str]) -> Vec<Value> {
        vec![json!({"type": "BODY", "text": text, "example": {"body_text": [examples]}})]
    }

    #[test]
    fn bodies() {
        for (text, examples, fits) in [
            ("Hello there", vec![], true),
            ("Hello {{1}}, your order is ready.", vec!["a"], true),
            ("Hello {{1}}, your order is ready.", vec![], false),
            ("{{1}} is here, come and look.", vec!["a"], false),
            ("Come and look at {{1}}", vec!["a"], false),
            ("Hello {{2}}, come and see this.", vec!["a"], false),
            ("Hello {{1}} {{2}}, come and see this today please.", vec!["a", "b"], false),
            ("Hi {{1}} and {{2}} now.", vec!["a", "b"], false),
            ("Hello {{name}}, come and see this.", vec!["a"], false),
        ] {
            assert_eq!(components("UTILITY", false, &body_with(text, &examples)).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn button_sets() {
        let quick = json!({"type": "QUICK_REPLY", "text": "Yes"});
        let url = json!({"type": "URL", "text": "Go", "url": "https://a.example/{{1}}", "example": ["x"]});
        let open = json!({"type": "URL", "text": "Go", "url": "https://a.example/{{1}}/b", "example": ["x"]});
        let call = json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100001"});
        for (set, fits) in [
            (vec![&quick, &quick, &url], true),
            (vec![&quick, &url, &quick], false),
            (vec![&open], false),
            (vec![&url, &url, &call], true),
            (vec![&url, &url, &url], false),
            (vec![&call, &call], false),
            (vec![], false),
        ] {
            let mut all = body_with("Hello", &[]);
            all.push(json!({"type": "BUTTONS", "buttons": set}));
            assert_eq!(components("MARKETING", false, &all).is_ok(), fits, "{set:?}");
        }
    }
}
