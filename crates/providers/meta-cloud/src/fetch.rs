//! Files that came with messages: asked for by id, fetched with the token from where Meta says, kept as blobs.
//!
//! The token goes only to hosts that are Meta's. Nothing is held in memory. A crash leaves no half blob; the job that
//! asked is tried again and puts the same file in the same place.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::media::Media;
use engine::provider::{Account, FetchError, Fetched, MediaSource};
use engine::senders::Sender;
use futures_util::future::BoxFuture;
use media::{Error as BlobError, Meta, Stored};
use meta_wire::Class;
use meta_wire::media as wire;
use url::{Host, Url};

use crate::MetaCloud;
use crate::graph::{self, Download, Graph};

/// Where Meta's files lie, apart from Graph itself.
const HOSTS: &[&str] = &["fbsbx.com", "fbcdn.net", "whatsapp.net"];
/// "The file could not be fetched by us": it will not be there later either.
const GONE: i64 = 131_052;

impl MediaSource for MetaCloud {
    fn fetch<'a>(
        &'a self,
        account: &'a Account,
        _: &'a Sender,
        media: &'a Media,
    ) -> BoxFuture<'a, Result<Fetched, FetchError>> {
        Box::pin(self.fetch_file(account, media))
    }
}

impl MetaCloud {
    async fn fetch_file(&self, account: &Account, media: &Media) -> Result<Fetched, FetchError> {
        let graph = self.graph(account).map_err(|error| FetchError::Later(error.to_string()))?;
        let id = media.external_id.as_deref().ok_or_else(|| unavailable("the file has no name at Meta"))?;
        let info = graph.media(id).await.map_err(of_call)?;
        let max = self.options.media_max_bytes;
        if info.file_size.as_ref().and_then(|size| size.as_str().parse::<u64>().ok()).is_some_and(|size| size > max) {
            return Err(too_large(max));
        }
        let url = address(&graph, &info)?;
        let download = graph.download(url).await.map_err(of_call)?;
        let stored = self.keep(media, download).await?;
        self.compare(media, &info, &stored).await?;
        Ok(Fetched { size: i64::try_from(stored.size).unwrap_or(i64::MAX), sha256: hex::encode(stored.sha256) })
    }

    async fn keep(&self, media: &Media, download: Download) -> Result<Stored, FetchError> {
        let max = self.options.media_max_bytes;
        if download.size.is_some_and(|size| size > max) {
            return Err(too_large(max));
        }
        let meta = Meta { mime: media.mime.clone(), filename: media.filename.clone() };
        let kept = self.options.blobs.put(&media.message_id.hex24(), meta, download.bytes, max).await;
        kept.map_err(|error| match error {
            BlobError::TooLarge { limit } => too_large(limit),
            other => FetchError::Later(other.to_string()),
        })
    }

    /// What is not what was announced does not stay.
    async fn compare(&self, media: &Media, info: &wire::Media, stored: &Stored) -> Result<(), FetchError> {
        let announced = info.sha256.as_deref().and_then(digest);
        if announced.is_none_or(|digest| digest == stored.sha256) {
            return Ok(());
        }
        let removed = self.options.blobs.delete(&media.message_id.hex24()).await;
        removed.map_err(|error| FetchError::Later(error.to_string()))?;
        Err(unavailable("the file is not the one that was announced"))
    }
}

/// Hexadecimal in REST, base64 in pushes; here either.
fn digest(text: &str) -> Option<[u8; 32]> {
    let bytes = hex::decode(text).or_else(|_| BASE64_STANDARD.decode(text)).ok()?;
    bytes.try_into().ok()
}

fn address(graph: &Graph, info: &wire::Media) -> Result<Url, FetchError> {
    let url = info.url.as_deref().and_then(|url| Url::parse(url).ok());
    let url = url.ok_or_else(|| FetchError::Later("Meta named no address for the file".to_owned()))?;
    if is_metas(graph.root(), &url) {
        Ok(url)
    } else {
        Err(unavailable("the file lies at an address that is not Meta's"))
    }
}

/// May the token go there? To Graph itself; and from the real one, not a stand-in on this machine, to Meta's file hosts.
fn is_metas(root: &Url, url: &Url) -> bool {
    if root.origin() == url.origin() {
        return true;
    }
    let local = match root.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => true,
    };
    let Some(Host::Domain(name)) = url.host() else {
        return false;
    };
    let below = |host: &&str| name.strip_suffix(*host).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !local && url.scheme() == "https" && url.port().is_none() && HOSTS.iter().any(below)
}

fn of_call(error: graph::Error) -> FetchError {
    let gone = match &error {
        graph::Error::Status(status) => matches!(status, 404 | 410),
        graph::Error::Refused { status, error, .. } => {
            *status == 404 || error.code == GONE || error.class(*status) == Class::Never
        }
        _ => false,
    };
    if gone { unavailable("Meta no longer has the file") } else { FetchError::Later(error.to_string()) }
}

fn too_large(max: u64) -> FetchError {
    FetchError::Unavailable(format!("the file is larger than {max} bytes"))
}

fn unavailable(why: &str) -> FetchError {
    FetchError::Unavailable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_metas_hosts_only() {
        let rows = [
            ("https://graph.facebook.com", "https://graph.facebook.com/x", true),
            ("https://graph.facebook.com", "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", true),
            ("https://graph.facebook.com", "https://mmg.whatsapp.net/a", true),
            ("https://graph.facebook.com", "https://scontent.xx.fbcdn.net/a", true),
            ("https://graph.facebook.com", "http://lookaside.fbsbx.com/a", false),
            ("https://graph.facebook.com", "https://lookaside.fbsbx.com:8443/a", false),
            ("https://graph.facebook.com", "https://evilfbsbx.com/a", false),
            ("https://graph.facebook.com", "https://fbsbx.com.example.org/a", false),
            ("https://graph.facebook.com", "https://fbsbx.com@example.org/a", false),
            ("https://graph.facebook.com", "https://127.0.0.1/a", false),
            ("http://127.0.0.1:41002", "http://127.0.0.1:41002/v26.0/file", true),
            ("http://127.0.0.1:41002", "http://127.0.0.1:41003/file", false),
            ("http://127.0.0.1:41002", "https://lookaside.fbsbx.com/a", false),
            ("http://localhost:41002", "https://lookaside.fbsbx.com/a", false),
        ];
        for (root, url, expected) in rows {
            let (root, parsed) = (Url::parse(root).unwrap(), Url::parse(url).unwrap());
            assert_eq!(is_metas(&root, &parsed), expected, "{root} {url}");
        }
    }

    #[test]
    fn digests_are_read_in_both_spellings() {
        let bytes = [0xfb; 32];
        assert_eq!(digest(&hex::encode(bytes)), Some(bytes));
        assert_eq!(digest(&BASE64_STANDARD.encode(bytes)), Some(bytes));
        assert_eq!(digest("abcd"), None);
        assert_eq!(digest("no digest"), None);
    }
}
