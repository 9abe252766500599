//! A request to a carrier: what all of them need for one, and what comes back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use engine::Id;
use engine::contacts::PHONE;
use engine::failure::{Code, SendError};
use engine::provider::{Account, Outgoing};
use engine::senders::Sender;
use http::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::{Options, numbers};

/// Bytes of an answer; real ones have some hundreds.
const MAX: usize = 1024 * 1024;

/// One message on its way to a carrier.
pub(crate) struct Errand<'a> {
    /// Ours; carriers hand it back.
    pub(crate) id: Id,
    /// A number with its plus, or a name.
    pub(crate) from: &'a str,
    /// E.164 with `+`.
    pub(crate) to: String,
    /// Where the carrier tells what becomes of it; holds our id.
    pub(crate) callback: String,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    options: &'a Options,
}

impl<'a> Errand<'a> {
    pub(super) fn new(
        options: &'a Options,
        provider: &str,
        account: &Account,
        sender: &'a Sender,
        message: &Outgoing,
    ) -> Result<Self, SendError> {
        if message.to.kind != PHONE {
            return Err(SendError::refused(Code::Rejected, "Only phone numbers can be written to."));
        }
        let (id, now) = (message.id, options.clock.now());
        let to = numbers::plus(&message.to.value);
        let callback = callback(&options.public_url, provider, &account.external_id, id);
        Ok(Self { id, from: &sender.address, to, callback, now, options })
    }

    /// A request to `path` under the carrier's address.
    pub(super) fn post(&self, root: &Url, path: &[&str]) -> RequestBuilder {
        self.options.client.post(under(root, path)).timeout(self.options.timeout)
    }
}

/// Segments are escaped, so that no id can leave its place in the path.
pub(super) fn under(root: &Url, path: &[&str]) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Put together by hand: carriers sign the very letters, and a URL type might change some.
fn callback(public_url: &str, provider: &str, account: &str, id: Id) -> String {
    format!("{}?m={}", inbound(public_url, provider, account), id.hex24())
}

/// Where a carrier posts what has to do with none of our messages.
pub(super) fn inbound(public_url: &str, provider: &str, account: &str) -> String {
    let account: String = url::form_urlencoded::byte_serialize(account.as_bytes()).collect();
    format!("{public_url}/webhooks/{provider}/{}", account.replace('+', "%20"))
}

/// Our id in an address made by [`callback`].
pub(super) fn message_of(url: &str) -> Option<Id> {
    let query = url.split_once('?')?.1;
    let query = query.split('#').next()?;
    let (_, id) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "m")?;
    Id::parse_hex24(&id)
}

/// What a carrier answered, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Makes a request, once.
pub(super) async fn perform(request: RequestBuilder) -> Result<Answer, SendError> {
    let response = request.send().await.map_err(lost)?;
    let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
    match body(response).await {
        Ok(body) => Ok(Answer { status, retry_after, body }),
        // Somebody who says no has not taken it, even if his reasons are lost.
        Err(_) if (400..500).contains(&status) => Ok(Answer { status, retry_after, body: Bytes::new() }),
        Err(error) => Err(error),
    }
}

fn lost(error: reqwest::Error) -> SendError {
    if error.is_builder() {
        return SendError::unreached("The request to the carrier could not be made.");
    }
    match net::Error::from(error) {
        error if error.never_sent() => SendError::unreached("The carrier could not be reached."),
        _ => SendError::unknown("The carrier did not answer."),
    }
}

/// In seconds; a date is rare and not worth reading.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn body(mut response: Response) -> Result<Bytes, SendError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| SendError::unknown("The carrier's answer broke off."))? {
        if body.len() + chunk.len() > MAX {
            return Err(SendError::unknown("The carrier's answer is too long."));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_id_comes_back_from_the_address_that_we_gave() {
        let id = Id::from_parts(1_795_000_000_000, 7);
        let url = callback("https://h.example", "twilio", "AC 1/x", id);
        assert_eq!(url, format!("https://h.example/webhooks/twilio/AC%201%2Fx?m={}", id.hex24()));
        assert_eq!(message_of(&url), Some(id));
        assert_eq!(message_of(&format!("{url}#rc=5")), Some(id));
        for other in ["https://h.example/webhooks/twilio/AC1", "?m=", "?m=zz", "?n=1"] {
            assert_eq!(message_of(other), None, "{other}");
        }
    }

    #[test]
    fn ids_stay_in_their_place() {
        let root = Url::parse("https://c.example/v2/").unwrap();
        assert_eq!(under(&root, &["calls", "../x?y", "z"]).as_str(), "https://c.example/v2/calls/..%2Fx%3Fy/z");
    }
}
