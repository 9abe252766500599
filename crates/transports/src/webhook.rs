//! A POST to an address that a caller named.
//!
//! Every attempt goes through the guarded client: the address is vetted each time, redirects are answers, connections
//! are kept and reused. A receiver that has named a status has answered, whatever becomes of the rest; a slow or endless
//! answer costs at most the parcel's timeout and a bounded piece of memory. Nothing is kept here, so a crash loses
//! nothing but the answer.

mod failure;
mod retry_after;
mod snippet;

use std::sync::Arc;
use std::time::Duration;

use engine::transport::{Answer, Parcel, Transport};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use net::{GuardedClient, Request};
use url::Url;

/// Milliseconds since 1970; what a date in `Retry-After` is compared with.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Characters of an address.
const MAX_URL: usize = 2048;

/// The transport `webhook`.
pub struct Webhook {
    client: GuardedClient,
    now: Now,
}

impl Webhook {
    #[must_use]
    pub fn new(client: GuardedClient, now: Now) -> Self {
        Self { client, now }
    }

    fn parse(&self, url: &str) -> Result<Url, String> {
        if url.len() > MAX_URL {
            return Err(format!("the address is longer than {MAX_URL} characters"));
        }
        let url = Url::parse(url).map_err(|_| "the address is not a URL".to_owned())?;
        let vetted = self.client.policy().check_url(&url);
        vetted.map_err(|refusal| failure::refused(&refusal))?;
        Ok(url)
    }

    async fn post(&self, parcel: &Parcel) -> Result<Answer, String> {
        let request = Request {
            method: Method::POST,
            url: self.parse(&parcel.url)?,
            headers: headers(&parcel.headers)?,
            body: parcel.body.clone(),
            timeout: Some(parcel.timeout),
        };
        // Without a limit, for a long answer is an answer too; reading it stops early by itself.
        let download = self.client.download(request, u64::MAX).await;
        let download = download.map_err(|error| failure::words(&error, parcel.timeout))?;
        Ok(Answer::Status {
            status: download.status.as_u16(),
            retry_after: self.retry_after(&download.headers),
            snippet: snippet::read(download.body, parcel.answer_bytes).await,
        })
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        retry_after::parse(value, (self.now)())
    }
}

impl Transport for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn check(&self, url: &str) -> Result<(), String> {
        self.parse(url).map(drop)
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Answer> {
        let outcome = self.post(parcel);
        outcome.map(|outcome| outcome.unwrap_or_else(|error| Answer::Failed { error })).boxed()
    }
}

/// Values are marked as secret, so that nothing below us prints them.
fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(given.len() + 4);
    for (name, value) in given {
        let name = HeaderName::try_from(name).map_err(|_| "a header has an invalid name")?;
        let value = HeaderValue::try_from(value);
        let mut value = value.map_err(|_| format!("the header {name} has an invalid value"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}
