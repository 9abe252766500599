//! Files that came with messages: fetched from WhatsApp, decrypted and checked on the way, kept under the message's id.
//!
//! WhatsApp keeps a file for some weeks. One that is gone is asked of the phone again (`again`), which uploads it anew if
//! it still has it, and is then fetched from where it lies now.

mod again;

use engine::provider::{Account, FetchError, Fetched, MediaSource};
use engine::senders::Sender;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::media::Media;
use web_wire::ask::Download;
use web_wire::jid::Jid;
use whatsapp_rust::error::ErrorChainExt;

use crate::live::Connection;
use crate::{WhatsAppWeb, asked, files};

/// What is remembered of a file that lies with WhatsApp.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Described {
    #[serde(flatten)]
    pub download: Download,
    /// The message it came with.
    pub origin: Option<Origin>,
}

/// A message as its phone knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub id: String,
    pub chat: Jid,
    pub author: Jid,
    pub own: bool,
}

impl MediaSource for WhatsAppWeb {
    fn fetch<'a>(
        &'a self,
        _: &'a Account,
        sender: &'a Sender,
        media: &'a Media,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(async move {
            let described = media.external_id.as_deref().ok_or_else(|| gone("nothing says where the file is"))?;
            let wanted: Described =
                serde_json::from_str(described).map_err(|_| gone("its description cannot be read"))?;
            if wanted.download.length > self.options.largest_file {
                return Err(gone("the file is too large"));
            }
            // What waited for the account comes, and may be fetched, before it counts as connected.
            let live = self.live.get(&sender.id).filter(|live| live.client.is_logged_in());
            let live = live.ok_or_else(|| FetchError::Later("the account is not connected".into()))?;
            let bytes = bytes(&live, wanted).await?;
            let (size, sha256) = (bytes.len() as i64, hex::encode(Sha256::digest(&bytes)));
            let kept = files::keep(&self.options.blobs, &media.message_id.hex24(), &media.mime, bytes, u64::MAX).await;
            kept.map_err(|error| FetchError::Later(error.to_string()))?;
            Ok(Fetched { size, sha256 })
        })
    }
}

/// From where it was, or from where the phone puts it again.
async fn bytes(live: &Connection, mut wanted: Described) -> Result<Vec<u8>, FetchError> {
    let error = match asked::fetch(&live.client, &wanted.download).await {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    if !is_gone(&error) {
        return Err(FetchError::Later(error.to_string()));
    }
    let origin = wanted.origin.as_ref().ok_or_else(|| gone("WhatsApp does not have the file any more"))?;
    let path = again::ask(live, origin, &wanted.download.media_key).await?;
    wanted.download.direct_path = Some(path);
    asked::fetch(&live.client, &wanted.download).await.map_err(|error| FetchError::Later(error.to_string()))
}

fn is_gone(error: &anyhow::Error) -> bool {
    let cause: &(dyn std::error::Error + 'static) = error.as_ref();
    matches!(cause.http_status(), Some(404 | 410))
}

fn gone(why: &str) -> FetchError {
    FetchError::Unavailable(why.into())
}
