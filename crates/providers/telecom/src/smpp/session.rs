//! One connection to a carrier, from its first octet to its last.
//!
//! Three things go on at once: what the carrier says is read, what we say is written, and a silence is broken with a
//! question. When one of them ends, all do, and whoever waits for an answer learns whether his request went out: what was not
//! written may be sent again at once, what was written and not answered may have been taken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use engine::Clock;
use futures_util::StreamExt;
use rusmpp::pdus::DeliverSmResp;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use super::delivery::Delivery;
use super::wire::{Answer, Incoming, Wire, WireError, encode};

/// Requests and answers that may wait for the socket.
const OUTBOX: usize = 2048;
/// PDUs in one write.
const BATCH: usize = 64;
/// How long the carrier has to say that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Sequence numbers have 31 bits and begin with 1.
const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;

pub(super) struct Session {
    clock: Clock,
    outbox: mpsc::Sender<Frame>,
    pending: Mutex<Pending>,
    last_sequence: AtomicU32,
    /// When the carrier was last heard.
    heard: AtomicI64,
    /// Somebody found a reason to end it.
    over: CancellationToken,
}

/// What is read from the outside end of a session.
pub(super) struct Ends {
    outbox: mpsc::Receiver<Frame>,
    arrivals: mpsc::Sender<Arrival>,
}

/// Something to be written; `asked` is the number of a request that somebody waits for.
struct Frame {
    command: Command,
    asked: Option<u32>,
}

#[derive(Default)]
struct Pending {
    over: bool,
    waiting: HashMap<u32, Waiting>,
}

struct Waiting {
    written: bool,
    answer: oneshot::Sender<Result<Answer, Lost>>,
}

/// A request came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It never went out.
    Unsent,
    /// It did, or a part of it.
    Unanswered,
}

/// A message or receipt that waits for our answer.
pub(super) struct Arrival {
    pub(super) sequence: u32,
    pub(super) delivery: Delivery,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the carrier closed the connection")]
    Closed,
    #[error("the carrier said goodbye")]
    Unbound,
    #[error("the carrier did not answer")]
    Silent,
    #[error("we ended it")]
    Over,
    #[error("the connection broke")]
    Broken(#[from] WireError),
}

impl Session {
    /// A session whose deliveries go to `arrivals`, and what [`Session::run`] needs of it.
    pub(super) fn new(clock: Clock, arrivals: mpsc::Sender<Arrival>) -> (Self, Ends) {
        let (outbox, frames) = mpsc::channel(OUTBOX);
        let session = Self {
            heard: AtomicI64::new(clock.now()),
            clock,
            outbox,
            pending: Mutex::default(),
            last_sequence: AtomicU32::new(0),
            over: CancellationToken::new(),
        };
        (session, Ends { outbox: frames, arrivals })
    }

    /// Works until the connection ends; then everybody who waited knows.
    pub(super) async fn run<S>(&self, stream: S, ends: Ends, enquire_every: Duration) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (reading, writing) = split(stream);
        let ended = tokio::select! {
            ended = self.read(FramedRead::new(reading, Wire), ends.arrivals) => ended,
            ended = self.write(writing, ends.outbox) => ended,
            ended = self.watch(enquire_every) => ended,
            () = self.over.cancelled() => Ended::Over,
        };
        self.settle();
        ended
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&self, pdu: impl Into<Pdu>, patience: Duration) -> Result<Answer, Lost> {
        let (answer, answered) = oneshot::channel();
        let sequence = self.expect(answer).ok_or(Lost::Unsent)?;
        let asked = Asked { session: self, sequence };
        let frame = Frame { command: Command::new(CommandStatus::EsmeRok, sequence, pdu), asked: Some(sequence) };
        if self.outbox.send(frame).await.is_err() {
            return Err(Lost::Unsent);
        }
        tokio::select! {
            answer = answered => answer.unwrap_or(Err(Lost::Unanswered)),
            () = self.clock.sleep(patience) => Err(asked.give_up()),
        }
    }

    /// Tells the carrier what we did with a delivery.
    pub(super) async fn acknowledge(&self, sequence: u32, status: CommandStatus) {
        self.reply(sequence, status, DeliverSmResp::default()).await;
    }

    /// Ends the connection.
    pub(super) fn end(&self) {
        self.over.cancel();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_cancelled() || self.pending().over
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.pending().waiting.is_empty()
    }

    /// When the carrier was last heard, in milliseconds.
    pub(super) fn heard(&self) -> i64 {
        self.heard.load(Ordering::Relaxed)
    }

    async fn read<R>(&self, mut stream: FramedRead<R, Wire>, arrivals: mpsc::Sender<Arrival>) -> Ended
    where
        R: AsyncRead + Unpin,
    {
        while let Some(pdu) = stream.next().await {
            self.heard.store(self.clock.now(), Ordering::Relaxed);
            match pdu {
                Err(error) => return error.into(),
                Ok(Incoming::Answer { sequence, answer }) => self.answered(sequence, answer),
                Ok(Incoming::Deliver { sequence, delivery }) => self.delivered(sequence, delivery, &arrivals).await,
                Ok(Incoming::EnquireLink { sequence }) => {
                    self.reply(sequence, CommandStatus::EsmeRok, Pdu::EnquireLinkResp).await;
                }
                Ok(Incoming::Unbind { sequence }) => {
                    self.reply(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp).await;
                    return Ended::Unbound;
                }
                Ok(Incoming::Unknown { sequence }) => {
                    self.reply(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack).await;
                }
            }
        }
        Ended::Closed
    }

    async fn write<W>(&self, mut stream: W, mut outbox: mpsc::Receiver<Frame>) -> Ended
    where
        W: AsyncWrite + Unpin,
    {
        let (mut batch, mut octets) = (Vec::with_capacity(BATCH), BytesMut::new());
        while outbox.recv_many(&mut batch, BATCH).await > 0 {
            octets.clear();
            for frame in batch.drain(..).filter(|frame| frame.asked.is_none_or(|sequence| self.goes_out(sequence))) {
                if let Err(error) = encode(&frame.command, &mut octets) {
                    return WireError::Io(error).into();
                }
            }
            let written = async {
                stream.write_all(&octets).await?;
                stream.flush().await
            };
            if let Err(error) = written.await {
                return WireError::Io(error).into();
            }
        }
        Ended::Over
    }

    /// Asks after a silence; another one ends the session.
    async fn watch(&self, every: Duration) -> Ended {
        let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX / 4);
        loop {
            self.clock.sleep_until(self.heard() + every_ms).await;
            if self.clock.now() < self.heard() + every_ms {
                continue;
            }
            if self.ask(Pdu::EnquireLink, SIGN_OF_LIFE).await.is_err() {
                return Ended::Silent;
            }
        }
    }

    async fn delivered(&self, sequence: u32, delivery: Option<Box<Delivery>>, arrivals: &mpsc::Sender<Arrival>) {
        let Some(delivery) = delivery else {
            tracing::warn!("a carrier's delivery cannot be read; it is refused for good");
            return self.acknowledge(sequence, CommandStatus::EsmeRxPAppn).await;
        };
        // The carrier keeps what we cannot take now, and we go on hearing answers.
        if arrivals.try_send(Arrival { sequence, delivery: *delivery }).is_err() {
            self.acknowledge(sequence, CommandStatus::EsmeRmsgqful).await;
        }
    }

    async fn reply(&self, sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) {
        let frame = Frame { command: Command::new(status, sequence, pdu), asked: None };
        // A session that is over has nobody left to tell.
        let _ = self.outbox.send(frame).await;
    }

    /// A number for a request, unless the session is over.
    fn expect(&self, answer: oneshot::Sender<Result<Answer, Lost>>) -> Option<u32> {
        let mut pending = self.pending();
        if pending.over {
            return None;
        }
        let sequence = self.last_sequence.fetch_add(1, Ordering::Relaxed) % LAST_SEQUENCE + 1;
        pending.waiting.insert(sequence, Waiting { written: false, answer });
        Some(sequence)
    }

    /// Whether a request is still wanted; from now on it may have been taken.
    fn goes_out(&self, sequence: u32) -> bool {
        let mut pending = self.pending();
        pending.waiting.get_mut(&sequence).map(|waiting| waiting.written = true).is_some()
    }

    fn answered(&self, sequence: u32, answer: Answer) {
        if let Some(waiting) = self.pending().waiting.remove(&sequence) {
            // Nobody may be waiting any more.
            let _ = waiting.answer.send(Ok(answer));
        }
    }

    fn settle(&self) {
        let mut pending = self.pending();
        pending.over = true;
        for (_, waiting) in pending.waiting.drain() {
            let lost = if waiting.written { Lost::Unanswered } else { Lost::Unsent };
            let _ = waiting.answer.send(Err(lost));
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Whoever panicked left the map as it was.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. Whoever stops waiting takes it back if it has not gone out.
struct Asked<'a> {
    session: &'a Session,
    sequence: u32,
}

impl Asked<'_> {
    fn give_up(&self) -> Lost {
        match self.session.pending().waiting.remove(&self.sequence) {
            Some(Waiting { written: false, .. }) => Lost::Unsent,
            _ => Lost::Unanswered,
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.session.pending().waiting.remove(&self.sequence);
    }
}

#[cfg(test)]
mod tests;
