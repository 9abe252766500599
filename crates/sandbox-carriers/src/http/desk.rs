//! What all requests share: the accounts, the calls that go on, and names for new things.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::account::{Account, Credentials, hash, uuid};
use super::numbers::Sold;
use super::telnyx::{Line, Replay};
use crate::world::World;

pub(super) type Shared = Arc<Desk>;

pub(super) struct Desk {
    pub(super) world: Arc<World>,
    accounts: Mutex<Vec<Arc<Account>>>,
    /// Telnyx's calls that were not ended, by control id.
    pub(super) lines: Mutex<HashMap<String, Line>>,
    /// Telnyx's answers to requests that may come again, by key.
    pub(super) replays: Mutex<Replays>,
    /// Numbers that were bought, oldest first.
    pub(super) sold: Mutex<Vec<Sold>>,
    counter: AtomicU64,
}

/// Bounded: the oldest go first.
#[derive(Default)]
pub(super) struct Replays {
    order: VecDeque<String>,
    kept: HashMap<String, Replay>,
}

/// Answers that are kept.
const KEPT: usize = 100_000;

impl Replays {
    pub(super) fn get(&self, key: &str) -> Option<&Replay> {
        self.kept.get(key)
    }

    pub(super) fn forget(&mut self, key: &str) {
        self.kept.remove(key);
    }

    pub(super) fn put(&mut self, key: String, replay: Replay) {
        if self.order.len() >= KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
        if self.kept.insert(key.clone(), replay).is_none() {
            self.order.push_back(key);
        }
    }
}

/// Something that a phone wrote, on its way to a platform.
pub(super) struct Letter<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) text: &'a str,
    pub(super) url: &'a str,
}

impl Desk {
    pub(super) fn new(world: Arc<World>, accounts: Vec<Account>) -> Self {
        Self {
            world,
            accounts: Mutex::new(accounts.into_iter().map(Arc::new).collect()),
            lines: Mutex::default(),
            replays: Mutex::default(),
            sold: Mutex::default(),
            counter: AtomicU64::new(0),
        }
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, mut account: Account) {
        account.numbers.extend(self.sold_to(&account.credentials.name()).into_iter().map(|sold| sold.number));
        let mut accounts = self.accounts();
        accounts.retain(|known| known.credentials.name() != account.credentials.name());
        accounts.push(Arc::new(account));
    }

    /// Gives an account a number, or takes it away.
    pub(super) fn change(&self, account: &str, change: impl FnOnce(&mut Vec<String>)) {
        let mut accounts = self.accounts();
        if let Some(known) = accounts.iter_mut().find(|known| known.credentials.name() == account) {
            let mut changed = Account::clone(known);
            change(&mut changed.numbers);
            *known = Arc::new(changed);
        }
    }

    /// The first account whose credentials are right.
    pub(super) fn find(&self, right: impl Fn(&Credentials) -> bool) -> Option<Arc<Account>> {
        self.accounts().iter().find(|account| right(&account.credentials)).cloned()
    }

    /// Whose number it is; of several, somebody who listens.
    pub(super) fn owner(&self, number: &str) -> Option<Arc<Account>> {
        let accounts = self.accounts();
        let mut owners = accounts.iter().filter(|account| account.owns(number));
        let first = owners.next()?;
        let listens = |account: &&Arc<Account>| account.inbound_url.is_some();
        Some(Some(first).filter(listens).or_else(|| owners.find(listens)).unwrap_or(first).clone())
    }

    /// 64 hexadecimal digits that were never given before, also not before a restart.
    pub(super) fn fresh(&self) -> String {
        hex::encode(self.bytes())
    }

    pub(super) fn uuid(&self) -> String {
        uuid(&self.bytes())
    }

    fn bytes(&self) -> [u8; 32] {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        hash("thing", &format!("{}/{number}", self.world.now()))
    }
}

/// RFC 3339 with milliseconds.
pub(super) fn rfc3339(millis: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// RFC 2822.
pub(super) fn rfc2822(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc2822()
}

/// Whether a number is in international form: a plus and 7 to 15 digits.
pub(super) fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(is_bare)
}

/// The same without the plus.
pub(super) fn is_bare(number: &str) -> bool {
    (7..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0')
}
