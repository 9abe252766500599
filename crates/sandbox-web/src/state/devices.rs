//! A linked device: what it is, whether it is here, and what still has to reach it.
//!
//! What is sent to a device stays in `unconfirmed` until the device says it has it; when its connection ends, that goes back
//! to the front of `waiting`. So a stanza may reach a client twice and is never lost.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use wacore_binary::{Node, OwnedNodeRef, marshal, util};

use super::keys::{Bundle, Key, Uploaded};
use crate::phone::blob::Blob;
use crate::socket::{Outbox, Parcel};
use crate::stanza::Read;

/// A node that can be kept in a file.
#[derive(Clone, Debug)]
pub(crate) struct Kept(pub(crate) Node);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = marshal(&self.0).map_err(serde::ser::Error::custom)?;
        Blob(bytes).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Blob::deserialize(deserializer)?.0;
        let bytes = util::unpack_bytes(bytes[..].into()).map_err(D::Error::custom)?;
        OwnedNodeRef::new(bytes).map(|node| Self(node.to_owned_node())).map_err(D::Error::custom)
    }
}

/// A live connection of a device.
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) outbox: Outbox,
    /// It asked for what is sent to it; before that everything waits.
    pub(crate) active: bool,
}

/// A linked device.
#[derive(Serialize, Deserialize)]
pub(crate) struct Companion {
    pub(crate) key_index: u32,
    pub(crate) identity: Key,
    /// The key it opens connections with.
    pub(crate) noise: Key,
    pub(crate) platform: String,
    /// The signed identity others check it by.
    pub(crate) proof: Blob,
    pub(crate) keys: Option<Uploaded>,
    /// The phone has said its first words to it.
    pub(crate) greeted: bool,
    pub(crate) waiting: VecDeque<Kept>,
    #[serde(skip)]
    pub(crate) line: Option<Line>,
    /// Presence and typing it missed, with when (milliseconds).
    #[serde(skip)]
    pub(crate) fleeting: Vec<(i64, Node)>,
    #[serde(skip)]
    unconfirmed: VecDeque<Node>,
    /// Held back so that the next one overtakes it.
    #[serde(skip)]
    overtaken: Option<Node>,
}

impl Companion {
    pub(crate) fn new(key_index: u32, identity: Key, noise: Key, platform: String, proof: Vec<u8>) -> Self {
        Self {
            key_index,
            identity,
            noise,
            platform,
            proof: Blob(proof),
            keys: None,
            greeted: false,
            waiting: VecDeque::new(),
            line: None,
            fleeting: Vec::new(),
            unconfirmed: VecDeque::new(),
            overtaken: None,
        }
    }

    pub(crate) fn hand_out(&mut self) -> Option<Bundle> {
        self.keys.as_mut().map(|keys| keys.hand_out(self.identity))
    }

    /// Sends now, or keeps for when the device is here.
    pub(crate) fn give(&mut self, node: Node) {
        match &self.line {
            Some(line) if line.active => {
                line.outbox.node(node.clone());
                self.expect_answer(node);
                if let Some(late) = self.overtaken.take() {
                    self.give(late);
                }
            }
            _ => self.waiting.push_back(Kept(node)),
        }
    }

    /// Sends, as [`Self::give`] does, after a while in which nothing else leaves.
    pub(crate) fn give_late(&mut self, node: Node, delay: std::time::Duration) {
        match &self.line {
            Some(line) if line.active => {
                line.outbox.put(Parcel::Late(Box::new(node.clone()), delay));
                self.expect_answer(node);
            }
            _ => self.waiting.push_back(Kept(node)),
        }
    }

    /// Lets the next one go first.
    pub(crate) fn hold_back(&mut self, node: Node) {
        match self.overtaken.replace(node) {
            Some(earlier) => self.give(earlier),
            None if self.line.as_ref().is_none_or(|line| !line.active) => {
                self.waiting.extend(self.overtaken.take().map(Kept));
            }
            None => {}
        }
    }

    /// Sends only if the device listens now; for what is worth nothing later.
    pub(crate) fn give_now(&self, node: Node) {
        if let Some(line) = self.line.as_ref().filter(|line| line.active) {
            line.outbox.node(node);
        }
    }

    /// Everything that waits, for a device that asks for it.
    pub(crate) fn take_waiting(&mut self) -> VecDeque<Node> {
        self.waiting.drain(..).map(|kept| kept.0).collect()
    }

    pub(crate) fn expect_answer(&mut self, node: Node) {
        if needs_answer(&node) {
            self.unconfirmed.push_back(node);
        }
    }

    /// The device has what `class` and `id` name. `from` tells apart receipts of several devices for one message.
    pub(crate) fn confirm(&mut self, class: &str, id: &str, from: Option<&str>) {
        let place = self.unconfirmed.iter().position(|node| {
            node.tag == class && node.says("id", id) && from.is_none_or(|from| node.says("from", from))
        });
        if let Some(place) = place {
            self.unconfirmed.remove(place);
        }
    }

    /// The connection is gone: what was not confirmed waits again, before all else.
    pub(crate) fn disconnect(&mut self) -> Option<Line> {
        let line = self.line.take()?;
        for node in self.unconfirmed.drain(..).chain(self.overtaken.take()).rev() {
            self.waiting.push_front(Kept(node));
        }
        Some(line)
    }
}

fn needs_answer(node: &Node) -> bool {
    matches!(&*node.tag, "message" | "receipt" | "notification" | "call") && node.attrs.contains_key("id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_binary::builder::NodeBuilder;

    fn message(id: &str) -> Node {
        NodeBuilder::new("message").attr("id", id).attr("from", "1@lid").build()
    }

    fn companion() -> Companion {
        Companion::new(1, Key([1; 32]), Key([2; 32]), "chrome".into(), vec![3])
    }

    fn ids(companion: &Companion) -> Vec<String> {
        companion.waiting.iter().filter_map(|kept| kept.0.text("id")).collect()
    }

    #[test]
    fn what_is_not_confirmed_waits_again_in_order_and_outlives_the_process() {
        let mut companion = companion();
        companion.give(message("early"));
        let (outbox, _parcels) = Outbox::new();
        companion.line = Some(Line { id: 1, outbox, active: true });
        let early = companion.take_waiting();
        for node in early {
            companion.expect_answer(node);
        }
        for id in ["a", "b", "c"] {
            companion.give(message(id));
        }
        companion.confirm("message", "b", None);
        companion.confirm("message", "a", Some("2@lid"));
        companion.disconnect();
        companion.give(message("d"));
        assert_eq!(ids(&companion), ["early", "a", "c", "d"]);
        let kept: Companion = serde_json::from_str(&serde_json::to_string(&companion).unwrap()).unwrap();
        assert_eq!(ids(&kept), ["early", "a", "c", "d"]);
        assert!(companion.disconnect().is_none(), "twice is once");
        assert_eq!(ids(&companion).len(), 4);
    }

    #[test]
    fn an_overtaken_stanza_follows_the_next_one_or_waits() {
        let mut companion = companion();
        let (outbox, mut parcels) = Outbox::new();
        companion.line = Some(Line { id: 1, outbox, active: true });
        companion.hold_back(message("first"));
        companion.give(message("second"));
        let sent: Vec<_> = std::iter::from_fn(|| match parcels.try_recv() {
            Ok(Parcel::Node(node)) => node.text("id"),
            _ => None,
        })
        .collect();
        assert_eq!(sent, ["second", "first"]);
        companion.hold_back(message("third"));
        companion.disconnect();
        assert_eq!(ids(&companion), ["second", "first", "third"]);
    }
}
