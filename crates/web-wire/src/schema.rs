//! What WhatsApp's protobuf messages look like: names, numbers and types, read once from the table that
//! `scripts/web-schema` makes. Fields stand in the order of their declaration, as Go prints them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::go;

static TABLE: &str = include_str!("schema/whatsapp.txt");
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| parse(TABLE));

#[derive(Debug, Default)]
struct Schema {
    messages: HashMap<&'static str, Message>,
    enums: HashMap<&'static str, Vec<(i32, &'static str)>>,
}

/// One protobuf message.
#[derive(Debug)]
pub struct Message {
    pub name: &'static str,
    pub fields: Vec<Field>,
    pub oneofs: Vec<Oneof>,
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    pub number: u32,
    /// In lowerCamel.
    pub name: &'static str,
    pub kind: Kind,
    pub label: Label,
    /// The place in [`Message::oneofs`] of the oneof it belongs to.
    pub oneof: Option<usize>,
    /// As whatsmeow's JSON names it.
    pub go: String,
}

/// A choice of which at most one field is set.
#[derive(Debug)]
pub struct Oneof {
    pub name: &'static str,
    /// As whatsmeow's JSON names it.
    pub go: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    Singular,
    Repeated,
    /// The kind is the entry's message, whose fields are `key` and `value`.
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Message(&'static str),
    Enum(&'static str),
    Bool,
    Bytes,
    Double,
    Fixed32,
    Fixed64,
    Float,
    Int32,
    Int64,
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    Text,
    Uint32,
    Uint64,
}

/// The message of this full name (`Message.ImageMessage`), if events or callers' bodies can contain it.
pub fn message(name: &str) -> Option<&'static Message> {
    SCHEMA.messages.get(name)
}

/// Every message of the table, in no order.
pub fn messages() -> impl Iterator<Item = &'static Message> {
    SCHEMA.messages.values()
}

/// The number behind the name of an enum's value.
pub fn enum_number(name: &str, value: &str) -> Option<i32> {
    let values = SCHEMA.enums.get(name)?;
    values.iter().find(|(_, known)| known.eq_ignore_ascii_case(value)).map(|(number, _)| *number)
}

impl Message {
    /// By its lowerCamel or Go name, in any case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    pub fn numbered(&self, number: u32) -> Option<&Field> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// By its name, in any case.
    pub fn oneof(&self, name: &str) -> Option<usize> {
        self.oneofs.iter().position(|oneof| oneof.name.eq_ignore_ascii_case(name))
    }
}

impl Field {
    /// The message it holds: of a map, the entry.
    pub fn message(&self) -> Option<&'static Message> {
        match self.kind {
            Kind::Message(name) => message(name),
            _ => None,
        }
    }
}

fn parse(table: &'static str) -> Schema {
    let mut schema = Schema::default();
    let mut lines = table.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(head) = lines.next() {
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            body.push(line.trim_start());
        }
        match head.strip_prefix('=') {
            Some(name) => {
                schema.enums.insert(name, body.into_iter().filter_map(enum_value).collect());
            }
            None => {
                schema.messages.insert(head, parse_message(head, &body));
            }
        }
    }
    schema
}

fn enum_value(line: &'static str) -> Option<(i32, &'static str)> {
    let (number, name) = line.split_once(' ')?;
    Some((number.parse().ok()?, name))
}

fn parse_message(name: &'static str, lines: &[&'static str]) -> Message {
    let mut message = Message { name, fields: Vec::with_capacity(lines.len()), oneofs: Vec::new() };
    for line in lines {
        let field = parse_field(line, &mut message.oneofs);
        message.fields.extend(field);
    }
    message
}

fn parse_field(line: &'static str, oneofs: &mut Vec<Oneof>) -> Option<Field> {
    let mut words = line.split(' ');
    let (number, name, kind) = (words.next()?.parse().ok()?, words.next()?, parse_kind(words.next()?)?);
    let mark = words.next().unwrap_or_default();
    let label = match mark {
        "*" => Label::Repeated,
        "%" => Label::Map,
        _ => Label::Singular,
    };
    let oneof = mark.strip_prefix('@').map(|name| place(oneofs, name));
    Some(Field { number, name, kind, label, oneof, go: go::name(name) })
}

fn place(oneofs: &mut Vec<Oneof>, name: &'static str) -> usize {
    oneofs.iter().position(|oneof| oneof.name == name).unwrap_or_else(|| {
        oneofs.push(Oneof { name, go: go::exported(name) });
        oneofs.len() - 1
    })
}

fn parse_kind(word: &'static str) -> Option<Kind> {
    if let Some(name) = word.strip_prefix('.') {
        return Some(Kind::Message(name));
    }
    if let Some(name) = word.strip_prefix('#') {
        return Some(Kind::Enum(name));
    }
    Some(match word {
        "bool" => Kind::Bool,
        "bytes" => Kind::Bytes,
        "double" => Kind::Double,
        "fixed32" => Kind::Fixed32,
        "fixed64" => Kind::Fixed64,
        "float" => Kind::Float,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "sfixed32" => Kind::Sfixed32,
        "sfixed64" => Kind::Sfixed64,
        "sint32" => Kind::Sint32,
        "sint64" => Kind::Sint64,
        "string" => Kind::Text,
        "uint32" => Kind::Uint32,
        "uint64" => Kind::Uint64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that is not understood would vanish silently.
    #[test]
    fn the_whole_table_is_understood() {
        let lines = TABLE.lines().filter(|line| line.starts_with(' ')).count();
        let fields: usize = messages().map(|message| message.fields.len()).sum();
        let values: usize = SCHEMA.enums.values().map(Vec::len).sum();
        assert_eq!(fields + values, lines);
        assert!(fields > 2000, "{fields}");
        for field in messages().flat_map(|message| &message.fields) {
            match field.kind {
                Kind::Message(name) => assert!(message(name).is_some(), "{name}"),
                Kind::Enum(name) => assert!(SCHEMA.enums.contains_key(name), "{name}"),
                _ => {}
            }
        }
    }

    #[test]
    fn knows_fields_choices_and_maps() {
        let buttons = message("Message.ButtonsMessage").unwrap();
        let image = buttons.field("IMAGEMESSAGE").unwrap();
        assert_eq!((image.number, image.name, image.kind), (3, "imageMessage", Kind::Message("Message.ImageMessage")));
        assert_eq!(buttons.oneofs[image.oneof.unwrap()].go, "Header");
        assert_eq!(buttons.field("buttons").unwrap().label, Label::Repeated);
        assert_eq!(buttons.numbered(6).unwrap().name, "contentText");
        let map = message("SyncActionValue.MusicUserIdAction").unwrap().field("musicUserIdMap").unwrap();
        assert_eq!(map.label, Label::Map);
        assert_eq!(map.message().unwrap().fields.len(), 2);
        assert_eq!(enum_number("Message.ProtocolMessage.Type", "MESSAGE_EDIT"), Some(14));
        assert_eq!(enum_number("Message.ProtocolMessage.Type", "nonsense"), None);
        assert!(message("Nonsense").is_none());
        assert_eq!(messages().map(|message| message.oneofs.len()).sum::<usize>(), 19);
    }
}
