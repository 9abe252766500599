//! What Meta pushes.
//!
//! [`parse`] takes a whole post apart into [`Item`]s: every message, every status, every error and every other change
//! by itself, each with its typed form and with the exact text that Meta sent, for what is handed on must not differ from
//! what was signed by so much as an escape. An item that cannot be read is an item all the same and costs no other.
//! [`Notification`] builds posts, for whoever stands in for Meta.

pub mod account;
mod batch;
pub mod change;
mod depth;
mod document;
pub mod echo;
mod members;
pub mod message;
mod notification;
mod place;
pub mod status;

pub use batch::{Batch, Fact, Item, MAX_CHANGES, MAX_DEPTH, MAX_ITEMS, ParseError, parse};
pub use change::Change;
pub use message::{Content, Message};
pub use notification::{Conversation, Entry, FieldChange, Notification};
pub use status::Status;

wire! {
    /// Our number, as a conversation's value names it.
    Metadata {
        /// Digits without `+`.
        #[serde(default)]
        display_phone_number: String,
        phone_number_id: crate::MetaId,
    }

    /// The other side. Which ids are there depends on what we may know.
    Contact {
        profile?: Profile,
        wa_id?: String,
        user_id?: String,
        parent_user_id?: String,
        identity_key_hash?: String,
    }

    Profile {
        name?: String,
        username?: String,
    }
}
