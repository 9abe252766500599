//! What operators read of sends: a line for each message that was given up, for each stop, and for each carrier in whose
//! place another one is tried.
//!
//! Providers' words may name people and tokens, so none of them are told: they stand in the message's story
//! (`hermod explain`), and with the account or sender.

use store::messages::Message;

use crate::failure::Failure;

pub(super) fn gave_up(message: &Message, failure: &Failure) {
    tracing::info!(
        organization = %message.organization_id,
        message = %message.id,
        sender = %message.sender_id,
        reason = ?failure.code,
        provider_code = failure.provider_code,
        "a message was given up"
    );
}

/// Told when its rest begins: not for each message that finds it so.
pub(super) fn did_not_carry(account: &store::Id, message: &Message, failure: &Failure) {
    tracing::warn!(
        organization = %message.organization_id,
        message = %message.id,
        %account,
        reason = ?failure.code,
        provider_code = failure.provider_code,
        "an account did not carry"
    );
}

/// `account` or `sender`, and its id: nothing of it is sent for a while, or before a person has looked.
pub(super) fn stopped(what: &'static str, id: &store::Id, message: &Message, failure: &Failure) {
    tracing::warn!(
        organization = %message.organization_id,
        message = %message.id,
        what,
        %id,
        reason = ?failure.code,
        provider_code = failure.provider_code,
        "a provider's answer stopped what it was sent with"
    );
}
