//! Everything that is told as it happened, in the words that webhooks of this family know.

use engine::sessions::Notice;
use wacore::types::events::Event;
use wacore::types::presence::{ChatPresence, ChatPresenceMedia, ReceiptType};
use web_wire::event::{self, Bare, Happening, PairSuccess, SettingChange, SettingKind, Time};
use web_wire::jid::Jid;

use super::{calls, changes, convert, groups, message};
use crate::jids::ours;
use crate::session::Session;

/// What an event is told as; messages that were committed are told by their own events.
pub(crate) async fn notices(session: &Session<'_>, event: &Event) -> Vec<Notice> {
    let told = match event {
        Event::IncomingCall(call) if calls::turned_away(session, call).await => Vec::new(),
        Event::IncomingCall(call) => calls::happening(call).into_iter().collect(),
        Event::HistorySync(_) => Vec::new(),
        other => happenings(session, other),
    };
    told.iter().map(notice).collect()
}

pub(super) fn notice(happening: &Happening) -> Notice {
    Notice { name: happening.kind.clone(), document: message::document(happening) }
}

fn happenings(session: &Session<'_>, event: &Event) -> Vec<Happening> {
    let one: Happening = match event {
        Event::Connected(_) => Bare::Connected.into(),
        Event::Disconnected(_) => Bare::Disconnected.into(),
        Event::StreamReplaced(_) => Bare::StreamReplaced.into(),
        Event::ClientOutdated(_) => Bare::ClientOutdated.into(),
        Event::QrScannedWithoutMultidevice(_) => Bare::QrScannedWithoutMultidevice.into(),
        Event::PairingQrCodesExhausted(end) if !end.disconnected => return Vec::new(),
        Event::PairingQrCodesExhausted(_) => Bare::QrTimeout.into(),
        Event::PairingQrCode(code) => event::Qr { code: code.code.clone(), picture: None }.into(),
        Event::PairSuccess(paired) => PairSuccess {
            id: ours(&paired.id),
            lid: ours(&paired.lid),
            business_name: paired.business_name.clone(),
            platform: paired.platform.clone(),
            props: None,
        }
        .into(),
        Event::PairError(failed) => event::PairError::new(PairSuccess {
            id: ours(&failed.id),
            lid: ours(&failed.lid),
            business_name: failed.business_name.clone(),
            platform: failed.platform.clone(),
            props: None,
        })
        .into(),
        Event::PairPasskeyRequest(asked) => {
            let challenge: serde_json::Value = serde_json::from_str(&asked.request_options_json).unwrap_or_default();
            let lasts = challenge["timeout"].as_i64().unwrap_or(120_000);
            let expires = Time::from_millis(session.engine.now() + lasts);
            event::PairPasskeyRequest { challenge, expires }.into()
        }
        Event::LoggedOut(out) => {
            event::LoggedOut { on_connect: out.on_connect, reason: i64::from(out.reason.code()) }.into()
        }
        Event::TemporaryBan(ban) => {
            event::TemporaryBan { code: i64::from(ban.code.code()), expire: ban.expire.to_std().unwrap_or_default() }
                .into()
        }
        Event::ConnectFailure(failure) => event::ConnectFailure {
            reason: i64::from(failure.reason.code()),
            message: failure.message.clone().unwrap_or_default(),
            raw: failure.raw.as_ref().map(convert::node),
        }
        .into(),
        Event::StreamError(error) => {
            event::StreamError { code: error.code.clone(), raw: error.raw.as_ref().map(convert::node) }.into()
        }
        Event::Receipt(receipt) => {
            let told = event::Receipt {
                source: convert::source(&receipt.source),
                ids: receipt.message_ids.clone(),
                timestamp: receipt.timestamp.into(),
                kind: kind_of(&receipt.r#type).to_owned(),
                message_sender: Jid::default(),
            };
            match told.state() {
                Some(_) if receipt.offline => Happening::from(told).late(),
                Some(_) => told.into(),
                None => return Vec::new(),
            }
        }
        Event::UndecryptableMessage(lost) => event::UndecryptableMessage {
            info: convert::info(&lost.info),
            is_unavailable: lost.is_unavailable,
            unavailable_type: word(&lost.unavailable_type).replace("unknown", ""),
            decrypt_fail_mode: word(&lost.decrypt_fail_mode).replace("show", ""),
        }
        .into(),
        Event::Presence(seen) => event::Presence {
            from: ours(&seen.from),
            unavailable: seen.unavailable,
            last_seen: seen.last_seen.map(Time::from).unwrap_or_default(),
        }
        .into(),
        Event::ChatPresence(seen) => event::ChatPresence {
            source: convert::source(&seen.source),
            state: if seen.state == ChatPresence::Composing { "composing" } else { "paused" }.into(),
            media: if seen.media == ChatPresenceMedia::Audio { "audio" } else { "" }.into(),
        }
        .into(),
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
        Event::PushNameUpdate(change) => event::PushName {
            jid: ours(&change.jid),
            message: None,
            old_push_name: change.old_push_name.clone(),
            new_push_name: change.new_push_name.clone(),
        }
        .into(),
        Event::IdentityChange(change) => event::IdentityChange {
            jid: ours(&change.user),
            timestamp: Time::from_millis(session.engine.now()),
            implicit: change.implicit,
        }
        .into(),
        Event::OfflineSyncPreview(preview) => event::OfflineSyncPreview {
            total: count(preview.total),
            app_data_changes: count(preview.app_data_changes),
            messages: count(preview.messages),
            notifications: count(preview.notifications),
            receipts: count(preview.receipts),
        }
        .into(),
        Event::OfflineSyncCompleted(done) => event::OfflineSyncCompleted { count: count(done.count) }.into(),
        Event::GroupUpdate(change) => return groups::happenings(change),
        Event::SelfPushNameUpdated(change) => SettingChange {
            kind: SettingKind::PushNameSetting,
            timestamp: Time::from_millis(session.engine.now()),
            action: serde_json::json!({ "name": change.new_name }),
            from_full_sync: false,
        }
        .into(),
        other => return changes::happenings(other),
    };
    vec![one]
}

/// As on the wire: nothing means delivered.
fn kind_of(receipt: &ReceiptType) -> &str {
    match receipt {
        ReceiptType::Delivered => "",
        other => other.as_wire_str(),
    }
}

/// The wire's word for an enumeration's value.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn count(count: i32) -> u32 {
    u32::try_from(count).unwrap_or_default()
}
