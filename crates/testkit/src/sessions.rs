//! Sessions of the fake provider: each comes up at once and stays up until it is told otherwise.
//!
//! What is run in any process is shown to the test, which can speak for it and end it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::provider::Sessions;
use engine::sessions::{Asked, CallError, Lease, Opened, Session, State, Teller};
use engine::{Clock, Engine, Id};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::FakeProvider;

/// A session that was run, or is.
#[derive(Clone)]
pub struct Run {
    pub sender: Id,
    pub process: String,
    pub fence: i64,
    pub lease: Lease,
    /// How it stood when it was taken.
    pub session: Session,
    pub teller: Teller,
    pub stop: CancellationToken,
    /// When it began, in milliseconds.
    pub at: i64,
    end: Arc<Notify>,
}

impl Run {
    /// It ends by itself.
    pub fn end(&self) {
        self.end.notify_one();
    }
}

/// How sessions behave from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Not at all: its senders need none.
    #[default]
    None,
    /// Connected at once.
    Ready,
    /// They say nothing by themselves.
    Silent,
    /// They say nothing and do not stop when told to.
    Stubborn,
    /// They fall over.
    Panicking,
}

/// What all processes share.
#[derive(Clone)]
pub(crate) struct Stage {
    state: Arc<Mutex<Shown>>,
    count: Arc<watch::Sender<usize>>,
    clock: Clock,
}

#[derive(Default)]
struct Shown {
    manner: Manner,
    runs: Vec<Run>,
    connections: HashMap<Id, usize>,
    overlaps: usize,
}

impl Stage {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { state: Arc::default(), count: Arc::new(watch::Sender::new(0)), clock }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Senders whose sessions are connected in one process.
pub(crate) type Here = Arc<Mutex<HashSet<Id>>>;

impl FakeProvider {
    /// Its senders need sessions from now on, and these behave so.
    pub fn sessions_are(&self, manner: Manner) {
        self.stage.shown().manner = manner;
    }

    pub(crate) fn has_sessions(&self) -> bool {
        self.stage.shown().manner != Manner::None
    }

    pub(crate) fn is_here(&self, sender: &Id) -> bool {
        !self.has_sessions() || self.here.lock().unwrap_or_else(PoisonError::into_inner).contains(sender)
    }

    /// Waits until so many sessions were begun in all, and shows the last of these.
    pub async fn ran(&self, count: usize) -> Run {
        let _ = self.stage.count.subscribe().wait_for(|begun| *begun >= count).await;
        self.stage.shown().runs[count - 1].clone()
    }

    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.stage.shown().runs.clone()
    }

    /// How often a connection was opened while another of the same sender's was open.
    #[must_use]
    pub fn overlaps(&self) -> usize {
        self.stage.shown().overlaps
    }
}

/// An open connection; closed however its session ends.
struct Connection<'a>(&'a FakeProvider, Id);

impl<'a> Connection<'a> {
    fn open(provider: &'a FakeProvider, sender: Id) -> Self {
        let mut shown = provider.stage.shown();
        let open = shown.connections.entry(sender).or_default();
        *open += 1;
        let overlaps = *open > 1;
        shown.overlaps += usize::from(overlaps);
        Self(provider, sender)
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
        if let Some(open) = self.0.stage.shown().connections.get_mut(&self.1) {
            *open -= 1;
        }
    }
}

impl Sessions for FakeProvider {
    fn run<'a>(&'a self, engine: &'a Engine, mut opened: Opened) -> BoxFuture<'a, ()> {
        let (manner, end) = (self.stage.shown().manner, Arc::new(Notify::new()));
        let run = Run {
            sender: opened.sender.id,
            process: engine.settings.process.clone(),
            fence: opened.fence,
            lease: opened.lease.clone(),
            session: opened.session.clone(),
            teller: opened.teller.clone(),
            stop: opened.stop.clone(),
            at: self.stage.clock.now(),
            end: end.clone(),
        };
        let connection = Connection::open(self, run.sender);
        Box::pin(async move {
            let connection = connection;
            if manner == Manner::Ready {
                self.here.lock().unwrap_or_else(PoisonError::into_inner).insert(run.sender);
                opened.teller.state(State::Connected, None, None).await.unwrap();
            }
            let count = {
                let mut shown = self.stage.shown();
                shown.runs.push(run);
                shown.runs.len()
            };
            self.stage.count.send_replace(count);
            assert!(manner != Manner::Panicking, "as told");
            loop {
                tokio::select! {
                    () = opened.stop.cancelled(), if manner != Manner::Stubborn => break,
                    () = end.notified() => break,
                    Some(asked) = opened.asked.recv() => answer(asked),
                }
            }
            drop(connection);
        })
    }
}

/// `echo`: the same back; `refuse`: no; anything else is never answered.
fn answer(asked: Asked) {
    let answer = match asked.name.as_str() {
        "echo" => Ok(json!({ "echo": asked.ask })),
        "refuse" => Err(CallError::Refused { code: Some(463), message: "not now".into() }),
        _ => return std::mem::forget(asked.answer),
    };
    let _ = asked.answer.send(answer);
}
