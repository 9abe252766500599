//! Numbers that a business verifies beforehand, so that whoever takes one over need not.

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object, of, parameter};
use super::registration::{bring, fresh_code};
use super::{Call, input, listing};
use crate::accounts::Preverified;
use crate::phones;
use crate::state::State;
use crate::text::Text;

const KIND: &str = "WhatsAppPreVerifiedPhoneNumber";
const DEFAULTS: [&str; 3] = ["id", "phone_number", "code_verification_status"];
/// How long it holds, and how long before its end it can be renewed.
const PERIOD_S: i64 = 90 * 86_400;
const RENEWABLE_S: i64 = 45 * 86_400;

/// Seconds that are left of its proof; `None` where it has none.
fn left(number: &Preverified, now: i64) -> Option<i64> {
    number.verified_at.map(|at| at / 1000 + PERIOD_S - now / 1000)
}

fn node(number: &Preverified, now: i64) -> Value {
    let at = number.verified_at.map(|at| at / 1000);
    let until = at.map(|at| at + PERIOD_S);
    let status = match left(number, now) {
        None => "NOT_VERIFIED",
        Some(..=0) => "EXPIRED",
        Some(_) => "VERIFIED",
    };
    json!({
        "id": number.id, "phone_number": format!("+{}", number.phone), "code_verification_status": status,
        "code_verification_time": at, "verification_expiry_time": until, "owner_business": { "id": number.business },
    })
}

pub(super) fn get(call: &Call, id: &Text) -> Outcome {
    let number = find(call, id)?;
    listing::select(node(&number, call.world.clock.now()), KIND, &call.query, &DEFAULTS)
}

pub(super) fn list(call: &Call, business: &str) -> Outcome {
    let (state, now) = (call.world.state(), call.world.clock.now());
    let own = state.preverified.values().filter(|number| number.business == business);
    let items: Outcome<Vec<_>> = own
        .map(|number| Ok((number.id.to_string(), listing::select(node(number, now), KIND, &call.query, &DEFAULTS)?)))
        .collect();
    listing::page(items?, &call.query, &call.url())
}

pub(super) fn add(call: &Call, business: &str, fields: &Map<String, Value>) -> Outcome {
    let given = input::text(fields, "phone_number").or_else(|| input::text(&call.query, "phone_number"));
    let digits = given.and_then(|given| phones::digits(&given));
    let digits = digits.ok_or_else(|| parameter("Param phone_number must be a valid phone number"))?;
    let id = Text::from(call.world.ids.digits(15));
    let mut state = call.world.state();
    if state.preverified.values().any(|known| *known.phone == *digits) {
        return Err(parameter("The phone number is in a pool already"));
    }
    let number = Preverified {
        id: id.clone(),
        business: business.to_owned(),
        phone: digits.into(),
        code: None,
        verified_at: None,
    };
    state.preverified.insert(id.clone(), number);
    call.world.touch();
    Ok(json!({ "id": id }))
}

fn find(call: &Call, id: &Text) -> Outcome<Preverified> {
    call.world.state().preverified.get(id).cloned().ok_or_else(|| no_object("GET", id))
}

fn edit(call: &Call, id: &Text, change: impl FnOnce(&mut Preverified)) -> Outcome {
    let mut state = call.world.state();
    change(state.preverified.get_mut(id).ok_or_else(|| no_object("POST", id))?);
    call.world.touch();
    Ok(json!({ "success": true }))
}

pub(super) fn request_code(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let method = input::required(fields, "code_method")?;
    let number = find(call, id)?;
    if left(&number, call.world.clock.now()).is_some_and(|left| left > RENEWABLE_S) {
        return Err(of(136024, "The phone number is verified already."));
    }
    let phone = format!("+{}", number.phone);
    let code = fresh_code(call, &phone);
    let done = edit(call, id, |number| number.code = Some(code.clone()))?;
    bring(call, phone, &code, method == "VOICE");
    Ok(done)
}

pub(super) fn verify_code(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let code: String = input::required(fields, "code")?.chars().filter(|c| *c != '-').collect();
    if find(call, id)?.code.as_deref() != Some(code.as_str()) {
        return Err(of(136024, "The verification code is not the one that was sent."));
    }
    let now = call.world.clock.now();
    edit(call, id, |number| (number.verified_at, number.code) = (Some(now), None))
}

/// Whether a number may be taken from a business's pool.
pub(super) fn check(state: &State, id: &str, business: &str, digits: &str, now: i64) -> Outcome<()> {
    let found = state.preverified.get(id).filter(|number| number.business == business && *number.phone == *digits);
    let found = found.ok_or_else(|| parameter("Param preverified_id must be a number of the business's pool"))?;
    match left(found, now) {
        Some(1..) => Ok(()),
        _ => Err(of(136024, "The verification of the phone number has run out.")),
    }
}

pub(super) fn delete(call: &Call, id: &Text) -> Outcome {
    call.world.state().preverified.remove(id).ok_or_else(|| no_object("DELETE", id))?;
    call.world.touch();
    Ok(json!({ "success": true }))
}
