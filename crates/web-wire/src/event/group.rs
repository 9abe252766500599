//! Groups. Of a change only the changed parts are set.

use serde::Serialize;

use super::{Node, Time, named, null_if_empty};
use crate::jid::Jid;

/// Something about a group changed; only the changed parts are set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupInfo {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub notify: String,
    pub sender: Option<Jid>,
    #[serde(rename = "SenderPN")]
    pub sender_pn: Option<Jid>,
    pub timestamp: Time,
    pub name: Option<Name>,
    pub topic: Option<Topic>,
    pub locked: Option<Locked>,
    pub announce: Option<Announce>,
    pub ephemeral: Option<Ephemeral>,
    pub membership_approval_mode: Option<Approval>,
    pub delete: Option<Deleted>,
    pub link: Option<Link>,
    pub unlink: Option<Link>,
    pub new_invite_link: Option<String>,
    #[serde(rename = "PrevParticipantVersionID")]
    pub prev_participant_version_id: String,
    #[serde(rename = "ParticipantVersionID")]
    pub participant_version_id: String,
    /// `invite` or nothing.
    pub join_reason: String,
    #[serde(serialize_with = "null_if_empty")]
    pub join: Vec<Jid>,
    #[serde(serialize_with = "null_if_empty")]
    pub leave: Vec<Jid>,
    #[serde(serialize_with = "null_if_empty")]
    pub promote: Vec<Jid>,
    #[serde(serialize_with = "null_if_empty")]
    pub demote: Vec<Jid>,
    pub suspended: bool,
    pub unsuspended: bool,
    #[serde(serialize_with = "null_if_empty")]
    pub unknown_changes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Name {
    pub name: String,
    pub name_set_at: Time,
    pub name_set_by: Jid,
    #[serde(rename = "NameSetByPN")]
    pub name_set_by_pn: Jid,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Topic {
    pub topic: String,
    #[serde(rename = "TopicID")]
    pub topic_id: String,
    pub topic_set_at: Time,
    pub topic_set_by: Jid,
    #[serde(rename = "TopicSetByPN")]
    pub topic_set_by_pn: Jid,
    pub topic_deleted: bool,
}

/// Only admins change the group's name, topic and picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Locked {
    pub is_locked: bool,
}

/// Only admins write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Announce {
    pub is_announce: bool,
    #[serde(rename = "AnnounceVersionID")]
    pub announce_version_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ephemeral {
    pub is_ephemeral: bool,
    /// Seconds.
    pub disappearing_timer: u32,
}

/// Who wants to join must be let in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Approval {
    pub is_join_approval_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deleted {
    pub deleted: bool,
    pub delete_reason: String,
}

/// A group was taken into a community or out of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Link {
    /// `parent_group`, `sub_group` or `sibling_group`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// `unlink_group`, `delete_parent` or nothing.
    pub unlink_reason: String,
    pub group: LinkTarget,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LinkTarget {
    #[serde(rename = "JID")]
    pub jid: Jid,
    #[serde(flatten)]
    pub name: Name,
    pub is_default_sub_group: bool,
}

/// The account was added to a group, joined or made one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JoinedGroup {
    /// `invite` or nothing.
    pub reason: String,
    /// `new` or nothing.
    #[serde(rename = "Type")]
    pub kind: String,
    pub create_key: String,
    pub sender: Option<Jid>,
    #[serde(rename = "SenderPN")]
    pub sender_pn: Option<Jid>,
    pub notify: String,
    #[serde(flatten)]
    pub group: Group,
}

/// All that is known of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
    #[serde(rename = "JID")]
    pub jid: Jid,
    #[serde(rename = "OwnerJID")]
    pub owner: Jid,
    #[serde(rename = "OwnerPN")]
    pub owner_pn: Jid,
    #[serde(flatten)]
    pub name: Name,
    #[serde(flatten)]
    pub topic: Topic,
    #[serde(flatten)]
    pub locked: Locked,
    #[serde(flatten)]
    pub announce: Announce,
    #[serde(flatten)]
    pub ephemeral: Ephemeral,
    pub is_incognito: bool,
    /// A community.
    pub is_parent: bool,
    pub default_membership_approval_mode: String,
    #[serde(rename = "LinkedParentJID")]
    pub linked_parent: Jid,
    pub is_default_sub_group: bool,
    #[serde(flatten)]
    pub approval: Approval,
    /// `pn`, `lid` or nothing.
    pub addressing_mode: String,
    pub group_created: Time,
    pub creator_country_code: String,
    #[serde(rename = "ParticipantVersionID")]
    pub participant_version_id: String,
    #[serde(serialize_with = "null_if_empty")]
    pub participants: Vec<Participant>,
    pub participant_count: u32,
    /// `admin_add` or `all_member_add`.
    pub member_add_mode: String,
    pub suspended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Participant {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub phone_number: Jid,
    #[serde(rename = "LID")]
    pub lid: Jid,
    pub is_admin: bool,
    pub is_super_admin: bool,
    pub display_name: String,
    /// Why they could not be added, else 0.
    pub error: i64,
    pub add_request: Option<AddRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AddRequest {
    pub code: String,
    pub expiration: Time,
}

named!(GroupInfo JoinedGroup);
