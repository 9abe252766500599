//! SMS through a carrier's SMSC: SMPP 3.4, one transceiver for each account and process.
//!
//! Who acts: a task for each account keeps its connection ([`link`]); messages are handed over by whoever sends them, within
//! the contract's window ([`room`]); what the carrier delivers is committed, then acknowledged ([`intake`]). Nothing is kept
//! here: after a crash the carrier delivers again what was not acknowledged, and what was handed over and not answered is the
//! engine's to find out. SMPP has no place for our id, so such a message is sent again when no answer ever comes: the one
//! case in which a phone may get it twice.

mod account;
mod delivery;
mod dial;
mod failure;
mod ids;
mod intake;
mod keeper;
mod link;
mod receipt;
mod room;
mod session;
mod submit;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use engine::content::Content;
use engine::failure::{Code, Retry, SendError};
use engine::provider::{Account, CallError, Connected, Outgoing, Pace, Provider, Sent, Service, Setup};
use engine::senders::Sender;
use engine::{Clock, Engine, contacts};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use account::Unusable;
use keeper::Keeper;
use link::{Link, NoLink};

pub(crate) const NAME: &str = "smpp";

/// What the provider works with.
#[derive(Clone)]
pub struct Options {
    /// What connections wait by: the real time, whatever a sandbox makes of the engine's.
    pub clock: Clock,
    /// Numbers from 0 to 1, for jitter.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    /// For accounts that want TLS.
    pub tls: Arc<rustls::ClientConfig>,
}

impl Options {
    /// Real time, real chance and the public web's roots. Call [`net::install_crypto`] before.
    pub fn new() -> Result<Self, net::Error> {
        Ok(Self { clock: Clock::system(), chance: Arc::new(rand::random), tls: Arc::new(net::tls_config(&[])?) })
    }
}

/// The provider `smpp`.
pub struct Smpp {
    options: Options,
    keeper: Keeper,
}

impl Smpp {
    pub const NAME: &'static str = NAME;

    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, keeper: Keeper::default() }
    }

    async fn send_message(&self, account: &Account, from: &str, message: &Outgoing) -> Result<Sent, SendError> {
        let Content::Text { body, .. } = &message.content else {
            return Err(SendError::refused(Code::Rejected, "Only texts can be sent by SMS."));
        };
        if message.to.kind != contacts::PHONE {
            return Err(SendError::refused(Code::Rejected, "Only phone numbers can be written to."));
        }
        let link = self.keeper.link(account, &self.options).await.ok_or_else(|| self.missing(account))?;
        let parts = submit::parts(&link.config, &message.id, from, &message.to.value, body)?;
        let (until, mut names) = (link.deadline(), Vec::with_capacity(parts.len()));
        for part in &parts {
            names.push(link.submit(part, until, !names.is_empty()).await?);
        }
        let first = names.first().cloned().unwrap_or_default();
        Ok(match names.len() {
            1 => Sent::one(first),
            _ => Sent { provider_id: first, parts: names },
        })
    }

    /// Why an account has no connection at all.
    fn missing(&self, account: &Account) -> SendError {
        match Link::new(Arc::new(account.clone()), self.options.clone()) {
            Ok(_) => SendError::unreached("There is no connection to the carrier yet."),
            Err(error) => {
                let error = SendError::refused(Code::AccountProblem, error.to_string());
                SendError { retry: Retry::Stop, ..error }
            }
        }
    }
}

impl Provider for Smpp {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn channel(&self) -> &'static str {
        "sms"
    }

    /// The carrier's window is what holds us back.
    fn pace(&self) -> Pace {
        Pace { per_second: 1000, pair: None }
    }

    fn window(&self) -> Option<Duration> {
        None
    }

    fn at_once(&self, account: &Account) -> usize {
        account::Config::of(account).map_or(1, |config| config.at_once())
    }

    fn send<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.send_message(account, &sender.address, message))
    }

    fn units(&self, content: &Content) -> i64 {
        crate::parts(content)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(self)
    }
}

impl Service for Smpp {
    fn run<'a>(&'a self, engine: &'a Engine, stop: CancellationToken) -> BoxFuture<'a, ()> {
        Box::pin(self.keeper.run(engine, &self.options, stop))
    }
}

impl Setup for Smpp {
    /// Tries the credentials out.
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connected, CallError>> {
        Box::pin(async move {
            let link = Link::new(Arc::new(account.clone()), self.options.clone()).map_err(refused)?;
            link.try_out().await?;
            Ok(Connected {
                name: account.name.clone(),
                senders: Vec::new(),
                templates: Vec::new(),
                remarks: vec!["The carrier let us in. Add the senders that it lets you send as.".to_owned()],
            })
        })
    }

    fn register<'a>(
        &'a self,
        _account: &'a Account,
        _number: &'a str,
        _pin: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(async { Err(refused("Senders are agreed on with the carrier.")) })
    }
}

fn refused(error: impl ToString) -> CallError {
    CallError::Refused { message: error.to_string(), code: None, details: None }
}

impl From<NoLink> for CallError {
    fn from(error: NoLink) -> Self {
        match error {
            NoLink::Refused(refusal) => {
                let (message, code) = (refusal.failure.message.clone(), refusal.failure.provider_code);
                match refusal.retry {
                    Retry::Stop => Self::Unauthorized { message, code },
                    _ => Self::Refused { message, code, details: refusal.failure.details },
                }
            }
            error => Self::Unreachable(error.into()),
        }
    }
}
