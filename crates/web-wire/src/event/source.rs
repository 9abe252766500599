use serde::Serialize;
use serde_json::Value;

use super::{Time, null_if_empty};
use crate::jid::Jid;

/// Where something was said and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Source {
    pub chat: Jid,
    /// With its device where known.
    pub sender: Jid,
    pub is_from_me: bool,
    /// Groups, broadcast lists and the status list.
    pub is_group: bool,
    /// Which kind of address `sender` is: `pn`, `lid` or nothing.
    pub addressing_mode: String,
    /// The sender's address of the other kind.
    pub sender_alt: Jid,
    /// In a direct chat, the recipient's address of the other kind.
    pub recipient_alt: Jid,
    pub broadcast_list_owner: Jid,
    #[serde(serialize_with = "null_if_empty")]
    pub broadcast_recipients: Vec<Recipient>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Recipient {
    #[serde(rename = "LID")]
    pub lid: Jid,
    #[serde(rename = "PN")]
    pub pn: Jid,
}

/// What is known about a message besides its content.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageInfo {
    #[serde(flatten)]
    pub source: Source,
    #[serde(rename = "ID")]
    pub id: String,
    /// Of newsletters, else 0.
    #[serde(rename = "ServerID")]
    pub server_id: u64,
    /// The stanza's type: see [`crate::message::type_of`].
    #[serde(rename = "Type")]
    pub kind: String,
    /// The sender's.
    pub push_name: String,
    /// The server's.
    pub timestamp: Time,
    pub category: String,
    pub multicast: bool,
    pub media_type: String,
    /// `1` edit, `2` pin, `3` admin edit, `7` sender revoke, `8` admin revoke, else nothing.
    pub edit: String,
    pub msg_bot_info: BotInfo,
    pub msg_meta_info: MetaInfo,
    pub is_newsletter_status: bool,
    pub verified_name: Option<VerifiedName>,
    pub device_sent_meta: Option<DeviceSent>,
    /// The echo of something that was sent through the API; printed only then.
    #[serde(rename = "IsFromAPI", skip_serializing_if = "std::ops::Not::not")]
    pub is_from_api: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BotInfo {
    pub edit_type: String,
    #[serde(rename = "EditTargetID")]
    pub edit_target_id: String,
    #[serde(rename = "EditSenderTimestampMS")]
    pub edit_sender_timestamp: Time,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetaInfo {
    #[serde(rename = "TargetID")]
    pub target_id: String,
    pub target_sender: Jid,
    pub target_chat: Jid,
    #[serde(rename = "DeprecatedLIDSession")]
    pub deprecated_lid_session: Option<bool>,
    #[serde(rename = "ThreadMessageID")]
    pub thread_message_id: String,
    #[serde(rename = "ThreadMessageSenderJID")]
    pub thread_message_sender: Jid,
}

/// Both parts are protobuf messages in Go's spelling.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VerifiedName {
    /// `VerifiedNameCertificate`.
    pub certificate: Value,
    /// `VerifiedNameCertificate.Details`.
    pub details: Value,
}

/// Of an own message that another device of the account sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeviceSent {
    #[serde(rename = "DestinationJID")]
    pub destination: String,
    pub phash: String,
}
