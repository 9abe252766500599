//! Files that came with messages: fetched from WhatsApp, decrypted and checked on the way, kept under the message's id.

use engine::provider::{Account, FetchError, Fetched, MediaSource};
use engine::senders::Sender;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use store::media::Media;
use web_wire::ask::Download;
use whatsapp_rust::error::ErrorChainExt;

use crate::{WhatsAppWeb, asked, files};

impl MediaSource for WhatsAppWeb {
    fn fetch<'a>(
        &'a self,
        _: &'a Account,
        sender: &'a Sender,
        media: &'a Media,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let gone = |why: &str| FetchError::Unavailable(why.into());
            let described = media.external_id.as_deref().ok_or_else(|| gone("nothing says where the file is"))?;
            let wanted: Download =
                serde_json::from_str(described).map_err(|_| gone("its description cannot be read"))?;
            if wanted.length > self.options.largest_file {
                return Err(gone("the file is too large"));
            }
            let live = self.live.get(&sender.id).filter(|live| live.is_online());
            let live = live.ok_or_else(|| FetchError::Later("the account is not connected".into()))?;
            let bytes = asked::fetch(&live.client, &wanted).await.map_err(|error| failed(&error))?;
            let (size, sha256) = (bytes.len() as i64, hex::encode(Sha256::digest(&bytes)));
            let kept = files::keep(&self.options.blobs, &media.message_id.hex24(), &media.mime, bytes, u64::MAX).await;
            kept.map_err(|error| FetchError::Later(error.to_string()))?;
            Ok(Fetched { size, sha256 })
        })
    }
}

/// A file that WhatsApp does not have any more will not come back.
fn failed(error: &anyhow::Error) -> FetchError {
    let cause: &(dyn std::error::Error + 'static) = error.as_ref();
    match cause.http_status() {
        Some(404 | 410) => FetchError::Unavailable("WhatsApp does not have the file any more".into()),
        _ => FetchError::Later(error.to_string()),
    }
}
