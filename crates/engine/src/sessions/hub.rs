//! The sessions that this process runs, and who waits for news of any.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Id;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::State;
use super::calls::Asked;
use crate::wake::{Bells, NamedListener};

/// A session that runs here.
#[derive(Clone)]
pub(super) struct Held {
    pub fence: i64,
    pub opening: i64,
    /// When it was begun.
    pub since: i64,
    /// Until when it is surely ours; 0 when it is not any more.
    pub until: Arc<watch::Sender<i64>>,
    pub stop: CancellationToken,
    /// It has stopped and was given back.
    pub ended: CancellationToken,
    pub asked: mpsc::Sender<Asked>,
    /// What it told last.
    pub state: State,
    /// Whether it came up was counted.
    pub counted: bool,
}

#[derive(Default)]
pub(crate) struct Hub {
    held: Mutex<HashMap<Id, Held>>,
    bells: Bells,
    /// A session ended by itself before it was up.
    fell: AtomicBool,
}

impl Hub {
    pub(super) fn held(&self) -> MutexGuard<'_, HashMap<Id, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, sender: &Id) -> Option<Held> {
        self.held().get(sender).cloned()
    }

    /// Stops a session if it runs here.
    pub(crate) fn stop(&self, sender: &Id) {
        if let Some(held) = self.get(sender) {
            held.stop.cancel();
        }
    }

    /// A session told how it stands.
    pub(super) fn told(&self, sender: &Id, fence: i64, state: State) {
        if let Some(held) = self.held().get_mut(sender).filter(|held| held.fence == fence) {
            held.state = state;
        }
    }

    /// Forgets a session, unless it has been taken anew.
    pub(super) fn forget(&self, sender: &Id, fence: i64) {
        let mut held = self.held();
        if held.get(sender).is_some_and(|held| held.fence == fence) {
            held.remove(sender);
        }
    }

    /// Whether any ended by itself before it was up, since this was asked last.
    pub(super) fn fell(&self) -> bool {
        self.fell.swap(false, Ordering::Relaxed)
    }

    /// A session ends by itself.
    pub(super) fn ends(&self, sender: &Id) {
        let up = |held: &Held| held.counted || held.state == State::Connected || held.state.awaits();
        if !self.held().get(sender).is_some_and(up) {
            self.fell.store(true, Ordering::Relaxed);
        }
    }

    /// There is news of a session.
    pub(super) fn changed(&self, sender: &Id) {
        self.bells.ring(sender);
    }

    pub(super) fn listen(&self, sender: Id) -> NamedListener<'_> {
        self.bells.listen(sender)
    }
}
