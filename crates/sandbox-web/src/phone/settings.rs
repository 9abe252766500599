//! What an owner changes on the phone, and where in the app state it stands.

use wacore_appstate::schemas::{self, Schema};
use waproto::whatsapp::{SyncActionValue, sync_action_value as action, syncd_mutation::SyncdOperation};

/// What an owner changes. Chats and people are addresses (`1555…@s.whatsapp.net`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The account's own name.
    PushName(String),
    /// A name in the address book.
    Contact { jid: String, name: String, lid: Option<String> },
    /// A contact removed from it.
    NoContact { jid: String },
    /// A chat at the top, or no longer.
    Pin { chat: String, on: bool },
    /// A chat silent until (milliseconds; -1 for ever), or loud again.
    Mute { chat: String, until: Option<i64> },
    /// A chat put away, or taken back.
    Archive { chat: String, on: bool },
    /// A chat marked read or unread.
    Read { chat: String, on: bool },
    /// A message with a star, or without.
    Star { chat: String, id: String, from_me: bool, participant: Option<String>, on: bool },
    /// A label made, changed or removed.
    Label { id: String, name: String, color: i32, deleted: bool },
    /// A label on a chat, or off it.
    ChatLabel { label: String, chat: String, on: bool },
    /// A chat removed.
    DeleteChat { chat: String },
    /// A chat emptied.
    ClearChat { chat: String },
    /// The salt from which tokens for strangers are made.
    NctSalt(Vec<u8>),
}

/// An entry of a collection: set, or removed.
pub(super) struct Change {
    pub(super) schema: &'static Schema,
    /// The action's name and what it is about.
    pub(super) index: Vec<String>,
    pub(super) value: SyncActionValue,
    pub(super) operation: SyncdOperation,
}

impl Setting {
    /// The entry it becomes; `now` in milliseconds.
    pub(super) fn change(&self, now: i64) -> Change {
        let schema = self.schema();
        let mut index = vec![schema.name.to_owned()];
        index.extend(self.about());
        let operation = match self {
            Self::NoContact { .. } => SyncdOperation::REMOVE,
            _ => SyncdOperation::SET,
        };
        let mut value = SyncActionValue { timestamp: Some(now), ..Default::default() };
        self.fill(&mut value);
        Change { schema, index, value, operation }
    }

    fn schema(&self) -> &'static Schema {
        match self {
            Self::PushName(_) => &schemas::SETTING_PUSH_NAME,
            Self::Contact { .. } | Self::NoContact { .. } => &schemas::CONTACT,
            Self::Pin { .. } => &schemas::PIN,
            Self::Mute { .. } => &schemas::MUTE,
            Self::Archive { .. } => &schemas::ARCHIVE,
            Self::Read { .. } => &schemas::MARK_CHAT_AS_READ,
            Self::Star { .. } => &schemas::STAR,
            Self::Label { .. } => &schemas::LABEL_EDIT,
            Self::ChatLabel { .. } => &schemas::LABEL_JID,
            Self::DeleteChat { .. } => &schemas::DELETE_CHAT,
            Self::ClearChat { .. } => &schemas::CLEAR_CHAT,
            Self::NctSalt(_) => &schemas::NCT_SALT_SYNC,
        }
    }

    /// The index behind the action's name.
    fn about(&self) -> Vec<String> {
        let yes = || "1".to_owned();
        match self {
            Self::PushName(_) | Self::NctSalt(_) => Vec::new(),
            Self::Contact { jid, .. } | Self::NoContact { jid } => vec![jid.clone()],
            Self::Pin { chat, .. } | Self::Mute { chat, .. } => vec![chat.clone()],
            Self::Archive { chat, .. } | Self::Read { chat, .. } => vec![chat.clone()],
            Self::Star { chat, id, from_me, participant, .. } => {
                let participant = participant.clone().filter(|_| !from_me);
                let participant = participant.unwrap_or_else(|| "0".to_owned());
                vec![chat.clone(), id.clone(), u8::from(*from_me).to_string(), participant]
            }
            Self::Label { id, .. } => vec![id.clone()],
            Self::ChatLabel { label, chat, .. } => vec![label.clone(), chat.clone()],
            // With its files; starred messages too, where they are asked about.
            Self::DeleteChat { chat } => vec![chat.clone(), yes()],
            Self::ClearChat { chat } => vec![chat.clone(), yes(), yes()],
        }
    }

    fn fill(&self, value: &mut SyncActionValue) {
        match self {
            Self::PushName(name) => {
                value.push_name_setting = action::PushNameSetting { name: Some(name.clone()) }.into()
            }
            Self::Contact { jid, name, lid } => value.contact_action = contact(jid, name, lid.clone()).into(),
            Self::NoContact { .. } => {}
            Self::Pin { on, .. } => value.pin_action = action::PinAction { pinned: Some(*on) }.into(),
            Self::Mute { until, .. } => {
                let muted = Some(until.is_some());
                let mute = action::MuteAction { muted, mute_end_timestamp: *until, ..Default::default() };
                value.mute_action = mute.into();
            }
            Self::Archive { on, .. } => {
                let archive = action::ArchiveChatAction { archived: Some(*on), ..Default::default() };
                value.archive_chat_action = archive.into();
            }
            Self::Read { on, .. } => {
                let read = action::MarkChatAsReadAction { read: Some(*on), ..Default::default() };
                value.mark_chat_as_read_action = read.into();
            }
            Self::Star { on, .. } => value.star_action = action::StarAction { starred: Some(*on) }.into(),
            Self::Label { name, color, deleted, .. } => {
                let (name, color, deleted) = (Some(name.clone()), Some(*color), Some(*deleted));
                let label = action::LabelEditAction { name, color, deleted, ..Default::default() };
                value.label_edit_action = label.into();
            }
            Self::ChatLabel { on, .. } => {
                let label = action::LabelAssociationAction { labeled: Some(*on), ..Default::default() };
                value.label_association_action = label.into();
            }
            Self::DeleteChat { .. } => value.delete_chat_action = action::DeleteChatAction::default().into(),
            Self::ClearChat { .. } => value.clear_chat_action = action::ClearChatAction::default().into(),
            Self::NctSalt(salt) => {
                value.nct_salt_sync_action = action::NctSaltSyncAction { salt: Some(salt.clone()) }.into();
            }
        }
    }
}

fn contact(jid: &str, name: &str, lid: Option<String>) -> action::ContactAction {
    action::ContactAction {
        full_name: Some(name.to_owned()),
        first_name: name.split_whitespace().next().map(str::to_owned),
        lid_jid: lid,
        pn_jid: jid.ends_with("@s.whatsapp.net").then(|| jid.to_owned()),
        save_on_primary_addressbook: Some(true),
        ..Default::default()
    }
}
