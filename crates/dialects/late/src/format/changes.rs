//! Templates, display names, accounts and numbers whose standing changed.

use engine::clock::rfc3339;
use engine::events::{Event, NumberData, SessionData};
use engine::format::{Context, RenderError};
use engine::numbers;
use engine::sessions::State;
use serde_json::{Value, json};

use super::around::{bare_account, gone, sender};
use super::{Members, kept, members, names, said};
use crate::call::CHANNEL;
use crate::numbers::status;

/// A template belongs to all numbers of an account; it is told with the first.
pub(super) fn template(name: &str, event: &Event, context: &Context) -> Result<Members, RenderError> {
    let sender = context.senders.iter().find(|sender| sender.channel == CHANNEL).ok_or_else(|| gone("number"))?;
    let value = said(event, "/value").unwrap_or_default();
    let id = &value["message_template_id"];
    let mut told = json!({
        "templateId": id.as_str().map_or_else(|| id.to_string(), str::to_owned),
        "name": value["message_template_name"],
        "language": value["message_template_language"],
    });
    match name {
        names::TEMPLATE_STATUS => {
            told["status"] = value["event"].clone();
            told["reason"] = value["reason"].as_str().unwrap_or("NONE").into();
        }
        _ => category(&value, &mut told),
    }
    Ok(members(json!({ "account": bare_account(sender), "template": told })))
}

/// Meta tells of a change when it is made, and a day before.
fn category(value: &Value, told: &mut Value) {
    told["category"] = value["new_category"].clone();
    if !value["correct_category"].is_string() {
        told["changeType"] = "applied".into();
        told["previousCategory"] = value["previous_category"].clone();
        return;
    }
    told["changeType"] = "scheduled".into();
    told["scheduledCategory"] = value["correct_category"].clone();
    let time = &value["category_update_timestamp"];
    if let Some(seconds) = time.as_i64().or_else(|| time.as_str()?.parse().ok()) {
        told["effectiveAt"] = rfc3339(seconds.saturating_mul(1000)).into();
    }
}

pub(super) fn display_name(event: &Event, context: &Context) -> Result<Members, RenderError> {
    let value = said(event, "/value").unwrap_or_default();
    let text = |name: &str| value[name].as_str().filter(|text| !text.is_empty() && *text != "NONE");
    let status = match text("decision") {
        Some("REJECTED") => "DECLINED",
        Some("DEFERRED") | None => "PENDING_REVIEW",
        Some(word) => word,
    };
    let told = json!({
        "status": status,
        "requestedName": text("requested_verified_name"),
        "rejectionReason": text("rejection_reason"),
        "displayPhoneNumber": text("display_phone_number"),
    });
    Ok(members(json!({ "account": bare_account(sender(context)?), "name": told })))
}

/// An account works again, or does not any more.
pub(super) fn standing(name: &str, event: &Event, context: &Context) -> Result<Members, RenderError> {
    let mut account = bare_account(sender(context)?);
    if name == names::DISCONNECTED {
        // Both kinds of events keep a reason; only a session keeps a state.
        let data: SessionData = kept(event)?;
        let wanted = data.state.as_deref() == Some(State::Off.as_str());
        account["disconnectionType"] = if wanted { "intentional" } else { "unintentional" }.into();
        account["reason"] = data.reason.or(data.state).unwrap_or_else(|| "the number is disconnected".into()).into();
    }
    Ok(members(json!({ "account": account })))
}

/// A number that is bought or given back. None of these events is about one whose proof is renewed or has run out.
pub(super) fn number(event: &Event) -> Result<Members, RenderError> {
    let data: NumberData = kept(event)?;
    let mut told = members(json!({
        "id": event.subject_id.hex24(),
        "phoneNumber": data.number,
        "status": numbers::State::parse(&data.state).map(|state| status(state, false, false)),
        "profileId": event.organization_id.hex24(),
        "reason": data.reason,
    }));
    told.retain(|_, member| !member.is_null());
    Ok(members(json!({ "number": told })))
}

#[cfg(test)]
mod tests {
    use engine::Id;
    use engine::events::{NUMBER_ACTIVATED, NUMBER_FAILED};

    use super::*;

    fn happened(kind: &str, data: &NumberData) -> Event {
        Event {
            id: Id::floor(1),
            organization_id: Id::floor(2),
            kind: kind.into(),
            subject_id: Id::floor(3),
            conversation_id: None,
            sender_id: None,
            fact_id: None,
            data: serde_json::to_string(data).unwrap(),
            document: None,
            pending: false,
            created_at: 0,
        }
    }

    #[test]
    fn numbers_are_told_as_they_are_listed() {
        let (id, profile) = (Id::floor(3).hex24(), Id::floor(2).hex24());
        let active =
            NumberData { number: Some("+12125550001".into()), state: "active".into(), ..NumberData::default() };
        let event = happened(NUMBER_ACTIVATED, &active);
        let expected = json!({ "id": id, "phoneNumber": "+12125550001", "status": "active", "profileId": profile });
        assert_eq!(Value::Object(number(&event).unwrap()), json!({ "number": expected }));
        assert_eq!(names::of(&event, &Context::default()), Some(names::NUMBER_ON));

        let failed = NumberData { state: "failed".into(), reason: Some("refused".into()), ..NumberData::default() };
        let event = happened(NUMBER_FAILED, &failed);
        let expected = json!({ "id": id, "status": "released", "profileId": profile, "reason": "refused" });
        assert_eq!(Value::Object(number(&event).unwrap()), json!({ "number": expected }));
        assert_eq!(names::of(&event, &Context::default()), Some(names::NUMBER_DECLINED));
    }
}
