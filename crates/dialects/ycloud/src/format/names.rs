//! The names of events, and the engine's kinds of events behind those that our providers can cause.

use engine::events::{
    ACCOUNT_NOTICE, CONSENT_GIVEN, CONSENT_WITHDRAWN, CONTACT_CREATED, CONTACT_DELETED, CONTACT_UPDATED,
    MESSAGE_DELIVERED, MESSAGE_ECHOED, MESSAGE_FAILED, MESSAGE_READ, MESSAGE_RECEIVED, MESSAGE_SENT, SENDER_UPDATED,
    TEMPLATE_UPDATED,
};

pub(super) const CONTACT_MADE: &str = "contact.created";
pub(super) const CONTACT_GONE: &str = "contact.deleted";
pub(super) const CONTACT_CHANGED: &str = "contact.attributes_changed";
pub(super) const UNSUBSCRIBED: &str = "contact.unsubscribe.created";
pub(super) const SUBSCRIBED_AGAIN: &str = "contact.unsubscribe.deleted";
pub(super) const WHATSAPP_UPDATED: &str = "whatsapp.message.updated";
pub(super) const WHATSAPP_RECEIVED: &str = "whatsapp.inbound_message.received";
pub(crate) const SMS_UPDATED: &str = "sms.message.updated";
pub(super) const SMS_RECEIVED: &str = "sms.inbound.received";
pub(crate) const VOICE_UPDATED: &str = "voice.message.updated";
pub(crate) const EMAIL_UPDATED: &str = "email.delivery.updated";

/// A name, and what it stands for.
type Name = (&'static str, &'static [&'static str]);

const FOUR: &[&str] = &[MESSAGE_SENT, MESSAGE_DELIVERED, MESSAGE_READ, MESSAGE_FAILED];
const TWO: &[&str] = &[MESSAGE_DELIVERED, MESSAGE_FAILED];

const NAMES: [Name; 43] = [
    (EMAIL_UPDATED, TWO),
    (SMS_UPDATED, TWO),
    (SMS_RECEIVED, &[MESSAGE_RECEIVED]),
    (VOICE_UPDATED, TWO),
    (WHATSAPP_UPDATED, FOUR),
    (WHATSAPP_RECEIVED, &[MESSAGE_RECEIVED]),
    ("whatsapp.smb.message.created", &[MESSAGE_ECHOED]),
    ("whatsapp.smb.message.echoes", &[MESSAGE_ECHOED]),
    ("whatsapp.business_account.deleted", &[ACCOUNT_NOTICE]),
    ("whatsapp.business_account.reviewed", &[ACCOUNT_NOTICE]),
    ("whatsapp.business_account.updated", &[ACCOUNT_NOTICE]),
    ("whatsapp.phone_number.deleted", &[SENDER_UPDATED]),
    ("whatsapp.phone_number.name_updated", &[SENDER_UPDATED]),
    ("whatsapp.phone_number.quality_updated", &[SENDER_UPDATED]),
    ("whatsapp.template.reviewed", &[TEMPLATE_UPDATED]),
    ("whatsapp.template.category_updated", &[TEMPLATE_UPDATED]),
    ("whatsapp.template.quality_updated", &[TEMPLATE_UPDATED]),
    ("whatsapp.user.preferences", &[ACCOUNT_NOTICE]),
    (CONTACT_MADE, &[CONTACT_CREATED]),
    (CONTACT_GONE, &[CONTACT_DELETED]),
    (CONTACT_CHANGED, &[CONTACT_UPDATED]),
    (UNSUBSCRIBED, &[CONSENT_WITHDRAWN]),
    (SUBSCRIBED_AGAIN, &[CONSENT_GIVEN]),
    ("whatsapp.payment.updated", &[]),
    ("whatsapp.smb.history", &[]),
    ("whatsapp.smb.app.state.sync", &[]),
    ("whatsapp.echo_message.created", &[]),
    ("whatsapp.echo_message.updated", &[]),
    ("whatsapp.phone_number.business_username_updated", &[]),
    ("whatsapp.group.lifecycle_update", &[]),
    ("whatsapp.group.participants_update", &[]),
    ("whatsapp.group.settings_update", &[]),
    ("whatsapp.group.status_update", &[]),
    ("whatsapp.call.connect", &[]),
    ("whatsapp.call.terminate", &[]),
    ("whatsapp.call.status.updated", &[]),
    ("whatsapp.call.recording.updated", &[]),
    ("whatsapp.call.transcription.updated", &[]),
    ("whatsapp.flow.status_change", &[]),
    ("contact.note.created", &[]),
    ("contact.note.updated", &[]),
    ("contact.note.deleted", &[]),
    ("messenger.inbound_message.received", &[]),
];

/// The engine's kinds behind a name; `None`: there is no such name.
pub(super) fn kinds(name: &str) -> Option<&'static [&'static str]> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, kinds)| *kinds)
}

pub(crate) fn is_known(name: &str) -> bool {
    kinds(name).is_some()
}
