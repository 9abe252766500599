//! What the owner did to chats, messages and labels on another device.

use chrono::{DateTime, Utc};
use serde_json::Value;
use wacore::types::events::Event;
use wacore_binary::Jid as Theirs;
use web_wire::event::{ChatChange, ChatKind, Happening, LabelChange, MessageChange, MessageKind};

use crate::jids::ours;

pub(super) fn happenings(event: &Event) -> Vec<Happening> {
    chat(event).or_else(|| message(event)).or_else(|| label(event)).into_iter().collect()
}

fn chat(event: &Event) -> Option<Happening> {
    let told = |kind, jid: &Theirs, at: &DateTime<Utc>, action, from_full_sync| {
        Some(ChatChange { kind, jid: ours(jid), timestamp: (*at).into(), action, from_full_sync }.into())
    };
    match event {
        Event::PinUpdate(e) => told(ChatKind::Pin, &e.jid, &e.timestamp, action(&*e.action, "Pin"), e.from_full_sync),
        Event::MuteUpdate(e) => {
            told(ChatKind::Mute, &e.jid, &e.timestamp, action(&*e.action, "Mute"), e.from_full_sync)
        }
        Event::ArchiveUpdate(e) => {
            told(ChatKind::Archive, &e.jid, &e.timestamp, action(&*e.action, "ArchiveChat"), e.from_full_sync)
        }
        Event::ContactUpdate(e) => {
            told(ChatKind::Contact, &e.jid, &e.timestamp, action(&*e.action, "Contact"), e.from_full_sync)
        }
        Event::MarkChatAsReadUpdate(e) => {
            told(ChatKind::MarkChatAsRead, &e.jid, &e.timestamp, action(&*e.action, "MarkChatAsRead"), e.from_full_sync)
        }
        Event::DeleteChatUpdate(e) => {
            told(ChatKind::DeleteChat, &e.jid, &e.timestamp, action(&*e.action, "DeleteChat"), e.from_full_sync)
        }
        Event::ClearChatUpdate(e) => {
            told(ChatKind::ClearChat, &e.jid, &e.timestamp, action(&*e.action, "ClearChat"), e.from_full_sync)
        }
        Event::UserStatusMuteUpdate(e) => {
            told(ChatKind::UserStatusMute, &e.jid, &e.timestamp, action(&*e.action, "UserStatusMute"), e.from_full_sync)
        }
        _ => None,
    }
}

fn message(event: &Event) -> Option<Happening> {
    let or_none = |jid: &Option<Theirs>| jid.as_ref().map(ours).unwrap_or_default();
    let change = match event {
        Event::StarUpdate(e) => MessageChange {
            kind: MessageKind::Star,
            chat: ours(&e.chat_jid),
            sender: or_none(&e.participant_jid),
            is_from_me: e.from_me,
            message_id: e.message_id.clone(),
            timestamp: e.timestamp.into(),
            action: action(&*e.action, "Star"),
            from_full_sync: e.from_full_sync,
        },
        Event::DeleteMessageForMeUpdate(e) => MessageChange {
            kind: MessageKind::DeleteForMe,
            chat: ours(&e.chat_jid),
            sender: or_none(&e.participant_jid),
            is_from_me: e.from_me,
            message_id: e.message_id.clone(),
            timestamp: e.timestamp.into(),
            action: action(&*e.action, "DeleteMessageForMe"),
            from_full_sync: e.from_full_sync,
        },
        _ => return None,
    };
    Some(change.into())
}

fn label(event: &Event) -> Option<Happening> {
    let change = match event {
        Event::LabelEditUpdate(e) => LabelChange {
            chat: None,
            timestamp: e.timestamp.into(),
            label_id: e.label_id.clone(),
            message_id: None,
            action: action(&*e.action, "LabelEdit"),
            from_full_sync: e.from_full_sync,
        },
        Event::LabelAssociationUpdate(e) => LabelChange {
            chat: Some(ours(&e.chat_jid)),
            timestamp: e.timestamp.into(),
            label_id: e.label_id.clone(),
            message_id: None,
            action: action(&*e.action, "LabelAssociation"),
            from_full_sync: e.from_full_sync,
        },
        _ => return None,
    };
    Some(change.into())
}

/// The action of that name, in Go's spelling.
fn action<M: waproto::buffa::Message>(action: &M, name: &str) -> Value {
    let name = format!("SyncActionValue.{name}Action");
    let json = web_wire::proto::read(&action.encode_to_vec(), &name).unwrap_or_default();
    web_wire::go::respell(&json, &name)
}
