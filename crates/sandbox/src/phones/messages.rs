//! The messages between businesses and customers, in one list with an index by id. The list is bounded: the oldest go first.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::text::Text;

/// How many messages are remembered.
pub(crate) const KEPT: usize = 400_000;

/// As the phone sees it: `In` was written by a business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    In,
    Out,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }
}

/// What Meta would charge for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Category {
    Service,
    Utility,
    Authentication,
    Marketing,
    MarketingLite,
}

impl Category {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Utility => "utility",
            Self::Authentication => "authentication",
            Self::Marketing => "marketing",
            Self::MarketingLite => "marketing_lite",
        }
    }

    pub(crate) fn is_marketing(self) -> bool {
        matches!(self, Self::Marketing | Self::MarketingLite)
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Text,
    pub(crate) direction: Direction,
    /// The customer's number, digits.
    pub(crate) phone: Text,
    /// The business number's id.
    pub(crate) number: Text,
    pub(crate) kind: Text,
    /// The members beside `id`, `from`, `to`, `type`, `status` and `timestamp`, as one JSON object.
    pub(crate) content: Box<RawValue>,
    pub(crate) status: Status,
    /// Milliseconds.
    pub(crate) at: i64,
    /// Whether it has reached the phone's screen.
    pub(crate) shown: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opaque: Option<Text>,
    /// The identity that its sender wrote to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<Text>,
    pub(crate) category: Category,
    /// Milliseconds for which delivery is tried.
    pub(crate) ttl: i64,
    /// The other side's mark on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reaction: Option<Box<Reaction>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) edited: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
}

/// The reactions on one message; at most one from each side.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reaction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) business: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
}

#[derive(Default)]
pub(crate) struct Messages {
    list: VecDeque<Message>,
    /// The sequence number of the list's first message.
    first: u64,
    by_id: HashMap<Text, u64>,
}

impl Messages {
    /// Adds a message, or replaces the one of the same id. Returns its sequence number and whether it is new.
    pub(crate) fn put(&mut self, message: Message) -> (u64, bool) {
        if let Some(&seq) = self.by_id.get(&message.id) {
            if let Some(slot) = self.get_mut(seq) {
                *slot = message;
            }
            return (seq, false);
        }
        let seq = self.first + self.list.len() as u64;
        self.by_id.insert(message.id.clone(), seq);
        self.list.push_back(message);
        (seq, true)
    }

    /// Takes out the oldest if there are too many.
    pub(crate) fn shed(&mut self) -> Option<Message> {
        if self.list.len() <= KEPT {
            return None;
        }
        let oldest = self.list.pop_front()?;
        self.first += 1;
        self.by_id.remove(&oldest.id);
        Some(oldest)
    }

    pub(crate) fn find(&self, id: &str) -> Option<u64> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&Message> {
        self.list.get(self.place(seq)?)
    }

    pub(crate) fn get_mut(&mut self, seq: u64) -> Option<&mut Message> {
        let place = self.place(seq)?;
        self.list.get_mut(place)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Message> {
        self.get(self.find(id)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    fn place(&self, seq: u64) -> Option<usize> {
        seq.checked_sub(self.first).and_then(|place| usize::try_from(place).ok())
    }
}
