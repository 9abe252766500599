//! Email over SMTP, through a mail relay of the account's choice. What happens behind the relay (DKIM, retries, the
//! recipient's mailbox) is the relay's business; what it reports later comes back through [`push`].
//!
//! Who acts: the engine hands over one mail to one recipient; [`relay`] keeps a few open connections for each account and
//! speaks SMTP on them; [`relay::Keeper`] closes those that nobody uses any more. Nothing is kept on a disk. A crash closes
//! the connections: a mail whose end mark had not been sent was not taken, any other is unknown to us.
//!
//! What is promised: a mail goes out with the same bytes on every attempt ([`letter`]), under a Message-ID that carries
//! our id. The relay's answer to the end mark settles it; without that answer it is unknown. A bounce names our id in its
//! recipient (the return path may carry it) and in the head that it quotes, so it finds the mail even where we never heard
//! that it was taken.

mod account;
mod address;
mod letter;
mod push;
mod relay;
mod reply;
mod report;
mod return_path;
mod send;
mod setup;

use std::time::Duration;

use engine::failure::SendError;
use engine::provider::{Account, Outgoing, Pace, Provider, Push, Sent, Service, Setup};
use engine::senders::Sender;
use futures_util::future::BoxFuture;

pub use account::{Config, Secrets, Security, Unusable};

/// What the provider works with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where a connection without TLS may lead, besides loopback: what this lists.
    pub plain: net::AddressPolicy,
}

/// The provider `smtp`.
pub struct Smtp {
    relays: relay::Relays,
}

impl Smtp {
    pub const NAME: &'static str = "smtp";

    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { relays: relay::Relays::new(options) }
    }
}

impl Provider for Smtp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn channel(&self) -> &'static str {
        "email"
    }

    fn pace(&self) -> Pace {
        Pace { per_second: 50, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.send_mail(account, sender, message))
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(&self.relays)
    }
}
