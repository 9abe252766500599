//! What a back end must be able to do, and what it may be able to do.
//!
//! `send` is the only duty. Everything else is a capability: a method that answers `None` unless the
//! provider has it, so that a provider which lacks one writes nothing. Providers keep no state of their
//! own where their wire allows it; the engine owns persistence, pacing and retries.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::{Map, Value};
use store::Id;
use store::senders::Sender;
use tokio_util::sync::CancellationToken;

use crate::billing::Tariff;
use crate::content::{self, Content};
use crate::failure::SendError;
use crate::numbers::{Onboarding, Payments, Shop};
use crate::{Engine, facts, sessions};

/// An account with its secrets opened, as providers see it.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: Id,
    pub organization_id: Id,
    /// The provider's name in tables.
    pub provider: String,
    pub external_id: String,
    pub name: String,
    /// JSON of the provider's own making.
    pub config: String,
    /// JSON of the provider's own making.
    pub secrets: SecretString,
    pub status: String,
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Ours; carried to the provider where it has a place for it.
    pub id: Id,
    /// `phone` or another kind of address, see `store::contacts::Address`.
    pub to: store::contacts::Address,
    pub content: Content,
    /// The provider's id of the message that this one answers.
    pub reply_to: Option<String>,
    /// The id it is to go out with, where it was chosen before the first attempt: the same on every attempt.
    pub provider_id: Option<String>,
}

/// The provider took a message; that is all it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub provider_id: String,
    /// Names of its parts, in order, where the carrier reports on each by itself; else empty.
    pub parts: Vec<String>,
}

impl Sent {
    /// In one piece.
    #[must_use]
    pub fn one(provider_id: impl Into<String>) -> Self {
        Self { provider_id: provider_id.into(), parts: Vec::new() }
    }
}

/// How fast a provider lets a sender write, unless settings say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub per_second: u32,
    /// To one recipient: one message per interval, this many borrowed at most.
    pub pair: Option<PairPace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairPace {
    pub interval: Duration,
    pub burst: u32,
}

pub trait Provider: Send + Sync + 'static {
    /// Its name in tables, settings and paths.
    fn name(&self) -> &'static str;
    /// `whatsapp`, `sms`, `voice` or `email`.
    fn channel(&self) -> &'static str;
    fn pace(&self) -> Pace;
    /// For how long an inbound message lets us write freely; `None`: always.
    fn window(&self) -> Option<Duration>;
    /// How many calls an account lets us have under way, where its provider would only make the others wait. A call that
    /// waits counts as made: after a crash it would be in doubt.
    fn at_once(&self, account: &Account) -> usize {
        let _ = account;
        usize::MAX
    }

    /// Hands a message over. Every error says whether it may be tried again.
    fn send<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>>;

    /// Whether it knows our senders by their addresses alone, as carriers do: then several accounts may carry for one
    /// sender, and what comes in finds it by its address.
    fn by_address(&self) -> bool {
        self.channel() != "whatsapp"
    }

    /// How many parts its channel counts, each at the price of one.
    fn units(&self, content: &Content) -> i64 {
        let _ = content;
        1
    }

    /// What one of its receipts says of the price of its message.
    fn tariff(&self, receipt: &facts::Document) -> Option<Tariff> {
        let _ = receipt;
        None
    }

    /// A template with one recipient's own values in it, by the names of its variables.
    fn fill(&self, template: content::Template, variables: &Map<String, Value>) -> content::Template {
        let _ = variables;
        template
    }

    fn push(&self) -> Option<&dyn Push> {
        None
    }
    fn reach(&self) -> Option<&dyn Reach> {
        None
    }
    fn read_receipts(&self) -> Option<&dyn ReadReceipts> {
        None
    }
    fn media(&self) -> Option<&dyn MediaSource> {
        None
    }
    fn templates(&self) -> Option<&dyn Templates> {
        None
    }
    fn setup(&self) -> Option<&dyn Setup> {
        None
    }
    fn sessions(&self) -> Option<&dyn Sessions> {
        None
    }
    fn service(&self) -> Option<&dyn Service> {
        None
    }
    fn numbers(&self) -> Option<&dyn Numbers> {
        None
    }
    fn shop(&self) -> Option<&dyn Shop> {
        None
    }
    fn onboarding(&self) -> Option<&dyn Onboarding> {
        None
    }
    fn payments(&self) -> Option<&dyn Payments> {
        None
    }
    /// Whether this process can send for a sender now. The lanes of others are left alone.
    fn here(&self, sender: &Id) -> bool {
        let _ = sender;
        true
    }
}

/// It lets an account write first to so many people only.
pub trait Reach: Send + Sync {
    /// How many within 24 hours, all senders of the account together; `None`: without limit.
    fn people_per_day<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
    ) -> BoxFuture<'a, Result<Option<i64>, CallError>>;
}

/// It lets an account and its numbers be looked at and set up. All JSON is in the provider's own words; `number` is its
/// name for a number.
pub trait Numbers: Send + Sync {
    /// The account itself.
    fn account<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Value, CallError>>;
    /// All of its numbers.
    fn numbers<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Vec<Value>, CallError>>;
    fn number<'a>(&'a self, account: &'a Account, number: &'a str) -> BoxFuture<'a, Result<Value, CallError>>;
    /// What customers see of a number's owner.
    fn profile<'a>(&'a self, account: &'a Account, number: &'a str) -> BoxFuture<'a, Result<Value, CallError>>;
    /// Writes the members that are given.
    fn set_profile<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>>;
    /// Asks for another name, which is reviewed first.
    fn set_name<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = (account, number, name);
        Box::pin(std::future::ready(Err(CallError::unsupported())))
    }
    /// Gives a number's owner a picture.
    fn set_picture<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        mime: &'a str,
        picture: Bytes,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = (account, number, mime, picture);
        Box::pin(std::future::ready(Err(CallError::unsupported())))
    }
    /// Whether customers see a catalog and a cart.
    fn commerce<'a>(&'a self, account: &'a Account, number: &'a str) -> BoxFuture<'a, Result<Value, CallError>>;
    /// Writes the members that are given.
    fn set_commerce<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}

/// Its senders need a live connection each.
pub trait Sessions: Send + Sync {
    /// Keeps one up until `opened.stop`, or until it ends by itself; what it told last says what comes of it. When
    /// this returns or is dropped, the connection is closed and nothing of the session goes on.
    fn run<'a>(&'a self, engine: &'a Engine, opened: sessions::Opened) -> BoxFuture<'a, ()>;
}

/// It keeps connections of its own, one set in each serving process.
pub trait Service: Send + Sync {
    /// Looks after all accounts of its provider, which come and go, until `stop`.
    fn run<'a>(&'a self, engine: &'a Engine, stop: CancellationToken) -> BoxFuture<'a, ()>;
}

/// It pushes to an address of ours.
pub trait Push: Send + Sync {
    /// Answers the provider's question whether the address is ours.
    fn handshake<'a>(
        &'a self,
        engine: &'a Engine,
        account: Option<&'a str>,
        query: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<String, PushError>>;
    /// Takes a push; `Ok` only when all of it is committed.
    fn receive<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<(), PushError>>;

    /// The same, with what the provider waits to be told. Most wait for nothing.
    fn reply<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<Option<Reply>, PushError>> {
        Box::pin(async { self.receive(engine, push).await.map(|()| None) })
    }
}

/// What a push is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub mime: &'static str,
    pub body: String,
}

pub struct Pushed<'a> {
    /// The account named by the path, if any.
    pub account: Option<&'a str>,
    /// As it was called from outside: our public origin, path and query. Some sign it.
    pub url: &'a str,
    /// Looks a header up by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    pub body: Bytes,
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("the signature or token is wrong")]
    Refused,
    #[error("the push cannot be read: {0}")]
    Unreadable(String),
    #[error("there is no such account")]
    UnknownAccount,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A call to a provider, made for somebody who waits for it, failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The provider said no; its words and its number.
    #[error("the provider refused: {message}")]
    Refused { message: String, code: Option<i64>, details: Option<String> },
    /// The token is dead or lacks a permission.
    #[error("the provider does not accept our token: {message}")]
    Unauthorized { message: String, code: Option<i64> },
    #[error("the provider could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the provider's answer cannot be read: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl CallError {
    /// It is not in this provider's power.
    fn unsupported() -> Self {
        Self::Refused { message: "this provider cannot do that".into(), code: None, details: None }
    }
}

/// It can tell people that their messages were read.
pub trait ReadReceipts: Send + Sync {
    /// `typing`: also show that an answer is being written.
    fn mark_read<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        provider_id: &'a str,
        typing: bool,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}

/// It keeps the files that came with messages until we fetch them.
pub trait MediaSource: Send + Sync {
    /// Fetches a file into the blob store under the message's id.
    fn fetch<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        media: &'a store::media::Media,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>>;
}

#[derive(Clone, Debug)]
pub struct Fetched {
    pub size: i64,
    /// Hexadecimal.
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is gone, too large or not what was announced.
    #[error("{0}")]
    Unavailable(String),
    /// Worth trying again.
    #[error("{0}")]
    Later(String),
}

/// It approves templates beforehand.
pub trait Templates: Send + Sync {
    /// All templates of an account, as they stand there now.
    fn list<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Vec<facts::TemplateState>, CallError>>;
    /// `definition` is in the provider's own words.
    fn create<'a>(
        &'a self,
        account: &'a Account,
        definition: &'a Value,
    ) -> BoxFuture<'a, Result<facts::TemplateState, CallError>>;
    fn edit<'a>(
        &'a self,
        account: &'a Account,
        external_id: &'a str,
        change: &'a Value,
    ) -> BoxFuture<'a, Result<(), CallError>>;
    /// One language when `external_id` is given, all of them otherwise.
    fn delete<'a>(
        &'a self,
        account: &'a Account,
        name: &'a str,
        external_id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}

/// An account can be set up with it by an operator.
pub trait Setup: Send + Sync {
    /// Checks the credentials, subscribes to pushes and tells what hangs on the account.
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>>;
    /// Registers a number for sending; `pin` has six digits.
    fn register<'a>(
        &'a self,
        account: &'a Account,
        number: &'a str,
        pin: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}

/// What was found at the provider.
#[derive(Clone, Debug)]
pub struct Connected {
    pub name: String,
    pub senders: Vec<FoundSender>,
    pub templates: Vec<facts::TemplateState>,
    /// Things an operator should know, in plain words.
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct FoundSender {
    pub external_id: String,
    /// E.164 with `+`.
    pub address: String,
    pub name: Option<String>,
    pub status: String,
    pub status_reason: Option<String>,
    /// JSON of the provider's own making.
    pub config: String,
}
