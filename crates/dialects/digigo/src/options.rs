//! What an operator decides about this dialect, and what it needs from outside.

use std::sync::Arc;
use std::time::Duration;

use media::Blobs;
use secrecy::SecretString;
use serde::Deserialize;
use web_wire::send::Outgoing;

use crate::settings::{REJECTION, RejectType, Settings};
use crate::zone::Zone;

/// Fills a buffer with unpredictable bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// How we are reached from outside: `baseURL` in events.
    pub public_url: String,
    pub webhooks: Webhooks,
    /// In which answers and events tell times.
    pub zone: Zone,
    /// What new users are made with.
    pub users: NewUsers,
    /// Whether users may have their sends told as events.
    pub echo: bool,
    /// Whether files are left where they are, for all users.
    pub skip_media: bool,
    /// The largest file of any kind that is fetched or taken in, in bytes.
    pub largest_file: u64,
    /// How long fetching a file from a caller's address may take.
    pub fetch_timeout: Duration,
    /// For addresses that callers name.
    pub client: net::GuardedClient,
    pub blobs: Blobs,
    /// Makes files fit for sending.
    pub converter: media::convert::Converter,
    pub random: Random,
    /// The program's version and commit, shown by `/health`.
    pub version: &'static str,
    pub commit: Option<&'static str>,
    /// The compiler that made the program.
    pub compiler: &'static str,
    /// Names this installation in `/admin/license/info`.
    pub installation: String,
    /// What the operator calls the environment and where it is, shown by `/health`; empty: nothing.
    pub environment: String,
    pub region: String,
}

/// How events are told.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub envelope: Envelope,
    /// How the bodies of users' webhooks are written.
    pub encoding: Encoding,
    /// How long a receiver may take.
    pub timeout: Duration,
    /// Signs every body.
    pub hmac_key: Option<SecretString>,
    /// Whether headers, too, say whose event it is.
    pub identity_headers: bool,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            envelope: Envelope::Nested,
            encoding: Encoding::Json,
            timeout: Duration::from_secs(30),
            hmac_key: None,
            identity_headers: false,
        }
    }
}

/// What a new user is made with, unless the request says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUsers {
    pub skip_groups: bool,
    pub skip_newsletters: bool,
    pub skip_broadcasts: bool,
    pub skip_own_messages: bool,
    pub skip_calls: bool,
    /// Said to callers who are turned away.
    pub call_reject_message: String,
    pub call_reject_type: RejectType,
}

impl Default for NewUsers {
    fn default() -> Self {
        Self {
            skip_groups: false,
            skip_newsletters: false,
            skip_broadcasts: false,
            skip_own_messages: false,
            skip_calls: false,
            call_reject_message: REJECTION.to_owned(),
            call_reject_type: RejectType::Busy,
        }
    }
}

impl Options {
    /// Whether something that was sent here is told as an event too: where the user wants it and the operator allows
    /// it, or where the message itself asks.
    pub(crate) fn echoes(&self, settings: &Settings, outgoing: &Outgoing) -> bool {
        outgoing.echo || (self.echo && settings.echo)
    }
}

/// How an event is wrapped (reference: digigo-events §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    Nested,
    Flat,
}

impl Envelope {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "nested" => Some(Self::Nested),
            "flat" => Some(Self::Flat),
            _ => None,
        }
    }
}

/// How a body is written (reference: digigo-events §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    /// The event as JSON in a field of a form, as old receivers know it.
    Form,
}

impl Encoding {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "form" => Some(Self::Form),
            _ => None,
        }
    }
}
