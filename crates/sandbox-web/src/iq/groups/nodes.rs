//! Groups and members as nodes.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::number::{Naming, Number};
use crate::stanza::{empty, wrap};
use crate::state::World;
use crate::state::groups::{Group, Role};

/// `<group>` with everything in it.
pub(crate) fn group(world: &World, group: &Group) -> Node {
    let mut builder = NodeBuilder::new("group")
        .attr("id", group.id.as_str())
        .attr("subject", group.subject.as_str())
        .attr("s_t", group.subject_at_s)
        .attr("creation", group.created_s)
        .attr("addressing_mode", "lid")
        .attr("size", group.members.len());
    if let Some(by) = world.accounts.get(&group.subject_by) {
        builder = builder.attr("s_o", by.user(Naming::Lid)).attr("s_o_pn", by.user(Naming::Phone));
    }
    if let Some(creator) = world.accounts.get(&group.creator) {
        builder = builder.attr("creator", creator.user(Naming::Lid)).attr("creator_pn", creator.user(Naming::Phone));
    }
    let members = group.members.iter().filter_map(|(number, role)| member(world, number, *role));
    builder.children(members.chain(settings(world, group))).build()
}

/// `<participant jid phone_number [type]/>`.
pub(super) fn member(world: &World, number: &Number, role: Role) -> Option<Node> {
    let account = world.accounts.get(number)?;
    let builder = NodeBuilder::new("participant")
        .attr("jid", account.user(Naming::Lid))
        .attr("phone_number", account.user(Naming::Phone));
    Some(match role.word() {
        Some(word) => builder.attr("type", word).build(),
        None => builder.build(),
    })
}

fn settings(world: &World, group: &Group) -> Vec<Node> {
    let mut settings = Vec::new();
    settings.extend(group.locked.then(|| empty("locked")));
    settings.extend(group.announcement.then(|| empty("announcement")));
    settings.extend((group.ephemeral_s > 0).then(|| ephemeral(group.ephemeral_s)));
    settings.extend(group.approval.then(|| approval(true)));
    settings.push(add_mode(group.admins_add));
    settings.extend(description(world, group));
    settings
}

pub(super) fn ephemeral(seconds: u32) -> Node {
    NodeBuilder::new("ephemeral").attr("expiration", seconds).build()
}

pub(super) fn approval(on: bool) -> Node {
    let state = if on { "on" } else { "off" };
    wrap("membership_approval_mode", [NodeBuilder::new("group_join").attr("state", state).build()])
}

pub(super) fn add_mode(admins: bool) -> Node {
    NodeBuilder::new("member_add_mode").string_content(if admins { "admin_add" } else { "all_member_add" }).build()
}

pub(super) fn description(world: &World, group: &Group) -> Option<Node> {
    let description = group.description.as_ref()?;
    let mut builder = NodeBuilder::new("description").attr("id", description.id.as_str()).attr("t", description.at_s);
    if let Some(by) = world.accounts.get(&description.by) {
        builder = builder.attr("participant", by.user(Naming::Lid)).attr("participant_pn", by.user(Naming::Phone));
    }
    Some(builder.children([NodeBuilder::new("body").string_content(description.text.as_str()).build()]).build())
}
