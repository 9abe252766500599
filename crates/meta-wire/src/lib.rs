//! Meta's Graph and webhook JSON as pure types: read, print, round-trip. No I/O.
//!
//! Meta adds members and enum values without notice, so nothing unknown is an error here: unknown members of an object
//! are kept in its `extra`, unknown words in an enum's `Unknown`, unknown kinds in `Other`. Only a member that we rely on
//! and that is missing or of another JSON type makes a thing unreadable.
//!
//! Webhook posts are read by [`webhook::parse`], which also gives every item as the exact text Meta sent.

#[macro_use]
mod wire;

pub mod block;
pub mod commerce;
pub mod error;
pub mod loose;
pub mod media;
pub mod paging;
pub mod phone;
pub mod print;
pub mod profile;
pub mod send;
pub mod signature;
pub mod tagged;
pub mod template;
pub mod waba;
pub mod webhook;

pub use error::{Class, GraphError, class};
pub use loose::{Index, MetaId, Timestamp};
pub use tagged::Tagged;

/// The name under which native parts of messages and documents of events say that they are in Meta's words.
pub const FORMAT: &str = "meta";

/// The members of an object that its type does not name, in their order.
pub type Extra = serde_json::Map<String, serde_json::Value>;

wire! {
    /// The answer of calls that have nothing to tell.
    Success {
        success: bool,
    }
}

impl Success {
    /// `{"success":true}`.
    pub fn yes() -> Self {
        Self { success: true, extra: Extra::new() }
    }
}
