//! WhatsApp's side: one TLS port with a websocket that echoes and a media host.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::serve::Listener;
use futures_util::{Stream, StreamExt, stream};
use net::Certificate;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(super) struct Server {
    pub(super) port: u16,
    /// To be trusted; nobody signed it.
    pub(super) root: Certificate,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start() -> Self {
        net::install_crypto();
        let names = ["localhost", "127.0.0.1", "chat.example"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let root = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![root.clone()], key).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let listener = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(tls)), connections: connections.clone() };
        tokio::spawn(async move { axum::serve(listener, router()).await });
        Self { port, root, connections }
    }

    /// TCP connections that came, whether TLS followed or not.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// What `media/{length}` consists of, from the first byte on.
pub(super) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8 ^ (i >> 12) as u8).collect()
}

fn router() -> Router {
    Router::new()
        .route("/ws/chat", any(echo))
        .route("/media/{length}", get(async |Path(length): Path<usize>| pattern(length)))
        .route("/status/{code}", get(async |Path(code): Path<u16>| (StatusCode::from_u16(code).unwrap(), "why")))
        .route("/moved", get(moved))
        .route("/upload", post(upload))
        .route("/refused", post(refuse))
        .route(
            "/endless",
            get(async || Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(pattern(4096))))),
        )
        .route("/halting", get(async || Body::from_stream(halting())))
        .route("/silent", any(async || std::future::pending::<()>().await))
}

/// Echoes only to those who come from WhatsApp's page.
async fn echo(headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if headers.get(header::ORIGIN).is_none_or(|origin| origin != "https://web.whatsapp.com") {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(async |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            if let Message::Binary(bytes) = message {
                let _ = socket.send(Message::Binary(bytes)).await;
            }
        }
    })
}

async fn moved() -> impl IntoResponse {
    (StatusCode::FOUND, [(header::LOCATION, "/media/1")], "over there")
}

/// Answers before all has come, and reads on, so that the connection stays.
async fn refuse(request: Request) -> impl IntoResponse {
    tokio::spawn(request.into_body().into_data_stream().for_each(|_| std::future::ready(())));
    (StatusCode::UNAUTHORIZED, "no")
}

/// Tells what came: how its length was declared, and its hash.
async fn upload(request: Request) -> String {
    let declared = request.headers().get(header::CONTENT_LENGTH).map(|v| v.to_str().unwrap().to_owned());
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    received(declared.as_deref(), chunked, &body)
}

pub(super) fn received(declared: Option<&str>, chunked: bool, body: &[u8]) -> String {
    format!("{declared:?} {chunked} {}", hex::encode(Sha256::digest(body)))
}

fn halting() -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending())
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    connections: Arc<AtomicUsize>,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            self.connections.fetch_add(1, Ordering::SeqCst);
            // One handshake after the other will do.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
