//! A message as a phone shows it.

use serde_json::{Map, Value, json};

use super::messages::{Direction, Message};
use crate::state::State;

/// `{id, direction, from, to, type, …content, status, timestamp}`.
pub(crate) fn message(state: &State, message: &Message) -> Value {
    let business =
        state.numbers.get(&message.number).map_or_else(|| message.number.to_string(), |number| number.display());
    let customer = format!("+{}", message.phone);
    let (from, to) = match message.direction {
        Direction::In => (&business, &customer),
        Direction::Out => (&customer, &business),
    };
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(message.id));
    shown.insert("direction".to_owned(), json!(message.direction));
    shown.insert("from".to_owned(), json!(from));
    shown.insert("to".to_owned(), json!(to));
    shown.insert("type".to_owned(), json!(&*message.kind));
    let content: Map<String, Value> = serde_json::from_str(message.content.get()).unwrap_or_default();
    if message.deleted {
        shown.insert("deleted".to_owned(), json!(true));
    } else {
        lift_media(&message.kind, &content, &mut shown);
        shown.extend(content);
    }
    if message.edited {
        shown.insert("edited".to_owned(), json!(true));
    }
    let reactions: Vec<Value> = message
        .reaction
        .iter()
        .flat_map(|both| {
            [(&business, &both.business), (&customer, &both.customer)]
                .into_iter()
                .filter_map(|(from, emoji)| emoji.as_ref().map(|emoji| json!({"from": from, "emoji": emoji})))
        })
        .collect();
    if !reactions.is_empty() {
        shown.insert("reactions".to_owned(), Value::Array(reactions));
    }
    shown.insert("status".to_owned(), json!(message.status));
    shown.insert("timestamp".to_owned(), json!((message.at / 1000).to_string()));
    Value::Object(shown)
}

/// A media message carries its type, hash and link at the top as well.
fn lift_media(kind: &str, content: &Map<String, Value>, shown: &mut Map<String, Value>) {
    let Some(media) = content.get(kind).and_then(Value::as_object) else {
        return;
    };
    for key in ["mime_type", "sha256", "link"] {
        if let Some(value) = media.get(key).filter(|_| media.contains_key("sha256")) {
            shown.insert(key.to_owned(), value.clone());
        }
    }
}
