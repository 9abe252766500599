//! Changes of groups.

use wacore::stanza::groups::{GroupNotificationAction as Action, GroupParticipantInfo};
use wacore::types::events::GroupUpdate;
use web_wire::event::group::{
    Announce, Approval, Deleted, Ephemeral, GroupInfo, Link, LinkTarget, Locked, Name, Topic,
};
use web_wire::event::{Happening, JoinedGroup, Time};
use web_wire::jid::Jid;

use super::convert;
use crate::jids::ours;

pub(super) fn happenings(change: &GroupUpdate) -> Vec<Happening> {
    let sender = change.participant.as_ref().map(ours);
    let sender_pn = change.participant_pn.as_ref().map(ours);
    let notify = change.notify.clone().unwrap_or_default();
    if let Action::Create { .. } = &change.action {
        let mut joined = JoinedGroup { kind: "new".into(), sender, sender_pn, notify, ..JoinedGroup::default() };
        joined.group.jid = ours(&change.group_jid);
        joined.group.group_created = change.timestamp.into();
        joined.group.addressing_mode = if change.is_lid_addressing_mode { "lid" } else { "pn" }.into();
        return vec![joined.into()];
    }
    let blank = GroupInfo {
        jid: ours(&change.group_jid),
        notify,
        sender: sender.clone(),
        sender_pn,
        timestamp: change.timestamp.into(),
        ..GroupInfo::default()
    };
    vec![changed(blank, change, sender.unwrap_or_default()).into()]
}

fn changed(mut info: GroupInfo, change: &GroupUpdate, by: Jid) -> GroupInfo {
    let at = Time::from(change.timestamp);
    match &change.action {
        Action::Add { participants, reason } => {
            (info.join, info.join_reason) = (jids(participants), reason.clone().unwrap_or_default());
        }
        Action::Remove { participants, .. } => info.leave = jids(participants),
        Action::Promote { participants } => info.promote = jids(participants),
        Action::Demote { participants } => info.demote = jids(participants),
        Action::Subject { subject, subject_owner, subject_time } => {
            let set_by = subject_owner.as_ref().map_or(by, ours);
            let set_at = subject_time.and_then(|at| i64::try_from(at).ok()).map_or(at, Time::from_secs);
            info.name =
                Some(Name { name: subject.clone(), name_set_at: set_at, name_set_by: set_by, ..Name::default() });
        }
        Action::Description { id, description } => {
            info.topic = Some(Topic {
                topic: description.clone().unwrap_or_default(),
                topic_id: id.clone(),
                topic_set_at: at,
                topic_set_by: by,
                topic_deleted: description.is_none(),
                ..Topic::default()
            });
        }
        Action::Locked { .. } => info.locked = Some(Locked { is_locked: true }),
        Action::Unlocked => info.locked = Some(Locked { is_locked: false }),
        Action::Announce => info.announce = Some(Announce { is_announce: true, ..Announce::default() }),
        Action::NotAnnounce => info.announce = Some(Announce::default()),
        Action::Ephemeral { expiration, .. } => {
            info.ephemeral = Some(Ephemeral { is_ephemeral: *expiration > 0, disappearing_timer: *expiration });
        }
        Action::MembershipApprovalMode { enabled } => {
            info.membership_approval_mode = Some(Approval { is_join_approval_required: *enabled });
        }
        Action::Invite { code } => info.new_invite_link = Some(format!("https://chat.whatsapp.com/{code}")),
        Action::Delete { reason } => {
            info.delete = Some(Deleted { deleted: true, delete_reason: reason.clone().unwrap_or_default() });
        }
        Action::Link { link_type, raw } => {
            info.link = Some(Link { kind: link_type.clone(), group: target(raw), ..Link::default() });
        }
        Action::Unlink { unlink_type, unlink_reason, raw } => {
            info.unlink = Some(Link {
                kind: unlink_type.clone(),
                unlink_reason: unlink_reason.clone().unwrap_or_default(),
                group: target(raw),
            });
        }
        Action::Suspended => info.suspended = true,
        Action::Unsuspended => info.unsuspended = true,
        other => info.unknown_changes = vec![unknown(other)],
    }
    info
}

fn jids(participants: &[GroupParticipantInfo]) -> Vec<Jid> {
    participants.iter().map(|participant| ours(&participant.jid)).collect()
}

/// The group that a community was tied to, as far as the stanza tells.
fn target(raw: &wacore_binary::Node) -> LinkTarget {
    let group = raw.get_optional_child("group");
    let attribute = |name: &str| group.and_then(|group| group.attrs.get(name)).map(ToString::to_string);
    let id = attribute("jid").or_else(|| attribute("id")).unwrap_or_default();
    let jid = if id.contains('@') { id.parse().unwrap_or_default() } else { Jid::new(id, web_wire::jid::GROUP) };
    let name = Name { name: attribute("subject").unwrap_or_default(), ..Name::default() };
    LinkTarget {
        jid,
        name,
        is_default_sub_group: group.is_some_and(|g| g.get_optional_child("default_sub_group").is_some()),
    }
}

/// Anything that this family has no name for.
fn unknown(action: &Action) -> web_wire::event::Node {
    let tag = serde_json::to_value(action).ok().and_then(|value| value["type"].as_str().map(str::to_owned));
    let node = wacore_binary::builder::NodeBuilder::new("change").attr("type", tag.unwrap_or_default()).build();
    convert::node(&node)
}
