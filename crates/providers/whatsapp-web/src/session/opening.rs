//! Putting a session together: storage, the way out, and the library.

use std::sync::Arc;

use engine::Engine;
use engine::sessions::Opened;
use store::session_state::Scope;
use tokio::sync::mpsc;
use wacore::store::DevicePropsOverride;
use wacore::types::events::{Event, EventHandler};
use waproto::whatsapp::device_props::PlatformType;
use web_wire::config::{Config, Device, proxy_purpose};
use whatsapp_rust::TokioRuntime;
use whatsapp_rust::bot::{Bot, BotHandle};

use super::tries::{Attempt, Door};
use crate::WhatsAppWeb;
use crate::backend::Backend;
use crate::receive::Hook;
use crate::transport::{Leash, Proxy};
use crate::wanted::Asked;

/// Events that may wait for the session's task: all that WhatsApp keeps for an account that was away for long. Messages
/// do not pass here before they are committed.
const MAILBOX: usize = 16_384;

#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("the session's settings cannot be read")]
    Config(#[source] serde_json::Error),
    #[error("the proxy's address cannot be opened")]
    Sealed(#[source] store::Error),
    #[error("the proxy's address is not valid: {0}")]
    Proxy(#[from] crate::transport::BadProxy),
    #[error("the WhatsApp library could not be started: {0}")]
    Library(String),
}

impl OpenError {
    /// What the owner has to do, if anything.
    pub(super) fn next_step(&self) -> Option<String> {
        match self {
            Self::Proxy(_) | Self::Sealed(_) => Some("set the proxy anew".into()),
            Self::Config(_) | Self::Library(_) => None,
        }
    }
}

/// Takes events in the order in which they happen, so that the last of them is here before the library's end is.
struct Mailbox(mpsc::Sender<Arc<Event>>);

impl EventHandler for Mailbox {
    fn handle_event(&self, event: Arc<Event>) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.0.try_send(event) {
            tracing::warn!(kind = ?event.kind(), "too much happens at once at an account: an event is lost");
        }
    }
}

/// What a session runs with.
pub(super) struct Parts {
    pub bot: BotHandle,
    pub events: mpsc::Receiver<Arc<Event>>,
    pub attempts: mpsc::Receiver<Attempt>,
    pub backend: Arc<Backend>,
    pub wanted: Arc<Asked>,
}

pub(super) async fn open(
    provider: &WhatsAppWeb,
    engine: &Engine,
    opened: &Opened,
    leash: Leash,
) -> Result<Parts, OpenError> {
    let (options, sender) = (&provider.options, &opened.sender);
    let config: Config = serde_json::from_str(&sender.config).map_err(OpenError::Config)?;
    let proxy = proxy(engine, opened, &config)?;
    let scope = Scope::new(sender.id, opened.fence, engine.key.clone());
    let backend = Arc::new(Backend::new(engine.db.clone(), scope).watching(engine.clone(), sender.id));
    let wanted = Arc::new(Asked::default());
    let (tell, events) = mpsc::channel(MAILBOX);
    let (door, attempts) = Door::new(options.network.socket(proxy.as_ref(), leash));
    let mut bot = Bot::builder()
        .with_backend_arc(backend.clone())
        .with_transport_factory(door)
        .with_http_client(options.network.http(proxy.as_ref()))
        .with_runtime(TokioRuntime)
        .with_version(version(&config.device).unwrap_or_else(|| options.version.current()))
        .with_device_props(props(&config.device, &options.device_name))
        .with_wanted_pre_key_count(options.prekeys)
        .with_inbound_durability_hook(Hook::new(engine, opened, &config, backend.clone(), wanted.clone()))
        .with_event_handler(Mailbox(tell));
    if !options.history {
        bot = bot.skip_history_sync();
    }
    let bot = bot.build().await.map_err(|error| OpenError::Library(error.to_string()))?;
    Ok(Parts { bot: bot.spawn(), events, attempts, backend, wanted })
}

fn proxy(engine: &Engine, opened: &Opened, config: &Config) -> Result<Option<Proxy>, OpenError> {
    use base64::Engine as _;
    let Some(sealed) = &config.proxy else { return Ok(None) };
    let sealed = base64::engine::general_purpose::STANDARD.decode(sealed).unwrap_or_default();
    let purpose = proxy_purpose(opened.sender.id);
    let address = engine.key.open(&purpose, &sealed).map_err(OpenError::Sealed)?;
    Ok(Some(String::from_utf8_lossy(&address).parse()?))
}

/// `2.3000.1026436087`, where the owner chose one.
fn version(device: &Device) -> Option<(u32, u32, u32)> {
    let mut numbers = device.version.split('.').map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(a)), Some(Ok(b)), Some(Ok(c)), None) => Some((a, b, c)),
        _ => None,
    }
}

/// How it shows among the phone's linked devices.
fn props(device: &Device, name: &str) -> DevicePropsOverride {
    let os = if device.os_name.is_empty() { name } else { &device.os_name };
    let platform = match device.platform_type.to_ascii_uppercase().as_str() {
        "CHROME" => PlatformType::CHROME,
        "FIREFOX" => PlatformType::FIREFOX,
        "SAFARI" => PlatformType::SAFARI,
        "EDGE" => PlatformType::EDGE,
        _ => PlatformType::DESKTOP,
    };
    DevicePropsOverride::new().with_os(os).with_platform_type(platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_versions_count() {
        let of = |text: &str| version(&Device { version: text.into(), ..Device::default() });
        assert_eq!(of("2.3000.1026436087"), Some((2, 3000, 1_026_436_087)));
        for text in ["", "2.3000", "2.3000.x", "2.3000.1.4", "latest"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
