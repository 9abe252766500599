//! Customers' phones. A number that nobody made is on WhatsApp all the same; it gets a record when it is first written to.

pub(crate) mod chats;
pub(crate) mod identity;
pub(crate) mod messages;
pub(crate) mod show;

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// 24 hours: how long a business may write freely after the customer's last message.
pub(crate) const WINDOW_MS: i64 = 24 * 3_600_000;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Phone {
    pub(crate) name: Option<String>,
    pub(crate) online: bool,
    pub(crate) registered: bool,
    /// How often it was registered again; each time its keys are new.
    #[serde(default)]
    pub(crate) registrations: u32,
    pub(crate) opted_out: bool,
    /// Linking a device demands the owner's passkey.
    #[serde(default)]
    pub(crate) passkey: bool,
    /// `{name, …}` if the owner uses business tools.
    #[serde(default)]
    pub(crate) business: Option<serde_json::Value>,
    /// Business numbers (digits) that this customer has blocked.
    pub(crate) blocked: BTreeSet<String>,
    /// Somebody made or changed it: worth saving.
    pub(crate) kept: bool,
    /// Sequence numbers of its messages, oldest first.
    #[serde(skip)]
    pub(crate) thread: VecDeque<u64>,
    /// Business number id → when the customer last wrote to it.
    #[serde(skip)]
    wrote: Vec<(Text, i64)>,
}

impl Default for Phone {
    fn default() -> Self {
        Self {
            name: None,
            online: true,
            registered: true,
            registrations: 0,
            opted_out: false,
            passkey: false,
            business: None,
            blocked: BTreeSet::new(),
            kept: false,
            thread: VecDeque::new(),
            wrote: Vec::new(),
        }
    }
}

impl Phone {
    pub(crate) fn note_wrote(&mut self, number: &Text, at: i64) {
        match self.wrote.iter_mut().find(|(id, _)| id == number) {
            Some((_, last)) => *last = at.max(*last),
            None => self.wrote.push((number.clone(), at)),
        }
    }

    pub(crate) fn last_wrote(&self, number: &Text) -> Option<i64> {
        self.wrote.iter().find(|(id, _)| id == number).map(|(_, at)| *at)
    }

    /// Whether the service window with this business number is open.
    pub(crate) fn window_open(&self, number: &Text, now: i64) -> bool {
        self.last_wrote(number).is_some_and(|at| now - at < WINDOW_MS)
    }
}

/// A phone number as people write it → its digits, or `None` if it cannot be one.
pub(crate) fn digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' | ' ' | '-' | '(' | ')' => {}
            _ => return None,
        }
    }
    (7..=15).contains(&digits.len()).then_some(digits)
}
