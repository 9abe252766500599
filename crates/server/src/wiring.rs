//! The engine with everything this program has: providers, dialects, transports.

use std::sync::Arc;
use std::time::Duration;

use engine::provider::Provider;
use engine::{Clock, Engine};
use media::{Blobs, Links};
use store::Ids;

use crate::opening::Opened;
use crate::settings::Settings;

/// How a blob is named in links: by its message.
pub const KIRIM_CONTRACT: &[u8] = include_bytes!("../../../contracts/kirim.json");

/// The parts that both the engine and the HTTP side need.
pub struct Wired {
    pub engine: Engine,
    pub blobs: Blobs,
    pub links: Links,
    pub kirim: dialect_kirim::Options,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the media directory cannot be used")]
    Media(#[from] media::Error),
    #[error("an HTTP client cannot be made")]
    Client(#[from] net::Error),
    #[error("meta.graph_url is no address")]
    GraphUrl(#[from] url::ParseError),
}

/// What is known only once the program runs.
pub struct Surroundings {
    pub clock: Clock,
    pub public_url: String,
    pub sandbox: bool,
    /// Instead of the settings' Graph address: the sandbox's.
    pub graph_url: Option<String>,
}

pub fn wire(settings: &Settings, opened: &Opened, around: Surroundings) -> Result<Wired, Error> {
    net::install_crypto();
    let blobs = Blobs::directory(settings.server.data_dir.join("media"), settings.media.quota)?;
    let links = Links::new(opened.key.derive("media links"), around.public_url.clone());
    let kirim = kirim(settings, links.clone());
    let clock = around.clock.clone();
    let engine = Engine::new(engine::Parts {
        db: opened.db.clone(),
        clock: around.clock,
        ids: Arc::new(Ids::new()),
        key: opened.key.clone(),
        settings: settings.engine(process_name(), around.public_url, around.sandbox),
        providers: vec![meta_cloud(settings, blobs.clone(), around.graph_url)?],
        dialects: vec![dialect_kirim::dialect(&kirim)],
        transports: vec![Arc::new(webhook(settings, clock)?)],
        wake: engine::wake::Wake::default(),
        cache: engine::cache::Cache::default(),
    });
    Ok(Wired { engine, blobs, links, kirim })
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
    let client = net::GuardedClient::new(net::Settings {
        policy: net::AddressPolicy::new(settings.outbound.allowed_networks.clone()),
        ..net::Settings::default()
    })?;
    Ok(transports::Webhook::new(client, Arc::new(move || clock.now())))
}

fn kirim(settings: &Settings, links: Links) -> dialect_kirim::Options {
    dialect_kirim::Options {
        read_per_minute: settings.kirim.read_per_minute,
        write_per_minute: settings.kirim.write_per_minute,
        tier: settings.kirim.tier.clone(),
        kirim_block: settings.kirim.context_block,
        media_links: Arc::new(move |id, expires_at| links.sign(&id.hex24(), expires_at)),
        contract: KIRIM_CONTRACT,
        random: Arc::new(fill),
    }
}

#[expect(clippy::disallowed_methods, reason = "where the program's chance comes from")]
fn fill(bytes: &mut [u8]) {
    rand::RngCore::fill_bytes(&mut rand::rng(), bytes);
}
