//! What changed about templates, numbers and people's wishes. All else is kept as it came.

use engine::facts::{Fact, Preference, SenderChange, TemplateChange};
use engine::senders::{CONNECTED, DEGRADED, DISCONNECTED};
use meta_wire::MetaId;
use meta_wire::tagged::Kinds;
use meta_wire::webhook::Change;
use meta_wire::webhook::account::Update;
use meta_wire::webhook::change as wire;
use meta_wire::webhook::change::TemplateEvent;

use super::facts::Told;
use super::people::{addresses, e164};

pub(super) fn facts(told: &Told<'_>, change: &Change) -> Vec<Fact> {
    let known = match change {
        Change::TemplateStatus(update) => Some(Fact::Template(status(told, update))),
        Change::TemplateQuality(update) => Some(Fact::Template(quality(told, update))),
        Change::TemplateComponents(update) => Some(Fact::Template(components(told, update))),
        Change::TemplateCategory(update) if !update.is_notice() => Some(Fact::Template(category(told, update))),
        Change::PhoneQuality(update) => phone_quality(told, update).map(Fact::Sender),
        Change::PhoneName(update) => phone_name(told, update).map(Fact::Sender),
        Change::Account(update) => removed(told, update).map(Fact::Sender),
        Change::UserPreferences(update) => return preferences(told, update),
        _ => None,
    };
    vec![known.unwrap_or_else(|| told.notice(change.kind()))]
}

fn template(told: &Told<'_>, id: &MetaId, name: Option<&String>, language: Option<&String>) -> TemplateChange {
    TemplateChange {
        account: told.account(),
        external_id: id.as_str().to_owned(),
        name: name.cloned().unwrap_or_default(),
        // Pushes write `en-US` where everything else says `en_US`.
        language: language.map(|code| code.replace('-', "_")).unwrap_or_default(),
        status: None,
        reason: None,
        category: None,
        quality: None,
        reload: false,
        document: told.document(),
    }
}

fn status(told: &Told<'_>, update: &wire::TemplateStatus) -> TemplateChange {
    let (name, language) = (update.message_template_name.as_ref(), update.message_template_language.as_ref());
    let (status, reload) = standing(&update.event);
    TemplateChange {
        status: status.map(str::to_owned),
        reason: reason(update),
        category: update.message_template_category.clone(),
        reload,
        ..template(told, &update.message_template_id, name, language)
    }
}

/// The status that an event leads to, and whether Meta must be asked: for what it was before, or what a word means.
fn standing(event: &TemplateEvent) -> (Option<&str>, bool) {
    match event {
        TemplateEvent::Reinstated => (Some("APPROVED"), false),
        TemplateEvent::Flagged => (None, false),
        TemplateEvent::Unarchived | TemplateEvent::Locked | TemplateEvent::Unknown(_) => (None, true),
        known => (Some(known.as_str()), false),
    }
}

fn reason(update: &wire::TemplateStatus) -> Option<String> {
    let plain = update.reason.as_ref().filter(|reason| !reason.is_empty() && *reason != "NONE");
    let rejection = update.rejection_info.as_ref().and_then(|info| info.reason.as_ref());
    let other = update.other_info.as_ref().and_then(|info| info.description.as_ref().or(info.title.as_ref()));
    rejection.or(plain).or(other).cloned()
}

fn quality(told: &Told<'_>, update: &wire::TemplateQuality) -> TemplateChange {
    let (name, language) = (update.message_template_name.as_ref(), update.message_template_language.as_ref());
    TemplateChange {
        quality: update.new_quality_score.clone(),
        ..template(told, &update.message_template_id, name, language)
    }
}

fn components(told: &Told<'_>, update: &wire::TemplateComponents) -> TemplateChange {
    let (name, language) = (update.message_template_name.as_ref(), update.message_template_language.as_ref());
    TemplateChange { reload: true, ..template(told, &update.message_template_id, name, language) }
}

fn category(told: &Told<'_>, update: &wire::TemplateCategory) -> TemplateChange {
    let (name, language) = (update.message_template_name.as_ref(), update.message_template_language.as_ref());
    TemplateChange {
        category: update.new_category.clone(),
        ..template(told, &update.message_template_id, name, language)
    }
}

fn phone_quality(told: &Told<'_>, update: &wire::PhoneQuality) -> Option<SenderChange> {
    let status = match update.event.as_deref() {
        Some("FLAGGED") => Some(DEGRADED),
        Some("UNFLAGGED") => Some(CONNECTED),
        _ => None,
    };
    Some(SenderChange {
        account: told.account(),
        sender: e164(update.display_phone_number.as_deref()?)?,
        status: status.map(str::to_owned),
        reason: update.event.clone(),
        what: "quality".to_owned(),
        document: told.document(),
    })
}

fn phone_name(told: &Told<'_>, update: &wire::PhoneName) -> Option<SenderChange> {
    let because = update.rejection_reason.as_deref().filter(|reason| !reason.is_empty() && *reason != "NONE");
    let words: Vec<&str> = update.decision.as_deref().into_iter().chain(because).collect();
    Some(SenderChange {
        account: told.account(),
        sender: e164(update.display_phone_number.as_deref()?)?,
        status: None,
        reason: Some(words.join(": ")).filter(|words| !words.is_empty()),
        what: "name".to_owned(),
        document: told.document(),
    })
}

/// A number that is no longer the account's.
fn removed(told: &Told<'_>, update: &Update) -> Option<SenderChange> {
    if update.event.as_str() != "PHONE_NUMBER_REMOVED" {
        return None;
    }
    Some(SenderChange {
        account: told.account(),
        sender: e164(update.phone_number.as_deref()?)?,
        status: Some(DISCONNECTED.to_owned()),
        reason: Some(update.event.as_str().to_owned()),
        what: "removed".to_owned(),
        document: told.document(),
    })
}

/// Each that is understood; the whole is kept as it came if one is not.
fn preferences(told: &Told<'_>, update: &wire::UserPreferences) -> Vec<Fact> {
    let sender = update.metadata.as_ref().map(|metadata| metadata.phone_number_id.as_str());
    let known = |(index, preference)| {
        let fact = self::preference(told, sender?, preference)?;
        Some(Fact::Preference(Preference { document: told.document_with("user_preferences", index), ..fact }))
    };
    let mut facts: Vec<Fact> = update.user_preferences.iter().enumerate().filter_map(known).collect();
    if facts.is_empty() || facts.len() < update.user_preferences.len() {
        facts.push(told.notice("user_preferences"));
    }
    facts
}

fn preference(told: &Told<'_>, sender: &str, preference: &wire::Preference) -> Option<Preference> {
    let wanted = match preference.value.as_deref()? {
        "stop" => false,
        "resume" | "signup" => true,
        _ => return None,
    };
    let category = preference.category.as_deref().unwrap_or("marketing_messages");
    let from = addresses(preference.wa_id.as_deref(), preference.user_id.as_deref());
    (!from.is_empty()).then(|| Preference {
        sender: sender.to_owned(),
        from,
        purpose: category.strip_suffix("_messages").unwrap_or(category).to_owned(),
        wanted,
        document: told.document(),
    })
}
