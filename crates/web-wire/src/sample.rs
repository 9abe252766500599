//! Messages for properties, made by the schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Map, Value, json};

use crate::schema::{self, Field, Kind, Label, Message};

/// Our JSON of some message, and that message's full name. At most one member of each oneof is set.
pub fn any_message() -> impl Strategy<Value = (&'static str, Value)> {
    let mut all: Vec<_> = schema::messages().collect();
    all.sort_by_key(|message| message.name);
    let usual = schema::message("Message").unwrap();
    let some = prop_oneof![Just(usual), proptest::sample::select(all)];
    some.prop_perturb(|message, mut rng| (message.name, fill(message, 4, &mut rng).into()))
}

fn fill(message: &Message, depth: u32, rng: &mut TestRng) -> Map<String, Value> {
    let mut taken = vec![false; message.oneofs.len()];
    let mut filled = Map::new();
    // Of a wide message a few fields, of a narrow one most.
    let one_in = (message.fields.len() as u32 / 4).max(2);
    for field in &message.fields {
        let free = field.oneof.is_none_or(|place| !std::mem::replace(&mut taken[place], true));
        if free && rng.next_u32().is_multiple_of(one_in) && (depth > 0 || field.message().is_none()) {
            filled.insert(field.name.to_owned(), field_value(field, depth, rng));
        }
    }
    filled
}

fn field_value(field: &Field, depth: u32, rng: &mut TestRng) -> Value {
    match field.label {
        Label::Singular => one(field.kind, depth, rng),
        Label::Repeated => (0..1 + rng.next_u32() % 2).map(|_| one(field.kind, depth, rng)).collect(),
        Label::Map => json!({"key": text(rng), "other": text(rng)}),
    }
}

fn one(kind: Kind, depth: u32, rng: &mut TestRng) -> Value {
    match kind {
        Kind::Message(name) => fill(schema::message(name).unwrap(), depth - 1, rng).into(),
        Kind::Bool => rng.next_u32().is_multiple_of(2).into(),
        Kind::Bytes => STANDARD.encode(&rng.next_u64().to_le_bytes()[..rng.next_u32() as usize % 8]).into(),
        Kind::Double => f64::from(rng.next_u32() as i32).into(),
        Kind::Float => (f64::from(rng.next_u32() % 1000) / 8.0).into(),
        Kind::Text => text(rng).into(),
        Kind::Enum(_) | Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => (rng.next_u32() as i32).into(),
        Kind::Uint32 | Kind::Fixed32 => rng.next_u32().into(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => (rng.next_u64() as i64).into(),
        Kind::Uint64 | Kind::Fixed64 => rng.next_u64().into(),
    }
}

fn text(rng: &mut TestRng) -> String {
    ["", "a", "ação", "é\u{2028}", "<b>&", "id"][rng.next_u32() as usize % 6].to_owned()
}
