//! Business phone numbers: list, add, look, change.

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object, parameter, plain, sub};
use super::{Call, input, listing, preverified};
use crate::accounts::{Number, Override};
use crate::outbound::Peer;
use crate::phones;
use crate::state::State;
use crate::text::Text;
use crate::webhooks::push;

const KIND: &str = "WhatsAppBusinessPhoneNumber";
const DEFAULTS: [&str; 9] = [
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "last_onboarded_time",
    "id",
];

fn node(state: &State, number: &Number) -> Value {
    let waba = state.wabas.get(&number.waba);
    let app = waba.and_then(|waba| state.platform(&waba.platform)).map(|platform| platform.webhook_url.clone());
    let mut webhook = json!({"application": app});
    if let Some(named) = waba.and_then(|waba| waba.webhook.as_ref()) {
        webhook["whatsapp_business_account"] = json!(named.url);
    }
    if let Some(named) = &number.webhook {
        webhook["phone_number"] = json!(named.url);
    }
    let can = if number.registered { "AVAILABLE" } else { "BLOCKED" };
    json!({
        "id": number.id,
        "display_phone_number": number.display(),
        "verified_name": number.verified_name,
        "code_verification_status": if number.verified { "VERIFIED" } else { "NOT_VERIFIED" },
        "quality_rating": "GREEN",
        "platform_type": if number.registered { "CLOUD_API" } else { "NOT_APPLICABLE" },
        "throughput": {"level": if number.registered { "STANDARD" } else { "NOT_APPLICABLE" }},
        "status": if number.registered { "CONNECTED" } else if number.verified { "DISCONNECTED" } else { "PENDING" },
        "name_status": "APPROVED",
        "new_name_status": if number.new_name.is_some() { "PENDING_REVIEW" } else { "NONE" },
        "account_mode": "LIVE",
        "is_official_business_account": false,
        "is_pin_enabled": number.pin.is_some(),
        "is_on_biz_app": false,
        "is_preverified_number": number.preverified,
        "conversational_automation": null,
        "quality_score": null,
        "eligibility_for_api_business_global_search": null,
        "new_certificate": null,
        "country_dial_code": number.country_code,
        "country_code": null,
        "certificate": null,
        "search_visibility": "VISIBLE",
        "username": null,
        "last_onboarded_time": crate::clock::graph_time(number.created_at),
        "messaging_limit_tier": "TIER_100K",
        "whatsapp_business_manager_messaging_limit": tier(state),
        "webhook_configuration": webhook,
        "health_status": {
            "can_send_message": can,
            "entities": [{"entity_type": "PHONE_NUMBER", "id": number.id, "can_send_message": can}],
        },
    })
}

/// The messaging limit as Meta's word.
pub(super) fn tier(state: &State) -> String {
    match state.limits.tier {
        None => "TIER_UNLIMITED".to_owned(),
        Some(people) if people >= 1000 && people.is_multiple_of(1000) => {
            format!("TIER_{}K", people / 1000)
        }
        Some(people) => format!("TIER_{people}"),
    }
}

pub(super) fn get(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let number = state.numbers.get(id).ok_or_else(|| no_object("GET", id))?;
    listing::select(node(&state, number), KIND, &call.query, &DEFAULTS)
}

pub(super) fn list(call: &Call, waba: &Text) -> Outcome {
    let state = call.world.state();
    let numbers = state.wabas.get(waba).map(|waba| waba.numbers.clone()).unwrap_or_default();
    let found = numbers.iter().filter_map(|id| state.numbers.get(id));
    let items: Outcome<Vec<_>> = found
        .map(|number| Ok((number.id.to_string(), listing::select(node(&state, number), KIND, &call.query, &DEFAULTS)?)))
        .collect();
    listing::page(items?, &call.query, &call.url())
}

pub(super) fn create(call: &Call, waba: &Text, fields: &Map<String, Value>) -> Outcome {
    let country = input::required(fields, "cc")?.trim_start_matches('+').to_owned();
    let rest = input::required(fields, "phone_number")?;
    let name = input::required(fields, "verified_name")?;
    let digits = phones::digits(&rest).map(|rest| match rest.strip_prefix(country.as_str()) {
        Some(_) if rest.len() > 10 => rest,
        _ => format!("{country}{rest}"),
    });
    let digits = digits.ok_or_else(|| parameter("Param phone_number must be a valid phone number"))?;
    let now = call.world.clock.now();
    let mut state = call.world.state();
    if state.number_of(&digits).is_some() {
        return Err(sub(
            2388001,
            "Phone number already in use",
            "This phone number is registered with another account.",
        ));
    }
    let pooled = input::text(fields, "preverified_id");
    let business = state.wabas.get(waba).map(|waba| waba.business_id.clone()).unwrap_or_default();
    if let Some(pooled) = &pooled {
        preverified::check(&state, pooled, &business, &digits, now)?;
    }
    let id = Text::from(call.world.ids.digits(15));
    let mut number = Number::new(id.clone(), waba.clone(), &digits, &country, &name, now);
    (number.verified, number.preverified) = (pooled.is_some(), pooled.is_some());
    let record = state.wabas.get_mut(waba).ok_or_else(|| no_object("POST", waba))?;
    if record.numbers.len() >= 20 {
        return Err(sub(
            2388012,
            "Phone number limit reached",
            "This account has as many phone numbers as it may have.",
        ));
    }
    record.numbers.push(id.clone());
    if let Some(pooled) = &pooled {
        state.preverified.remove(pooled.as_str());
    }
    state.numbers.insert(id.clone(), number);
    state.number_by_phone.insert(digits.into(), id.clone());
    call.world.touch();
    Ok(json!({"id": id}))
}

pub(super) async fn change(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let mut known = false;
    if let Some(configuration) = fields.get("webhook_configuration").and_then(Value::as_object) {
        let url = input::text(configuration, "override_callback_uri").unwrap_or_default();
        let webhook = checked_override(call, &url, input::text(configuration, "verify_token")).await?;
        edit(call, id, |number| number.webhook = webhook)?;
        known = true;
    }
    if let Some(pin) = input::text(fields, "pin") {
        let pin = valid_pin(&pin)?;
        edit(call, id, |number| number.pin = Some(pin))?;
        known = true;
    }
    if let Some(name) = input::text(fields, "new_display_name") {
        edit(call, id, |number| number.new_name = Some(name))?;
        known = true;
    }
    if let Some(visibility) = input::text(fields, "search_visibility") {
        if !["VISIBLE", "NON_VISIBLE"].contains(&visibility.as_str()) {
            return Err(parameter("Param search_visibility must be one of {VISIBLE, NON_VISIBLE}"));
        }
        known = true;
    }
    if known { Ok(json!({"success": true})) } else { Err(parameter("No parameter that can be changed was given")) }
}

pub(super) fn valid_pin(pin: &str) -> Outcome<String> {
    let valid = pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit());
    if valid { Ok(pin.to_owned()) } else { Err(parameter("Param pin must be 6 digits")) }
}

/// An override URL that passed the challenge; an empty one clears.
pub(super) async fn checked_override(call: &Call, url: &str, token: Option<String>) -> Outcome<Option<Override>> {
    if url.is_empty() {
        return Ok(None);
    }
    if url.len() > 200 {
        return Err(parameter("Param override_callback_uri must be at most 200 characters long"));
    }
    let token =
        token.filter(|token| !token.is_empty()).ok_or_else(|| parameter("The parameter verify_token is required."))?;
    let checked = push::verify(&call.world, &Peer::Named(url.to_owned()), &token).await;
    checked.map_err(|reason| {
        tracing::info!(url, reason, "an override URL was refused");
        plain(
            400,
            2200,
            "(#2200) Callback verification failed with the following errors: the URL did not answer the challenge",
        )
    })?;
    Ok(Some(Override { url: url.to_owned() }))
}

pub(super) fn edit(call: &Call, id: &Text, change: impl FnOnce(&mut Number)) -> Outcome<()> {
    let mut state = call.world.state();
    change(state.numbers.get_mut(id).ok_or_else(|| no_object("POST", id))?);
    call.world.touch();
    Ok(())
}

pub(super) fn settings(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let number = state.numbers.get(id).ok_or_else(|| no_object("GET", id))?;
    let mut settings = json!({
        "calling": {"status": "DISABLED"},
        "user_identity_change": {"enable_identity_key_check": false},
        "storage_configuration": {"status": "DEFAULT"},
        "payload_encryption": {"status": "DISABLED"},
    });
    if let Some(all) = settings.as_object_mut() {
        all.extend(number.settings.clone());
    }
    Ok(settings)
}

pub(super) fn set_settings(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let known = ["calling", "user_identity_change", "storage_configuration", "payload_encryption"];
    let given: Map<String, Value> = fields
        .iter()
        .filter(|(key, value)| known.contains(&key.as_str()) && value.is_object())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if given.is_empty() {
        return Err(parameter(format_args!("One of {{{}}} is required.", known.join(", "))));
    }
    edit(call, id, |number| number.settings.extend(given))?;
    Ok(json!({"success": true}))
}
