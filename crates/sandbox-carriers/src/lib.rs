//! Carriers on loopback: an SMSC that speaks SMPP ([`smsc`]), three carriers with HTTP APIs ([`http`]) and a mail server
//! ([`smtp`]), for a sandbox that wants SMS, spoken codes and mail to go somewhere; and a till ([`stripe`]), for their
//! numbers to be paid at.
//!
//! Who acts: each stand-in has its own listener and a task for each connection; they share what they were given
//! ([`ledger`]) and reach the rest of the sandbox (its clock, its phones, what is to go wrong) through [`Outside`] alone.
//! Nothing is kept on a disk: carriers that are started again have forgotten everything, as a test wants it; what was on
//! its way to the platform by then is lost.
//!
//! What goes wrong ([`Fault`]) is drawn once for each message. `Status` is the carrier's refusal; `Code` takes the message
//! and ends it with that receipt (for a number `late`: it is sold without an answer, and its buyer does not see it before
//! it was refused to somebody); `Timeout` does nothing and never answers; `Drop` does the work and then cuts the
//! connection without an answer; `Duplicate` tells receipts twice; `Reorder` tells them before the answer; `Delay` works
//! late.

pub mod http;
pub mod ledger;
mod outside;
pub mod serve;
pub mod smsc;
pub mod smtp;
pub mod stripe;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

pub use ledger::{Call, Counters, Mail, Sms};
pub use outside::{Fault, Outside, Phone, Target};
use world::World;

/// How the stand-ins are started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub smsc: smsc::Options,
    pub http: http::Options,
    pub smtp: smtp::Options,
    pub stripe: stripe::Options,
}

/// A stand-in did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("no certificate could be made")]
    Certificate(#[from] rcgen::Error),
    #[error("no TLS server could be made")]
    Tls(#[from] rustls::Error),
}

/// Running carriers. Cheap to clone; they run until [`Handle::stop`] or until the last handle is dropped.
#[derive(Clone)]
pub struct Handle(Arc<Running>);

struct Running {
    world: Arc<World>,
    smsc: smsc::Smsc,
    http: http::Carriers,
    smtp: smtp::Server,
    stripe: stripe::Till,
}

/// Why a phone's answer went nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    #[error("no carrier knows who has this number or name")]
    UnknownSender,
    #[error("the platform is not there to take it")]
    Nobody,
}

/// What the carriers counted, by channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    pub sms: Counters,
    pub voice: Counters,
    pub smtp: Counters,
}

/// Binds all listeners and serves.
pub async fn start(options: Options, outside: Arc<dyn Outside>) -> Result<Handle, StartError> {
    let world = Arc::new(World::new(outside));
    let smsc = smsc::Smsc::start(options.smsc, &world).await?;
    let http = http::Carriers::start(options.http, &world).await?;
    let smtp = smtp::Server::start(options.smtp, &world).await?;
    let stripe = stripe::Till::start(options.stripe, &world).await?;
    Ok(Handle(Arc::new(Running { world, smsc, http, smtp, stripe })))
}

impl Handle {
    /// What SMS carriers were given, oldest first.
    pub fn sms(&self) -> Vec<Sms> {
        self.0.world.sms.list()
    }

    /// Calls that were spoken, oldest first.
    pub fn voice(&self) -> Vec<Call> {
        self.0.world.voice.list()
    }

    /// Mails that were taken, oldest first.
    pub fn emails(&self) -> Vec<Mail> {
        self.0.world.emails.list()
    }

    pub fn stats(&self) -> Stats {
        let World { sms, voice, emails, .. } = &*self.0.world;
        Stats { sms: sms.counters(), voice: voice.counters(), smtp: emails.counters() }
    }

    /// The phone `from` (E.164 with `+`) writes an SMS to the sender `to`; answers with the carrier's id for it. The
    /// system that has that name or number at the SMSC gets it, else the carrier whose webhook has it brings it, else it
    /// is for a system that takes all.
    pub async fn reply(&self, from: &str, to: &str, text: &str) -> Result<String, ReplyError> {
        let Running { smsc, http, .. } = &*self.0;
        if smsc.knows(to) {
            return smsc.reply(from, to, text).await;
        }
        match http.reply(from, to, text).await {
            Err(ReplyError::UnknownSender) => smsc.reply(from, to, text).await,
            settled => settled,
        }
    }

    /// Whether a number is with a carrier that has an HTTP API.
    pub fn has(&self, number: &str) -> bool {
        self.0.http.carrier_of(number).is_some()
    }

    /// A network writes to a number: it is seen in [`Handle::sms`], and brought to whoever has the number.
    pub async fn text(&self, from: &str, to: &str, text: &str) -> Result<String, ReplyError> {
        let Running { world, http, .. } = &*self.0;
        let split = sms_text::split(text);
        let sms = Sms {
            id: http.fresh(),
            carrier: http.carrier_of(to).unwrap_or("none"),
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            parts: u32::try_from(split.parts.len()).unwrap_or(u32::MAX),
            encoding: split.encoding.as_str().to_owned(),
            status: "received".to_owned(),
            at: world.now(),
            more: serde_json::Map::new(),
        };
        let id = sms.id.clone();
        world.sms.take(sms, ("network", id));
        self.reply(from, to, text).await
    }

    /// A network calls a number and speaks: it is seen in [`Handle::voice`], with how often whoever has the number listened.
    pub async fn speak(&self, from: &str, to: &str, text: &str) {
        let Running { world, http, .. } = &*self.0;
        let call = Call {
            id: http.fresh(),
            carrier: http.carrier_of(to).unwrap_or("none"),
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            language: "en-US".to_owned(),
            status: "received".to_owned(),
            at: world.now(),
            more: serde_json::Map::new(),
        };
        let id = call.id.clone();
        world.voice.take(call.clone(), ("network", id.clone()));
        let Some((status, listened)) = http.ring(&call).await else { return };
        world.voice.change(&id, |call| {
            call.status = status.to_owned();
            call.more.insert("listened".to_owned(), listened.into());
        });
    }

    pub fn smsc(&self) -> &smsc::Smsc {
        &self.0.smsc
    }

    pub fn http(&self) -> &http::Carriers {
        &self.0.http
    }

    pub fn smtp(&self) -> &smtp::Server {
        &self.0.smtp
    }

    pub fn stripe(&self) -> &stripe::Till {
        &self.0.stripe
    }

    /// Ends all listeners and connections.
    pub fn stop(&self) {
        self.0.world.stop.cancel();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}
