//! Changes of a group: who may make them, what they do, and telling everybody.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::nodes;
use crate::iq::{Answer, Answered, Refusal};
use crate::number::{Naming, Number};
use crate::stanza::{Read, empty, notification};
use crate::state::World;
use crate::state::groups::{Description, Group, Role};

/// Members a change is about.
#[derive(Clone, Debug)]
pub(crate) struct Picked(pub(crate) Vec<Number>);

impl Picked {
    pub(crate) fn one(number: &Number) -> Self {
        Self(vec![number.clone()])
    }
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Add(Picked),
    Remove(Picked),
    Promote(Picked),
    Demote(Picked),
    Subject(String),
    /// Id and text; none takes it away.
    Description(String, Option<String>),
    Locked(bool),
    Announcement(bool),
    Ephemeral(u32),
    Approval(bool),
    AdminsAdd(bool),
}

impl Change {
    fn read(world: &mut World, node: &Node) -> Option<Self> {
        let mut picked = || {
            let named = node.get_children_by_tag("participant").filter_map(|it| it.jid("jid"));
            Picked(named.filter_map(|jid| world.number_of(&jid)).collect())
        };
        Some(match &*node.tag {
            "add" => Self::Add(picked()),
            "remove" => Self::Remove(picked()),
            "promote" => Self::Promote(picked()),
            "demote" => Self::Demote(picked()),
            "subject" => Self::Subject(String::from_utf8_lossy(node.content()).into_owned()),
            _ => return Self::setting(node),
        })
    }

    fn setting(node: &Node) -> Option<Self> {
        Some(match &*node.tag {
            "description" => {
                let text = String::from_utf8_lossy(node.content_of("body")).into_owned();
                let keep = !node.says("delete", "true") && !text.is_empty();
                Self::Description(node.text("id").unwrap_or_default(), keep.then_some(text))
            }
            "locked" => Self::Locked(true),
            "unlocked" => Self::Locked(false),
            "announcement" => Self::Announcement(true),
            "not_announcement" => Self::Announcement(false),
            "ephemeral" => Self::Ephemeral(node.text("expiration")?.parse().ok()?),
            "not_ephemeral" => Self::Ephemeral(0),
            "membership_approval_mode" => {
                Self::Approval(node.get_optional_child("group_join").is_some_and(|join| join.says("state", "on")))
            }
            "member_add_mode" => Self::AdminsAdd(node.content() == b"admin_add"),
            _ => return None,
        })
    }

    /// Whether any member may do it.
    fn is_free(&self, group: &Group) -> bool {
        match self {
            Self::Add(_) => !group.admins_add,
            Self::Subject(_) | Self::Description(..) | Self::Ephemeral(_) => !group.locked,
            _ => false,
        }
    }

    fn picked(&self) -> Option<(&'static str, &Picked)> {
        match self {
            Self::Add(picked) => Some(("add", picked)),
            Self::Remove(picked) => Some(("remove", picked)),
            Self::Promote(picked) => Some(("promote", picked)),
            Self::Demote(picked) => Some(("demote", picked)),
            _ => None,
        }
    }

    fn apply(&self, group: &mut Group, by: &Number, now_s: i64) {
        match self {
            Self::Add(Picked(numbers)) => {
                for number in numbers {
                    group.members.entry(number.clone()).or_insert(Role::Member);
                }
            }
            Self::Remove(Picked(numbers)) => group.members.retain(|number, _| !numbers.contains(number)),
            Self::Promote(picked) => set_role(group, picked, Role::Admin),
            Self::Demote(picked) => set_role(group, picked, Role::Member),
            Self::Subject(subject) => {
                group.subject.clone_from(subject);
                (group.subject_by, group.subject_at_s) = (by.clone(), now_s);
            }
            Self::Description(id, text) => {
                let new =
                    |text: &String| Description { id: id.clone(), text: text.clone(), by: by.clone(), at_s: now_s };
                group.description = text.as_ref().map(new);
            }
            Self::Locked(on) => group.locked = *on,
            Self::Announcement(on) => group.announcement = *on,
            Self::Ephemeral(seconds) => group.ephemeral_s = *seconds,
            Self::Approval(on) => group.approval = *on,
            Self::AdminsAdd(on) => group.admins_add = *on,
        }
    }

    /// The change as members are told of it.
    fn told(&self, world: &World, group: &Group, roles: &[(Number, Role)]) -> Node {
        if let Some((tag, _)) = self.picked() {
            let members = roles.iter().filter_map(|(number, role)| nodes::member(world, number, *role));
            return NodeBuilder::new(tag).children(members).build();
        }
        match self {
            Self::Subject(subject) => {
                let builder =
                    NodeBuilder::new("subject").attr("subject", subject.as_str()).attr("s_t", group.subject_at_s);
                match world.accounts.get(&group.subject_by) {
                    Some(by) => builder.attr("s_o", by.user(Naming::Lid)).build(),
                    None => builder.build(),
                }
            }
            Self::Description(id, _) => nodes::description(world, group).unwrap_or_else(|| {
                let gone = NodeBuilder::new("description").attr("id", id.as_str());
                gone.children([empty("delete")]).build()
            }),
            Self::Locked(on) => empty(if *on { "locked" } else { "unlocked" }),
            Self::Announcement(on) => empty(if *on { "announcement" } else { "not_announcement" }),
            Self::Ephemeral(seconds) => nodes::ephemeral(*seconds),
            Self::Approval(on) => nodes::approval(*on),
            Self::AdminsAdd(on) => nodes::add_mode(*on),
            _ => empty("modify"),
        }
    }
}

fn set_role(group: &mut Group, Picked(numbers): &Picked, role: Role) {
    for number in numbers {
        if let Some(current) = group.members.get_mut(number).filter(|current| **current != Role::Founder) {
            *current = role;
        }
    }
}

/// What a group is created with.
pub(super) fn preset(group: &mut Group, setting: &Node, by: &Number) {
    if let Some(change) = Change::setting(setting) {
        let now_s = group.created_s;
        change.apply(group, by, now_s);
    }
}

pub(super) fn answer(world: &mut World, me: &Number, jid: &Jid, wanted: &Node) -> Answered {
    let change = Change::read(world, wanted).ok_or(Refusal::NOT_IMPLEMENTED)?;
    let group = world.groups.get(jid).ok_or(Refusal::NOT_FOUND)?;
    group.role(me).ok_or(Refusal::FORBIDDEN)?;
    if !group.is_admin(me) && !change.is_free(group) {
        return Err(Refusal::NOT_AUTHORIZED);
    }
    let outcome = change.picked().map(|(tag, Picked(numbers))| {
        let codes = numbers.iter().filter_map(|number| {
            let account = world.accounts.get(number)?;
            let is_in = group.members.contains_key(number);
            let code = match tag {
                "add" if is_in => Refusal::CONFLICT.code,
                "add" => 200,
                _ if is_in => 200,
                _ => Refusal::NOT_FOUND.code,
            };
            let builder = NodeBuilder::new("participant")
                .attr("jid", account.user(Naming::Lid))
                .attr("phone_number", account.user(Naming::Phone))
                .attr("type", code);
            Some(if code == 200 { builder.build() } else { builder.attr("error", code).build() })
        });
        NodeBuilder::new(tag).children(codes).build()
    });
    world.change_group(me, jid, change);
    Ok(outcome.map_or_else(Answer::done, Answer::node))
}

impl World {
    /// Makes a change and tells everybody whom it concerns.
    pub(crate) fn change_group(&mut self, by: &Number, jid: &Jid, change: Change) {
        let now_s = self.now_s();
        let Some(group) = self.groups.get_mut(jid) else { return };
        let before = group.members.clone();
        change.apply(group, by, now_s);
        let roles: Vec<(Number, Role)> = change
            .picked()
            .map(|(_, Picked(numbers))| {
                let role = |number: &Number| group.role(number).or_else(|| before.get(number).copied());
                numbers.iter().filter_map(|number| Some((number.clone(), role(number)?))).collect()
            })
            .unwrap_or_default();
        let gone: Vec<Number> = before.keys().filter(|number| !group.members.contains_key(*number)).cloned().collect();
        let stayed: Vec<Number> = group.members.keys().cloned().collect();
        if !gone.is_empty() {
            self.renew_sender_keys(jid, &stayed);
        }
        self.tell_members(jid, by, &gone, |world, group| change.told(world, group, &roles));
    }

    /// Somebody wants to come in: those hear of it who may decide.
    pub(super) fn tell_of_request(&mut self, jid: &Jid, asking: &Number) {
        let Some(account) = self.accounts.get(asking) else { return };
        let user = NodeBuilder::new("requested_user")
            .attr("jid", account.user(Naming::Lid))
            .attr("phone_number", account.user(Naming::Phone))
            .build();
        let request = NodeBuilder::new("created_membership_requests").attr("request_method", "invite_link");
        let Some(told) = self.group_notification(jid, asking, request.children([user]).build()) else { return };
        let Some(group) = self.groups.get(jid) else { return };
        let admins: Vec<Number> = group.members.keys().filter(|it| group.is_admin(it)).cloned().collect();
        for admin in admins {
            self.deliver_to_all(&admin, None, &told);
        }
    }

    /// A notification to every device of every member, and of `also`.
    pub(crate) fn tell_members(
        &mut self,
        jid: &Jid,
        by: &Number,
        also: &[Number],
        what: impl FnOnce(&World, &Group) -> Node,
    ) {
        let Some(group) = self.groups.get(jid) else { return };
        let what = what(self, group);
        let members: Vec<Number> = group.members.keys().chain(also).cloned().collect();
        let Some(told) = self.group_notification(jid, by, what) else { return };
        for member in members {
            self.deliver_to_all(&member, None, &told);
        }
    }

    fn group_notification(&mut self, jid: &Jid, by: &Number, what: Node) -> Option<Node> {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let account = self.accounts.get(by)?;
        let builder = notification("w:gp2", &id, jid, now_s, what)
            .attr("participant", account.user(Naming::Lid))
            .attr("participant_pn", account.user(Naming::Phone))
            .attr("notify", account.push_name.as_str());
        Some(builder.attr("addressing_mode", "lid").build())
    }
}
