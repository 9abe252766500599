use engine::facts::Fact;
use engine::failure::SendError;
use engine::numbers::Shop;
use engine::provider::{Pushed, Reply};
use reqwest::RequestBuilder;
use secrecy::SecretString;

use super::account::Unusable;
use super::errand::{Answer, Errand};
use super::facts::Hearing;
use super::failure::{Refusal, Row};
use super::incoming::{Incoming, Turn};
use super::{Carrier, Channel};

/// What differs between carriers. Pairs are for SMS and for voice.
pub(crate) trait Api: Send + Sync + 'static {
    /// Of the providers.
    const NAMES: [&'static str; 2];
    /// Requests that the carrier takes in a second, unless it agreed to others.
    const PER_SECOND: [u32; 2];
    /// Its numbers for what goes wrong; the first row that holds one counts.
    const CODES: &'static [Row];
    /// An account's config and secrets.
    type Access: Send + Sync;

    fn read(config: &str, secrets: &SecretString) -> Result<Self::Access, Unusable>;

    fn sms(access: &Self::Access, errand: &Errand<'_>, text: &str) -> Result<RequestBuilder, SendError>;

    /// `language`: BCP 47, may be empty.
    fn call(
        access: &Self::Access,
        errand: &Errand<'_>,
        text: &str,
        language: &str,
    ) -> Result<RequestBuilder, SendError>;

    /// The carrier's name for what it took, from a successful answer.
    fn name(answer: &[u8]) -> Option<String>;

    fn refusal(answer: &Answer) -> Refusal;

    /// Whether a push carries the account's signature. `now`: milliseconds since 1970.
    fn is_signed(access: &Self::Access, push: &Pushed<'_>, now: i64) -> bool;

    /// The carrier as one who sells numbers, where it is one.
    fn shop(carrier: &Carrier<Self>) -> Option<&dyn Shop>
    where
        Self: Sized,
    {
        let _ = carrier;
        None
    }

    /// What is to become of a call, in the carrier's words. `url`: where it is to ask again.
    fn told(turn: Turn, url: &str) -> Option<Reply> {
        let _ = (turn, url);
        None
    }

    /// What a push says; it was found to be signed.
    fn heard(
        access: &Self::Access,
        channel: Channel,
        hearing: &Hearing<'_>,
        push: &Pushed<'_>,
    ) -> Result<Heard, Unreadable>;
}

/// A push in neutral words.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) facts: Vec<Fact>,
    pub(crate) next: Option<Next>,
    /// Somebody calls us.
    pub(crate) call: Option<Incoming>,
}

/// What the carrier waits for before it goes on.
pub(crate) struct Next {
    pub(crate) request: RequestBuilder,
    /// What is to be told when it cannot be asked for.
    pub(crate) otherwise: Option<Fact>,
}

impl From<Fact> for Heard {
    fn from(fact: Fact) -> Self {
        Self { facts: vec![fact], ..Self::default() }
    }
}

/// A push has not the shape that the carrier publishes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        // The parser's own message may quote what it found.
        Self(format!("unexpected JSON at line {} column {}", error.line(), error.column()))
    }
}
