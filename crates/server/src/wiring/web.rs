//! Linked WhatsApp accounts.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use media::Blobs;
use provider_whatsapp_web::transport::{self, Endpoint, Network, Version};
use provider_whatsapp_web::{Options, WhatsAppWeb};

use super::{Error, Kept, Surroundings, policy};
use crate::opening::Opened;
use crate::settings::Settings;

/// `None` in a sandbox that has no WhatsApp Web: the real one is no part of it. The client's version is kept up to date
/// where WhatsApp is the real one.
pub(super) fn wire(
    settings: &Settings,
    opened: &Opened,
    around: &Surroundings,
    blobs: &Blobs,
) -> Result<Option<Kept>, Error> {
    let Some(endpoint) = endpoint(settings, around)? else { return Ok(None) };
    let real = endpoint == Endpoint::default() && !cfg!(feature = "web-sandbox");
    let network = Network::new(transport::Settings {
        endpoint,
        policy: policy(settings),
        extra_roots: around.web.as_ref().map(|web| web.roots.clone()).unwrap_or_default(),
        ..transport::Settings::default()
    })?;
    let version: Version = settings.web.version.parse()?;
    let fresh = real.then(|| keep_fresh(version.clone(), network.clone(), around.clock.clone()));
    let provider = WhatsAppWeb::new(Options {
        network,
        version,
        blobs: blobs.clone(),
        largest_file: settings.media.max_size,
        device_name: settings.web.device_name.clone(),
        prekeys: settings.web.prekeys,
        history: settings.web.history,
        secret: opened.key.derive("whatsapp-web message secrets"),
    });
    Ok(Some((Arc::new(provider), fresh)))
}

fn endpoint(settings: &Settings, around: &Surroundings) -> Result<Option<Endpoint>, Error> {
    let named = Some(settings.web.server_url.as_str()).filter(|url| !url.is_empty());
    match named.or(around.web.as_ref().map(|web| web.url.as_str())) {
        Some(url) => Ok(Some(url.parse()?)),
        None => Ok((!around.sandbox).then(Endpoint::default)),
    }
}

fn keep_fresh(version: Version, network: Network, clock: engine::Clock) -> BoxFuture<'static, ()> {
    Box::pin(async move { transport::keep_fresh(&version, &network.http(None), &clock).await })
}
