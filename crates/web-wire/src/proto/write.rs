use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{COUNTED, DEEPEST, EIGHT_BYTES, FOUR_BYTES, VARINT};
use crate::schema::{self, Kind, Label, Message};

/// A value that cannot be what its field holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is not {expected}")]
pub struct Mismatch {
    /// The field's lowerCamel name, or the message's own.
    pub field: String,
    pub expected: &'static str,
}

/// The wire form of our JSON of the message of that full name. Names may be in any case; nulls and names that
/// the schema does not know are passed over; numbers may be written as texts.
pub fn write(value: &Value, message: &str) -> Result<Vec<u8>, Mismatch> {
    let mismatch = |expected| Mismatch { field: message.to_owned(), expected };
    let schema = schema::message(message).ok_or_else(|| mismatch("a known message"))?;
    let fields = value.as_object().ok_or_else(|| mismatch("an object"))?;
    let mut bytes = Vec::new();
    write_message(fields, schema, DEEPEST, &mut bytes)?;
    Ok(bytes)
}

fn write_message(
    fields: &Map<String, Value>,
    message: &Message,
    depth: usize,
    bytes: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = message.field(name) else { continue };
        let expect = |expected| Mismatch { field: field.name.to_owned(), expected };
        let place = Place { number: field.number, name: field.name, kind: field.kind };
        match field.label {
            Label::Singular => place.write(value, depth, bytes)?,
            Label::Repeated => {
                for value in value.as_array().ok_or_else(|| expect("a list"))? {
                    place.write(value, depth, bytes)?;
                }
            }
            Label::Map => {
                for (key, value) in value.as_object().ok_or_else(|| expect("an object"))? {
                    let entry = Map::from_iter([("key".into(), key.as_str().into()), ("value".into(), value.clone())]);
                    place.write(&entry.into(), depth, bytes)?;
                }
            }
        }
    }
    Ok(())
}

/// Where a value goes.
#[derive(Clone, Copy)]
struct Place {
    number: u32,
    name: &'static str,
    kind: Kind,
}

impl Place {
    fn write(self, value: &Value, depth: usize, bytes: &mut Vec<u8>) -> Result<(), Mismatch> {
        match self.kind {
            Kind::Message(name) => {
                let inner = schema::message(name).zip(value.as_object()).ok_or_else(|| self.not("an object"))?;
                let depth = depth.checked_sub(1).ok_or_else(|| self.not("shallow enough"))?;
                let mut body = Vec::new();
                write_message(inner.1, inner.0, depth, &mut body)?;
                self.counted(&body, bytes);
            }
            Kind::Text => self.counted(value.as_str().ok_or_else(|| self.not("a text"))?.as_bytes(), bytes),
            Kind::Bytes => {
                let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
                self.counted(&decoded.ok_or_else(|| self.not("base64"))?, bytes);
            }
            Kind::Double => self.fixed(EIGHT_BYTES, &self.float(value)?.to_le_bytes(), bytes),
            Kind::Float => self.fixed(FOUR_BYTES, &(self.float(value)? as f32).to_le_bytes(), bytes),
            Kind::Fixed32 => self.fixed(FOUR_BYTES, &self.integer::<u32>(value)?.to_le_bytes(), bytes),
            Kind::Fixed64 => self.fixed(EIGHT_BYTES, &self.integer::<u64>(value)?.to_le_bytes(), bytes),
            Kind::Sfixed32 => self.fixed(FOUR_BYTES, &self.integer::<i32>(value)?.to_le_bytes(), bytes),
            Kind::Sfixed64 => self.fixed(EIGHT_BYTES, &self.integer::<i64>(value)?.to_le_bytes(), bytes),
            _ => {
                let value = self.varint(value)?;
                self.tag(VARINT, bytes);
                put_varint(value, bytes);
            }
        }
        Ok(())
    }

    fn varint(self, value: &Value) -> Result<u64, Mismatch> {
        Ok(match self.kind {
            Kind::Bool => u64::from(value.as_bool().ok_or_else(|| self.not("true or false"))?),
            Kind::Uint32 => self.integer::<u32>(value)?.into(),
            Kind::Uint64 => self.integer(value)?,
            Kind::Int64 => self.integer::<i64>(value)? as u64,
            Kind::Sint32 => zigzag(self.integer::<i32>(value)?.into()),
            Kind::Sint64 => zigzag(self.integer(value)?),
            Kind::Enum(name) => match value.as_str().and_then(|value| schema::enum_number(name, value)) {
                Some(number) => i64::from(number) as u64,
                None => i64::from(self.integer::<i32>(value)?) as u64,
            },
            _ => i64::from(self.integer::<i32>(value)?) as u64,
        })
    }

    fn integer<T: TryFrom<i128>>(self, value: &Value) -> Result<T, Mismatch> {
        let number = match value {
            Value::Number(number) => number.as_i128(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.not("an integer in range"))
    }

    fn float(self, value: &Value) -> Result<f64, Mismatch> {
        value.as_f64().ok_or_else(|| self.not("a number"))
    }

    fn not(self, expected: &'static str) -> Mismatch {
        Mismatch { field: self.name.to_owned(), expected }
    }

    fn tag(self, layout: u8, bytes: &mut Vec<u8>) {
        put_varint(u64::from(self.number) << 3 | u64::from(layout), bytes);
    }

    fn counted(self, body: &[u8], bytes: &mut Vec<u8>) {
        self.tag(COUNTED, bytes);
        put_varint(body.len() as u64, bytes);
        bytes.extend_from_slice(body);
    }

    fn fixed(self, layout: u8, value: &[u8], bytes: &mut Vec<u8>) {
        self.tag(layout, bytes);
        bytes.extend_from_slice(value);
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn put_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
