//! Bodies on their way, and the two clocks that watch them: how long nothing has moved, and how long it takes in all.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

use super::{Error, Limits, Stage};

/// What a request carries.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

/// Pieces of a body that are handed over one after the other.
const PIECE: usize = 64 * 1024;

/// How long an exchange may stand still, and when it must be over.
#[derive(Clone)]
pub(super) struct Patience {
    idle: Duration,
    end: Instant,
    /// Something of the request's body went out.
    moved: Arc<Notify>,
}

impl Patience {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { idle: limits.idle, end: Instant::now() + limits.total, moved: Arc::default() }
    }

    /// Waits for `work` while the request's body moves.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let mut work = std::pin::pin!(work);
        loop {
            let until = self.end.min(Instant::now() + self.idle);
            let step = async {
                tokio::select! {
                    done = &mut work => Some(done),
                    () = self.moved.notified() => None,
                }
            };
            match timeout_at(until, step).await {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(_) => return Err(Error::Timeout(Stage::Exchange)),
            }
        }
    }

    fn watch(&self, pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Outgoing {
        let moved = self.moved.clone();
        let frames = pieces.map(move |piece| {
            moved.notify_one();
            piece.map(Frame::data)
        });
        StreamBody::new(frames).boxed_unsync()
    }

    /// A body that is there already.
    pub(super) fn whole(&self, bytes: Bytes) -> Outgoing {
        if bytes.is_empty() {
            return Empty::new().map_err(|never| match never {}).boxed_unsync();
        }
        self.watch(stream::unfold(bytes, |mut left| async {
            let piece = left.split_to(left.len().min(PIECE));
            (!piece.is_empty()).then_some((Ok(piece), left))
        }))
    }

    /// A body that comes through a channel, from [`feed`].
    pub(super) fn fed(&self, mut pieces: mpsc::Receiver<io::Result<Bytes>>) -> Outgoing {
        self.watch(stream::poll_fn(move |context| pieces.poll_recv(context)))
    }
}

/// Reads exactly `length` bytes and hands them over; a reader that has fewer spoils the request. Blocks the thread
/// while it reads. Ends early when nobody takes the pieces any more.
pub(super) async fn feed(mut reader: impl Read, length: u64, pieces: mpsc::Sender<io::Result<Bytes>>) {
    let mut left = length;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        let read = reader.read_exact(&mut piece);
        left -= piece.len() as u64;
        let stop = read.is_err();
        if pieces.send(read.map(|()| piece.into())).await.is_err() || stop {
            return;
        }
    }
    // The body ends with the channel; whether it was taken, the answer tells.
}

/// Reads an answer's body, at most `limit` bytes of it.
pub(super) async fn read_all(mut body: Incoming, limit: u64, patience: &Patience) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::new();
    let mut left = limit;
    while let Some(piece) = next(&mut body, patience).await? {
        left = left.checked_sub(piece.len() as u64).ok_or(Error::TooLarge { limit })?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

async fn next(body: &mut Incoming, patience: &Patience) -> Result<Option<Bytes>, Error> {
    loop {
        let Some(frame) = patience.wait(body.frame()).await? else { return Ok(None) };
        let frame = frame.map_err(|source| Error::Exchange(source.into()))?;
        // Anything else is a trailer, which nobody reads.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// An answer's body for a thread that may block.
pub(super) struct Reading {
    pub(super) runtime: Handle,
    pub(super) body: Incoming,
    pub(super) patience: Patience,
    pub(super) limit: u64,
    pub(super) read: u64,
    pub(super) piece: Bytes,
}

impl Read for Reading {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let next = self.runtime.block_on(next(&mut self.body, &self.patience)).map_err(io::Error::other)?;
            let Some(piece) = next else { return Ok(0) };
            self.read += piece.len() as u64;
            if self.read > self.limit {
                return Err(io::Error::other(Error::TooLarge { limit: self.limit }));
            }
            self.piece = piece;
        }
        let length = out.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut out[..length]);
        Ok(length)
    }
}
