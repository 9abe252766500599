//! A receiver that answers by path, remembers what it got and counts connections.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::{Listener, ListenerExt};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    headers: HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

pub(crate) struct Receiver {
    port: u16,
    seen: Log,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = Listener::local_addr(&listener).unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let counted = listener.tap_io(move |_: &mut TcpStream| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let seen = Log::default();
        let router = Router::new().fallback(answer).with_state(seen.clone());
        let task = tokio::spawn(async move { axum::serve(counted, router).await.unwrap() });
        Self { port, seen, connections, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port on which nobody listens.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A port whose connections are closed as soon as a request has begun to arrive.
pub(crate) async fn cutting_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
        }
    });
    port
}

async fn answer(State(seen): State<Log>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    let method = parts.method.to_string();
    seen.lock().unwrap().push(Seen { method, path: path.clone(), body, headers: parts.headers });
    match path.as_str() {
        "/moved" => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        "/busy" => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "120")], "slow\ndown").into_response(),
        "/busy-until" => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")]).into_response()
        }
        "/empty" => StatusCode::NO_CONTENT.into_response(),
        "/endless" => streamed(stream::repeat(Bytes::from_static(&[b'x'; 4096]))),
        "/stalled" => streamed(stream::iter([Bytes::from_static(b"begun")]).chain(stream::pending())),
        "/silent" => std::future::pending().await,
        _ => "thank you".into_response(),
    }
}

fn streamed(chunks: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    Body::from_stream(chunks.map(Ok::<_, Infallible>)).into_response()
}
