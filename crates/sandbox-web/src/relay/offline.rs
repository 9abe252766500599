//! What waited for a device, and the moment it asks for it.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};

use crate::number::Address;
use crate::stanza::Read;
use crate::state::World;
use crate::state::devices::Kept;

/// How long typing is worth telling, milliseconds.
const CHAT_STATE_TTL_MS: i64 = 3_000;

impl World {
    /// The device listens: first everything that waited, in order, then what comes.
    pub(crate) fn start_listening(&mut self, who: &Address) {
        let now_ms = self.clock.ms();
        let Some(companion) = self.companion_mut(who) else { return };
        let waiting = companion.take_waiting();
        let fleeting = std::mem::take(&mut companion.fleeting);
        let Some(line) = companion.line.as_mut() else {
            companion.waiting = waiting.into_iter().map(Kept).collect();
            return;
        };
        line.active = true;
        let outbox = line.outbox.clone();
        let fresh: Vec<Node> = fleeting
            .into_iter()
            .filter(|(at, node)| node.tag == "presence" || now_ms - at < CHAT_STATE_TTL_MS)
            .map(|(_, node)| node)
            .collect();
        if !waiting.is_empty() {
            outbox.node(preview(waiting.iter()));
        }
        let count = waiting.len();
        for mut node in waiting {
            node.attrs.insert("offline", "0");
            outbox.node(node.clone());
            companion.expect_answer(node);
        }
        outbox.node(ib(NodeBuilder::new("offline").attr("count", count).build()));
        for node in fresh {
            outbox.node(node);
        }
    }

    /// For what is worth little later: presence and typing.
    pub(crate) fn deliver_fleeting(&mut self, to: &Address, node: Node) {
        if to.is_phone() {
            if self.accounts.get(&to.number).is_some_and(|account| account.online) {
                self.hear_at_phone(&to.number, &node);
            }
            return;
        }
        let now_ms = self.clock.ms();
        let Some(companion) = self.companion_mut(to) else { return };
        if companion.line.as_ref().is_some_and(|line| line.active) {
            return companion.give_now(node);
        }
        // Of one sender the latest counts; and nobody is told later that typing stopped.
        let same = |kept: &Node| kept.tag == node.tag && kept.attrs.get("from") == node.attrs.get("from");
        companion.fleeting.retain(|(_, kept)| !same(kept));
        if node.get_optional_child("paused").is_none() {
            companion.fleeting.push((now_ms, node));
        }
    }
}

fn preview<'a>(waiting: impl Iterator<Item = &'a Node> + Clone) -> Node {
    let count = |tag: &str| waiting.clone().filter(|node| node.tag == tag).count();
    let preview = NodeBuilder::new("offline_preview")
        .attr("count", waiting.clone().count())
        .attr("message", count("message"))
        .attr("receipt", count("receipt"))
        .attr("notification", count("notification"))
        .attr("appdata", waiting.clone().filter(|node| node.says("type", "server_sync")).count())
        .attr("call", count("call"))
        .build();
    ib(preview)
}

fn ib(child: Node) -> Node {
    NodeBuilder::new("ib").attr("from", SERVER_JID).children([child]).build()
}
