//! A way to the server that can go silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct State {
    made: AtomicUsize,
    /// Connections with a smaller number carry nothing any more.
    silent: AtomicUsize,
}

pub struct Pipe {
    address: SocketAddr,
    state: Arc<State>,
}

impl Pipe {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        tokio::spawn(accept(listener, server, state.clone()));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("wss://{}/ws/chat", self.address)
    }

    /// Nothing passes any more on the connections that there are; they stay open.
    pub fn silence(&self) {
        self.state.silent.store(self.state.made.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: Arc<State>) {
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(server).await else { continue };
        let number = state.made.fetch_add(1, Ordering::SeqCst);
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::spawn(carry(near_in, far_out, number, state.clone()));
        tokio::spawn(carry(far_in, near_out, number, state.clone()));
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    number: usize,
    state: Arc<State>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0
            || (number >= state.silent.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).await.is_err())
        {
            return;
        }
    }
}
