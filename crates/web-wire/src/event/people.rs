use serde::Serialize;
use serde_json::{Map, Value};

use super::{Event, Source, Time, named, null_if_empty};
use crate::jid::Jid;

/// The photo of a person or group changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Picture {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub author: Jid,
    pub timestamp: Time,
    pub remove: bool,
    #[serde(rename = "PictureID")]
    pub picture_id: String,
}

/// A person's about text changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserAbout {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub status: String,
    pub timestamp: Time,
}

/// The account's block list changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Blocklist {
    /// `modify` means: no changes are told, fetch the list again. Else nothing.
    pub action: String,
    #[serde(rename = "DHash")]
    pub dhash: String,
    #[serde(rename = "PrevDHash")]
    pub prev_dhash: String,
    #[serde(serialize_with = "null_if_empty")]
    pub changes: Vec<BlocklistChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BlocklistChange {
    #[serde(rename = "JID")]
    pub jid: Jid,
    /// `block` or `unblock`.
    pub action: String,
}

/// A person's key changed: another phone, or WhatsApp installed anew.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentityChange {
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub timestamp: Time,
    /// Noticed by a message that could not be trusted, not told by the server.
    pub implicit: bool,
}

/// Who may see or do what: `all`, `contacts`, `contact_blacklist`, `none`, …, or nothing when unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Privacy {
    pub group_add: String,
    pub last_seen: String,
    pub status: String,
    pub profile: String,
    pub read_receipts: String,
    pub call_add: String,
    pub online: String,
    pub messages: String,
    pub defense: String,
    pub stickers: String,
}

/// The account's privacy was changed on another device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrivacySettings {
    pub new_settings: Privacy,
    pub group_add_changed: bool,
    pub last_seen_changed: bool,
    pub status_changed: bool,
    pub profile_changed: bool,
    pub read_receipts_changed: bool,
    pub online_changed: bool,
    pub call_add_changed: bool,
    pub messages_changed: bool,
    pub defense_changed: bool,
    pub stickers_changed: bool,
}

impl PrivacySettings {
    pub fn between(old: &Privacy, new: Privacy) -> Self {
        Self {
            group_add_changed: old.group_add != new.group_add,
            last_seen_changed: old.last_seen != new.last_seen,
            status_changed: old.status != new.status,
            profile_changed: old.profile != new.profile,
            read_receipts_changed: old.read_receipts != new.read_receipts,
            online_changed: old.online != new.online,
            call_add_changed: old.call_add != new.call_add,
            messages_changed: old.messages != new.messages,
            defense_changed: old.defense != new.defense,
            stickers_changed: old.stickers != new.stickers,
            new_settings: new,
        }
    }
}

/// A person that we watch came or went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Presence {
    pub from: Jid,
    pub unavailable: bool,
    /// Unset when hidden.
    pub last_seen: Time,
}

impl Event for Presence {
    fn kind(&self) -> &'static str {
        "Presence"
    }

    fn extras(&self) -> Map<String, Value> {
        let state = if self.unavailable { "offline" } else { "online" };
        Map::from_iter([("state".to_owned(), state.into())])
    }
}

/// Somebody types or records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChatPresence {
    #[serde(flatten)]
    pub source: Source,
    /// `composing` or `paused`.
    pub state: String,
    /// `audio` or nothing.
    pub media: String,
}

named!(Picture UserAbout Blocklist BlocklistChange IdentityChange PrivacySettings ChatPresence);
