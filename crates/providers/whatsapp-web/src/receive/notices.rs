//! Everything that is told as it happened, in the words that webhooks of this family know.

use engine::sessions::Notice;
use wacore::types::events::{Event, OfflineSyncPreview, Receipt, UndecryptableMessage};
use wacore::types::message::MessageSource;
use wacore::types::presence::ReceiptType;
use web_wire::event::{self, Happening};
use web_wire::jid::Jid;

use super::pairs::Pairs;
use super::{calls, changes, connection, convert, groups, message, people};
use crate::session::Session;

/// What an event is told as; messages that were committed are told by their own events.
pub(crate) async fn notices(session: &Session<'_>, event: &Event) -> Vec<Notice> {
    let told = match event {
        Event::IncomingCall(call) => calls::happenings(session, call).await,
        Event::MissedCall(call) => vec![calls::missed(session, call).await],
        Event::HistorySync(_) => Vec::new(),
        other => {
            let pairs = Pairs::known(&session.live.client, source(other).as_slice()).await;
            happenings(other, &pairs, session.engine.now())
        }
    };
    told.iter().map(notice).collect()
}

pub(crate) fn notice(happening: &Happening) -> Notice {
    Notice { name: happening.kind.clone(), document: message::document(happening) }
}

/// Whose both addresses are told.
fn source(event: &Event) -> Option<&MessageSource> {
    match event {
        Event::Receipt(receipt) => Some(&receipt.source),
        Event::UndecryptableMessage(lost) => Some(&lost.info.source),
        Event::ChatPresence(seen) => Some(&seen.source),
        _ => None,
    }
}

fn happenings(event: &Event, pairs: &Pairs, now: i64) -> Vec<Happening> {
    match event {
        Event::Receipt(told) => receipt(told, pairs).into_iter().collect(),
        Event::UndecryptableMessage(lost) => vec![undecryptable(lost, pairs)],
        Event::OfflineSyncPreview(preview) => vec![waiting(preview)],
        Event::OfflineSyncCompleted(done) => vec![event::OfflineSyncCompleted { count: count(done.count) }.into()],
        Event::GroupUpdate(change) => groups::happenings(change),
        other => {
            let one = connection::happening(other, now).or_else(|| people::happening(other, pairs, now));
            one.map_or_else(|| changes::happenings(other), |one| vec![one])
        }
    }
}

/// Receipts of some kinds are between devices.
fn receipt(receipt: &Receipt, pairs: &Pairs) -> Option<Happening> {
    let told = event::Receipt {
        source: pairs.complete(&receipt.source),
        ids: receipt.message_ids.clone(),
        timestamp: receipt.timestamp.into(),
        kind: kind_of(&receipt.r#type).to_owned(),
        message_sender: Jid::default(),
    };
    told.state()?;
    Some(if receipt.offline { Happening::from(told).late() } else { told.into() })
}

fn undecryptable(lost: &UndecryptableMessage, pairs: &Pairs) -> Happening {
    let told = event::UndecryptableMessage {
        info: convert::info(&lost.info, pairs.complete(&lost.info.source)),
        is_unavailable: lost.is_unavailable,
        unavailable_type: word(&lost.unavailable_type).replace("unknown", ""),
        decrypt_fail_mode: word(&lost.decrypt_fail_mode).replace("show", ""),
    };
    if lost.info.is_offline { Happening::from(told).late() } else { told.into() }
}

fn waiting(preview: &OfflineSyncPreview) -> Happening {
    event::OfflineSyncPreview {
        total: count(preview.total),
        app_data_changes: count(preview.app_data_changes),
        messages: count(preview.messages),
        notifications: count(preview.notifications),
        receipts: count(preview.receipts),
    }
    .into()
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
