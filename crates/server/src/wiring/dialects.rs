//! What each dialect is told.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use engine::Clock;
use media::{Blobs, Links};

use super::{Error, converter, fill, guarded};
use crate::opening::Opened;
use crate::settings::{Encoding, Envelope, Settings};

pub const KIRIM_CONTRACT: &[u8] = include_bytes!("../../../../contracts/kirim.json");
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

pub(super) fn digigo(
    settings: &Settings,
    opened: &Opened,
    public_url: String,
    blobs: Blobs,
) -> Result<dialect_digigo::Options, Error> {
    Ok(dialect_digigo::Options {
        public_url,
        envelope: match settings.webhooks.digigo.envelope {
            Envelope::Nested => dialect_digigo::Envelope::Nested,
            Envelope::Flat => dialect_digigo::Envelope::Flat,
        },
        encoding: match settings.webhooks.digigo.encoding {
            Encoding::Json => dialect_digigo::Encoding::Json,
            Encoding::Form => dialect_digigo::Encoding::Form,
        },
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
    })
}

/// Removes what sends left behind, now and every hour.
pub(super) async fn sweep(blobs: Blobs, clock: Clock) {
    loop {
        dialect_digigo::sweep(&blobs, clock.now()).await;
        clock.sleep(Duration::from_secs(60 * 60)).await;
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
