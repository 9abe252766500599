//! Receipts: delivered, read, played, and "I could not read this, send it again".

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt, Node};

use super::copy;
use crate::number::{Address, Naming, Number};
use crate::stanza::Read;
use crate::state::World;

/// Between a device and the server only.
const CONSUMED: &[&str] = &["peer_msg", "hist_sync", "sender"];

impl World {
    /// A device says what became of messages.
    pub(crate) fn carry_receipt(&mut self, who: &Address, node: &Node) {
        let kind = node.text("type").unwrap_or_default();
        self.acknowledge(who, node, None);
        self.confirm_messages(who, node);
        if kind == "server-error" {
            return self.ask_for_file(who, node);
        }
        let Some(to) = node.jid("to").filter(|_| !CONSUMED.contains(&kind.as_str())) else { return };
        if kind == "retry" {
            return self.carry_retry(who, node, &to);
        }
        self.carry_tick(who, node, &to);
        if kind == "read" || kind == "played" {
            self.tell_own_devices(who, node, if kind == "read" { "read-self" } else { "played-self" });
        }
    }

    /// A receipt of any kind says that the device has the message.
    fn confirm_messages(&mut self, who: &Address, node: &Node) {
        let ids: Vec<String> = receipt_ids(node);
        if let Some(companion) = self.companion_mut(who) {
            for id in ids {
                companion.confirm("message", &id, None);
            }
        }
    }

    /// To the author, whatever device it was written on.
    fn carry_tick(&mut self, who: &Address, node: &Node, to: &Jid) {
        let author = node.jid("participant").filter(|_| !is_user(to)).or_else(|| is_user(to).then(|| to.clone()));
        let Some(author) = author.and_then(|jid| self.address_of(&jid)) else { return };
        if author.number == who.number {
            return self.tell_own_devices(who, node, "read-self");
        }
        let ticket = self.receipt_from(who, node, to);
        self.deliver_to_all(&author.number, None, &ticket);
    }

    /// To the one device that wrote it.
    fn carry_retry(&mut self, who: &Address, node: &Node, to: &Jid) {
        let author = if is_user(to) { Some(to.clone()) } else { node.jid("participant") };
        let Some(author) = author.and_then(|jid| self.address_of(&jid)) else { return };
        let ticket = self.receipt_from(who, node, to);
        self.deliver(&author, ticket);
    }

    fn receipt_from(&self, who: &Address, node: &Node, to: &Jid) -> Node {
        let mut builder = copy(NodeBuilder::new("receipt"), node, &["id", "type", "context"]).attr("t", self.now_s());
        let Some(account) = self.accounts.get(&who.number) else { return builder.build() };
        let me = account.jid(Naming::of(to), who.device);
        builder = if is_user(to) {
            builder.attr("from", me)
        } else {
            builder.attr("from", to).attr("participant", me).attr("participant_pn", account.user(Naming::Phone))
        };
        if let Some(recipient) = node.attrs.get("recipient") {
            builder = builder.attr("recipient", recipient.clone());
        }
        let children = node.nodes().to_vec();
        if children.is_empty() { builder.build() } else { builder.children(children).build() }
    }

    /// What was read on one device is read on all.
    fn tell_own_devices(&mut self, who: &Address, node: &Node, kind: &'static str) {
        let Some(to) = node.jid("to") else { return };
        let Some(account) = self.accounts.get(&who.number) else { return };
        let mut builder = copy(NodeBuilder::new("receipt"), node, &["id"]).attr("type", kind).attr("t", self.now_s());
        builder = if is_user(&to) {
            builder.attr("from", account.jid(Naming::of(&to), who.device)).attr("recipient", to.to_non_ad())
        } else {
            copy(builder.attr("from", &to), node, &["participant"])
        };
        let ticket = match node.get_optional_child("list") {
            Some(list) => builder.children([list.clone()]).build(),
            None => builder.build(),
        };
        let number: Number = who.number.clone();
        self.deliver_to_all(&number, Some(who), &ticket);
    }
}

/// All messages a receipt is about.
pub(super) fn receipt_ids(node: &Node) -> Vec<String> {
    let listed = node.get_optional_child("list").map(Read::nodes).unwrap_or_default();
    node.text("id").into_iter().chain(listed.iter().filter_map(|item| item.text("id"))).collect()
}

fn is_user(jid: &Jid) -> bool {
    !jid.is_group() && jid.server != wacore_binary::Server::Broadcast
}
