//! One recipient's values in a template's body.

use engine::content::{Native, Template};
use meta_wire::FORMAT;
use serde_json::{Map, Value, json};

/// Variables called `1`, `2`, … are the body's parameters at these places; all others are parameters of their names. They
/// take the place of what is there, and what nobody gave stays as it is.
pub(crate) fn fill(mut template: Template, variables: &Map<String, Value>) -> Template {
    if variables.is_empty() {
        return template;
    }
    let native = template.components.get_or_insert_with(|| Native {
        format: FORMAT.to_owned(),
        name: "components".to_owned(),
        json: json!([]),
        text: None,
    });
    if native.format == FORMAT
        && let Some(parameters) = native.json.as_array_mut().map(body)
    {
        variables.iter().for_each(|(name, value)| put(parameters, name, value));
    }
    template
}

/// The body's parameters, which are made where there are none.
fn body(components: &mut Vec<Value>) -> &mut Vec<Value> {
    let is_body = |it: &Value| it["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("body"));
    let found = components.iter().position(is_body).unwrap_or_else(|| {
        components.push(json!({ "type": "body" }));
        components.len() - 1
    });
    let parameters = &mut components[found]["parameters"];
    if !parameters.is_array() {
        *parameters = json!([]);
    }
    match parameters {
        Value::Array(parameters) => parameters,
        _ => unreachable!("it has just been made an array"),
    }
}

/// More parameters than any template has.
const MOST: usize = 100;

fn put(parameters: &mut Vec<Value>, name: &str, value: &Value) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match name.parse::<usize>() {
        Ok(number) if (1..=MOST).contains(&number) => {
            while parameters.len() < number {
                parameters.push(json!({ "type": "text", "text": "" }));
            }
            parameters[number - 1] = json!({ "type": "text", "text": text });
        }
        _ => {
            let parameter = json!({ "type": "text", "parameter_name": name, "text": text });
            match parameters.iter_mut().find(|it| it["parameter_name"] == name) {
                Some(known) => *known = parameter,
                None => parameters.push(parameter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(components: Option<Value>, variables: &Value) -> Option<Value> {
        let native = |json| Native { format: FORMAT.into(), name: "components".into(), json, text: None };
        let template = Template { name: "n".into(), language: "en".into(), components: components.map(native) };
        fill(template, variables.as_object().unwrap()).components.map(|native| native.json)
    }

    fn text(text: &str) -> Value {
        json!({ "type": "text", "text": text })
    }

    #[test]
    fn values_take_their_places_in_the_body() {
        let header = json!({ "type": "header", "parameters": [text("h")] });
        for (components, variables, wanted) in [
            (None, json!({}), None),
            (None, json!({"2": "b", "1": "a"}), Some(json!([{"type": "body", "parameters": [text("a"), text("b")]}]))),
            (
                Some(json!([header, {"type": "BODY", "parameters": [text("x"), text("y")]}])),
                json!({"2": 7}),
                Some(json!([header, {"type": "BODY", "parameters": [text("x"), text("7")]}])),
            ),
            (
                Some(json!([{"type": "body", "parameters": [{"type": "text", "parameter_name": "who", "text": "x"}]}])),
                json!({"who": "Ann"}),
                Some(
                    json!([{"type": "body", "parameters": [{"type": "text", "parameter_name": "who", "text": "Ann"}]}]),
                ),
            ),
            (Some(json!({"odd": 1})), json!({"1": "a"}), Some(json!({"odd": 1}))),
            (
                Some(json!([])),
                json!({"4000000000": "a"}),
                None.or(Some(json!([{"type": "body", "parameters":
                [{"type": "text", "parameter_name": "4000000000", "text": "a"}]}]))),
            ),
        ] {
            assert_eq!(filled(components, &variables), wanted, "{variables}");
        }
    }
}
