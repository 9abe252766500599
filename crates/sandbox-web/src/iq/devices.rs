//! Which devices an account has: what whoever asks is told, and what those are told who would otherwise write to the wrong ones.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::number::{Naming, Number, PHONE};
use crate::phone::pair;
use crate::stanza::{bytes, notification, wrap};
use crate::state::World;
use crate::state::accounts::Account;

/// What became of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Added,
    Removed,
}

impl World {
    /// `<devices>`: the phone and its companions, with the phone's word for which of them are valid.
    pub(super) fn device_list(&mut self, number: &Number) -> Option<Node> {
        let list = self.key_index_list(number)?;
        let account = self.accounts.get(number)?;
        let phone = NodeBuilder::new("device").attr("id", PHONE).build();
        let companions = account.companions.iter().map(|(id, companion)| {
            NodeBuilder::new("device").attr("id", *id).attr("key-index", companion.key_index).build()
        });
        let devices = wrap("device-list", std::iter::once(phone).chain(companions));
        let list = (!account.companions.is_empty()).then_some(list);
        Some(NodeBuilder::new("devices").attr("version", "2").children([devices].into_iter().chain(list)).build())
    }

    fn key_index_list(&mut self, number: &Number) -> Option<Node> {
        let now_s = self.now_s();
        let account = self.accounts.get(number)?;
        let (highest, valid) = account.key_indexes();
        let now = u64::try_from(now_s).unwrap_or(0);
        let list = pair::key_index_list(&account.phone.keys, &valid, highest, now, &mut self.random);
        let mut node = bytes("key-index-list", list);
        node.attrs.insert("ts", now_s);
        Some(node)
    }

    /// A device came or went: the account's other devices are told, and everybody who has a conversation with it.
    pub(crate) fn announce_device(&mut self, number: &Number, device: u16, key_index: u32, news: News) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(mut list) = self.key_index_list(number) else { return };
        let Some(account) = self.accounts.get(number) else { return };
        if news == News::Removed {
            list.content = None;
        }
        let tag = if news == News::Added { "add" } else { "remove" };
        let change = wrap(tag, [device_node(account, device, key_index), list]);
        let from: Jid = account.user(Naming::Phone);
        let told = notification("devices", &id, from, now_s, change).attr("lid", account.user(Naming::Lid)).build();
        let new = crate::number::Address::new(number, device);
        for who in self.acquainted(number) {
            self.deliver_to_all(&who, Some(&new), &told);
        }
    }

    /// The account itself and all whose phone has a conversation with it, as far as they have linked devices.
    fn acquainted(&self, number: &Number) -> Vec<Number> {
        let Some(chat) = self.accounts.get(number).map(|account| account.user(Naming::Lid).to_string()) else {
            return Vec::new();
        };
        let knows = |other: &&Account| other.number == *number || other.chats.chat(&chat).next().is_some();
        let linked = self.accounts.iter().filter(|other| !other.companions.is_empty());
        linked.filter(knows).map(|other| other.number.clone()).collect()
    }
}

fn device_node(account: &Account, device: u16, key_index: u32) -> Node {
    NodeBuilder::new("device")
        .attr("jid", account.jid(Naming::Phone, device))
        .attr("lid", account.jid(Naming::Lid, device))
        .attr("key-index", key_index)
        .build()
}
