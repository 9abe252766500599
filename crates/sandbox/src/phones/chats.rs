//! What phones show of conversations over WhatsApp Web: with other people's phones, linked accounts and groups. Each phone has its own
//! list, because one message has one id on every phone that shows it. The lists are bounded: the oldest go first.

#![cfg_attr(not(feature = "web-sandbox"), expect(dead_code, reason = "nothing but WhatsApp Web brings such messages"))]

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::messages::{Direction, Status};
use crate::text::Text;

/// Messages that one phone remembers.
const KEPT: usize = 50_000;
/// Calls that one phone remembers.
const CALLS: usize = 100;

/// Ticks that wait for their message.
const EARLY: usize = 1_000;

/// A message on one phone.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Whose phone, digits.
    pub(crate) phone: Text,
    pub(crate) id: Text,
    pub(crate) direction: Direction,
    /// Numbers with a plus.
    pub(crate) from: Text,
    /// A number with a plus, or a group.
    pub(crate) to: Text,
    /// `type`, its part, `context` and so on, as one JSON object.
    pub(crate) content: Box<RawValue>,
    pub(crate) status: Status,
    /// Milliseconds.
    pub(crate) at: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reactions: Vec<(Text, String)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) edited: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
}

impl Seen {
    /// What the phone shows.
    pub(crate) fn view(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(self.id));
        shown.insert("direction".to_owned(), json!(self.direction));
        shown.insert("from".to_owned(), json!(self.from));
        shown.insert("to".to_owned(), json!(self.to));
        let mut content: Map<String, Value> = serde_json::from_str(self.content.get()).unwrap_or_default();
        if self.deleted {
            content.retain(|key, _| key == "type");
            content.insert("deleted".to_owned(), json!(true));
        }
        shown.extend(content);
        if self.edited {
            shown.insert("edited".to_owned(), json!(true));
        }
        if !self.reactions.is_empty() {
            let reactions = self.reactions.iter().map(|(from, emoji)| json!({"from": from, "emoji": emoji}));
            shown.insert("reactions".to_owned(), reactions.collect());
        }
        shown.insert("status".to_owned(), json!(self.status));
        shown.insert("timestamp".to_owned(), json!((self.at / 1000).to_string()));
        Value::Object(shown)
    }

    /// Sets one person's emoji; an empty one takes it off.
    pub(crate) fn react(&mut self, from: &str, emoji: String) {
        self.reactions.retain(|(other, _)| **other != *from);
        if !emoji.is_empty() {
            self.reactions.push((from.into(), emoji));
        }
    }
}

/// A call that a phone made.
#[derive(Clone, Serialize)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) video: bool,
    /// `ringing`, `rejected` or `ended`.
    pub(crate) status: &'static str,
}

/// All phones' lists.
#[derive(Default)]
pub(crate) struct Chats {
    threads: HashMap<Text, VecDeque<Seen>>,
    calls: HashMap<Text, VecDeque<Call>>,
    /// Phone → who types to it, and how.
    typing: HashMap<Text, HashMap<String, &'static str>>,
    /// Ticks on what a phone's linked device wrote and the phone has not shown yet, by phone and id; newest last.
    early: VecDeque<(Text, String, Status)>,
}

impl Chats {
    /// Adds a message, or replaces the one of the same id on the same phone. Gives its status: ticks may have come before it.
    pub(crate) fn put(&mut self, mut seen: Seen) -> Status {
        let known = |(phone, id, _): &(Text, String, Status)| *phone == seen.phone && **id == *seen.id;
        if let Some((.., status)) = self.early.iter().rev().find(|early| known(early)) {
            seen.status = seen.status.max(*status);
        }
        let status = seen.status;
        let thread = self.threads.entry(seen.phone.clone()).or_default();
        if let Some(known) = thread.iter_mut().rev().find(|known| known.id == seen.id) {
            *known = seen;
            return status;
        }
        thread.push_back(seen);
        if thread.len() > KEPT {
            thread.pop_front();
        }
        status
    }

    /// Oldest first.
    pub(crate) fn thread(&self, phone: &str) -> impl DoubleEndedIterator<Item = &Seen> {
        self.threads.get(phone).into_iter().flatten()
    }

    /// Changes one message; gives what it is now.
    pub(crate) fn change(&mut self, phone: &str, id: &str, change: impl FnOnce(&mut Seen)) -> Option<Seen> {
        let seen = self.threads.get_mut(phone)?.iter_mut().rev().find(|seen| *seen.id == *id)?;
        change(seen);
        Some(seen.clone())
    }

    /// Somebody has, or read, a message that this phone wrote. Gives the message if that is news; a tick that overtook its message waits for it.
    pub(crate) fn tick(&mut self, phone: &str, id: &str, status: Status) -> Option<Seen> {
        let mut known = false;
        let changed = self.change(phone, id, |seen| {
            known = seen.direction == Direction::In || seen.status >= status;
            if !known {
                seen.status = status;
            }
        });
        if changed.is_none() {
            self.early.push_back((phone.into(), id.to_owned(), status));
            if self.early.len() > EARLY {
                self.early.pop_front();
            }
        }
        changed.filter(|_| !known)
    }

    /// Every message of every phone, for the journal.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.threads.values().flatten()
    }

    pub(crate) fn add_call(&mut self, phone: &str, call: Call) {
        let calls = self.calls.entry(phone.into()).or_default();
        calls.push_back(call);
        if calls.len() > CALLS {
            calls.pop_front();
        }
    }

    /// A call that still rings is over; gives who was called.
    pub(crate) fn end_call(&mut self, phone: &str, id: &str, how: &'static str) -> Option<String> {
        let calls = self.calls.get_mut(phone)?;
        let call = calls.iter_mut().find(|call| call.id == id && call.status == "ringing")?;
        call.status = how;
        Some(call.to.clone())
    }

    pub(crate) fn calls(&self, phone: &str) -> Vec<Call> {
        self.calls.get(phone).into_iter().flatten().cloned().collect()
    }

    pub(crate) fn set_typing(&mut self, phone: &str, from: String, state: &'static str) {
        let typing = self.typing.entry(phone.into()).or_default();
        if state == "paused" {
            typing.remove(&from);
        } else {
            typing.insert(from, state);
        }
    }

    /// Who types to this phone now.
    pub(crate) fn typing(&self, phone: &str) -> Vec<Value> {
        let typing = self.typing.get(phone).into_iter().flatten();
        typing.map(|(from, state)| json!({"from": from, "state": state})).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(phone: &str, id: &str) -> Seen {
        Seen {
            phone: phone.into(),
            id: id.into(),
            direction: Direction::In,
            from: "+15550100001".into(),
            to: "+15550100002".into(),
            content: RawValue::from_string(r#"{"type":"text","text":{"body":"hi"}}"#.to_owned()).unwrap(),
            status: Status::Delivered,
            at: 1_795_000_000_000,
            reactions: Vec::new(),
            edited: false,
            deleted: false,
        }
    }

    #[test]
    fn one_id_is_one_message_on_each_phone() {
        let mut chats = Chats::default();
        chats.put(seen("1", "3A"));
        chats.put(seen("2", "3A"));
        chats.put(seen("1", "3A"));
        assert_eq!((chats.thread("1").count(), chats.thread("2").count(), chats.iter().count()), (1, 1, 2));
        let changed = chats.change("1", "3A", |seen| {
            seen.react("+15550100003", "👍".to_owned());
            seen.react("+15550100003", "❤".to_owned());
        });
        assert_eq!(changed.unwrap().view()["reactions"], json!([{"from": "+15550100003", "emoji": "❤"}]));
        let changed = chats.change("1", "3A", |seen| seen.react("+15550100003", String::new())).unwrap();
        assert_eq!(
            changed.view(),
            json!({"id": "3A", "direction": "in", "from": "+15550100001", "to": "+15550100002", "type": "text",
                   "text": {"body": "hi"}, "status": "delivered", "timestamp": "1795000000"})
        );
        let gone = chats.change("2", "3A", |seen| seen.deleted = true).unwrap().view();
        assert_eq!((&gone["deleted"], &gone["type"], &gone["text"]), (&json!(true), &json!("text"), &Value::Null));
        assert!(chats.change("3", "3A", |_| ()).is_none());
    }

    #[test]
    fn ticks_only_grow_and_may_come_before_their_message() {
        let mut chats = Chats::default();
        let own = |id: &str| Seen { direction: Direction::Out, status: Status::Sent, ..seen("1", id) };
        assert!(chats.tick("1", "3B", Status::Delivered).is_none());
        assert!(chats.tick("1", "3B", Status::Read).is_none());
        chats.put(own("3A"));
        chats.put(own("3B"));
        let shown: Vec<_> = chats.thread("1").map(|seen| seen.status).collect();
        assert_eq!(shown, [Status::Sent, Status::Read]);
        assert_eq!(chats.tick("1", "3A", Status::Read).unwrap().status, Status::Read);
        assert!(chats.tick("1", "3A", Status::Delivered).is_none());
        assert_eq!(chats.thread("1").next().unwrap().status, Status::Read);
        chats.put(seen("1", "3C"));
        assert!(chats.tick("1", "3C", Status::Read).is_none(), "others' messages have no ticks of ours");
    }
}
