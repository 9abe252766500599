//! The names of events, and the engine's kinds of events behind those that our providers can cause. Names of what
//! other networks cause are taken as well: clients subscribe to them in one breath.

use engine::events::{
    ACCOUNT_NOTICE, CONVERSATION_STARTED, Event, MESSAGE_DELIVERED, MESSAGE_ECHOED, MESSAGE_FAILED, MESSAGE_READ,
    MESSAGE_RECEIVED, MESSAGE_SENT, MESSAGE_SUBMITTED, NUMBER_ACTIVATED, NUMBER_CODE_WANTED, NUMBER_FAILED,
    NUMBER_PAYMENT_WANTED, NUMBER_RELEASED, SENDER_UPDATED, SESSION_CHANGED, SessionData, TEMPLATE_UPDATED,
};
use engine::format::Context;
use engine::sessions::State;

use super::{kept, said, subject};

pub(super) const RECEIVED: &str = "message.received";
pub(super) const SENT: &str = "message.sent";
pub(super) const DELIVERED: &str = "message.delivered";
pub(super) const READ: &str = "message.read";
pub(super) const FAILED: &str = "message.failed";
pub(super) const EDITED: &str = "message.edited";
pub(super) const DELETED: &str = "message.deleted";
pub(super) const REACTION: &str = "reaction.received";
pub(super) const STARTED: &str = "conversation.started";
pub(super) const CONNECTED: &str = "account.connected";
pub(super) const DISCONNECTED: &str = "account.disconnected";
pub(super) const TEMPLATE_STATUS: &str = "whatsapp.template.status_updated";
pub(super) const TEMPLATE_CATEGORY: &str = "whatsapp.template.category_updated";
pub(super) const NAME_REVIEWED: &str = "whatsapp.account.name_status_updated";
pub(super) const NUMBER_PAYMENT: &str = "whatsapp.number.action_required";
pub(super) const NUMBER_CODE: &str = "whatsapp.number.verification_required";
pub(super) const NUMBER_ON: &str = "whatsapp.number.activated";
pub(super) const NUMBER_OFF: &str = "whatsapp.number.released";
pub(super) const NUMBER_DECLINED: &str = "whatsapp.number.declined";
/// Nobody subscribes to it: it is told on request.
pub(crate) const TEST: &str = "webhook.test";

/// A name, and what it stands for.
type Name = (&'static str, &'static [&'static str]);

const NAMES: [Name; 19] = [
    (RECEIVED, &[MESSAGE_RECEIVED]),
    (SENT, &[MESSAGE_SENT, MESSAGE_ECHOED, MESSAGE_SUBMITTED]),
    (DELIVERED, &[MESSAGE_DELIVERED]),
    (READ, &[MESSAGE_READ]),
    (FAILED, &[MESSAGE_FAILED]),
    (EDITED, &[MESSAGE_RECEIVED]),
    (DELETED, &[MESSAGE_RECEIVED]),
    (REACTION, &[MESSAGE_RECEIVED, MESSAGE_ECHOED, MESSAGE_SENT, MESSAGE_SUBMITTED]),
    (STARTED, &[CONVERSATION_STARTED]),
    (CONNECTED, &[SESSION_CHANGED, SENDER_UPDATED]),
    (DISCONNECTED, &[SESSION_CHANGED, SENDER_UPDATED]),
    (TEMPLATE_STATUS, &[TEMPLATE_UPDATED]),
    // A day before, it is a notice.
    (TEMPLATE_CATEGORY, &[TEMPLATE_UPDATED, ACCOUNT_NOTICE]),
    (NAME_REVIEWED, &[SENDER_UPDATED]),
    (NUMBER_PAYMENT, &[NUMBER_PAYMENT_WANTED]),
    (NUMBER_CODE, &[NUMBER_CODE_WANTED]),
    (NUMBER_ON, &[NUMBER_ACTIVATED]),
    (NUMBER_OFF, &[NUMBER_RELEASED]),
    (NUMBER_DECLINED, &[NUMBER_FAILED]),
];

/// What happens elsewhere only.
const NEVER: [&str; 33] = [
    "account.ads.initial_sync_completed",
    "ad.status_changed",
    "analytics.synced",
    "call.ended",
    "call.failed",
    "call.permission_request",
    "call.received",
    "comment.received",
    "conversation.control_changed",
    "lead.received",
    "phone_number.stock_available",
    "post.cancelled",
    "post.external.created",
    "post.external.deleted",
    "post.external.updated",
    "post.failed",
    "post.partial",
    "post.platform.deleted",
    "post.platform.failed",
    "post.platform.published",
    "post.published",
    "post.recycled",
    "post.scheduled",
    "post.tiktok.url_resolved",
    "referral.received",
    "review.new",
    "review.updated",
    "verification.approved",
    "verification.failed",
    "whatsapp.automatic_event",
    "whatsapp.number.kyc_submitted",
    "whatsapp.number.reactivated",
    "whatsapp.number.suspended",
];

/// The engine's kinds behind a name; `None`: there is no such name.
pub(super) fn kinds(name: &str) -> Option<&'static [&'static str]> {
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, kinds)| *kinds);
    known.or_else(|| NEVER.contains(&name).then_some(&[]))
}

pub(crate) fn is_known(name: &str) -> bool {
    kinds(name).is_some()
}

/// The name of what happened.
pub(super) fn of(event: &Event, context: &Context) -> Option<&'static str> {
    let of_message = context.message.as_ref().map_or("", |message| message.kind.as_str());
    match (event.kind.as_str(), of_message) {
        // Only where the account is a linked one has WhatsApp itself taken it by then; others have that from a receipt.
        (MESSAGE_SUBMITTED, _) if context.session.is_none() => None,
        (MESSAGE_RECEIVED | MESSAGE_ECHOED | MESSAGE_SENT | MESSAGE_SUBMITTED, "reaction") => Some(REACTION),
        (MESSAGE_RECEIVED, subject::EDIT) => Some(EDITED),
        (MESSAGE_RECEIVED, subject::REVOKE) => Some(DELETED),
        (MESSAGE_RECEIVED, _) => Some(RECEIVED),
        (MESSAGE_SENT | MESSAGE_ECHOED | MESSAGE_SUBMITTED, _) => Some(SENT),
        (MESSAGE_DELIVERED, _) => Some(DELIVERED),
        (MESSAGE_READ, _) => Some(READ),
        (MESSAGE_FAILED, _) => Some(FAILED),
        (CONVERSATION_STARTED, _) => Some(STARTED),
        (NUMBER_PAYMENT_WANTED, _) => Some(NUMBER_PAYMENT),
        (NUMBER_CODE_WANTED, _) => Some(NUMBER_CODE),
        (NUMBER_ACTIVATED, _) => Some(NUMBER_ON),
        (NUMBER_RELEASED, _) => Some(NUMBER_OFF),
        (NUMBER_FAILED, _) => Some(NUMBER_DECLINED),
        (SESSION_CHANGED, _) => of_session(event),
        (SENDER_UPDATED, _) => of_sender(event),
        (TEMPLATE_UPDATED | ACCOUNT_NOTICE, _) => match said(event, "/field")?.as_str()? {
            "message_template_status_update" => Some(TEMPLATE_STATUS),
            "template_category_update" => Some(TEMPLATE_CATEGORY),
            _ => None,
        },
        _ => None,
    }
}

/// What passes by itself is not told.
fn of_session(event: &Event) -> Option<&'static str> {
    let data: SessionData = kept(event).ok()?;
    let (state, previous) = (State::parse(&data.state?)?, data.previous.as_deref().and_then(State::parse));
    match state {
        State::Connected if previous.is_none_or(|previous| previous != State::Reconnecting) => Some(CONNECTED),
        state if state.rests() && previous.is_none_or(|previous| !previous.rests()) => Some(DISCONNECTED),
        _ => None,
    }
}

fn of_sender(event: &Event) -> Option<&'static str> {
    if said(event, "/field").is_some_and(|field| field == "phone_number_name_update") {
        return Some(NAME_REVIEWED);
    }
    let data: engine::events::ChangeData = kept(event).ok()?;
    match data.status.as_deref()? {
        engine::senders::CONNECTED => Some(CONNECTED),
        engine::senders::DISCONNECTED => Some(DISCONNECTED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_once() {
        let mut all: Vec<&str> = NAMES.iter().map(|(name, _)| *name).chain(NEVER).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|name| is_known(name)));
        assert!(!is_known(TEST) && !is_known("message") && !is_known(""));
    }
}
