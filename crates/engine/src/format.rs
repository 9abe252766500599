//! How events look to those who subscribed to them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use store::contacts::{Address, Contact};
use store::conversations::Conversation;
use store::events::Event;
use store::labels::Label;
use store::media::Media;
use store::messages::Message;
use store::senders::Sender;
use store::subscriptions::Subscription;

use crate::sessions::Session;

/// Everything around an event that a body may be made of, as it stands when the event is rendered.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub sender: Option<Arc<Sender>>,
    /// The provider's name for the account that the sender hangs on.
    pub account: Option<String>,
    pub conversation: Option<Conversation>,
    pub contact: Option<Contact>,
    /// What happened to the message up to this event, oldest first, where the format looks back.
    pub history: Vec<Event>,
    /// All of the contact's, where the sender's provider has sessions.
    pub addresses: Vec<Address>,
    /// On the contact, then on the conversation, each once.
    pub labels: Vec<Label>,
    pub message: Option<Message>,
    /// The message that this one is about, where the format asks for it.
    pub referred: Option<Message>,
    /// All of the account, where an event is about an account or its template.
    pub senders: Vec<Sender>,
    pub media: Option<Media>,
    /// How the sender's session stands, where its provider has sessions.
    pub session: Option<Session>,
    /// The sender's own key, where its dialect shows keys again.
    pub token: Option<SecretString>,
    /// Made with live keys, not in the sandbox.
    pub live: bool,
}

/// What is stored and sent, byte for byte the same on every attempt.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub body: Vec<u8>,
    /// The same for all attempts and replays: what receivers recognise a repetition by.
    pub fact_id: String,
    /// Headers that belong to the event, not to the attempt.
    pub headers: Vec<(String, String)>,
}

pub type Rendering<'a> = BoxFuture<'a, Result<Option<Rendered>, RenderError>>;

/// One dialect's way of telling events.
pub trait EventFormat: Send + Sync + 'static {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// The engine's kinds of events (see `events`) that a name of its own stands for; `None`: no such name.
    fn kinds(&self, name: &str) -> Option<&'static [&'static str]>;
    /// Its word for an event, or `None` when it does not speak of such events.
    fn event_name(&self, event: &Event, context: &Context) -> Option<&'static str>;
    /// The event as one subscription is told it; `None`: its options leave the event out.
    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, subscription: &'a Subscription) -> Rendering<'a>;
    /// Whether it tells a message with all that happened to it before.
    fn looks_back(&self) -> bool {
        false
    }
    /// The provider's id of another message of the sender's, of which this event is told.
    fn refers_to(&self, event: &Event, message: &Message) -> Option<String> {
        let _ = (event, message);
        None
    }
    /// Whether a subscription that names these events wants one of this name.
    fn wants(&self, events: &[String], name: &str) -> bool {
        events.iter().any(|wanted| wanted == name)
    }
    /// Headers of one attempt, the signature among them. `at` in milliseconds.
    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)>;
}

/// An attempt that is about to be made.
pub struct AttemptInfo<'a> {
    pub delivery: &'a store::deliveries::Delivery,
    /// From 1.
    pub number: i64,
    pub at: i64,
    /// All live secrets, oldest first.
    pub secrets: &'a [String],
    /// Sent again by an operator or on request.
    pub replay: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the event cannot be told: {0}")]
pub struct RenderError(pub String);
