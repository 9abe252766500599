//! The engine with everything this program has: providers, dialects, transports.

mod carriers;
mod dialects;
mod files;
mod payments;
#[cfg(feature = "whatsapp-web")]
mod web;

use std::sync::Arc;
use std::time::Duration;

use engine::provider::Provider;
use engine::{Clock, Engine};
use futures_util::future::BoxFuture;
use media::convert::{Converter, Ffmpeg, Tools};
use media::{Blobs, Links};
use secrecy::SecretString;
use store::Ids;

use crate::opening::Opened;
use crate::settings::Settings;
use crate::telemetry;

pub use dialects::{DIGIGO_CONTRACT, KIRIM_CONTRACT, LATE_CONTRACT, YCLOUD_CONTRACT};
#[cfg(feature = "whatsapp-web")]
use web::wire as whatsapp_web;

/// The parts that both the engine and the HTTP side need.
pub struct Wired {
    pub engine: Engine,
    pub blobs: Blobs,
    pub links: Links,
    pub kirim: dialect_kirim::Options,
    pub ycloud: dialect_ycloud::Options,
    pub late: dialect_late::Options,
    pub digigo: dialect_digigo::Options,
    /// What a serving process does beside, until it is dropped.
    pub upkeep: Vec<BoxFuture<'static, ()>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the media directory cannot be used")]
    Media(#[from] media::Error),
    #[error("the directory for conversions cannot be used")]
    Scratch(#[source] std::io::Error),
    #[error("an HTTP client cannot be made")]
    Client(#[from] net::Error),
    #[error("meta.graph_url or stripe.base_url is no address")]
    GraphUrl(#[from] url::ParseError),
    #[cfg(feature = "whatsapp-web")]
    #[error("web.server_url is no address")]
    WebServer(#[from] provider_whatsapp_web::transport::BadEndpoint),
    #[cfg(feature = "whatsapp-web")]
    #[error("web.version is no version")]
    WebVersion(#[from] provider_whatsapp_web::transport::BadVersion),
}

/// What is known only once the program runs.
pub struct Surroundings {
    pub clock: Clock,
    pub public_url: String,
    pub sandbox: bool,
    /// Instead of the settings' Graph address: the sandbox's.
    pub graph_url: Option<String>,
    /// The sandbox's till, unless the settings name one.
    pub till: Option<Till>,
    /// The sandbox's WhatsApp Web server. In sandbox mode no other is gone to, unless the settings name one.
    pub web: Option<WebServer>,
}

/// A till that is not Stripe's own.
#[derive(Clone, serde::Deserialize)]
pub struct Till {
    pub base_url: String,
    pub secret_key: SecretString,
    pub webhook_secret: SecretString,
    /// Where it tells us of payments.
    pub webhook_url: String,
}

/// A WhatsApp Web server that is not WhatsApp's own.
#[derive(Clone)]
pub struct WebServer {
    pub url: String,
    /// Whom it is trusted by.
    pub roots: Vec<net::Certificate>,
}

impl Surroundings {
    /// For one command beside a server that may run.
    #[must_use]
    pub fn of_a_command(settings: &Settings) -> Self {
        let public_url = settings.server.public_url.clone();
        Self { clock: Clock::system(), public_url, sandbox: false, graph_url: None, till: None, web: None }
    }
}

pub fn wire(settings: &Settings, opened: &Opened, around: Surroundings) -> Result<Wired, Error> {
    net::install_crypto();
    let blobs = files::open(settings, opened)?;
    let links = Links::new(opened.key.derive("media links"), around.public_url.clone());
    let mut providers = vec![meta_cloud(settings, blobs.clone(), around.graph_url.clone())?];
    providers.extend(carriers::wire(settings, &around)?);
    providers.extend(payments::wire(settings, &around)?);
    let tidy = files::tidy(blobs.clone(), settings.retention.messages.some(), around.clock.clone());
    let mut upkeep: Vec<BoxFuture<'static, ()>> = vec![Box::pin(tidy), Box::pin(telemetry::sort(around.clock.clone()))];
    if let Some((web, fresh)) = whatsapp_web(settings, opened, &around, &blobs)? {
        providers.push(web);
        upkeep.extend(fresh);
    }
    let (kirim, clock) = (dialects::kirim(settings, links.clone()), around.clock.clone());
    let ycloud = dialects::ycloud(settings, &around.public_url, blobs.clone(), links.clone());
    let [told, called_back] = dialect_ycloud::dialects(&ycloud);
    let late = dialects::late(settings, links.clone());
    let digigo = dialects::digigo(settings, opened, around.public_url.clone(), blobs.clone())?;
    let engine = Engine::new(engine::Parts {
        db: opened.db.clone(),
        clock: around.clock,
        ids: Arc::new(Ids::new()),
        key: opened.key.clone(),
        settings: settings.engine(process_name(), around.public_url, around.sandbox),
        providers,
        dialects: vec![
            dialect_kirim::dialect(&kirim),
            told,
            called_back,
            dialect_late::dialect(&late),
            dialect_digigo::dialect(&digigo),
        ],
        transports: vec![Arc::new(webhook(settings, clock)?)],
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    });
    Ok(Wired { engine, blobs, links, kirim, ycloud, late, digigo, upkeep })
}

/// A provider, and what keeps it up to date.
type Kept = (Arc<dyn Provider>, Option<BoxFuture<'static, ()>>);

#[cfg(not(feature = "whatsapp-web"))]
fn whatsapp_web(_: &Settings, _: &Opened, _: &Surroundings, _: &Blobs) -> Result<Option<Kept>, Error> {
    Ok(None)
}

/// Names this process in leases, unlike any other that ran or runs.
fn process_name() -> String {
    format!("{}-{:016x}", std::process::id(), rand::random::<u64>())
}

fn meta_cloud(settings: &Settings, blobs: Blobs, graph_url: Option<String>) -> Result<Arc<dyn Provider>, Error> {
    let client = net::plain_client(&net::PlainSettings {
        connect_timeout: Duration::from_secs(10),
        timeout: settings.meta.timeout.0,
        extra_roots: Vec::new(),
    })?;
    Ok(Arc::new(provider_meta_cloud::MetaCloud::new(provider_meta_cloud::Options {
        graph_url: graph_url.as_deref().unwrap_or(&settings.meta.graph_url).parse()?,
        version: settings.meta.version.clone(),
        timeout: settings.meta.timeout.0,
        client,
        blobs,
        media_max_bytes: settings.media.max_size,
    })))
}

fn webhook(settings: &Settings, clock: Clock) -> Result<transports::Webhook, Error> {
    Ok(transports::Webhook::new(guarded(settings)?, Arc::new(move || clock.now())))
}

/// For addresses that callers name.
fn guarded(settings: &Settings) -> Result<net::GuardedClient, Error> {
    Ok(net::GuardedClient::new(net::Settings { policy: policy(settings), ..net::Settings::default() })?)
}

fn policy(settings: &Settings) -> net::AddressPolicy {
    net::AddressPolicy::new(settings.outbound.allowed_networks.clone())
}

/// ffmpeg works in a directory that it may empty, so only for the process that holds the data directory.
fn converter(settings: &Settings, opened: &Opened) -> Result<Converter, Error> {
    let program = opened.lock.as_ref().and_then(|_| Ffmpeg::find(&std::env::var_os("PATH")?));
    let scratch = settings.server.data_dir.join("scratch");
    let ffmpeg = program.map(|program| Ffmpeg::new(program, scratch)).transpose().map_err(Error::Scratch)?;
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Converter::new(Tools { ffmpeg, ..Tools::default() }, at_once))
}

#[expect(clippy::disallowed_methods, reason = "where the program's chance comes from")]
fn fill(bytes: &mut [u8]) {
    rand::RngCore::fill_bytes(&mut rand::rng(), bytes);
}
