//! A server that answers as a test tells it to and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `GET /v26.0/1?a=b`
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn token(&self) -> &str {
        self.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap()
    }
}

/// What comes back for a call.
pub(crate) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    Bytes(Bytes),
    /// Nothing, for ever.
    Silence,
}

pub(crate) fn ok(json: Value) -> Reply {
    Reply::Json(200, json)
}

type Script = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;

#[derive(Clone)]
struct Desk {
    script: Script,
    calls: Arc<Mutex<Vec<Call>>>,
}

pub(crate) struct Stub {
    pub(crate) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    task: JoinHandle<()>,
}

impl Stub {
    /// `script` is given the stub's own URL and each call.
    pub(crate) async fn start(script: impl Fn(&str, &Call) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (own, calls) = (url.clone(), Arc::default());
        let desk = Desk { script: Arc::new(move |call| script(&own, call)), calls: Arc::clone(&calls) };
        let router = Router::new().fallback(answer).with_state(desk);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, calls, task }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.line).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let call = Call { line: format!("{} {}", parts.method, parts.uri), headers: parts.headers, body };
    let reply = (desk.script)(&call);
    desk.calls.lock().unwrap().push(call);
    match reply {
        Reply::Json(status, json) => (StatusCode::from_u16(status).unwrap(), axum::Json(json)).into_response(),
        Reply::Text(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Reply::Bytes(bytes) => Body::from(bytes).into_response(),
        Reply::Silence => std::future::pending().await,
    }
}

/// The URL of a port on which nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The URL of a server that reads the beginning of a request and hangs up.
pub(crate) async fn rude() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
        }
    });
    url
}
