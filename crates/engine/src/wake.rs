//! Bells between the parts of one process. Everyone who listens hears every ring, also one that came
//! while it was busy; rings are not counted. What rings in another process is not heard at all, so every
//! listener also looks by itself from time to time.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;
use store::Id;
use tokio::sync::watch;

#[derive(Default)]
pub struct Wake {
    /// Senders whose messages wait.
    pub senders: Board,
    /// Events wait to become deliveries.
    pub dispatch: Bell,
    /// Subscriptions whose deliveries wait.
    pub subscriptions: Board,
    /// Other jobs wait.
    pub jobs: Bell,
    /// Campaigns are to go on.
    pub campaigns: Bell,
    /// Campaigns of which something was done.
    pub turns: Bells,
    /// Sessions are to be taken, stopped or asked.
    pub sessions: Bell,
    /// Messages whose sending was answered.
    pub settled: Bells,
}

impl Wake {
    /// Something changed that nobody knows more of: all look.
    pub fn all(&self) {
        self.senders.ring_all();
        self.subscriptions.ring_all();
        self.dispatch.ring();
        self.jobs.ring();
        self.campaigns.ring();
        self.sessions.ring();
    }
}

pub struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears whatever rings from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

pub struct Listener(watch::Receiver<()>);

impl Listener {
    /// Waits for the next ring, or returns at once when one was not heard yet.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Counts everything that rang until now as heard: whoever looks next sees it.
    pub fn mark(&mut self) {
        self.0.mark_unchanged();
    }

    /// Whether something rang that was not heard yet.
    #[must_use]
    pub fn rang(&self) -> bool {
        self.0.has_changed().unwrap_or(false)
    }
}

/// A bell that says for whom it rings.
#[derive(Default)]
pub struct Board {
    bell: Bell,
    named: Mutex<Named>,
}

/// Who was rung for since somebody looked.
#[derive(Default)]
pub(crate) struct Named {
    pub ids: HashSet<Id, RandomState>,
    /// Anybody may have been meant.
    pub all: bool,
}

impl Board {
    pub fn ring(&self, id: Id) {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).ids.insert(id);
        self.bell.ring();
    }

    pub fn ring_all(&self) {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).all = true;
        self.bell.ring();
    }

    #[must_use]
    pub fn listen(&self) -> Listener {
        self.bell.listen()
    }

    /// Takes the names off the board.
    pub(crate) fn take(&self) -> Named {
        std::mem::take(&mut self.named.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One bell for each name, there only while somebody listens to it.
#[derive(Default)]
pub struct Bells(Mutex<HashMap<Id, watch::Sender<()>>>);

impl Bells {
    pub fn ring(&self, name: &Id) {
        if let Some(bell) = self.bells().get(name) {
            bell.send_replace(());
        }
    }

    /// Hears whatever rings for a name from now on.
    #[must_use]
    pub fn listen(&self, name: Id) -> NamedListener<'_> {
        let heard = self.bells().entry(name).or_insert_with(|| watch::Sender::new(())).subscribe();
        NamedListener { name, bells: self, listener: Listener(heard) }
    }

    fn bells(&self) -> std::sync::MutexGuard<'_, HashMap<Id, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct NamedListener<'a> {
    name: Id,
    bells: &'a Bells,
    listener: Listener,
}

impl NamedListener<'_> {
    /// See [`Listener::heard`].
    pub async fn heard(&mut self) {
        self.listener.heard().await;
    }

    /// See [`Listener::mark`].
    pub fn mark(&mut self) {
        self.listener.mark();
    }
}

impl Drop for NamedListener<'_> {
    fn drop(&mut self) {
        let mut bells = self.bells.bells();
        if bells.get(&self.name).is_some_and(|bell| bell.receiver_count() <= 1) {
            bells.remove(&self.name);
        }
    }
}
