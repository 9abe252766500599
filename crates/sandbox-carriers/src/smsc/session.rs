//! One connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use rusmpp::pdus::{BindReceiverResp, BindTransceiverResp, BindTransmitterResp, SubmitSm, SubmitSmResp};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::Centre;
use super::outbox::{Outbox, Parcel};
use crate::outside::{Fault, Target};

/// How long a delivery waits for its acknowledgement.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);
/// Before a delivery that was refused is brought again.
const REST: Duration = Duration::from_millis(500);
/// Commands that may wait for the socket.
const OUTBOX: usize = 1024;

type Line = Framed<TcpStream, CommandCodec>;

struct Session {
    centre: Arc<Centre>,
    out: mpsc::Sender<Command>,
    /// Deliveries that wait for their acknowledgement.
    pending: Mutex<HashMap<u32, oneshot::Sender<CommandStatus>>>,
    last_sequence: AtomicU32,
    over: CancellationToken,
}

/// How somebody is bound, and who.
#[derive(Clone)]
struct Bound {
    sends: bool,
    outbox: Arc<Outbox>,
}

/// How somebody wants to be bound.
#[derive(Clone, Copy)]
struct Wanted {
    sends: bool,
    receives: bool,
}

/// Works until the connection ends.
pub(super) async fn serve(centre: Arc<Centre>, stream: TcpStream) {
    // Without it small PDUs wait for each other.
    let _ = stream.set_nodelay(true);
    let (sink, stream) = Framed::new(stream, CommandCodec::new()).split();
    let (out, commands) = mpsc::channel(OUTBOX);
    let over = centre.world.stop.child_token();
    let session = Arc::new(Session {
        centre,
        out,
        pending: Mutex::default(),
        last_sequence: AtomicU32::new(0),
        over: over.clone(),
    });
    tokio::select! {
        () = Arc::clone(&session).read(stream) => {}
        () = write(sink, commands) => {}
        () = over.cancelled() => {}
    }
    over.cancel();
    session.pending().clear();
}

async fn write(mut sink: SplitSink<Line, Command>, mut commands: mpsc::Receiver<Command>) {
    while let Some(command) = commands.recv().await {
        if sink.feed(command).await.is_err() {
            return;
        }
        if commands.is_empty() && sink.flush().await.is_err() {
            return;
        }
    }
}

impl Session {
    async fn read(self: Arc<Self>, mut stream: SplitStream<Line>) {
        let mut bound = None;
        while let Some(Ok(command)) = stream.next().await {
            let (sequence, status) = (command.sequence_number, command.status);
            match command.pdu() {
                Some(Pdu::EnquireLink) => self.say(sequence, CommandStatus::EsmeRok, Pdu::EnquireLinkResp).await,
                Some(Pdu::Unbind) => {
                    self.say(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp).await;
                    // The answer goes out before the connection does.
                    self.centre.world.pause(Duration::from_millis(20)).await;
                    return;
                }
                Some(Pdu::SubmitSm(pdu)) => self.submitted(sequence, pdu.clone(), bound.as_ref()).await,
                Some(pdu) if bind_of(pdu).is_some() => bound = self.bind(sequence, pdu, bound).await,
                Some(Pdu::EnquireLinkResp) => {}
                // An acknowledgement may lack its body.
                _ if command.id() == rusmpp::CommandId::DeliverSmResp => self.acknowledged(sequence, status),
                _ => self.say(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack).await,
            }
        }
    }

    async fn bind(self: &Arc<Self>, sequence: u32, pdu: &Pdu, bound: Option<Bound>) -> Option<Bound> {
        let (wanted, id, password) = bind_of(pdu)?;
        let known = self.centre.member(id);
        let status = match &known {
            _ if bound.is_some() => CommandStatus::EsmeRalybnd,
            None => CommandStatus::EsmeRinvsysid,
            Some(known) if password != known.system.password => CommandStatus::EsmeRinvpaswd,
            Some(_) => CommandStatus::EsmeRok,
        };
        let name = "hermod-smsc".parse().unwrap_or_default();
        let answer: Pdu = match pdu {
            Pdu::BindReceiver(_) => BindReceiverResp::new(name, None).into(),
            Pdu::BindTransmitter(_) => BindTransmitterResp::new(name, None).into(),
            _ => BindTransceiverResp::new(name, None).into(),
        };
        self.say(sequence, status, answer).await;
        let Some(known) = known.filter(|_| status == CommandStatus::EsmeRok) else { return bound };
        if wanted.receives {
            tokio::spawn(Arc::clone(self).bring(Arc::clone(&known.outbox)));
        }
        Some(Bound { sends: wanted.sends, outbox: Arc::clone(&known.outbox) })
    }

    async fn submitted(self: &Arc<Self>, sequence: u32, pdu: SubmitSm, bound: Option<&Bound>) {
        let Some(bound) = bound.filter(|bound| bound.sends) else {
            return self.refuse(sequence, CommandStatus::EsmeRinvbndsts).await;
        };
        let fault = self.centre.world.outside.fault(Target::Sms);
        let waits = !self.centre.options.latency.is_zero() || matches!(fault, Some(Fault::Delay(_) | Fault::Reorder));
        match waits {
            true => {
                let (session, owner) = (Arc::clone(self), Arc::clone(&bound.outbox));
                tokio::spawn(async move { session.take(sequence, &pdu, &owner, fault).await });
            }
            false => self.take(sequence, &pdu, &bound.outbox, fault).await,
        }
    }

    async fn take(&self, sequence: u32, pdu: &SubmitSm, owner: &Arc<Outbox>, fault: Option<Fault>) {
        self.centre.world.pause(self.centre.options.latency).await;
        match &fault {
            Some(Fault::Timeout) => return,
            Some(Fault::Status(status)) => return self.refuse(sequence, CommandStatus::from(*status)).await,
            Some(Fault::Delay(length)) => {
                self.centre.world.pause(*length).await;
            }
            _ => {}
        }
        let taken = match self.centre.take(pdu, owner) {
            Ok(taken) => taken,
            Err(status) => return self.refuse(sequence, CommandStatus::from(status)).await,
        };
        if fault == Some(Fault::Reorder) {
            self.centre.settle_first(&taken).await;
        }
        if fault == Some(Fault::Drop) {
            self.over.cancel();
            return self.centre.settle_later(taken, fault);
        }
        let name = self.centre.first_name(taken.id).parse().unwrap_or_default();
        self.say(sequence, CommandStatus::EsmeRok, SubmitSmResp::new(name, Vec::new())).await;
        if fault != Some(Fault::Reorder) {
            self.centre.settle_later(taken, fault);
        }
    }

    /// Brings what waits, within the window, until the connection ends.
    async fn bring(self: Arc<Self>, outbox: Arc<Outbox>) {
        let _taker = outbox.taker();
        let window = Arc::new(Semaphore::new(self.centre.options.window.max(1)));
        loop {
            let Ok(slot) = Arc::clone(&window).acquire_owned().await else { return };
            let parcel = tokio::select! {
                parcel = outbox.take() => parcel,
                () = self.over.cancelled() => return,
            };
            let (session, outbox) = (Arc::clone(&self), Arc::clone(&outbox));
            tokio::spawn(async move {
                session.deliver(parcel, &outbox).await;
                drop(slot);
            });
        }
    }

    /// Brings one; what is not acknowledged waits for its next chance.
    async fn deliver(&self, parcel: Parcel, outbox: &Outbox) {
        let (told, acknowledged) = oneshot::channel();
        let sequence = self.last_sequence.fetch_add(1, Ordering::Relaxed) + 1;
        self.pending().insert(sequence, told);
        self.say(sequence, CommandStatus::EsmeRok, parcel.pdu.clone()).await;
        let status = tokio::select! {
            status = acknowledged => status.ok(),
            _ = self.centre.world.pause(ACKNOWLEDGEMENT) => None,
            () = self.over.cancelled() => None,
        };
        self.pending().remove(&sequence);
        if status == Some(CommandStatus::EsmeRok) {
            if let Some(taken) = parcel.taken {
                // Whoever waited may have gone on.
                let _ = taken.send(());
            }
            return;
        }
        if status.is_some() {
            self.centre.world.pause(REST).await;
        }
        outbox.put_back(parcel);
    }

    fn acknowledged(&self, sequence: u32, status: CommandStatus) {
        if let Some(waiting) = self.pending().remove(&sequence) {
            let _ = waiting.send(status);
        }
    }

    async fn refuse(&self, sequence: u32, status: CommandStatus) {
        self.say(sequence, status, SubmitSmResp::default()).await;
    }

    async fn say(&self, sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) {
        // A connection that is over has nobody left to tell.
        tokio::select! {
            _ = self.out.send(Command::new(status, sequence, pdu)) => {}
            () = self.over.cancelled() => {}
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<u32, oneshot::Sender<CommandStatus>>> {
        // Whoever panicked left a whole map.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a bind wants to be bound, by whom and with which password.
fn bind_of(pdu: &Pdu) -> Option<(Wanted, &str, &str)> {
    let bound = |sends, receives| Wanted { sends, receives };
    Some(match pdu {
        Pdu::BindTransceiver(bind) => (bound(true, true), bind.system_id.as_str(), bind.password.as_str()),
        Pdu::BindTransmitter(bind) => (bound(true, false), bind.system_id.as_str(), bind.password.as_str()),
        Pdu::BindReceiver(bind) => (bound(false, true), bind.system_id.as_str(), bind.password.as_str()),
        _ => return None,
    })
}
