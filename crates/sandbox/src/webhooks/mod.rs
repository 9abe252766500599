//! Webhooks owed to platforms.
//!
//! Each business number, and each WABA for account-level facts, has a lane: a queue in order, worked by at most one task at a time. What is
//! in a lane is owed until the platform has answered 200; it is journaled when it enters and when it is taken, so neither a restart nor a platform
//! that is down loses any. A quiet lane posts one change at a time, a busy one up to a thousand at once.

pub(crate) mod body;
pub(crate) mod push;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Notify, Semaphore};

use crate::journal::{Line, Owed};
use crate::phones::messages::{Category, Status};
use crate::text::Text;
use crate::world::Shared;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Lane {
    #[serde(rename = "n")]
    Number(Text),
    #[serde(rename = "a")]
    Account(Text),
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Item {
    #[serde(rename = "s")]
    Status(Box<StatusFact>),
    /// A field and its finished value.
    #[serde(rename = "v")]
    Value { field: String, value: Box<RawValue>, at: i64 },
}

impl Item {
    /// When it happened, milliseconds.
    fn at(&self) -> i64 {
        match self {
            Self::Status(fact) => fact.at,
            Self::Value { at, .. } => *at,
        }
    }
}

/// A status change of a message that a business sent.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StatusFact {
    pub(crate) id: Text,
    pub(crate) status: Status,
    pub(crate) at: i64,
    /// The customer's number, digits.
    pub(crate) to: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opaque: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Text>,
    /// What it costs, on the statuses that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pricing: Option<Category>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
}

/// Why a message failed after it had been accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    pub(crate) details: String,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<(u64, Arc<Item>)>,
    running: bool,
}

#[derive(Default)]
pub(crate) struct Pushes {
    lanes: Mutex<HashMap<Lane, Queue>>,
    next: AtomicU64,
    /// Webhook URLs that were asked for the challenge.
    asked: Mutex<HashSet<String>>,
    /// How many posts a platform gets at once.
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Told whenever something new is owed.
    added: Notify,
}

/// Posts under way at once, per platform.
const AT_ONCE: usize = 8;

impl Pushes {
    fn lanes(&self) -> MutexGuard<'_, HashMap<Lane, Queue>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything still owed.
    pub(crate) fn owed(&self) -> Owed {
        let lanes = self.lanes();
        let all = lanes.iter().flat_map(|(lane, queue)| {
            queue.items.iter().map(move |(number, item)| (*number, (lane.clone(), Item::clone(item))))
        });
        all.collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes().values().map(|queue| queue.items.len()).sum()
    }

    fn turn(&self, platform: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(platform.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }

    /// True the first time it is asked about a URL.
    fn first_time(&self, url: &str) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned())
    }

    pub(crate) fn forget_url(&self, url: &str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
    }

    /// The first items of a lane, or `None` if it is empty (its worker then ends).
    fn peek(&self, lane: &Lane, at_most: usize) -> Option<Vec<(u64, Arc<Item>)>> {
        let mut lanes = self.lanes();
        let queue = lanes.get_mut(lane)?;
        if queue.items.is_empty() {
            queue.running = false;
            return None;
        }
        let count = if queue.items.len() <= QUIET { 1 } else { at_most };
        Some(queue.items.iter().take(count).cloned().collect())
    }

    /// What a lane holds, up to so many.
    fn all(&self, lane: &Lane, at_most: usize) -> Vec<(u64, Arc<Item>)> {
        let lanes = self.lanes();
        lanes.get(lane).map(|queue| queue.items.iter().take(at_most).cloned().collect()).unwrap_or_default()
    }

    /// Takes the first `count` items off a lane and returns their numbers.
    fn done(&self, lane: &Lane, count: usize) -> Vec<u64> {
        let mut lanes = self.lanes();
        let Some(queue) = lanes.get_mut(lane) else {
            return Vec::new();
        };
        let count = count.min(queue.items.len());
        queue.items.drain(..count).map(|(number, _)| number).collect()
    }
}

/// With so few items or less, each is posted on its own.
const QUIET: usize = 6;

/// Owes an item to the platform behind a lane. Whether the WABA is subscribed is the caller's question.
pub(crate) fn owe(world: &Shared, lane: &Lane, item: Item) {
    let number = world.pushes.next.fetch_add(1, Ordering::Relaxed);
    if world.journal.is_kept() {
        world.journal.add(Line::Owed(number, lane.clone(), item.clone()));
    }
    enter(world, lane, number, item);
    world.pushes.added.notify_waiters();
}

fn enter(world: &Shared, lane: &Lane, number: u64, item: Item) {
    let start = {
        let mut lanes = world.pushes.lanes();
        let queue = lanes.entry(lane.clone()).or_default();
        queue.items.push_back((number, Arc::new(item)));
        !std::mem::replace(&mut queue.running, true)
    };
    if start {
        world.spawn(push::work(Arc::clone(world), lane.clone()));
    }
}

/// Takes up what an earlier run still owed.
pub(crate) fn resume(world: &Shared, owed: Owed) {
    let next = owed.keys().next_back().map_or(0, |last| last + 1);
    world.pushes.next.store(next, Ordering::Relaxed);
    for (number, (lane, item)) in owed {
        enter(world, &lane, number, item);
    }
}
