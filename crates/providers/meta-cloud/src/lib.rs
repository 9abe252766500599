//! WhatsApp through Meta's Cloud API.
//!
//! Stateless: an account's config and secrets come with every call, what Meta says goes straight to the engine. The one
//! thing remembered is who may sign pushes, for a second at a time ([`push`]). A crash therefore loses nothing; what was
//! under way is repeated by whoever asked, and sending says of every failure whether it may be ([`failure`]).
//!
//! Meta has a place for our id (`biz_opaque_callback_data`, echoed in each status), so a message whose sending was not
//! answered is found by its receipts.

mod account;
mod failure;
mod fetch;
mod fill;
pub mod graph;
mod numbers;
mod onboarding;
mod push;
mod reach;
mod receipts;
mod send;
mod setup;
mod tariff;
mod templates;

use std::time::Duration;

use engine::billing::Tariff;
use engine::content::Template;
use engine::events::Document;
use engine::failure::SendError;
use engine::numbers::Onboarding;
use engine::provider::{
    Account, MediaSource, Numbers, Outgoing, Pace, PairPace, Provider, Push, Reach, ReadReceipts, Sent, Setup,
    Templates,
};
use engine::senders::Sender;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use url::Url;

pub use account::{Config, Secrets, Unusable};
use graph::Graph;

pub use meta_wire::FORMAT;

/// What the provider works with.
#[derive(Clone)]
pub struct Options {
    /// Where Graph is, unless an account says otherwise.
    pub graph_url: Url,
    /// `v26.0`; may be empty: then the app's default version answers.
    pub version: String,
    /// For a call; files get ten times as long.
    pub timeout: Duration,
    /// See [`net::plain_client`].
    pub client: reqwest::Client,
    /// Where fetched files go.
    pub blobs: media::Blobs,
    /// Bytes of a file that is fetched.
    pub media_max_bytes: u64,
}

impl Options {
    /// The public API at its latest known version.
    #[must_use]
    pub fn new(client: reqwest::Client, blobs: media::Blobs) -> Self {
        Self {
            graph_url: Url::parse("https://graph.facebook.com").expect("a constant URL"),
            version: "v26.0".to_owned(),
            timeout: Duration::from_secs(30),
            client,
            blobs,
            media_max_bytes: 100 * 1024 * 1024,
        }
    }
}

/// The provider `meta-cloud`.
pub struct MetaCloud {
    options: Options,
    signers: push::Signers,
}

impl MetaCloud {
    pub const NAME: &'static str = "meta-cloud";

    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, signers: push::Signers::default() }
    }

    /// Graph as an account's token sees it.
    pub fn graph(&self, account: &Account) -> Result<Graph, Unusable> {
        let (config, secrets) = (Config::of(account)?, Secrets::of(account)?);
        Ok(self.graph_of(&config, &secrets))
    }

    fn graph_of(&self, config: &Config, secrets: &Secrets) -> Graph {
        let Options { client, graph_url, version, timeout, .. } = &self.options;
        let root = config.graph_url.as_ref().unwrap_or(graph_url);
        Graph::new(client.clone(), root.clone(), version.clone(), secrets.access_token.clone(), *timeout)
    }
}

impl Provider for MetaCloud {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn channel(&self) -> &'static str {
        "whatsapp"
    }

    fn pace(&self) -> Pace {
        let pair = PairPace { interval: Duration::from_secs(6), burst: 45 };
        Pace { per_second: 80, pair: Some(pair) }
    }

    fn window(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 60 * 60))
    }

    fn send<'a>(
        &'a self,
        account: &'a Account,
        sender: &'a Sender,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.send_message(account, sender, message))
    }

    fn tariff(&self, receipt: &Document) -> Option<Tariff> {
        tariff::of(receipt)
    }

    fn fill(&self, template: Template, variables: &Map<String, Value>) -> Template {
        fill::fill(template, variables)
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn reach(&self) -> Option<&dyn Reach> {
        Some(self)
    }

    fn read_receipts(&self) -> Option<&dyn ReadReceipts> {
        Some(self)
    }

    fn numbers(&self) -> Option<&dyn Numbers> {
        Some(self)
    }

    fn media(&self) -> Option<&dyn MediaSource> {
        Some(self)
    }

    fn templates(&self) -> Option<&dyn Templates> {
        Some(self)
    }

    fn setup(&self) -> Option<&dyn Setup> {
        Some(self)
    }

    fn onboarding(&self) -> Option<&dyn Onboarding> {
        Some(self)
    }
}
