//! Proving that a number is ours, and bringing it onto the Cloud API.

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object, of, parameter};
use super::numbers::{edit, valid_pin};
use super::{Call, input};
use crate::accounts::Number;
use crate::delivery;
use crate::faults::{Kind, Target};
use crate::text::Text;

/// Who sends codes.
const FROM: &str = "+15550109999";
/// The code where nobody could read another: the number is with none of the carriers here.
pub(crate) const CODE: &str = "123456";
const PERIOD_MS: i64 = 72 * 3_600_000;
const AT_MOST: usize = 10;
/// (code, wrong PINs, within how long). Meta tells callers how long to wait, and nobody how it counts: these are our own
/// numbers.
const GUESSES: [(i64, usize, i64); 2] = [(133008, 10, 24 * 3_600_000), (133009, 3, 60_000)];

fn number(call: &Call, id: &Text) -> Outcome<Number> {
    call.world.state().numbers.get(id).cloned().ok_or_else(|| no_object("POST", id))
}

pub(super) fn request_code(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let method = input::required(fields, "code_method")?;
    if !["SMS", "VOICE"].contains(&method.as_str()) {
        return Err(parameter("Param code_method must be one of {SMS, VOICE}"));
    }
    input::required(fields, "language")?;
    if number(call, id)?.verified {
        return Err(of(136024, "The phone number is verified already."));
    }
    let phone = number(call, id)?.display();
    let code = fresh_code(call, &phone);
    edit(call, id, |number| number.code = Some(code.clone()))?;
    bring(call, phone, &code, method == "VOICE");
    Ok(json!({"success": true}))
}

/// Whoever can read what comes to his number has a code of his own.
pub(super) fn fresh_code(call: &Call, phone: &str) -> String {
    match call.world.carriers.get().is_some_and(|carriers| carriers.has(phone)) {
        true => call.world.ids.digits(6),
        false => CODE.to_owned(),
    }
}

/// Has the carriers bring a code to a number, as an SMS or a call.
pub(super) fn bring(call: &Call, phone: String, code: &str, spoken: bool) {
    if call.world.take_fault_of(Target::Numbers, &[Kind::Drop]).is_some() {
        return;
    }
    let Some(carriers) = call.world.carriers.get().cloned() else { return };
    if spoken {
        let digits: Vec<String> = code.chars().map(String::from).collect();
        let words = format!("Your WhatsApp code is {}.", digits.join(", "));
        call.world.spawn(async move { carriers.speak(FROM, &phone, &words).await });
        return;
    }
    let text = format!("Your WhatsApp code: {}-{}\n\nDon't share this code with others", &code[..3], &code[3..]);
    call.world.spawn(async move {
        if let Err(error) = carriers.text(FROM, &phone, &text).await {
            tracing::debug!(%error, phone, "nobody took a code");
        }
    });
}

pub(super) fn verify_code(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let code: String = input::required(fields, "code")?.chars().filter(|c| *c != '-').collect();
    if number(call, id)?.code.as_deref() != Some(code.as_str()) {
        return Err(of(136024, "The verification code is not the one that was sent."));
    }
    edit(call, id, |number| (number.verified, number.code) = (true, None))?;
    Ok(json!({"success": true}))
}

pub(super) fn register(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    input::product(fields)?;
    let pin = valid_pin(&input::required(fields, "pin")?)?;
    let known = number(call, id)?;
    if !known.verified {
        return Err(of(133006, "The phone number needs to be verified before it is registered."));
    }
    let now = call.world.clock.now();
    hold_off(&known.wrong_pins, now)?;
    if known.pin.as_ref().is_some_and(|set| *set != pin) {
        edit(call, id, |number| number.wrong_pins.push(now))?;
        return Err(of(133005, "The two-step verification PIN is not the one that was set."));
    }
    count(call, id)?;
    edit(call, id, |number| {
        (number.registered, number.pin) = (true, Some(pin));
        number.wrong_pins.clear();
    })?;
    let value = json!({"display_phone_number": known.phone, "event": "ONBOARDING"});
    delivery::tell_account(&call.world, &call.world.state(), &known.waba, "phone_number_quality_update", &value);
    Ok(json!({"success": true}))
}

pub(super) fn deregister(call: &Call, id: &Text) -> Outcome {
    if !number(call, id)?.registered {
        return Err(of(133010, "The phone number is not registered."));
    }
    count(call, id)?;
    edit(call, id, |number| number.registered = false)?;
    Ok(json!({"success": true}))
}

/// After too many wrong PINs no PIN is looked at for a while; the details say for how long.
fn hold_off(wrong: &[i64], now: i64) -> Outcome<()> {
    for (code, most, period) in GUESSES {
        let newest = wrong.iter().rev().nth(most - 1);
        if let Some(left) = newest.map(|at| at + period - now).filter(|left| *left > 0) {
            return Err(of(code, format!("Wrong PINs came too often. Try again in {} seconds.", (left + 999) / 1000)));
        }
    }
    Ok(())
}

/// At most ten registrations and deregistrations in 72 hours.
fn count(call: &Call, id: &Text) -> Outcome<()> {
    let now = call.world.clock.now();
    let mut state = call.world.state();
    let number = state.numbers.get_mut(id).ok_or_else(|| no_object("POST", id))?;
    number.registrations.retain(|at| now - at < PERIOD_MS);
    if number.registrations.len() >= AT_MOST {
        return Err(of(133016, "The number was registered and deregistered too often in the last 72 hours."));
    }
    number.registrations.push(now);
    Ok(())
}
