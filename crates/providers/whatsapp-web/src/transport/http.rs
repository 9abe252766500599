use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, FutureExt, select};
use http::header::{CONTENT_LENGTH, HeaderName};
use http::{HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};
use wacore::net::{HttpClient, HttpRequest, HttpResponse, StreamingHttpResponse, UploadBody};

use super::body::{Outgoing, Patience, Reading, feed, read_all};
use super::connect::Dialer;
use super::{Error, Limits};

/// Media hosts are few, and a session rarely moves several files at once.
const IDLE_CONNECTIONS: usize = 4;
const KEEP_CONNECTION: Duration = Duration::from_secs(30);

/// The library's HTTP client, over the same way out as the socket. HTTPS only; every status is an answer, redirects
/// too. The blocking variants belong on a thread of the runtime that may block. Cheap to clone.
#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    client: Client<Connector, Outgoing>,
    limits: Limits,
}

/// A client that lasts as long as somebody has it.
pub(super) struct Shared(Weak<Inner>);

impl Shared {
    pub(super) fn upgrade(&self) -> Option<Http> {
        self.0.upgrade().map(Http)
    }

    pub(super) fn in_use(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Http {
    pub(super) fn new(dialer: Dialer) -> Self {
        let limits = dialer.ground.limits;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(Connector(dialer));
        Self(Arc::new(Inner { client, limits }))
    }

    pub(super) fn share(&self) -> Shared {
        Shared(Arc::downgrade(&self.0))
    }

    #[cfg(test)]
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn open(&self, request: Request<Outgoing>, patience: &Patience) -> Result<Response<Incoming>, Error> {
        let answer = patience.wait(self.0.client.request(request)).await?;
        answer.map_err(|source| Error::Exchange(source.into()))
    }

    async fn exchange(&self, request: Request<Outgoing>, patience: &Patience) -> Result<HttpResponse, Error> {
        let answer = self.open(request, patience).await?;
        let status_code = answer.status().as_u16();
        let body = read_all(answer.into_body(), self.0.limits.max_answer, patience).await?;
        Ok(HttpResponse { status_code, body })
    }

    /// Sends what `reader` has; an answer that comes before all is sent is the answer.
    async fn upload(&self, asked: HttpRequest, reader: UploadBody, length: u64) -> Result<HttpResponse, Error> {
        let patience = Patience::new(&self.0.limits);
        let (pieces, fed) = mpsc::channel(1);
        let request = prepare(&asked, patience.fed(fed), Some(length))?;
        let exchange = pin!(self.exchange(request, &patience));
        let feeding = pin!(feed(reader, length, pieces));
        match select(exchange, feeding).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), exchange)) => exchange.await,
        }
    }

    async fn download(&self, asked: HttpRequest, runtime: Handle) -> Result<StreamingHttpResponse, Error> {
        let patience = Patience::new(&self.0.limits);
        let request = whole(asked, &patience)?;
        let answer = self.open(request, &patience).await?;
        let status_code = answer.status().as_u16();
        let (body, limit) = (answer.into_body(), self.0.limits.max_download);
        let reading = Reading { runtime, body, patience, limit, read: 0, piece: Bytes::new() };
        Ok(StreamingHttpResponse { status_code, body: Box::new(reading) })
    }
}

#[async_trait]
impl HttpClient for Http {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let patience = Patience::new(&self.0.limits);
        let request = whole(request, &patience)?;
        Ok(self.exchange(request, &patience).await?)
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        let runtime = Handle::try_current()?;
        Ok(runtime.block_on(self.download(request, runtime.clone()))?)
    }

    fn supports_upload_streaming(&self) -> bool {
        true
    }

    fn execute_upload(&self, request: HttpRequest, body: UploadBody, length: u64) -> anyhow::Result<HttpResponse> {
        let runtime = Handle::try_current()?;
        Ok(runtime.block_on(self.upload(request, body, length))?)
    }
}

fn whole(mut asked: HttpRequest, patience: &Patience) -> Result<Request<Outgoing>, Error> {
    let body = asked.body.take();
    let length = body.as_ref().map(|bytes| bytes.len() as u64);
    prepare(&asked, patience.whole(body.unwrap_or_default()), length)
}

/// The request as hyper wants it. The length is declared, for WhatsApp's media hosts take no chunks.
fn prepare(asked: &HttpRequest, body: Outgoing, length: Option<u64>) -> Result<Request<Outgoing>, Error> {
    let method = Method::from_bytes(asked.method.as_bytes()).map_err(|_| Error::Request("no method"))?;
    let mut request = Request::new(body);
    *request.uri_mut() = uri(&asked.url)?;
    for (name, value) in &asked.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Error::Request("a header's name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| Error::Request("a header's value"))?;
        request.headers_mut().insert(name, value);
    }
    if length.is_some() || method == Method::POST {
        request.headers_mut().insert(CONTENT_LENGTH, length.unwrap_or(0).into());
    }
    *request.method_mut() = method;
    Ok(request)
}

fn uri(text: &str) -> Result<Uri, Error> {
    let mut url = Url::parse(text).map_err(|_| Error::Request("the URL cannot be read"))?;
    if url.scheme() != "https" {
        return Err(Error::Request("the URL must begin with https://"));
    }
    // Part of the URL is a peer's: a path that begins with `@` would make our host a user's name, and itself the host.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Request("a user name or password in the URL"));
    }
    url.set_fragment(None);
    url.as_str().parse().map_err(|_| Error::Request("the URL cannot be used"))
}

/// Gives hyper the connections of our dialer.
#[derive(Clone)]
struct Connector(Dialer);

impl tower::Service<Uri> for Connector {
    type Response = Wire;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Wire, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.0.clone();
        async move {
            let host = Host::parse(uri.host().unwrap_or_default()).map_err(|_| Error::Request("no host"))?;
            let stream = dialer.tls(&host, uri.port_u16().unwrap_or(443)).await?;
            Ok(Wire(TokioIo::new(stream)))
        }
        .boxed()
    }
}

/// A connection as hyper wants it.
struct Wire(TokioIo<TlsStream<TcpStream>>);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
