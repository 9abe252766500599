//! `w:g2`: groups. Every change is told to all members, and to those who are members no longer.

mod change;
mod nodes;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, Server};

use super::{Answer, Answered, Refusal};
use crate::number::{Address, Number};
use crate::stanza::{Read, wrap};
use crate::state::World;
use crate::state::groups::{Group, Role};
pub(crate) use change::{Change, Picked};
pub(crate) use nodes::group as group_node;

pub(super) fn answer(world: &mut World, who: &Address, question: &Node) -> Answered {
    let me = &who.number;
    let child = question.nodes().first().ok_or(Refusal::BAD_REQUEST)?;
    let to = question.jid("to").filter(|jid| jid.server == Server::Group && !jid.user.is_empty());
    match (&*child.tag, to) {
        ("create", None) => create(world, me, child),
        ("participating", None) => Ok(participating(world, me)),
        ("leave", None) => leave(world, me, child),
        ("query", None) => Ok(batch(world, me, child)),
        ("invite", None) => invitation(world, me, child, question.says("type", "set")),
        ("query", Some(group)) => Ok(Answer::node(visible(world, me, &group)?)),
        ("invite", Some(group)) => link(world, me, &group, question.says("type", "set")),
        ("membership_approval_requests", Some(group)) => requests(world, me, &group),
        ("membership_requests_action", Some(group)) => decide(world, me, &group, child),
        ("ack", Some(_)) => Ok(Answer::done()),
        (_, Some(group)) => change::answer(world, me, &group, child),
        _ => Err(Refusal::NOT_IMPLEMENTED),
    }
}

fn create(world: &mut World, me: &Number, wanted: &Node) -> Answered {
    if ["parent", "linked_parent"].iter().any(|tag| wanted.get_optional_child(tag).is_some()) {
        return Err(Refusal::NOT_IMPLEMENTED);
    }
    let subject = wanted.text("subject").filter(|subject| subject.len() <= 400).ok_or(Refusal::NOT_ACCEPTABLE)?;
    let invited: Vec<Number> =
        wanted.get_children_by_tag("participant").filter_map(|it| world.number_of(&it.jid("jid")?)).collect();
    let mut group = world.new_group(me, &subject, &invited);
    for setting in wanted.nodes() {
        change::preset(&mut group, setting, me);
    }
    let jid = group.jid();
    world.groups.put(group);
    world.tell_members(&jid, me, &[], |world, group| wrap("create", [nodes::group(world, group)]));
    let group = world.groups.get(&jid).ok_or(Refusal::NOT_FOUND)?;
    Ok(Answer::node(nodes::group(world, group)))
}

fn participating(world: &World, me: &Number) -> Answer {
    let groups = world.groups.of(me).into_iter().map(|group| nodes::group(world, group));
    Answer::node(wrap("groups", groups))
}

fn visible(world: &World, me: &Number, jid: &Jid) -> Result<Node, Refusal> {
    let group = world.groups.get(jid).ok_or(Refusal::NOT_FOUND)?;
    group.role(me).ok_or(Refusal::FORBIDDEN)?;
    Ok(nodes::group(world, group))
}

fn batch(world: &World, me: &Number, wanted: &Node) -> Answer {
    let asked = wanted.get_children_by_tag("group").filter_map(|group| group.jid("jid"));
    let groups = asked.map(|jid| match visible(world, me, &jid) {
        Ok(group) => group,
        Err(refusal) => NodeBuilder::new("group").attr("id", &jid).attr("error", refusal.code).build(),
    });
    Answer::node(wrap("groups", groups))
}

fn leave(world: &mut World, me: &Number, wanted: &Node) -> Answered {
    let mut left = Vec::new();
    for jid in wanted.get_children_by_tag("group").filter_map(|group| group.jid("id")) {
        let is_member = world.groups.get(&jid).is_some_and(|group| group.members.contains_key(me));
        let code = if is_member { 200u16 } else { Refusal::NOT_FOUND.code };
        if is_member {
            world.change_group(me, &jid, Change::Remove(Picked::one(me)));
        }
        left.push(NodeBuilder::new("group").attr("id", &jid).attr("type", code).build());
    }
    Ok(Answer::node(wrap("leave", left)))
}

fn link(world: &mut World, me: &Number, jid: &Jid, renew: bool) -> Answered {
    let group = world.groups.get(jid).ok_or(Refusal::NOT_FOUND)?;
    if !group.is_admin(me) && (renew || group.admins_add) {
        return Err(Refusal::NOT_AUTHORIZED);
    }
    if renew {
        let invitation = world.invitation();
        world.groups.get_mut(jid).ok_or(Refusal::NOT_FOUND)?.invitation = invitation;
    }
    let code = world.groups.get(jid).map(|group| group.invitation.clone()).unwrap_or_default();
    Ok(Answer::node(NodeBuilder::new("invite").attr("code", code).build()))
}

/// What an invitation leads to, and following it.
fn invitation(world: &mut World, me: &Number, wanted: &Node, follow: bool) -> Answered {
    let code = wanted.text("code").ok_or(Refusal::BAD_REQUEST)?;
    let group = world.groups.by_invitation(&code).ok_or(Refusal::NOT_ACCEPTABLE)?;
    let (jid, guarded) = (group.jid(), group.approval);
    if !follow {
        return Ok(Answer::node(nodes::group(world, group)));
    }
    if group.members.contains_key(me) {
        return Err(Refusal::CONFLICT);
    }
    if guarded {
        let now_s = world.now_s();
        world.groups.get_mut(&jid).ok_or(Refusal::NOT_FOUND)?.asking.insert(me.clone(), now_s);
        world.tell_of_request(&jid, me);
        return Ok(Answer::node(NodeBuilder::new("membership_approval_request").attr("jid", jid).build()));
    }
    world.change_group(me, &jid, Change::Add(Picked::one(me)));
    Ok(Answer::node(NodeBuilder::new("group").attr("jid", jid).build()))
}

fn requests(world: &World, me: &Number, jid: &Jid) -> Answered {
    let group = world.groups.get(jid).filter(|group| group.is_admin(me)).ok_or(Refusal::FORBIDDEN)?;
    let asking = group.asking.iter().filter_map(|(number, at_s)| {
        let jid = world.accounts.get(number)?.user(crate::number::Naming::Lid);
        Some(NodeBuilder::new("membership_approval_request").attr("jid", jid).attr("request_time", *at_s).build())
    });
    Ok(Answer::node(wrap("membership_approval_requests", asking)))
}

fn decide(world: &mut World, me: &Number, jid: &Jid, wanted: &Node) -> Answered {
    world.groups.get(jid).filter(|group| group.is_admin(me)).ok_or(Refusal::FORBIDDEN)?;
    let decision = wanted.nodes().first().ok_or(Refusal::BAD_REQUEST)?;
    let approve = decision.tag == "approve";
    let mut outcomes = Vec::new();
    for named in decision.get_children_by_tag("participant").filter_map(|it| it.jid("jid")) {
        let asked = world
            .number_of(&named)
            .filter(|number| world.groups.get_mut(jid).is_some_and(|group| group.asking.remove(number).is_some()));
        let builder = NodeBuilder::new("participant").attr("jid", named);
        outcomes.push(match &asked {
            Some(_) => builder.build(),
            None => builder.attr("error", Refusal::NOT_FOUND.code).build(),
        });
        if let Some(number) = asked.filter(|_| approve) {
            world.change_group(me, jid, Change::Add(Picked::one(&number)));
        }
    }
    let decision = NodeBuilder::new_dynamic(decision.tag.to_string()).children(outcomes).build();
    Ok(Answer::node(wrap("membership_requests_action", [decision])))
}

impl World {
    pub(crate) fn number_of(&mut self, jid: &Jid) -> Option<Number> {
        self.account_for(jid).map(|account| account.number.clone())
    }

    /// A group with these people in it; not told to anybody yet.
    pub(crate) fn new_group(&mut self, founder: &Number, subject: &str, others: &[Number]) -> Group {
        let now_s = self.now_s();
        let mut members: std::collections::BTreeMap<Number, Role> =
            others.iter().map(|number| (number.clone(), Role::Member)).collect();
        members.insert(founder.clone(), Role::Founder);
        let id = self.fresh_group_id();
        Group {
            id,
            subject: subject.to_owned(),
            subject_by: founder.clone(),
            subject_at_s: now_s,
            creator: founder.clone(),
            created_s: now_s,
            members,
            description: None,
            locked: false,
            announcement: false,
            admins_add: false,
            approval: false,
            ephemeral_s: 0,
            invitation: self.invitation(),
            picture: None,
            asking: std::collections::BTreeMap::new(),
        }
    }

    fn fresh_group_id(&mut self) -> String {
        use rand_10::RngExt;
        format!("1203630{:011}", self.random.random_range(0..100_000_000_000u64))
    }

    fn invitation(&mut self) -> String {
        use rand_10::RngExt;
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..22).map(|_| char::from(LETTERS[self.random.random_range(0..LETTERS.len())])).collect()
    }
}
