//! What each dialect is told.

use std::fmt::Write;
use std::sync::Arc;

use media::{Blobs, Links};

use super::{Error, converter, fill, guarded};
use crate::opening::Opened;
use crate::settings::{DigigoWebhooks, Encoding, Envelope, Settings, SwitchOff};

pub const KIRIM_CONTRACT: &[u8] = include_bytes!("../../../../contracts/kirim.json");
pub const YCLOUD_CONTRACT: &[u8] = include_bytes!("../../../../contracts/ycloud.json");
pub const LATE_CONTRACT: &[u8] = include_bytes!("../../../../contracts/late.json");
pub const DIGIGO_CONTRACT: &[u8] = include_bytes!("../../../../contracts/digigo.json");

/// A blob is named in links by its message.
pub(super) fn kirim(settings: &Settings, links: Links) -> dialect_kirim::Options {
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

pub(super) fn ycloud(settings: &Settings, public_url: &str, blobs: Blobs, links: Links) -> dialect_ycloud::Options {
    let origin = origin(public_url, &settings.ycloud.host);
    dialect_ycloud::Options {
        media: dialect_ycloud::Media { blobs, links, origin },
        other_per_hour: settings.ycloud.other_per_hour,
        send_per_second: settings.ycloud.send_per_second,
        other_per_second: settings.ycloud.other_per_second,
        random: Arc::new(fill),
        contract: YCLOUD_CONTRACT,
    }
}

/// A blob is named in links by its message.
pub(super) fn late(settings: &Settings, links: Links) -> dialect_late::Options {
    dialect_late::Options {
        requests_per_minute: settings.late.requests_per_minute,
        webhooks: dialect_late::Webhooks {
            log: settings.webhooks.late.log.0,
            switch_off: match settings.webhooks.late.switch_off {
                SwitchOff::Silent => dialect_late::SwitchOff::Silent,
                SwitchOff::Ten => dialect_late::SwitchOff::Ten,
            },
        },
        media_links: Arc::new(move |id, expires_at| links.sign(&id.hex24(), expires_at)),
        preverified: settings.late.preverified,
        contract: LATE_CONTRACT,
        random: Arc::new(fill),
    }
}

/// Where a dialect answers that may have a host name of its own.
fn origin(public_url: &str, host: &str) -> String {
    let public_url = public_url.trim_end_matches('/');
    let mut url = url::Url::parse(public_url).ok().filter(|_| !host.is_empty());
    match url.as_mut().is_some_and(|url| url.set_host(Some(host)).is_ok()).then_some(url).flatten() {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => public_url.to_owned(),
    }
}

pub(super) fn digigo(
    settings: &Settings,
    opened: &Opened,
    public_url: String,
    blobs: Blobs,
) -> Result<dialect_digigo::Options, Error> {
    Ok(dialect_digigo::Options {
        public_url,
        webhooks: digigo_webhooks(&settings.webhooks.digigo),
        zone: settings.digigo.time_zone.clone(),
        users: settings.digigo.users.clone(),
        echo: settings.digigo.echo,
        skip_media: settings.digigo.skip_media,
        largest_file: settings.media.max_size,
        fetch_timeout: settings.media.fetch_timeout.0,
        client: guarded(settings)?,
        blobs,
        converter: converter(settings, opened)?,
        random: Arc::new(fill),
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("HERMOD_COMMIT"),
        compiler: env!("HERMOD_COMPILER"),
        installation: installation(opened),
        environment: settings.digigo.environment.clone(),
        region: settings.digigo.region.clone(),
    })
}

fn digigo_webhooks(settings: &DigigoWebhooks) -> dialect_digigo::Webhooks {
    dialect_digigo::Webhooks {
        envelope: match settings.envelope {
            Envelope::Nested => dialect_digigo::Envelope::Nested,
            Envelope::Flat => dialect_digigo::Envelope::Flat,
        },
        encoding: match settings.encoding {
            Encoding::Json => dialect_digigo::Encoding::Json,
            Encoding::Form => dialect_digigo::Encoding::Form,
        },
        timeout: settings.timeout.0,
        hmac_key: settings.hmac_key.get(),
        identity_headers: settings.identity_headers,
    }
}

/// Names this installation: the same for all processes that have its key, and nothing can be learned of the key.
fn installation(opened: &Opened) -> String {
    let derived = opened.key.derive("installation");
    derived[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
