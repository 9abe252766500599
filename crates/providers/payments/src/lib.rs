//! Money by Stripe Checkout: a session for each order, a push when it was paid, a refund where there is no number for it.
//!
//! Stateless. Every call that makes something carries a key made of the order's id, so that it counts once however often
//! it is made (`Stripe::once`). The order's id is in the metadata of what is made for it, where no buyer can put anything;
//! a session that does not have it is nobody's. A push is believed with its signature only, and answered when what it says
//! is committed; it may come again, late and in any order. A crash loses nothing: Stripe pushes again, and the engine asks
//! when it has waited long enough.

mod amount;
mod api;
mod push;
mod refund;
mod signature;

use std::time::Duration;

use engine::failure::{Code, SendError};
use engine::numbers::{Bill, Payments, Refund, Session, Standing};
use engine::provider::{Account, CallError, Outgoing, Pace, Provider, Push, Sent};
use engine::senders::Sender;
use engine::{Clock, Id};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

/// What the provider works with.
#[derive(Clone)]
pub struct Options {
    /// See [`net::plain_client`].
    pub client: reqwest::Client,
    /// `https://api.stripe.com`.
    pub base_url: Url,
    pub secret_key: SecretString,
    /// Signs pushes.
    pub webhook_secret: SecretString,
    /// Where buyers come back to, whether they paid or not.
    pub return_url: String,
    pub clock: Clock,
    /// For a call.
    pub timeout: Duration,
}

/// The provider `stripe`. It carries no messages.
pub struct Stripe {
    options: Options,
}

impl Stripe {
    pub const NAME: &'static str = "stripe";

    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options }
    }
}

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn channel(&self) -> &'static str {
        "payments"
    }

    fn by_address(&self) -> bool {
        false
    }

    fn pace(&self) -> Pace {
        Pace { per_second: 1, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn send<'a>(&'a self, _: &'a Account, _: &'a Sender, _: &'a Outgoing) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(async { Err(SendError::refused(Code::Rejected, "A till carries no messages.")) })
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn payments(&self) -> Option<&dyn Payments> {
        Some(self)
    }
}

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

impl Payments for Stripe {
    fn open<'a>(&'a self, bill: &'a Bill) -> Called<'a, Session> {
        Box::pin(self.open_session(bill))
    }

    fn end<'a>(&'a self, session: &'a str) -> Called<'a, Standing> {
        Box::pin(self.end_session(session))
    }

    fn refund<'a>(&'a self, order: &'a Id, reference: &'a str, begun: Option<&'a str>) -> Called<'a, Refund> {
        Box::pin(self.give_back(order, reference, begun))
    }
}
