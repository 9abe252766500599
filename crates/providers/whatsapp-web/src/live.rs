//! The connections that run in this process, by sender.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Clock, Id};
use whatsapp_rust::Client;

use crate::send::Acks;

/// One account's connection.
pub(crate) struct Connection {
    pub client: Arc<Client>,
    pub clock: Clock,
    pub acks: Acks,
    pub sync_failures: SyncFailures,
    /// Logged in, and heard of lately.
    online: AtomicBool,
}

impl Connection {
    pub(crate) fn new(client: Arc<Client>, clock: Clock) -> Self {
        Self {
            client,
            clock,
            acks: Acks::default(),
            sync_failures: SyncFailures::default(),
            online: AtomicBool::new(false),
        }
    }

    pub(crate) fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }
}

/// Why collections of the owner's settings could not be synced last.
#[derive(Debug, Default)]
pub(crate) struct SyncFailures(Mutex<HashMap<String, String>>);

impl SyncFailures {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, collections: &[String], why: &str) {
        self.lock().extend(collections.iter().map(|name| (name.clone(), why.to_owned())));
    }

    pub(crate) fn forget(&self, collection: &str) {
        self.lock().remove(collection);
    }

    pub(crate) fn of(&self, collection: &str) -> Option<String> {
        self.lock().get(collection).cloned()
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
