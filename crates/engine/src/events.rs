//! The kinds of facts, and how they are written down.

use serde::Serialize;
pub use store::events::{Document, Event};
use store::{Id, Result, Tx};

use crate::Engine;

/// A message was accepted from a caller and waits to be sent.
pub const MESSAGE_CREATED: &str = "message.created";
/// The provider took it.
pub const MESSAGE_SUBMITTED: &str = "message.submitted";
/// An attempt failed and another will follow. Not told to subscribers.
pub const MESSAGE_RETRYING: &str = "message.retrying";
/// An attempt ended without an answer. Not told to subscribers.
pub const MESSAGE_UNKNOWN: &str = "message.unknown";
/// Two attempts turned out to have been taken. Not told to subscribers.
pub const MESSAGE_DOUBLED: &str = "message.doubled";
/// Receipts. `message.failed` is also a refusal before there could be any receipt.
pub const MESSAGE_SENT: &str = "message.sent";
pub const MESSAGE_DELIVERED: &str = "message.delivered";
pub const MESSAGE_READ: &str = "message.read";
pub const MESSAGE_PLAYED: &str = "message.played";
pub const MESSAGE_FAILED: &str = "message.failed";
/// Somebody wrote to us.
pub const MESSAGE_RECEIVED: &str = "message.received";
/// The first message between a sender and a contact. Written down only where somebody wants to hear of it.
pub const CONVERSATION_STARTED: &str = "conversation.started";
pub const CONVERSATION_ASSIGNED: &str = "conversation.assigned";
pub const CONVERSATION_CLOSED: &str = "conversation.closed";
pub const CONTACT_CREATED: &str = "contact.created";
pub const CONTACT_UPDATED: &str = "contact.updated";
pub const CONTACT_IDENTITY_UPDATED: &str = "contact.identity_updated";
pub const CONTACT_DELETED: &str = "contact.deleted";
/// Somebody does not want to hear from us any more, or does again.
pub const CONSENT_WITHDRAWN: &str = "consent.withdrawn";
pub const CONSENT_GIVEN: &str = "consent.given";
/// A campaign stands otherwise than before, or has come further.
pub const CAMPAIGN_UPDATED: &str = "campaign.updated";
pub const TEMPLATE_UPDATED: &str = "template.updated";
pub const SENDER_UPDATED: &str = "sender.updated";
pub const ACCOUNT_NOTICE: &str = "account.notice";
/// We wrote it on another device of ours.
pub const MESSAGE_ECHOED: &str = "message.echoed";
/// A session stands otherwise than before.
pub const SESSION_CHANGED: &str = "session.changed";
/// Anything else that happened on a session; `data.name` is its provider's word.
pub const SESSION_NOTICE: &str = "session.notice";

/// A number that is bought stands otherwise than before; where nothing below says it better.
pub const NUMBER_MOVED: &str = "number.moved";
pub const NUMBER_PAYMENT_WANTED: &str = "number.payment_wanted";
pub const NUMBER_CODE_WANTED: &str = "number.code_wanted";
pub const NUMBER_ACTIVATED: &str = "number.activated";
pub const NUMBER_FAILED: &str = "number.failed";
pub const NUMBER_RELEASED: &str = "number.released";

/// A fact about to be written down.
pub(crate) struct Note<'a> {
    pub organization: &'a Id,
    pub kind: &'static str,
    pub subject: &'a Id,
    pub conversation: Option<&'a Id>,
    pub sender: Option<&'a Id>,
    pub fact_id: Option<String>,
    pub document: Option<Document>,
    /// Told only once the file of its message was fetched, or could not be.
    pub held: bool,
}

impl<'a> Note<'a> {
    pub(crate) fn new(organization: &'a Id, kind: &'static str, subject: &'a Id) -> Self {
        Self {
            organization,
            kind,
            subject,
            conversation: None,
            sender: None,
            fact_id: None,
            document: None,
            held: false,
        }
    }

    pub(crate) fn about(organization: &'a Id, kind: &'static str, message: &'a store::messages::Message) -> Self {
        Self {
            conversation: Some(&message.conversation_id),
            sender: Some(&message.sender_id),
            ..Self::new(organization, kind, &message.id)
        }
    }

    pub(crate) fn in_conversation(self, conversation: &'a store::conversations::Conversation) -> Self {
        Self { conversation: Some(&conversation.id), sender: Some(&conversation.sender_id), ..self }
    }

    pub(crate) fn of_sender(self, sender: &'a Id) -> Self {
        Self { sender: Some(sender), ..self }
    }

    pub(crate) fn with_document(self, document: Option<Document>) -> Self {
        Self { document, ..self }
    }

    pub(crate) fn held(self, held: bool) -> Self {
        Self { held, ..self }
    }

    pub(crate) fn with_fact_id(self, fact_id: impl Into<String>) -> Self {
        Self { fact_id: Some(fact_id.into()), ..self }
    }
}

/// Appends a fact in the transaction that makes it true; it waits for deliveries only when
/// somebody wants it; returns whether it does.
pub(crate) async fn append(tx: &mut Tx, engine: &Engine, note: Note<'_>, data: &impl Serialize) -> Result<bool> {
    let pending = !note.held && store::subscriptions::wanted(tx, note.organization, note.kind, note.sender).await?;
    // Made here and not earlier, so that ids grow in the order of commits.
    let id = engine.new_id();
    let event = Event {
        id,
        organization_id: *note.organization,
        kind: note.kind.to_owned(),
        subject_id: *note.subject,
        conversation_id: note.conversation.copied(),
        sender_id: note.sender.copied(),
        fact_id: note.fact_id,
        data: serde_json::to_string(data).map_err(|error| store::Error::Corrupt(error.to_string()))?,
        document: note.document,
        pending,
        created_at: id.millis(),
    };
    store::events::insert(tx, &event).await?;
    Ok(pending)
}

/// The same, but nothing is written down unless somebody wants to hear of it.
pub(crate) async fn append_if_wanted(
    tx: &mut Tx,
    engine: &Engine,
    note: Note<'_>,
    data: &impl Serialize,
) -> Result<bool> {
    match store::subscriptions::wanted(tx, note.organization, note.kind, note.sender).await? {
        true => append(tx, engine, note, data).await,
        false => Ok(false),
    }
}

/// What is kept with events about messages.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct MessageData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// When it happened by the provider's clock, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<crate::failure::Failure>,
    /// When it is tried again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<i64>,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// It waits for the file of its message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// It came after an outage.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// What is kept with `conversation.assigned` and `conversation.closed`.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct ConversationData {
    pub status: String,
    pub assignee: Option<String>,
    pub previous_assignee: Option<String>,
}

/// What is kept with `contact.identity_updated`.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct IdentityData {
    pub old: Vec<(String, String)>,
    pub new: Vec<(String, String)>,
}

/// What is kept with events about numbers; the subject is the order.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct NumberData {
    /// E.164 with `+`, once it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    pub profile: String,
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Why it failed, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is kept with `session.changed` and `session.notice`.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct SessionData {
    /// The provider's word for what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// In plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// What is kept with events about templates, senders and accounts.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub struct ChangeData {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
