//! An HTTP server on a free port that records what it is sent and answers as a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use tokio::sync::mpsc;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// The value of a header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// What the next request is answered with.
#[derive(Clone, Debug)]
pub enum Response {
    Status(u16),
    /// Status, headers, body.
    Full(u16, Vec<(String, String)>, String),
    /// Nothing, until the caller gives up.
    Hangs,
}

pub struct Receiver {
    address: std::net::SocketAddr,
    arrived: mpsc::UnboundedReceiver<Request>,
    script: Arc<Mutex<VecDeque<Response>>>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    arrived: mpsc::UnboundedSender<Request>,
    script: Arc<Mutex<VecDeque<Response>>>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (sender, arrived) = mpsc::unbounded_channel();
        let script = Arc::<Mutex<VecDeque<Response>>>::default();
        let desk = Desk { arrived: sender, script: script.clone() };
        let router = axum::Router::new().fallback(take).with_state(desk);
        let serving =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("serving ends with the test") });
        Self { address, arrived, script, serving }
    }

    /// An address of this receiver; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says how the next requests are answered, in order; after that with 200.
    pub fn will(&self, responses: impl IntoIterator<Item = Response>) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).extend(responses);
    }

    /// Waits for the next request that was not looked at yet.
    pub async fn next(&mut self) -> Request {
        self.arrived.recv().await.expect("the receiver serves as long as it is held")
    }

    /// The next request that has arrived already, if any.
    pub fn waiting(&mut self) -> Option<Request> {
        self.arrived.try_recv().ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(desk): State<Desk>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let response = desk.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    // Nobody may be looking any more.
    let _ = desk.arrived.send(Request { method, target: uri.to_string(), headers, body });
    let (status, headers, body) = match response {
        None => (200, Vec::new(), String::new()),
        Some(Response::Status(status)) => (status, Vec::new(), String::new()),
        Some(Response::Full(status, headers, body)) => (status, headers, body),
        Some(Response::Hangs) => std::future::pending().await,
    };
    let mut answer = (StatusCode::from_u16(status).expect("a scripted status is one"), body).into_response();
    for (name, value) in headers {
        let name = axum::http::HeaderName::try_from(name).expect("a scripted header's name is one");
        answer.headers_mut().append(name, value.parse().expect("a scripted header's value is one"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn post(receiver: &Receiver, body: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(receiver.address).await.unwrap();
        let length = body.len();
        let request =
            format!("POST /a?b=c HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_records_and_answers_as_told() {
        let mut receiver = Receiver::start().await;
        receiver.will([Response::Full(429, vec![("retry-after".into(), "7".into())], "slow down".into())]);
        let refused = post(&receiver, r#"{"n":1}"#).await;
        assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
        assert!(refused.contains("retry-after: 7\r\n") && refused.ends_with("slow down"), "{refused}");
        assert!(post(&receiver, r#"{"n":2}"#).await.starts_with("HTTP/1.1 200 "));
        let first = receiver.next().await;
        assert_eq!((first.method.as_str(), first.target.as_str(), first.header("host")), ("POST", "/a?b=c", "h"));
        assert_eq!(first.json()["n"], 1);
        assert_eq!(receiver.waiting().unwrap().json()["n"], 2);
        assert!(receiver.waiting().is_none());
    }
}
