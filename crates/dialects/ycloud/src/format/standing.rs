//! How numbers, accounts and people's wishes stand, as Meta told of them.

use engine::clock::rfc3339;
use engine::events::Event;
use engine::format::{Context, RenderError};
use serde_json::{Value, json};

use super::said::{Said, said};

type Payload = (&'static str, Value);

const NAME: &str = "whatsapp.phone_number.name_updated";
const QUALITY: &str = "whatsapp.phone_number.quality_updated";
const REMOVED: &str = "whatsapp.phone_number.deleted";
const REVIEWED: &str = "whatsapp.business_account.reviewed";
const UPDATED: &str = "whatsapp.business_account.updated";
const DELETED: &str = "whatsapp.business_account.deleted";
const PREFERENCES: &str = "whatsapp.user.preferences";

/// What Meta tells of accounts that is told here.
const UPDATES: [&str; 7] = [
    "DISABLED_UPDATE",
    "ACCOUNT_RESTRICTION",
    "ACCOUNT_VIOLATION",
    "PARTNER_REMOVED",
    "PARTNER_APP_UNINSTALLED",
    "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
];

/// Only decisions are told, not that one is put off.
fn is_decided(value: &Value) -> bool {
    matches!(value["decision"].as_str(), Some("APPROVED" | "REJECTED"))
}

pub(super) fn of_number(event: &Event) -> Option<&'static str> {
    let Said { field, value, .. } = said(event)?;
    match field.as_str() {
        "phone_number_name_update" => is_decided(&value).then_some(NAME),
        "phone_number_quality_update" => Some(QUALITY),
        "account_update" => Some(REMOVED),
        _ => None,
    }
}

pub(super) fn of_account(event: &Event) -> Option<&'static str> {
    let Said { field, value, .. } = said(event)?;
    match field.as_str() {
        // What is not about one of our numbers could not be understood.
        "user_preferences" => event.sender_id.map(|_| PREFERENCES),
        "account_review_update" => is_decided(&value).then_some(REVIEWED),
        "account_update" => match value["event"].as_str()? {
            "ACCOUNT_DELETED" => Some(DELETED),
            word => UPDATES.contains(&word).then_some(UPDATED),
        },
        _ => None,
    }
}

fn without_nulls(mut told: Value) -> Value {
    if let Some(members) = told.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    told
}

/// A text of Meta's that is not empty.
fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && *text != "NONE").map(str::to_owned)
}

pub(super) fn number(event: &Event, context: &Context) -> Result<Option<Payload>, RenderError> {
    let Some(Said { waba, field, value }) = said(event) else { return Ok(None) };
    let sender = context.sender.as_deref().ok_or_else(|| RenderError("the number is gone".into()))?;
    let common = json!({ "id": sender.external_id, "phoneNumber": sender.address, "wabaId": waba });
    let own = match field.as_str() {
        "phone_number_name_update" => json!({
            "displayPhoneNumber": text(&value, "display_phone_number"),
            "decision": text(&value, "decision"),
            "requestedVerifiedName": text(&value, "requested_verified_name"),
            "rejectionReason": text(&value, "rejection_reason"),
        }),
        "phone_number_quality_update" => {
            let word = text(&value, "event");
            json!({
                "displayPhoneNumber": text(&value, "display_phone_number"),
                // Numbers are flagged when their quality is low.
                "qualityRating": (word.as_deref() == Some("FLAGGED")).then_some("RED"),
                "messagingLimit": limit(&value),
                "qualityUpdateEvent": word,
            })
        }
        _ => json!({}),
    };
    Ok(Some(("whatsappPhoneNumber", without_nulls(joined(common, own)))))
}

fn joined(mut first: Value, second: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (first.as_object_mut(), second) {
        members.extend(more);
    }
    first
}

/// Meta writes tiers as words or as numbers, in a field that has had two names.
fn limit(value: &Value) -> Option<String> {
    let places = ["max_daily_conversations_per_business", "current_limit"];
    let given = places.iter().find_map(|name| value.get(*name).filter(|given| !given.is_null()))?;
    match (given.as_str(), given.as_i64()) {
        (Some(word), _) if word.starts_with("TIER_") => Some(word.to_owned()),
        (Some(word), _) => word.parse().ok().map(tier),
        (None, Some(number)) => Some(tier(number)),
        (None, None) => None,
    }
}

fn tier(number: i64) -> String {
    match number {
        ..0 => "TIER_UNLIMITED".into(),
        1000.. if number % 1000 == 0 => format!("TIER_{}K", number / 1000),
        _ => format!("TIER_{number}"),
    }
}

pub(super) fn account(event: &Event, context: &Context) -> Result<Option<Payload>, RenderError> {
    let Some(Said { waba, field, value }) = said(event) else { return Ok(None) };
    if field == "user_preferences" {
        return preference(&waba, &value, context).map(Some);
    }
    let own = match field.as_str() {
        "account_review_update" => json!({ "decision": text(&value, "decision") }),
        _ if value["event"] == "ACCOUNT_DELETED" => json!({}),
        _ => updated(&value),
    };
    Ok(Some(("whatsappBusinessAccount", without_nulls(joined(json!({ "id": waba }), own)))))
}

fn updated(value: &Value) -> Value {
    let ban = &value["ban_info"]["waba_ban_state"];
    json!({
        "updateEvent": text(value, "event"),
        "banState": ban.as_str().or_else(|| ban.get(0)?.as_str()),
        "banDate": text(&value["ban_info"], "waba_ban_date"),
        "violationType": text(&value["violation_info"], "violation_type"),
        "restrictions": value["restriction_info"].as_array().map(|all| all.iter().map(restriction).collect::<Vec<_>>()),
        "authIntlRateEligibilityCountries": value["auth_international_rate_eligibility"]["exception_countries"]
            .as_array()
            .map(|all| all.iter().map(country).collect::<Vec<_>>()),
        "primaryBusinessLocation": text(value, "country"),
    })
}

fn restriction(given: &Value) -> Value {
    without_nulls(
        json!({ "restrictionType": text(given, "restriction_type"), "expiration": time(&given["expiration"]) }),
    )
}

fn country(given: &Value) -> Value {
    without_nulls(json!({ "countryCode": text(given, "country_code"), "startTime": time(&given["start_time"]) }))
}

/// Meta counts seconds, as a number or a text.
fn time(given: &Value) -> Option<String> {
    let seconds = given.as_i64().or_else(|| given.as_str()?.parse().ok())?;
    Some(rfc3339(seconds.saturating_mul(1000)))
}

fn preference(waba: &Value, value: &Value, context: &Context) -> Result<Payload, RenderError> {
    let sender = context.sender.as_deref().ok_or_else(|| RenderError("the number is gone".into()))?;
    let said = &value["user_preferences"][0];
    let nobody = Value::Null;
    let ids = ["wa_id", "user_id"];
    let is_theirs = |contact: &&Value| ids.iter().any(|id| text(said, id).is_some() && said[id] == contact[id]);
    let contact = value["contacts"].as_array().and_then(|all| all.iter().find(is_theirs)).unwrap_or(&nobody);
    let number = text(said, "wa_id").or_else(|| text(contact, "wa_id"));
    let moment = &said["timestamp"];
    let told = json!({
        "wabaId": waba,
        "businessPhoneNumber": sender.address,
        "businessPhoneId": sender.external_id,
        "contactName": text(&contact["profile"], "name"),
        "contactPhoneNumber": number.map(|digits| format!("+{}", digits.trim_start_matches('+'))),
        "userId": text(said, "user_id").or_else(|| text(contact, "user_id")),
        "parentUserId": text(said, "parent_user_id").or_else(|| text(contact, "parent_user_id")),
        "detail": text(said, "detail"),
        "category": text(said, "category"),
        "value": text(said, "value"),
        "timestamp": moment.as_str().map(str::to_owned).or_else(|| moment.as_i64().map(|seconds| seconds.to_string())),
    });
    Ok(("whatsappUserPreference", without_nulls(told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_have_one_spelling() {
        for (given, tier) in [
            (json!("TIER_1K"), Some("TIER_1K")),
            (json!(250), Some("TIER_250")),
            (json!("2000"), Some("TIER_2K")),
            (json!(100_000), Some("TIER_100K")),
            (json!(-1), Some("TIER_UNLIMITED")),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            let value = json!({ "max_daily_conversations_per_business": given });
            assert_eq!(limit(&value).as_deref(), tier, "{given}");
        }
        assert_eq!(limit(&json!({ "current_limit": "TIER_50" })).as_deref(), Some("TIER_50"));
    }
}
