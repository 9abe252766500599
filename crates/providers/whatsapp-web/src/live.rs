//! The connections that run in this process, by sender.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::sessions::Teller;
use engine::{Clock, Id};
use tokio::sync::watch;
use whatsapp_rust::Client;

use crate::send::Acks;

/// One account's connection.
pub(crate) struct Connection {
    pub client: Arc<Client>,
    pub clock: Clock,
    pub acks: Acks,
    pub ringing: Ringing,
    pub teller: Teller,
    /// Logged in, and heard of lately.
    online: AtomicBool,
    /// How often it came up.
    ups: watch::Sender<u64>,
}

impl Connection {
    pub(crate) fn new(client: Arc<Client>, clock: Clock, teller: Teller) -> Self {
        Self {
            client,
            clock,
            acks: Acks::default(),
            ringing: Ringing::default(),
            teller,
            online: AtomicBool::new(false),
            ups: watch::Sender::new(0),
        }
    }

    pub(crate) fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
        self.ups.send_modify(|ups| *ups += u64::from(online));
    }

    /// Changes when it comes up the next time.
    pub(crate) fn next_up(&self) -> watch::Receiver<u64> {
        self.ups.subscribe()
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }
}

/// The calls that ring, by id: one that ends while it does was missed, or taken elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Ringing(Mutex<VecDeque<String>>);

/// More than ring at once anywhere; calls whose end is never told do not stay.
const MOST_RINGING: usize = 64;

impl Ringing {
    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, call: &str) {
        let mut ringing = self.lock();
        if ringing.len() == MOST_RINGING {
            ringing.pop_front();
        }
        ringing.push_back(call.to_owned());
    }

    /// Whether it rang until now.
    pub(crate) fn end(&self, call: &str) -> bool {
        let mut ringing = self.lock();
        let place = ringing.iter().position(|known| known == call);
        place.is_some_and(|place| ringing.remove(place).is_some())
    }
}

#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<Id, Arc<Connection>>>);

impl Live {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, sender: &Id) -> Option<Arc<Connection>> {
        self.lock().get(sender).cloned()
    }

    pub(crate) fn put(&self, sender: Id, connection: Arc<Connection>) {
        self.lock().insert(sender, connection);
    }

    /// Forgets a connection, unless another took its place.
    pub(crate) fn remove(&self, sender: &Id, connection: &Arc<Connection>) {
        let mut live = self.lock();
        if live.get(sender).is_some_and(|known| Arc::ptr_eq(known, connection)) {
            live.remove(sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_ring_until_they_end_and_old_ones_are_forgotten() {
        let ringing = Ringing::default();
        (0..=MOST_RINGING).for_each(|call| ringing.begin(&call.to_string()));
        assert_eq!(
            [ringing.end("0"), ringing.end("1"), ringing.end("1"), ringing.end("x")],
            [false, true, false, false]
        );
    }
}
