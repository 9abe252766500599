//! Fetching what a caller's address leads to, through the guarded client; redirects are followed a few times, each
//! vetted like the first.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use net::{GuardedClient, Request};
use url::Url;

use crate::errors::Error;

/// How often an address may lead to another.
const MOST_HOPS: usize = 5;
/// The longest address that is looked at.
const LONGEST: usize = 8 * 1024;
/// The longest name that is taken from an address.
const LONGEST_NAME: usize = 255;

/// Why a file did not come, or was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("HTTP error {} when downloading from URL", .0.as_u16())]
    Status(StatusCode),
    #[error("too many redirects")]
    TooManyHops,
    #[error("it redirects to nowhere")]
    Astray,
    #[error("it takes too long")]
    TooSlow,
    #[error("the file is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// The reason is for callers: it names nothing that they did not name.
    #[error("{0}")]
    Refused(net::Refusal),
    #[error(transparent)]
    Net(net::Error),
    #[error(transparent)]
    Store(media::Error),
}

impl From<net::Error> for Why {
    fn from(error: net::Error) -> Self {
        match error {
            net::Error::TooLarge { limit } => Self::TooLarge { limit },
            net::Error::Timeout(_) => Self::TooSlow,
            net::Error::Refused(refusal) => Self::Refused(refusal),
            other => Self::Net(other),
        }
    }
}

impl From<media::Error> for Why {
    fn from(error: media::Error) -> Self {
        match error {
            media::Error::Source(source) => match source.downcast::<net::Error>() {
                Ok(error) => (*error).into(),
                Err(source) => Self::Store(media::Error::Source(source)),
            },
            media::Error::TooLarge { limit } => Self::TooLarge { limit },
            other => Self::Store(other),
        }
    }
}

impl Why {
    /// As callers are told; `field` is the member that held the address.
    pub(super) fn told(&self, field: &str) -> Error {
        match self {
            Self::TooLarge { .. } => Error::new(StatusCode::PAYLOAD_TOO_LARGE, self.to_string()),
            Self::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "an outgoing file could not be kept");
                Error::failed("the file could not be kept on this server")
            }
            why => Error::bad(format!("could not download {} from URL: {why}", field.to_lowercase())),
        }
    }
}

/// An answer whose body is still to come.
pub(super) struct Coming {
    /// Where it was found in the end.
    pub(super) url: Url,
    pub(super) content_type: Option<String>,
    /// The type without parameters.
    pub(super) mime: Option<String>,
    pub(super) name: Option<String>,
    pub(super) body: BoxStream<'static, Result<Bytes, net::Error>>,
}

/// A file in memory.
pub(super) struct Fetched {
    pub(super) bytes: Bytes,
    pub(super) mime: Option<String>,
    pub(super) name: Option<String>,
}

/// A web address, if the text is one.
pub(super) fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Asks for a file. `patience` is for each hop; see [`within`] for all together.
pub(super) async fn open(client: &GuardedClient, url: Url, largest: u64, patience: Duration) -> Result<Coming, Why> {
    let mut url = url;
    for _ in 0..=MOST_HOPS {
        let request = Request { headers: headers(), timeout: Some(patience), ..Request::new(Method::GET, url.clone()) };
        let answer = client.download(request, largest).await?;
        if answer.status.is_redirection() {
            url = next(&url, &answer.headers)?;
            continue;
        }
        if !answer.status.is_success() {
            return Err(Why::Status(answer.status));
        }
        let content_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        return Ok(Coming {
            content_type: content_type.map(str::to_owned),
            mime: answer.mime(),
            name: name(&url),
            body: answer.body,
            url,
        });
    }
    Err(Why::TooManyHops)
}

/// Fetches a whole file into memory.
pub(super) async fn whole(client: &GuardedClient, url: Url, largest: u64, patience: Duration) -> Result<Fetched, Why> {
    let fetching = async {
        let coming = open(client, url, largest, patience).await?;
        let bytes = coming.body.try_fold(BytesMut::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        });
        Ok(Fetched { bytes: bytes.await?.freeze(), mime: coming.mime, name: coming.name })
    };
    within(patience, fetching).await
}

/// Bounds work as a whole, however many hops it has.
pub(super) async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Why>>) -> Result<T, Why> {
    tokio::time::timeout(patience, work).await.unwrap_or(Err(Why::TooSlow))
}

/// The beginning of a body, at least `length` bytes where there are as many, and what follows it.
pub(super) async fn head(
    mut body: BoxStream<'static, Result<Bytes, net::Error>>,
    length: usize,
) -> Result<(Bytes, BoxStream<'static, Result<Bytes, net::Error>>), Why> {
    let mut head = BytesMut::new();
    while head.len() < length {
        let Some(chunk) = body.next().await else { break };
        head.extend_from_slice(&chunk?);
    }
    Ok((head.freeze(), body))
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // Hosts turn away clients that do not say who they are.
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (compatible; hermod)"));
    headers
}

fn next(from: &Url, headers: &HeaderMap) -> Result<Url, Why> {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).ok_or(Why::Astray)?;
    let url = from.join(location).map_err(|_| Why::Astray)?;
    address(url.as_str()).ok_or(Why::Astray)
}

/// The last part of an address's path, as a file is called.
fn name(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    let name: String = name.chars().filter(|c| plain(*c)).take(LONGEST_NAME).collect();
    Some(name).filter(|name| !name.trim_matches('.').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_the_web_and_names_are_plain() {
        for (text, named) in [
            ("https://shop.example/a/Price%20list.pdf?x=1", Some("Price list.pdf")),
            (" http://shop.example/x%2f..%5Cy ", Some("x..y")),
            ("https://shop.example/", None),
            ("https://shop.example/a/..%2f", None),
        ] {
            assert_eq!(name(&address(text).unwrap()).as_deref(), named, "{text}");
        }
        for text in ["", "shop.example", "ftp://shop.example/a", "file:///etc/passwd", "https:", "AAAA"] {
            assert_eq!(address(text), None, "{text}");
        }
        assert_eq!(address(&format!("https://a.example/{}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn redirects_lead_to_the_web_only() {
        let from = address("https://a.example/b/c").unwrap();
        let to = |location: &str| {
            let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(location).unwrap())]);
            next(&from, &headers).ok().map(|url| url.to_string())
        };
        assert_eq!(to("../d").as_deref(), Some("https://a.example/d"));
        assert_eq!(to("//b.example/").as_deref(), Some("https://b.example/"));
        assert_eq!(to("file:///etc/passwd"), None);
        assert!(matches!(next(&from, &HeaderMap::new()), Err(Why::Astray)));
    }
}
