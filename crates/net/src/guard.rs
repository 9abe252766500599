use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use crate::Error;
use crate::client;
use crate::lookup::{Lookup, SystemLookup, Vetted};
use crate::policy::AddressPolicy;
use crate::tls::Certificate;

/// How the guarded client works.
#[derive(Clone)]
pub struct Settings {
    pub policy: AddressPolicy,
    /// For the connection and the TLS handshake.
    pub connect_timeout: Duration,
    /// For the whole request, its answer included, where the request names no other.
    pub timeout: Duration,
    /// Bytes of an answer's body that [`GuardedClient::send`] keeps.
    pub max_body: usize,
    /// Trusted besides the public web's roots.
    pub extra_roots: Vec<Certificate>,
    /// Where addresses come from; vetted in any case.
    pub lookup: Arc<dyn Lookup>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: AddressPolicy::default(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            max_body: 64 * 1024,
            extra_roots: Vec::new(),
            lookup: Arc::new(SystemLookup),
        }
    }
}

/// A request to a URL that a caller named.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Instead of the client's own.
    pub timeout: Option<Duration>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new(), timeout: None }
    }
}

/// What came back. A redirect is an answer like any other.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The first `max_body` bytes.
    pub body: Bytes,
    /// The body was longer than that.
    pub truncated: bool,
}

/// An answer whose body is read as it comes.
pub struct Download {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Ends with [`Error::TooLarge`] where the body passes the limit.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
}

/// A client for URLs that callers name. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct GuardedClient {
    policy: Arc<AddressPolicy>,
    tls: reqwest::Client,
    plain: reqwest::Client,
    timeout: Duration,
    max_body: usize,
}

impl GuardedClient {
    /// Fails only if a root certificate is unusable.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let policy = Arc::new(settings.policy);
        // Two clients, for the resolver is not told the scheme and plain http is held to a stricter rule.
        let build = |plain: bool| -> Result<reqwest::Client, Error> {
            let vetted = Vetted { lookup: settings.lookup.clone(), policy: policy.clone(), plain };
            Ok(client::closed(&settings.extra_roots)?
                .connect_timeout(settings.connect_timeout)
                .https_only(!plain)
                .dns_resolver(vetted)
                .build()?)
        };
        Ok(Self {
            tls: build(false)?,
            plain: build(true)?,
            timeout: settings.timeout,
            max_body: settings.max_body,
            policy,
        })
    }

    /// The rule this client keeps, for refusing a URL as soon as it is named.
    pub fn policy(&self) -> &AddressPolicy {
        &self.policy
    }

    /// Sends and reads the beginning of the answer. An answer longer than `max_body` is no error.
    pub async fn send(&self, request: Request) -> Result<Answer, Error> {
        let mut response = self.open(request).await?;
        let (body, truncated) = beginning(&mut response, self.max_body).await?;
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body, truncated })
    }

    /// Fetches `url`; see [`GuardedClient::download`].
    pub async fn get_stream(&self, url: Url, max_bytes: u64) -> Result<Download, Error> {
        self.download(Request::new(Method::GET, url), max_bytes).await
    }

    /// Sends and hands over the answer's body as it comes, at most `max_bytes` of it. The caller judges the status.
    pub async fn download(&self, request: Request, max_bytes: u64) -> Result<Download, Error> {
        let mut response = self.open(request).await?;
        let announced = response.content_length();
        if announced.is_some_and(|length| length > max_bytes) {
            return Err(Error::TooLarge { limit: max_bytes });
        }
        Ok(Download {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: limited(response.bytes_stream(), max_bytes).boxed(),
        })
    }

    async fn open(&self, request: Request) -> Result<reqwest::Response, Error> {
        // reqwest never shows a literal address to the resolver, so it is vetted here.
        self.policy.check_url(&request.url).map_err(Error::Refused)?;
        let client = match request.url.scheme() {
            "https" => &self.tls,
            _ => &self.plain,
        };
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.timeout_mut() = Some(request.timeout.unwrap_or(self.timeout));
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        Ok(client.execute(outgoing).await?)
    }
}

impl Download {
    /// The declared media type without parameters, in lower case.
    pub fn mime(&self) -> Option<String> {
        let value = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or(value);
        Some(essence.trim().to_ascii_lowercase())
    }
}

async fn beginning(response: &mut reqwest::Response, max: usize) -> Result<(Bytes, bool), Error> {
    let mut kept = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = max - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((kept.freeze(), true));
        }
    }
    Ok((kept.freeze(), false))
}

fn limited(
    body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    max: u64,
) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    body.scan(Some(max), move |left, chunk| {
        let item = left.map(|room| match chunk {
            Err(error) => {
                *left = None;
                Err(error.into())
            }
            Ok(bytes) => {
                *left = room.checked_sub(bytes.len() as u64);
                left.map(|_| bytes).ok_or(Error::TooLarge { limit: max })
            }
        });
        std::future::ready(item)
    })
}
