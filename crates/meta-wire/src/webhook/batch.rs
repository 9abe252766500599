use std::sync::Arc;

use serde_json::Value;

use super::document::{Cut, LISTS, Part};
use super::members::Members;
use super::place::{Place, read};
use super::{Change, Contact, Message, Metadata, Status};
use crate::error::Problem;
use crate::tagged::Kinds;

/// Changes in one post; Meta's own limit.
pub const MAX_CHANGES: usize = 1_000;
/// Items in one post.
pub const MAX_ITEMS: usize = 10_000;
/// Brackets within brackets.
pub const MAX_DEPTH: usize = 64;

/// Why a post as a whole is refused.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error("not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    #[error("not a notification")]
    NotANotification(#[from] serde_json::Error),
    #[error("nested deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("more than {MAX_CHANGES} changes")]
    TooManyChanges,
    #[error("more than {MAX_ITEMS} items")]
    TooManyItems,
}

/// A post, taken apart.
#[derive(Debug)]
pub struct Batch<'a> {
    items: Vec<Item<'a>>,
}

/// What an item says.
#[derive(Debug)]
pub enum Fact {
    Message(Box<Message>),
    Status(Box<Status>),
    /// An error that belongs to no message.
    Error(Problem),
    /// A change outside conversations, or one of an unknown kind.
    Change(Box<Change>),
    /// Something that lacks what it must have; the raw text is all there is. The reason names no content.
    Unreadable {
        reason: String,
    },
}

/// One message, status, error or other change of a post.
#[derive(Debug)]
pub struct Item<'a> {
    pub fact: Fact,
    place: Arc<Place<'a>>,
    part: Part,
    raw: &'a str,
    contact: Option<usize>,
}

/// Takes a post apart, its items in their order.
pub fn parse(body: &[u8]) -> Result<Batch<'_>, ParseError> {
    let text = std::str::from_utf8(body)?;
    if !super::depth::within(text, MAX_DEPTH) {
        return Err(ParseError::TooDeep);
    }
    let envelope = Arc::new(Members::read(text, &["entry"])?);
    let mut batch = Batch { items: Vec::new() };
    let mut changes = 0;
    for entry in envelope.list("entry") {
        batch.add_entry(&envelope, entry, &mut changes)?;
    }
    Ok(batch)
}

impl<'a> Batch<'a> {
    pub fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    pub fn into_items(self) -> Vec<Item<'a>> {
        self.items
    }

    /// The item, if the post held exactly one: then the post itself is its document.
    pub fn single(&self) -> Option<&Item<'a>> {
        match self.items.as_slice() {
            [item] => Some(item),
            _ => None,
        }
    }

    fn add_entry(&mut self, envelope: &Arc<Members<'a>>, raw: &'a str, changes: &mut usize) -> Result<(), ParseError> {
        let entry = match Members::read(raw, &["changes"]) {
            Ok(entry) => Arc::new(entry),
            Err(error) => {
                let place = Arc::new(Place::new(envelope, &Arc::default()));
                return self.push(Item::unreadable(place, Part::Entry, raw, &error));
            }
        };
        for change in entry.list("changes") {
            *changes += 1;
            if *changes > MAX_CHANGES {
                return Err(ParseError::TooManyChanges);
            }
            self.add_change(Place::new(envelope, &entry), change)?;
        }
        Ok(())
    }

    fn add_change(&mut self, place: Place<'a>, raw: &'a str) -> Result<(), ParseError> {
        let apart = Members::read(raw, &[]).and_then(|change| {
            let field: String = read(change.raw("field").unwrap_or_default())?;
            let value = match field.as_str() {
                "messages" => Members::read(change.raw("value").unwrap_or_default(), VALUE_LISTS)?,
                _ => meta_of(change.raw("value").unwrap_or_default()),
            };
            Ok((change, value))
        });
        match apart {
            Ok((change, value)) => self.add_value(Arc::new(place.with_change(change, value)), raw),
            Err(error) => self.push(Item::unreadable(Arc::new(place), Part::Change, raw, &error)),
        }
    }

    fn add_value(&mut self, place: Arc<Place<'a>>, raw: &'a str) -> Result<(), ParseError> {
        let listed: usize = LISTS.iter().map(|list| place.value.list(list).len()).sum();
        if listed == 0 {
            let item = Item::change(place, raw);
            return self.push(item);
        }
        for list in LISTS {
            for raw in place.value.list(list) {
                self.push(Item::listed(place.clone(), list, raw, listed == 1))?;
            }
        }
        Ok(())
    }

    fn push(&mut self, item: Item<'a>) -> Result<(), ParseError> {
        if self.items.len() == MAX_ITEMS {
            return Err(ParseError::TooManyItems);
        }
        self.items.push(item);
        Ok(())
    }
}

const VALUE_LISTS: &[&str] = &["contacts", "messages", "statuses", "errors"];

/// The value's members where it is an object; other changes may be of any shape.
fn meta_of(raw: &str) -> Members<'_> {
    Members::read(raw, &[]).unwrap_or_default()
}

impl<'a> Item<'a> {
    /// `whatsapp_business_account`, as far as we know.
    pub fn object(&self) -> &str {
        &self.place.object
    }

    /// The WABA's id.
    pub fn entry_id(&self) -> &str {
        &self.place.entry_id
    }

    /// Seconds since 1970; on account-level fields only.
    pub fn entry_time(&self) -> Option<i64> {
        self.place.time
    }

    /// Empty if the change itself could not be read.
    pub fn field(&self) -> &str {
        &self.place.field
    }

    /// Our number.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.place.metadata.as_ref()
    }

    /// Our number as text.
    pub fn metadata_raw(&self) -> Option<&'a str> {
        self.place.value.raw("metadata")
    }

    /// The other side.
    pub fn contact(&self) -> Option<&Contact> {
        self.place.contacts.get(self.contact?).0
    }

    /// The other side as text.
    pub fn contact_raw(&self) -> Option<&'a str> {
        Some(self.place.contacts.get(self.contact?).1)
    }

    /// The item's own text: the object of the message, status or error; otherwise the change, or the entry if even that
    /// could not be read.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The text of `value`, of changes that are one item.
    pub fn value_raw(&self) -> Option<&'a str> {
        self.place.change.raw("value")
    }

    /// Members of the value beside the lists, contacts and metadata.
    pub fn siblings(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.place.value.iter().filter_map(|(name, member)| match member {
            super::members::Member::Raw(raw) if name != "metadata" => Some((name, *raw)),
            _ => None,
        })
    }

    /// Meta's post as it would be if it held this item only. All text is as Meta wrote it.
    pub fn document(&self) -> String {
        let cut = Cut { place: &self.place, part: self.part, raw: self.raw, contact: self.contact_raw() };
        cut.print()
    }

    fn unreadable(place: Arc<Place<'a>>, part: Part, raw: &'a str, error: &serde_json::Error) -> Self {
        let reason = reason(error);
        Self { fact: Fact::Unreadable { reason }, place, part, raw, contact: None }
    }

    fn change(place: Arc<Place<'a>>, raw: &'a str) -> Self {
        let value = read::<Value>(place.change.raw("value").unwrap_or("null"));
        match value {
            Ok(value) => {
                let change = Change::read(place.field.clone(), Some(value));
                Self { fact: Fact::Change(Box::new(change)), place, part: Part::Change, raw, contact: None }
            }
            Err(error) => Self::unreadable(place, Part::Change, raw, &error),
        }
    }

    fn listed(place: Arc<Place<'a>>, list: &'static str, raw: &'a str, sole: bool) -> Self {
        let part = Part::Listed(list);
        let fact = match list {
            "messages" => read(raw).map(Fact::Message),
            "statuses" => read(raw).map(Fact::Status),
            _ => read(raw).map(Fact::Error),
        };
        match fact {
            Ok(fact) => {
                let contact = place.contacts.find(&fact.other_side(), sole);
                Self { fact, place, part, raw, contact }
            }
            Err(error) => Self::unreadable(place, part, raw, &error),
        }
    }
}

/// serde_json quotes what it found, which may be a customer's words; only the names of missing members are kept.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if message.starts_with("missing field") || message.contains("stands twice") {
        return message;
    }
    format!("unexpected JSON at line {} column {}", error.line(), error.column())
}

impl Fact {
    /// The ids under which the other side may stand among the contacts, the best first.
    fn other_side(&self) -> [Option<&String>; 4] {
        match self {
            Self::Message(m) => [m.from_user_id.as_ref(), m.from.as_ref(), None, None],
            Self::Status(s) => [
                s.recipient_user_id.as_ref(),
                s.recipient_participant_user_id.as_ref(),
                s.recipient_participant_id.as_ref(),
                s.recipient_id.as_ref(),
            ],
            _ => [None; 4],
        }
    }
}
