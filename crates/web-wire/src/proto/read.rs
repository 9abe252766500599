use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::{COUNTED, DEEPEST, EIGHT_BYTES, FOUR_BYTES, MOST_VALUES, VARINT};
use crate::schema::{self, Field, Kind, Label, Message};

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the message ends too early")]
    Short,
    #[error("a field is laid out in a way that its type cannot be")]
    Layout,
    #[error("the message holds too many values")]
    TooLarge,
    #[error("the schema has no such message")]
    Unknown,
}

/// Our JSON of the message of that full name, fields in the order of the schema.
///
/// What lies deeper than forty messages is left out.
pub fn read(bytes: &[u8], message: &str) -> Result<Value, Malformed> {
    let message = schema::message(message).ok_or(Malformed::Unknown)?;
    let mut left = MOST_VALUES;
    read_message(bytes, message, DEEPEST, &mut left).map(Value::Object)
}

fn read_message(
    mut bytes: &[u8],
    message: &Message,
    depth: usize,
    left: &mut usize,
) -> Result<Map<String, Value>, Malformed> {
    // In the order of the wire, each field once: empty messages must cost next to nothing.
    let mut read: Vec<(usize, Option<Value>)> = Vec::new();
    while !bytes.is_empty() {
        let (number, raw) = next(&mut bytes)?;
        let Some(place) = message.fields.iter().position(|field| field.number == number) else { continue };
        let field = &message.fields[place];
        if depth > 0 || !matches!(field.kind, Kind::Message(_)) {
            let at = read.iter().position(|(known, _)| *known == place).unwrap_or_else(|| {
                read.push((place, None));
                read.len() - 1
            });
            read_field(&raw, field, &mut read[at].1, depth, left)?;
        }
    }
    read.sort_by_key(|(place, _)| *place);
    let named = read.into_iter().map(|(place, value)| (message.fields[place].name.to_owned(), value));
    Ok(named.filter_map(|(name, value)| Some((name, value?))).collect())
}

fn read_field(
    raw: &Raw<'_>,
    field: &Field,
    into: &mut Option<Value>,
    depth: usize,
    left: &mut usize,
) -> Result<(), Malformed> {
    match field.label {
        Label::Singular => *into = Some(read_one(raw, field.kind, depth, left)?),
        Label::Repeated => {
            let Value::Array(list) = into.get_or_insert_with(|| Value::Array(Vec::new())) else { return Ok(()) };
            match raw {
                Raw::Counted(bytes) if is_number(field.kind) => read_packed(bytes, field.kind, list, left)?,
                _ => list.push(read_one(raw, field.kind, depth, left)?),
            }
        }
        Label::Map => {
            let Value::Object(entries) = into.get_or_insert_with(|| Value::Object(Map::new())) else { return Ok(()) };
            let entry = read_one(raw, field.kind, depth, left)?;
            let key = entry.get("key").map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
            entries.insert(key.unwrap_or_default(), entry.get("value").cloned().unwrap_or_default());
        }
    }
    Ok(())
}

fn read_packed(mut bytes: &[u8], kind: Kind, list: &mut Vec<Value>, left: &mut usize) -> Result<(), Malformed> {
    while !bytes.is_empty() {
        let raw = match layout(kind) {
            EIGHT_BYTES => Raw::Eight(take_array(&mut bytes)?),
            FOUR_BYTES => Raw::Four(take_array(&mut bytes)?),
            _ => Raw::Varint(take_varint(&mut bytes)?),
        };
        list.push(read_one(&raw, kind, 0, left)?);
    }
    Ok(())
}

fn read_one(raw: &Raw<'_>, kind: Kind, depth: usize, left: &mut usize) -> Result<Value, Malformed> {
    *left = left.checked_sub(1).ok_or(Malformed::TooLarge)?;
    Ok(match (raw, kind) {
        (Raw::Counted(bytes), Kind::Message(name)) => {
            let message = schema::message(name).ok_or(Malformed::Unknown)?;
            read_message(bytes, message, depth.saturating_sub(1), left)?.into()
        }
        (Raw::Counted(bytes), Kind::Text) => String::from_utf8_lossy(bytes).into(),
        (Raw::Counted(bytes), Kind::Bytes) => STANDARD.encode(bytes).into(),
        (Raw::Varint(value), kind) => from_varint(*value, kind).ok_or(Malformed::Layout)?,
        (Raw::Four(bytes), Kind::Fixed32) => u32::from_le_bytes(*bytes).into(),
        (Raw::Four(bytes), Kind::Sfixed32) => i32::from_le_bytes(*bytes).into(),
        (Raw::Four(bytes), Kind::Float) => shortest(f32::from_le_bytes(*bytes)),
        (Raw::Eight(bytes), Kind::Fixed64) => u64::from_le_bytes(*bytes).into(),
        (Raw::Eight(bytes), Kind::Sfixed64) => i64::from_le_bytes(*bytes).into(),
        (Raw::Eight(bytes), Kind::Double) => f64::from_le_bytes(*bytes).into(),
        _ => return Err(Malformed::Layout),
    })
}

fn from_varint(value: u64, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Bool => (value != 0).into(),
        Kind::Enum(_) | Kind::Int32 => (value as i32).into(),
        Kind::Int64 => (value as i64).into(),
        Kind::Uint32 => (value as u32).into(),
        Kind::Uint64 => value.into(),
        Kind::Sint32 => (unzigzag(u64::from(value as u32)) as i32).into(),
        Kind::Sint64 => unzigzag(value).into(),
        _ => return None,
    })
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// As few digits as name that number among those of 32 bits, as Go prints it.
fn shortest(value: f32) -> Value {
    value.to_string().parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

fn is_number(kind: Kind) -> bool {
    layout(kind) != COUNTED
}

fn layout(kind: Kind) -> u8 {
    match kind {
        Kind::Message(_) | Kind::Text | Kind::Bytes => COUNTED,
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => EIGHT_BYTES,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => FOUR_BYTES,
        _ => VARINT,
    }
}

/// A value as the wire carries it, whatever its type.
enum Raw<'a> {
    Varint(u64),
    Four([u8; 4]),
    Eight([u8; 8]),
    Counted(&'a [u8]),
}

fn next<'a>(bytes: &mut &'a [u8]) -> Result<(u32, Raw<'a>), Malformed> {
    let tag = take_varint(bytes)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0).ok_or(Malformed::Layout)?;
    let raw = match (tag & 7) as u8 {
        VARINT => Raw::Varint(take_varint(bytes)?),
        EIGHT_BYTES => Raw::Eight(take_array(bytes)?),
        FOUR_BYTES => Raw::Four(take_array(bytes)?),
        COUNTED => {
            let length = usize::try_from(take_varint(bytes)?).map_err(|_| Malformed::Short)?;
            Raw::Counted(take(bytes, length)?)
        }
        _ => return Err(Malformed::Layout),
    };
    Ok((number, raw))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(taken)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Malformed::Short)?;
    *bytes = rest;
    Ok(*taken)
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Ok(value);
        }
    }
    Err(Malformed::Short)
}
