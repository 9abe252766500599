//! What the carriers were given: bounded lists in memory, and counts that say how often something came twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

/// How many messages of a kind are kept; older ones are forgotten.
pub const KEPT: usize = 100_000;
/// How many messages are remembered for telling repetitions, as hashes.
const REMEMBERED: usize = 1_000_000;

/// A message of a customer's phone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sms {
    /// The carrier's.
    pub id: String,
    /// `smpp`, `twilio`, `telnyx` or `vonage`.
    pub carrier: &'static str,
    pub from: String,
    /// E.164 with `+`.
    pub to: String,
    pub text: String,
    /// How many SMS it was cut into.
    pub parts: u32,
    /// `gsm7`, `ucs2`, `latin1`, `ia5`.
    pub encoding: String,
    /// In the carrier's words: `ENROUTE`, `DELIVRD`, `delivered`, …
    pub status: String,
    /// When it came; milliseconds since 1970.
    pub at: i64,
    /// What only this carrier has.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A call that spoke.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    pub id: String,
    pub carrier: &'static str,
    pub from: String,
    /// E.164 with `+`.
    pub to: String,
    /// What was spoken.
    pub text: String,
    /// BCP 47; empty where the caller did not say.
    pub language: String,
    pub status: String,
    /// Milliseconds since 1970.
    pub at: i64,
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A mail as one recipient got it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mail {
    pub id: String,
    /// As its head says; the envelope's sender where it says nothing.
    pub from: String,
    /// The envelope's recipient.
    pub to: String,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub status: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The envelope, the rest of the head, its size.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Messages taken.
    pub received: u64,
    /// Of these, such as had been taken before.
    pub repeated: u64,
}

/// What a ledger keeps.
pub(crate) trait Entry: Clone {
    fn id(&self) -> &str;
}

impl Entry for Sms {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Entry for Call {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Entry for Mail {
    fn id(&self) -> &str {
        &self.id
    }
}

pub(crate) struct Ledger<T>(Mutex<Pages<T>>);

struct Pages<T> {
    entries: VecDeque<T>,
    /// How many were forgotten: the place of an entry is its number less this.
    forgotten: u64,
    numbers: HashMap<String, u64>,
    seen: HashSet<u64>,
    counters: Counters,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        let pages = Pages {
            entries: VecDeque::new(),
            forgotten: 0,
            numbers: HashMap::new(),
            seen: HashSet::new(),
            counters: Counters::default(),
        };
        Self(Mutex::new(pages))
    }
}

impl<T: Entry> Ledger<T> {
    /// Writes a message down. `sameness` is equal for two messages of which the second is a repetition: the caller's own id
    /// where the carrier is told one.
    pub(crate) fn take(&self, entry: T, sameness: impl Hash) {
        let mut hasher = DefaultHasher::new();
        sameness.hash(&mut hasher);
        let mut pages = self.pages();
        pages.count(hasher.finish());
        pages.keep(entry);
    }

    /// Changes a message that is still kept; `None` when it is not.
    pub(crate) fn change<R>(&self, id: &str, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut pages = self.pages();
        let number = *pages.numbers.get(id)?;
        let place = usize::try_from(number - pages.forgotten).ok()?;
        pages.entries.get_mut(place).map(change)
    }

    pub(crate) fn list(&self) -> Vec<T> {
        self.pages().entries.iter().cloned().collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.pages().counters
    }

    /// Whoever panicked in it left it as it was.
    fn pages(&self) -> MutexGuard<'_, Pages<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Entry> Pages<T> {
    fn count(&mut self, hash: u64) {
        self.counters.received += 1;
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        if !self.seen.insert(hash) {
            self.counters.repeated += 1;
        }
    }

    fn keep(&mut self, entry: T) {
        if self.entries.len() == KEPT
            && let Some(oldest) = self.entries.pop_front()
        {
            self.numbers.remove(oldest.id());
            self.forgotten += 1;
        }
        let number = self.forgotten + self.entries.len() as u64;
        self.numbers.insert(entry.id().to_owned(), number);
        self.entries.push_back(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sms(id: usize) -> Sms {
        Sms {
            id: id.to_string(),
            carrier: "smpp",
            from: "HERMOD".to_owned(),
            to: "+15550100001".to_owned(),
            text: "hi".to_owned(),
            parts: 1,
            encoding: "gsm7".to_owned(),
            status: "ENROUTE".to_owned(),
            at: 0,
            more: Map::new(),
        }
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_rest_is_still_found() {
        let ledger = Ledger::default();
        for id in 0..KEPT + 2 {
            ledger.take(sms(id), id % KEPT);
        }
        assert_eq!(ledger.counters(), Counters { received: KEPT as u64 + 2, repeated: 2 });
        assert_eq!(ledger.change("1", |_| ()), None);
        let last = (KEPT + 1).to_string();
        ledger.change(&last, |sms| sms.status = "DELIVRD".to_owned()).unwrap();
        let kept = ledger.list();
        assert_eq!((kept.len(), kept[0].id.as_str(), kept[KEPT - 1].status.as_str()), (KEPT, "2", "DELIVRD"));
    }
}
