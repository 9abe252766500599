//! Linked WhatsApp accounts, over the WhatsApp Web multi-device protocol.
//!
//! `session` runs one account each; `transport` is its way out, through a proxy or not; `backend` is what it must
//! remember, in the platform's database; `send` hands messages over, `receive` takes in what happens, `asked` answers
//! questions; `wanted` has the phone give again what was lost. The protocol itself is the library's (`whatsapp-rust`), which is named here and in the sandbox only.

mod asked;
pub mod backend;
mod files;
mod jids;
mod live;
mod media;
mod receive;
mod send;
mod session;
pub mod transport;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use ::media::Blobs;
use engine::Engine;
use engine::Id;
use engine::failure::SendError;
use engine::provider::{Account, MediaSource, Outgoing, Pace, Provider, Sent, Sessions};
use engine::senders::Sender;
use engine::sessions::Opened;
use futures_util::future::BoxFuture;

pub use asked::sweep;
use live::Live;

/// The provider's name in tables, settings and paths.
pub const NAME: &str = "whatsapp-web";

/// What an operator decides, and what it needs from outside.
#[derive(Clone)]
pub struct Options {
    pub network: transport::Network,
    pub version: transport::Version,
    pub blobs: Blobs,
    /// Bytes of the largest file that is fetched.
    pub largest_file: u64,
    /// How we show among a phone's linked devices, unless an account says otherwise.
    pub device_name: String,
    /// One-time keys kept with WhatsApp for each account.
    pub prekeys: usize,
    /// Whether what was said before an account was linked is taken in.
    pub history: bool,
    /// What the secrets of polls and events are made from.
    pub secret: [u8; 32],
}

/// The provider. It keeps the connections that run in this process, and nothing else.
pub struct WhatsAppWeb {
    options: Arc<Options>,
    live: Live,
}

impl WhatsAppWeb {
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options), live: Live::default() }
    }
}

impl Provider for WhatsAppWeb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    /// WhatsApp names no limit for linked accounts; this is what a phone's owner could plausibly cause.
    fn pace(&self) -> Pace {
        Pace { per_second: 20, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(
        &'a self,
        _: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(async move {
            let live = self.live.get(&sender.id).filter(|live| live.is_online());
            let live = live.ok_or_else(|| SendError::unreached("the account is not connected"))?;
            send::send(&self.options, &live, message).await
        })
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    fn here(&self, sender: &Id) -> bool {
        self.live.get(sender).is_some_and(|live| live.is_online())
    }
}

impl Sessions for WhatsAppWeb {
    fn run<'a>(&'a self, engine: &'a Engine, opened: Opened) -> BoxFuture<'a, ()> {
        Box::pin(session::run(self, engine, opened))
    }
}
