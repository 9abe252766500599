//! What is asked for on every request and changes rarely. Dropped whole whenever anything of it may have
//! changed, here or in another process (`workers::watch`); a load that began before a drop is not kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foldhash::fast::RandomState;
use store::Id;
use store::keys::ApiKey;
use store::senders::Sender;

use crate::provider::Account;

/// Bounds what guesses at keys can make us remember.
const MOST: usize = 10_000;

#[derive(Default)]
pub struct Cache {
    generation: AtomicU64,
    pub(crate) keys: Map<[u8; 32], ApiKey>,
    pub(crate) senders: Map<(Id, String), Sender>,
    pub(crate) senders_by_id: Map<Id, Sender>,
    /// By channel and address.
    pub(crate) senders_on: Map<(Id, String), Sender>,
    /// By provider and the provider's name; so are `accounts_by_name`.
    pub(crate) senders_by_name: Map<(String, String), Sender>,
    pub(crate) accounts_by_name: Map<(String, String), store::accounts::Account>,
    pub(crate) accounts: Map<Id, Account>,
    pub(crate) organizations: Map<Id, store::organizations::Organization>,
    /// One value.
    pub(crate) prices: Map<(), crate::billing::Prices>,
    /// When each account was last known to be heard.
    heard: Mutex<HashMap<Id, i64, RandomState>>,
}

/// That an account is heard is written down once in so many milliseconds.
const NEWS_MS: i64 = 1000;

impl Cache {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.keys.clear();
        self.senders.clear();
        self.senders_by_id.clear();
        self.senders_on.clear();
        self.senders_by_name.clear();
        self.accounts_by_name.clear();
        self.accounts.clear();
        self.organizations.clear();
        self.prices.clear();
    }

    /// Whether it is time to write down that an account is heard; if so, the next time is a while away.
    pub(crate) fn is_news_of(&self, account: &Id, now: i64) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let old = heard.get(account).is_some_and(|at| (*at..at + NEWS_MS).contains(&now));
        if !old {
            heard.insert(*account, now);
        }
        !old
    }

    /// Keeps a value that was loaded while `generation` was current.
    pub(crate) fn keep<K: Eq + Hash, V>(&self, map: &Map<K, V>, generation: u64, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut kept = map.0.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation() == generation && kept.len() < MOST {
            kept.insert(key, value.clone());
        }
        value
    }
}

pub(crate) struct Map<K, V>(RwLock<HashMap<K, Arc<V>, RandomState>>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V> Map<K, V> {
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
