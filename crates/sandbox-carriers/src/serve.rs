//! The accept loop of a sandbox's HTTP servers. Our own rather than the framework's for one reason: a fault may demand that
//! a connection is cut without an answer, which only the connection's owner can do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// In a response's extensions: do not answer, cut the connection.
#[derive(Clone, Copy)]
struct Cut;

#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on demand")]
struct CutError;

/// What a handler answers that wants the connection to be cut.
#[must_use]
pub fn cut() -> Response {
    let mut response = ().into_response();
    response.extensions_mut().insert(Cut);
    response
}

/// A listener, and the URL under which it is reached from here.
pub async fn bind(address: SocketAddr) -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(address).await?;
    let mut local = listener.local_addr()?;
    if local.ip().is_unspecified() {
        local.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok((listener, format!("http://{local}")))
}

/// Accepts until stopped; connections under way may finish their request.
pub async fn run(listener: TcpListener, router: Router, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                tasks.spawn(connection(stream, router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                pause().await;
            }
        }
    }
}

/// Until there may be descriptors again.
#[expect(clippy::disallowed_methods, reason = "no clock of a story has to do with it")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn connection(stream: tokio::net::TcpStream, router: Router, stop: CancellationToken) {
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move {
            let answered: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
            match answered {
                Ok(response) if response.extensions().get::<Cut>().is_some() => Err(CutError),
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(75))
        .serve_connection(TokioIo::new(stream), service);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        done = served.as_mut() => {
            if let Err(error) = done {
                tracing::trace!(%error, "a connection ended early");
            }
            return;
        }
        () = stop.cancelled() => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(Duration::from_secs(1), served).await;
}
