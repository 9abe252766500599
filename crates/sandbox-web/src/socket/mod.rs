//! One connection, from its first byte to its last.
//!
//! Two tasks carry it: this one reads, and hands every node to the world under its lock; the other empties the outbox. The
//! world never waits for a socket. When either task ends, the connection ends and the world is told, so that what the client
//! did not confirm goes back to its queue. A client that is said goodbye to has a moment to read it.

mod chain;
mod frames;
pub(crate) mod noise;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocket;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tracing::debug;
use wacore_noise::NoiseCipher;

use crate::clock::pause;
use crate::server::Shared;
use frames::{Incoming, Outgoing};
use noise::{Agreed, Greeting};
pub(crate) use outbox::{Outbox, Parcel};

/// A client that says nothing for so long before it is logged in is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a client may take to go once it was told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Frames(#[from] frames::Error),
    #[error(transparent)]
    Noise(#[from] noise::Error),
    #[error("the client said nothing")]
    Silence(#[from] tokio::time::error::Elapsed),
}

/// Serves one client until it goes.
pub(crate) async fn serve(shared: Arc<Shared>, socket: WebSocket) {
    if let Err(end) = talk(&shared, socket).await {
        debug!(error = &end as &dyn std::error::Error, "connection ended");
    }
}

async fn talk(shared: &Shared, socket: WebSocket) -> Result<(), Error> {
    let (sink, stream) = socket.split();
    let (mut incoming, mut outgoing) = (Incoming::new(stream), Outgoing::new(sink));
    let agreed = tokio::time::timeout(PATIENCE, shake_hands(shared, &mut incoming, &mut outgoing)).await??;
    let Agreed { receive, send, client, payload } = *agreed;

    let (outbox, parcels) = Outbox::new();
    let mut writer = tokio::spawn(empty(parcels, outgoing, send));
    pause(shared.handshake_delay).await;
    let Some(line) = shared.world().enter(client, &payload, outbox) else {
        // What was said to it must still leave.
        if let Ok(Left::Closed) = writer.await {
            linger(&mut incoming).await;
        }
        return Ok(());
    };
    let end = tokio::select! {
        end = listen(shared, line, &mut incoming, &receive) => end,
        left = &mut writer => match left {
            Ok(Left::Open) => endure(&mut incoming).await,
            Ok(Left::Closed) => {
                // Its successor may come while it goes.
                shared.world().leave(line);
                linger(&mut incoming).await;
                Ok(())
            }
            Ok(Left::Cut) | Err(_) => Ok(()),
        },
    };
    writer.abort();
    shared.world().leave(line);
    end
}

async fn shake_hands(shared: &Shared, incoming: &mut Incoming, outgoing: &mut Outgoing) -> Result<Box<Agreed>, Error> {
    let first = incoming.frame().await?;
    pause(shared.handshake_delay).await;
    match noise::greet(&shared.identity, &first)? {
        Greeting::Done { hello, agreed } => {
            outgoing.frame(&hello).await?;
            Ok(agreed)
        }
        Greeting::More { hello, waiting } => {
            outgoing.frame(&hello).await?;
            Ok(waiting.finish(&incoming.frame().await?)?)
        }
    }
}

async fn listen(shared: &Shared, line: u64, incoming: &mut Incoming, cipher: &NoiseCipher) -> Result<(), Error> {
    loop {
        let node = incoming.node(cipher).await?;
        shared.world().hear(line, node);
    }
}

/// What comes is taken and means nothing, until the client gives up.
async fn endure(incoming: &mut Incoming) -> Result<(), Error> {
    loop {
        incoming.frame().await?;
    }
}

/// Waits for a client that was told goodbye to go by itself, for a moment: a socket that is closed under what its client
/// still writes is reset, and the goodbye is lost with it.
async fn linger(incoming: &mut Incoming) {
    let _ = tokio::time::timeout(FAREWELL, endure(incoming)).await;
}

/// How the writer left the connection.
enum Left {
    Closed,
    Cut,
    Open,
}

async fn empty(mut parcels: mpsc::UnboundedReceiver<Parcel>, mut outgoing: Outgoing, cipher: NoiseCipher) -> Left {
    while let Some(parcel) = parcels.recv().await {
        let said = match parcel {
            Parcel::Node(node) => outgoing.node(&cipher, &node).await,
            Parcel::Bytes(bytes) => outgoing.bytes(&cipher, bytes).await,
            Parcel::Late(node, delay) => {
                pause(delay).await;
                outgoing.node(&cipher, &node).await
            }
            Parcel::Close => break,
            Parcel::Cut => return Left::Cut,
            Parcel::Silence => return Left::Open,
        };
        if said.is_err() {
            return Left::Cut;
        }
    }
    outgoing.close().await;
    Left::Closed
}
