//! A post in neutral words.

use engine::facts::{Document, Fact, Notice};
use meta_wire::webhook::{self, Item};
use serde_json::Value;

use super::{change, message, status};
use crate::FORMAT;

/// Everything that the items say. `whole`: the post's own bytes, where it held nothing but the one item.
pub(super) fn facts_of(items: &[Item<'_>], whole: Option<&[u8]>) -> Vec<Fact> {
    let told = |item| Told { item, document: document(item, whole) };
    items.iter().flat_map(|item| told(item).facts()).collect()
}

fn document(item: &Item<'_>, whole: Option<&[u8]>) -> Document {
    let bytes = whole.map_or_else(|| item.document().into_bytes(), <[u8]>::to_vec);
    Document { format: FORMAT.to_owned(), bytes }
}

/// An item with the post that would have brought it alone.
pub(super) struct Told<'a> {
    pub(super) item: &'a Item<'a>,
    document: Document,
}

impl Told<'_> {
    fn facts(&self) -> Vec<Fact> {
        match &self.item.fact {
            webhook::Fact::Message(message) => message::facts(self, message),
            webhook::Fact::Status(status) => vec![status::fact(self, status)],
            webhook::Fact::Change(change) => change::facts(self, change),
            webhook::Fact::Error(_) => vec![self.notice("errors")],
            webhook::Fact::Unreadable { reason } => {
                tracing::warn!(
                    field = self.item.field(),
                    reason,
                    "a part of a push cannot be read and is kept as it is"
                );
                vec![self.notice(self.item.field())]
            }
        }
    }

    /// Meta's id of our number, where the item speaks of one.
    pub(super) fn sender(&self) -> Option<String> {
        let metadata = self.item.metadata()?;
        Some(metadata.phone_number_id.as_str().to_owned())
    }

    /// Meta's id of the account.
    pub(super) fn account(&self) -> String {
        self.item.entry_id().to_owned()
    }

    pub(super) fn document(&self) -> Option<Document> {
        Some(self.document.clone())
    }

    /// The document as if a list in its value had held one item only.
    pub(super) fn document_with(&self, list: &str, index: usize) -> Option<Document> {
        let mut post: Value = serde_json::from_slice(&self.document.bytes).ok()?;
        let items = post.pointer_mut(&format!("/entry/0/changes/0/value/{list}"))?.as_array_mut()?;
        if items.len() == 1 {
            return self.document();
        }
        *items = vec![items.get(index)?.clone()];
        Some(Document { format: FORMAT.to_owned(), bytes: post.to_string().into_bytes() })
    }

    /// Kept as it came.
    pub(super) fn notice(&self, name: &str) -> Fact {
        let name = if name.is_empty() { "unreadable" } else { name };
        Fact::Notice(Notice { account: self.account(), name: name.to_owned(), document: self.document() })
    }
}

/// Meta counts seconds.
pub(super) fn millis(time: meta_wire::Timestamp) -> i64 {
    time.seconds.saturating_mul(1000)
}
