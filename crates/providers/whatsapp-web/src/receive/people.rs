//! What people show of themselves, and whether they are there.

use wacore::types::events::Event;
use wacore::types::presence::{ChatPresence, ChatPresenceMedia};
use web_wire::event::{self, Happening, SettingChange, SettingKind, Time};

use super::pairs::Pairs;
use crate::jids::ours;

pub(super) fn happening(event: &Event, pairs: &Pairs, now: i64) -> Option<Happening> {
    presence(event, pairs).or_else(|| profile(event)).or_else(|| names(event, now))
}

fn presence(event: &Event, pairs: &Pairs) -> Option<Happening> {
    Some(match event {
        Event::Presence(seen) => event::Presence {
            from: ours(&seen.from),
            unavailable: seen.unavailable,
            last_seen: seen.last_seen.map(Time::from).unwrap_or_default(),
        }
        .into(),
        Event::ChatPresence(seen) => event::ChatPresence {
            source: pairs.complete(&seen.source),
            state: if seen.state == ChatPresence::Composing { "composing" } else { "paused" }.into(),
            media: if seen.media == ChatPresenceMedia::Audio { "audio" } else { "" }.into(),
        }
        .into(),
        _ => return None,
    })
}

fn profile(event: &Event) -> Option<Happening> {
    Some(match event {
        Event::PictureUpdate(picture) => event::Picture {
            jid: ours(&picture.jid),
            author: picture.author.as_ref().map(ours).unwrap_or_default(),
            timestamp: picture.timestamp.into(),
            remove: picture.removed,
            picture_id: picture.picture_id.clone().unwrap_or_default(),
        }
        .into(),
        Event::UserAboutUpdate(about) => {
            event::UserAbout { jid: ours(&about.jid), status: about.status.clone(), timestamp: about.timestamp.into() }
                .into()
        }
        _ => return None,
    })
}

fn names(event: &Event, now: i64) -> Option<Happening> {
    Some(match event {
        Event::PushNameUpdate(change) => event::PushName {
            jid: ours(&change.jid),
            message: None,
            old_push_name: change.old_push_name.clone(),
            new_push_name: change.new_push_name.clone(),
        }
        .into(),
        Event::SelfPushNameUpdated(change) => SettingChange {
            kind: SettingKind::PushNameSetting,
            timestamp: Time::from_millis(now),
            action: serde_json::json!({ "name": change.new_name }),
            from_full_sync: false,
        }
        .into(),
        Event::IdentityChange(change) => event::IdentityChange {
            jid: ours(&change.user),
            timestamp: Time::from_millis(now),
            implicit: change.implicit,
        }
        .into(),
        _ => return None,
    })
}
