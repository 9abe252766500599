//! `privacy` and `blocklist`: who may see what, and who may not write.

use sha2::{Digest, Sha256};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};

use super::{Answer, Answered, Refusal};
use crate::number::{Address, Naming, Number};
use crate::stanza::{Read, notification, wrap};
use crate::state::World;
use crate::state::accounts::Account;

/// What an account is set to that never set anything.
const DEFAULTS: &[(&str, &str)] = &[
    ("readreceipts", "all"),
    ("profile", "all"),
    ("status", "all"),
    ("online", "all"),
    ("last", "all"),
    ("groupadd", "all"),
    ("calladd", "all"),
    ("messages", "all"),
    ("defense", "off"),
    ("stickers", "contacts"),
];

/// Whether `other` may see what a category covers. There are no address books here, so contacts means everybody.
pub(crate) fn may_reach(account: &Account, other: &Number, category: &str) -> bool {
    let set_to = account.privacy.get(category).map_or("all", String::as_str);
    set_to != "none" && !account.blocked.contains(other)
}

/// `privacy`.
pub(super) fn settings(world: &mut World, who: &Address, question: &Node) -> Answered {
    if let Some(tokens) = question.get_optional_child("tokens") {
        world.give_tokens(who, tokens);
        return Ok(Answer::done());
    }
    let account = world.accounts.get_mut(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?;
    let wanted = question.get_optional_child("privacy").ok_or(Refusal::BAD_REQUEST)?;
    if question.says("type", "set") {
        for category in wanted.get_children_by_tag("category") {
            let (Some(name), Some(value)) = (category.text("name"), category.text("value")) else {
                return Err(Refusal::BAD_REQUEST);
            };
            account.privacy.insert(name, value);
        }
    }
    let category =
        |name: &str, value: &str| NodeBuilder::new("category").attr("name", name).attr("value", value).build();
    let unset = DEFAULTS.iter().filter(|(name, _)| !account.privacy.contains_key(*name));
    let categories: Vec<Node> = account
        .privacy
        .iter()
        .map(|(name, value)| category(name, value))
        .chain(unset.map(|(name, value)| category(name, value)))
        .collect();
    Ok(Answer::node(wrap("privacy", categories)))
}

/// `blocklist`.
pub(super) fn blocklist(world: &mut World, who: &Address, question: &Node) -> Answered {
    if question.says("type", "set") {
        let item = question.get_optional_child("item").ok_or(Refusal::BAD_REQUEST)?;
        let jid = item.jid("jid").or_else(|| item.jid("pn_jid")).ok_or(Refusal::BAD_REQUEST)?;
        let number = world.number_of(&jid).ok_or(Refusal::NOT_FOUND)?;
        world.block(&who.number, &number, item.says("action", "block"), Some(who));
    }
    let account = world.accounts.get(&who.number).ok_or(Refusal::NOT_AUTHORIZED)?;
    let blocked: Vec<String> = account.blocked.iter().map(ToString::to_string).collect();
    let hash = hex::encode(&Sha256::digest(blocked.join(","))[..8]);
    let items = account.blocked.iter().filter_map(|number| {
        let account = world.accounts.get(number)?;
        let item = NodeBuilder::new("item").attr("jid", account.user(Naming::Lid));
        Some(item.attr("pn_jid", account.user(Naming::Phone)).build())
    });
    Ok(Answer::node(NodeBuilder::new("list").attr("dhash", hash).children(items).build()))
}

impl World {
    /// Somebody may not write to `who` any more, or may again; `who`'s other devices are told.
    pub(crate) fn block(&mut self, who: &Number, other: &Number, block: bool, by: Option<&Address>) {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let Some(other_jid) = self.accounts.get(other).map(|account| account.user(Naming::Lid)) else { return };
        let Some(account) = self.accounts.get_mut(who) else { return };
        let changed = if block { account.blocked.insert(other.clone()) } else { account.blocked.remove(other) };
        if !changed {
            return;
        }
        let action = if block { "block" } else { "unblock" };
        let item = NodeBuilder::new("item").attr("action", action).attr("jid", other_jid).build();
        let told = notification("account_sync", &id, SERVER_JID, now_s, wrap("blocklist", [item])).build();
        self.deliver_to_all(who, by, &told);
    }
}
