//! The way out. Platforms introduced themselves to the operator's own control API and are reached directly; media links and
//! override URLs are named by callers of the Graph API and go through the guarded client.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use ipnet::IpNet;
use net::{AddressPolicy, GuardedClient, PlainSettings, Request, Settings};
use url::Url;

use crate::media::{Files, MAX_BYTES, Stored};

/// How long a platform may take over a webhook.
const PUSH_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Outbound {
    plain: reqwest::Client,
    guarded: GuardedClient,
}

/// Whom we call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    /// The URL that a platform gave when it introduced itself.
    Platform(String),
    /// A URL that somebody named through the Graph API.
    Named(String),
}

impl Peer {
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Platform(url) | Self::Named(url) => url,
        }
    }
}

/// A short answer: status and the first kilobytes.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Outbound {
    pub(crate) fn new(allowed: Vec<IpNet>) -> Result<Self, net::Error> {
        net::install_crypto();
        let plain = net::plain_client(&PlainSettings { timeout: PUSH_TIMEOUT, ..PlainSettings::default() })?;
        let guarded = GuardedClient::new(Settings {
            policy: AddressPolicy::new(allowed),
            timeout: PUSH_TIMEOUT,
            ..Settings::default()
        })?;
        Ok(Self { plain, guarded })
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        peer: &Peer,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, String> {
        let url = Url::parse(peer.url()).map_err(|error| error.to_string())?;
        match peer {
            Peer::Platform(_) => {
                let response = self
                    .plain
                    .request(method, url)
                    .headers(headers)
                    .body(body)
                    .send()
                    .await
                    .map_err(|error| chain(&error))?;
                let status = response.status().as_u16();
                let body = response.text().await.map_err(|error| chain(&error))?;
                Ok(Answer { status, body })
            }
            Peer::Named(_) => {
                let mut request = Request::new(method, url);
                (request.headers, request.body) = (headers, body.into());
                let answer = self.guarded.send(request).await.map_err(|error| chain(&error))?;
                Ok(Answer { status: answer.status.as_u16(), body: String::from_utf8_lossy(&answer.body).into_owned() })
            }
        }
    }

    /// Fetches a media link into the store; returns the file and its declared type.
    pub(crate) async fn fetch(&self, link: &str, files: &Files, name: &str) -> Result<(Stored, String), String> {
        let url = Url::parse(link).map_err(|error| error.to_string())?;
        let download = self.guarded.get_stream(url, MAX_BYTES).await.map_err(|error| chain(&error))?;
        if !download.status.is_success() {
            return Err(format!("Downloading media from weblink failed with http code {}", download.status.as_u16()));
        }
        let mime = download.mime().unwrap_or_else(|| "application/octet-stream".to_owned());
        let stored = files.store(name, MAX_BYTES, download.body).await.map_err(|error| chain(&error))?;
        Ok((stored, mime))
    }
}

/// Headers of a JSON body.
pub(crate) fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// The header that shows a token.
pub(crate) fn bearer(token: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some((header::AUTHORIZATION, value))
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
