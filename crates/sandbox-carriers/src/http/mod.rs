//! Three carriers with HTTP APIs, Twilio, Telnyx and Vonage, on one listener: their paths do not meet.
//!
//! Who acts: a request is checked as the carrier checks it ([`account`], and each carrier's folder), meets what is to go
//! wrong ([`course`]) and is written into the ledger; a task of its own then lets the message or call live ([`journey`])
//! and tells the platform of it in signed callbacks, tried again as that carrier does ([`callbacks`]).
//!
//! Numbers can be searched, bought and given back at the first two ([`numbers`]). Calls to those of Twilio are answered as their
//! owner's TwiML says.
//!
//! Not here: files (MMS), pools of numbers, scheduled messages, price lists, and the carriers' other products.

mod account;
pub(crate) mod callbacks;
pub(crate) mod course;
mod desk;
mod journey;
mod numbers;
mod telnyx;
mod twilio;
mod vonage;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio_util::task::TaskTracker;

pub use account::{Account, Credentials, VONAGE_KEY};
use desk::Desk;

use crate::ledger::Call;
use crate::world::World;
use crate::{ReplyError, StartError, serve};

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// More can be added later, see [`Carriers::put`].
    pub accounts: Vec<Account>,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), accounts: Vec::new() }
    }
}

/// The carriers while they run.
pub struct Carriers {
    desk: Arc<Desk>,
    url: String,
}

impl Carriers {
    pub(crate) async fn start(options: Options, world: &Arc<World>) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: options.listen, source };
        let (listener, url) = serve::bind(options.listen).await.map_err(listen)?;
        let desk = Arc::new(Desk::new(Arc::clone(world), options.accounts.clone()));
        let router = twilio::routes().merge(telnyx::routes()).merge(vonage::routes());
        let router = router.with_state(Arc::clone(&desk));
        tokio::spawn(serve::run(listener, router, world.stop.clone(), TaskTracker::new()));
        Ok(Self { desk, url })
    }

    /// Where Twilio and Vonage are; Telnyx is at `/v2` under it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens an account, or changes the one with the same credentials.
    pub fn put(&self, account: Account) {
        self.desk.put(account);
    }

    /// What a platform must know to use an account: `{provider, external_id, config, secrets}`, the last two as an
    /// operator would type them.
    #[must_use]
    pub fn introduction(&self, account: &Account) -> serde_json::Value {
        account.introduction(&self.url)
    }

    /// The carrier that a number is with.
    pub(crate) fn carrier_of(&self, number: &str) -> Option<&'static str> {
        self.desk.owner(number).map(|account| account.credentials.carrier())
    }

    /// A name that was never given before.
    pub(crate) fn fresh(&self) -> String {
        self.desk.fresh()
    }

    /// Somebody calls a number and speaks: whoever bought it may listen. `None`: nobody is asked what to do with it.
    pub(crate) async fn ring(&self, call: &Call) -> Option<(&'static str, u32)> {
        let account = self.desk.owner(&call.to)?;
        let own = self.desk.sold_to(&account.credentials.name()).into_iter().find(|sold| sold.number == call.to);
        let url = own?.voice_url?;
        let ended = twilio::ring(&self.desk, &account, call, &url).await;
        Some((ended.status, ended.listened))
    }

    /// [`ReplyError::UnknownSender`] when no number of an HTTP carrier is called so.
    pub(crate) async fn reply(&self, from: &str, to: &str, text: &str) -> Result<String, ReplyError> {
        let account = self.desk.owner(to).ok_or(ReplyError::UnknownSender)?;
        let own = self.desk.sold_to(&account.credentials.name()).into_iter().find(|sold| sold.number == to);
        let url = own.and_then(|sold| sold.inbound_url).or_else(|| account.inbound_url.clone());
        let url = url.ok_or(ReplyError::Nobody)?;
        let letter = desk::Letter { from, to, text, url: &url };
        Ok(match &account.credentials {
            Credentials::Twilio { .. } => twilio::bring(&self.desk, &account, &letter).await,
            Credentials::Telnyx { .. } => telnyx::bring(&self.desk, &account, &letter).await,
            Credentials::Vonage { .. } => vonage::bring(&self.desk, &account, &letter).await,
        })
    }
}
