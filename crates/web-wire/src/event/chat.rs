//! What the account's other devices changed, beyond the list of names. `action` is the protobuf message of the
//! change in Go's spelling.

use serde::Serialize;
use serde_json::Value;

use super::{Event, MessageInfo, Time, kinds, named};
use crate::jid::Jid;

kinds! {
    /// What can be changed of a chat or contact.
    ChatKind: Archive ClearChat Contact DeleteChat MarkChatAsRead Mute Pin UserStatusMute
}

/// A chat or contact was changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChatChange {
    #[serde(skip)]
    pub kind: ChatKind,
    #[serde(rename = "JID")]
    pub jid: Jid,
    pub timestamp: Time,
    pub action: Value,
    /// A part of the state that a new device gets, not a change of now.
    pub from_full_sync: bool,
}

impl Event for ChatChange {
    fn kind(&self) -> &'static str {
        self.kind.name()
    }
}

kinds! {
    /// What can be changed of a message.
    MessageKind: DeleteForMe Star
}

/// A message was starred, or deleted for this account only.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageChange {
    #[serde(skip)]
    pub kind: MessageKind,
    #[serde(rename = "ChatJID")]
    pub chat: Jid,
    /// In groups only.
    #[serde(rename = "SenderJID")]
    pub sender: Jid,
    pub is_from_me: bool,
    #[serde(rename = "MessageID")]
    pub message_id: String,
    pub timestamp: Time,
    pub action: Value,
    pub from_full_sync: bool,
}

impl Event for MessageChange {
    fn kind(&self) -> &'static str {
        self.kind.name()
    }
}

kinds! {
    /// What can be changed of the account.
    SettingKind: PushNameSetting UnarchiveChatsSetting
}

/// A setting of the account was changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SettingChange {
    #[serde(skip)]
    pub kind: SettingKind,
    pub timestamp: Time,
    pub action: Value,
    pub from_full_sync: bool,
}

impl Event for SettingChange {
    fn kind(&self) -> &'static str {
        self.kind.name()
    }
}

/// A label was changed (no chat), put on a chat, or put on a message of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LabelChange {
    #[serde(rename = "JID", skip_serializing_if = "Option::is_none")]
    pub chat: Option<Jid>,
    pub timestamp: Time,
    #[serde(rename = "LabelID")]
    pub label_id: String,
    #[serde(rename = "MessageID", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    pub action: Value,
    pub from_full_sync: bool,
}

impl Event for LabelChange {
    fn kind(&self) -> &'static str {
        match (&self.chat, &self.message_id) {
            (_, Some(_)) => "LabelAssociationMessage",
            (Some(_), None) => "LabelAssociationChat",
            (None, None) => "LabelEdit",
        }
    }
}

/// A person's message carried another name than the last one.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PushName {
    #[serde(rename = "JID")]
    pub jid: Jid,
    /// The message that carried it.
    pub message: Option<MessageInfo>,
    pub old_push_name: String,
    pub new_push_name: String,
}

/// A business's message carried another verified name than the last one.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BusinessName {
    #[serde(rename = "JID")]
    pub jid: Jid,
    /// The message that carried it, if one did.
    pub message: Option<MessageInfo>,
    pub old_business_name: String,
    pub new_business_name: String,
}

named!(PushName BusinessName);
