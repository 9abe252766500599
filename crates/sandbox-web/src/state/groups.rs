//! Groups: who is in them and what they are set to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wacore_binary::{Jid, Server};

use super::accounts::Picture;
use crate::number::Number;

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Member,
    Admin,
    /// Who made the group; cannot be demoted.
    Founder,
}

impl Role {
    /// The word on the wire; plain members have none.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::Founder => Some("superadmin"),
        }
    }
}

/// A description, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) by: Number,
    pub(crate) at_s: i64,
}

/// A group.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) subject_by: Number,
    pub(crate) subject_at_s: i64,
    pub(crate) creator: Number,
    pub(crate) created_s: i64,
    pub(crate) members: BTreeMap<Number, Role>,
    #[serde(default)]
    pub(crate) description: Option<Description>,
    /// Only admins change what the group is called and looks like.
    #[serde(default)]
    pub(crate) locked: bool,
    /// Only admins write.
    #[serde(default)]
    pub(crate) announcement: bool,
    /// Only admins add.
    #[serde(default)]
    pub(crate) admins_add: bool,
    /// Admins let people in who come by invitation.
    #[serde(default)]
    pub(crate) approval: bool,
    /// Seconds; 0 is off.
    #[serde(default)]
    pub(crate) ephemeral_s: u32,
    pub(crate) invitation: String,
    #[serde(default)]
    pub(crate) picture: Option<Picture>,
    /// Who asked to come in, and when (seconds).
    #[serde(default)]
    pub(crate) asking: BTreeMap<Number, i64>,
}

impl Group {
    pub(crate) fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    pub(crate) fn role(&self, number: &Number) -> Option<Role> {
        self.members.get(number).copied()
    }

    pub(crate) fn is_admin(&self, number: &Number) -> bool {
        matches!(self.role(number), Some(Role::Admin | Role::Founder))
    }
}

/// All groups.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
    #[serde(skip)]
    changed: bool,
}

impl Groups {
    pub(crate) fn get(&self, jid: &Jid) -> Option<&Group> {
        (jid.server == Server::Group).then(|| self.by_id.get(jid.user.as_str()))?
    }

    pub(crate) fn get_mut(&mut self, jid: &Jid) -> Option<&mut Group> {
        let group = (jid.server == Server::Group).then(|| self.by_id.get_mut(jid.user.as_str()))??;
        self.changed = true;
        Some(group)
    }

    pub(crate) fn put(&mut self, group: Group) {
        self.changed = true;
        self.by_id.insert(group.id.clone(), group);
    }

    pub(crate) fn of(&self, number: &Number) -> Vec<&Group> {
        self.by_id.values().filter(|group| group.members.contains_key(number)).collect()
    }

    pub(crate) fn by_invitation(&self, code: &str) -> Option<&Group> {
        self.by_id.values().find(|group| group.invitation == code)
    }

    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}
