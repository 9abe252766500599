//! Taking connections: bounded in number for each peer, in the size and time of their headers, and let
//! finish when the process stops.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Origin;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections_per_peer: usize,
    pub header_timeout: Duration,
    pub header_bytes: usize,
}

/// Where a request comes from: told with each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub peer: SocketAddr,
    /// The address that was called.
    pub here: SocketAddr,
}

impl Ends {
    /// Whether the caller is on this machine: nobody else has its addresses.
    pub(super) fn are_local(self) -> bool {
        let peer = self.peer.ip().to_canonical();
        peer.is_loopback() || peer == self.here.ip().to_canonical()
    }
}

/// Serves until `stop`, then lets requests in flight finish.
pub async fn serve(listener: TcpListener, origin: Origin, limits: Limits, stop: CancellationToken) {
    let (tasks, peers) = (TaskTracker::new(), Peers::default());
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = peers.enter(peer.ip(), limits.connections_per_peer) {
                    let (origin, stop) = (origin.clone(), stop.clone());
                    tasks.spawn(async move {
                        connection(stream, peer, origin, limits, stop).await;
                        drop(place);
                    });
                }
            }
            // Out of descriptors, most likely: others must close first.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::task::yield_now().await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, origin: Origin, limits: Limits, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    // One that is gone already will not be answered.
    let Ok(here) = stream.local_addr() else { return };
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let origin = origin.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Ends { peer, here });
            origin.answer(request).await
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(limits.header_bytes);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended badly");
    }
}

/// How many connections each peer has.
#[derive(Clone, Default)]
struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Peers {
    fn enter(&self, peer: IpAddr, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { peers: self.clone(), peer })
    }
}

/// One connection's place; given back when dropped.
struct Place {
    peers: Peers,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}
