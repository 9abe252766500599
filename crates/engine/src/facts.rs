//! What a provider tells us, in neutral words. All facts of one push are committed together.

use serde::{Deserialize, Serialize};
use store::Id;
use store::contacts::Address;
pub use store::events::Document;
use store::messages::Status;

use crate::content::Content;
use crate::failure::Failure;

#[derive(Clone, Debug)]
pub enum Fact {
    Message(Box<Message>),
    Receipt(Box<Receipt>),
    /// What came of a part of a message, or of a whole one, told by a carrier.
    Part(Box<PartReceipt>),
    Template(TemplateChange),
    /// Somebody does or does not want to hear a kind of message.
    Preference(Preference),
    /// Somebody's address changed.
    Identity(IdentityChange),
    /// A sender's standing changed.
    Sender(SenderChange),
    /// What somebody is called.
    Person(PersonNames),
    /// How the owner has a chat.
    Chat(ChatStanding),
    /// Something that happened on a session, told as it came.
    Told(Told),
    /// Anything else, kept as it came.
    Notice(Notice),
}

/// Somebody wrote to a sender of ours, or we did on another device.
#[derive(Clone, Debug)]
pub struct Message {
    /// The provider's name for our sender.
    pub sender: String,
    pub provider_id: String,
    /// The provider's name of the chat, where its ids are unique only within; else empty.
    pub chat: String,
    /// The provider's name of whoever wrote it there; else empty.
    pub author: String,
    /// We wrote it, on another device.
    pub own: bool,
    /// It was on its way while we could not be reached.
    pub late: bool,
    /// All addresses of the other side that it came with, the one to answer to first. Never empty.
    pub from: Vec<Address>,
    pub profile_name: Option<String>,
    /// Milliseconds, by the provider's clock.
    pub at: i64,
    pub content: Content,
    /// The provider's id of the message it answers.
    pub reply_to: Option<String>,
    pub file: Option<File>,
    /// It is told to subscribers once its file was fetched, or could not be at once.
    pub file_first: bool,
    pub document: Option<Document>,
}

/// A file that came with a message and lies with the provider.
#[derive(Clone, Debug)]
pub struct File {
    pub external_id: String,
    pub mime: String,
    pub filename: Option<String>,
}

/// What came of a message of ours.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub sender: String,
    pub provider_id: String,
    /// Our id, where the provider hands it back.
    pub message: Option<Id>,
    pub status: Status,
    pub at: i64,
    pub failure: Option<Failure>,
    /// Addresses of the recipient as the provider knows them.
    pub recipient: Vec<Address>,
    pub document: Option<Document>,
}

/// What came of what a carrier gave a name of its own: a part of a message, or all of it.
#[derive(Clone, Debug)]
pub struct PartReceipt {
    /// The provider's name for the account.
    pub account: String,
    /// As it stood in `provider::Sent`.
    pub provider_id: String,
    /// Our id, where the carrier hands it back.
    pub message: Option<Id>,
    /// `Sent`, `Delivered` or `Failed`.
    pub status: Status,
    pub at: i64,
    pub failure: Option<Failure>,
}

/// A template as it stands at the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateState {
    pub external_id: String,
    pub name: String,
    pub language: String,
    pub category: String,
    /// Upper case.
    pub status: String,
    pub status_reason: Option<String>,
    pub quality: Option<String>,
    /// The text of its body.
    pub body: String,
    /// Names of its variables: `1`, `2`, … or words.
    pub variables: Vec<String>,
    /// JSON in the provider's shape.
    pub components: String,
}

/// Something about a template changed; what is `None` stayed.
#[derive(Clone, Debug)]
pub struct TemplateChange {
    /// The provider's name for the account.
    pub account: String,
    pub external_id: String,
    pub name: String,
    pub language: String,
    pub status: Option<String>,
    pub reason: Option<String>,
    pub category: Option<String>,
    pub quality: Option<String>,
    /// What it says is not known here yet: the provider must be asked for the whole template.
    pub reload: bool,
    pub document: Option<Document>,
}

#[derive(Clone, Debug)]
pub struct Preference {
    pub sender: String,
    pub from: Vec<Address>,
    /// `marketing`, …
    pub purpose: String,
    pub wanted: bool,
    pub document: Option<Document>,
}

#[derive(Clone, Debug)]
pub struct IdentityChange {
    pub sender: String,
    pub old: Vec<Address>,
    pub new: Vec<Address>,
    pub document: Option<Document>,
}

#[derive(Clone, Debug)]
pub struct SenderChange {
    pub account: String,
    /// The provider's name for it, or its address.
    pub sender: String,
    pub status: Option<String>,
    pub reason: Option<String>,
    /// What exactly changed: `quality`, `name`, …
    pub what: String,
    pub document: Option<Document>,
}

#[derive(Clone, Debug)]
pub struct PersonNames {
    pub sender: String,
    pub address: Address,
    pub names: store::people::Names,
}

#[derive(Clone, Debug)]
pub struct ChatStanding {
    pub sender: String,
    pub address: Address,
    /// `None`: the chat is gone.
    pub standing: Option<store::people::Standing>,
}

/// A session's notice, committed with the facts that came with it.
#[derive(Clone, Debug)]
pub struct Told {
    pub sender: String,
    /// The session's: from one that was lost nothing is taken.
    pub fence: i64,
    pub notice: crate::sessions::Notice,
}

#[derive(Clone, Debug)]
pub struct Notice {
    pub account: String,
    /// The provider's word for it.
    pub name: String,
    pub document: Option<Document>,
}
