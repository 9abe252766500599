//! Customers whom a business has blocked.

use serde_json::{Map, Value, json};

use super::error::{Outcome, in_webhook, no_object, of};
use super::{Call, input, listing};
use crate::phones::{self, WINDOW_MS};
use crate::state::State;
use crate::text::Text;

const AT_MOST: usize = 64_000;

pub(super) fn list(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let number = state.numbers.get(id).ok_or_else(|| no_object("GET", id))?;
    let entry = |user: &String| (user.clone(), json!({"messaging_product": "whatsapp", "wa_id": user}));
    listing::page(number.blocked.iter().map(entry).collect(), &call.query, &call.url())
}

pub(super) fn change(call: &Call, id: &Text, fields: &Map<String, Value>, block: bool) -> Outcome {
    input::product(fields)?;
    let users = fields.get("block_users").and_then(Value::as_array).filter(|users| !users.is_empty());
    let users = users.ok_or_else(|| of(131008, "The parameter block_users is required."))?;
    let mut state = call.world.state();
    let (mut changed, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        match one(call, &mut state, id, user, block) {
            Ok(done) => changed.push(done),
            Err(refused) => failed.push(refused),
        }
    }
    call.world.touch();
    let mut results = Map::new();
    results.insert(if block { "added_users" } else { "removed_users" }.to_owned(), json!(changed));
    if failed.is_empty() {
        return Ok(json!({"messaging_product": "whatsapp", "block_users": results}));
    }
    results.insert("failed_users".to_owned(), json!(failed));
    Err(of(139100, "Failed to change the block list for some users")
        .beside("messaging_product", json!("whatsapp"))
        .beside("block_users", Value::Object(results)))
}

/// Blocks or frees one user; the error is the entry for `failed_users`.
fn one(call: &Call, state: &mut State, id: &Text, user: &Value, block: bool) -> Result<Value, Value> {
    let input = user["user"].as_str().or(user["user_id"].as_str()).unwrap_or_default().to_owned();
    let refuse = |code, details: &str| {
        Err(json!({"input": input, "wa_id": phones::digits(&input), "errors": [in_webhook(code, details)]}))
    };
    let number = state.numbers.get(id);
    let business = number.and_then(|number| state.wabas.get(&number.waba)).map(|waba| waba.business_id.clone());
    let digits = match user["user_id"].as_str() {
        Some(user_id) => call.world.seed.phone_of(&business.unwrap_or_default(), user_id),
        None => phones::digits(&input),
    };
    let Some(digits) = digits else {
        return refuse(131009, "The user is not a phone number or user ID");
    };
    let now = call.world.clock.now();
    let wrote = state.phones.get(&*digits).and_then(|phone| phone.last_wrote(id));
    if block && wrote.is_none_or(|at| now - at >= WINDOW_MS) {
        return refuse(131047, "Only users who wrote to the business in the last 24 hours can be blocked");
    }
    let Some(number) = state.numbers.get_mut(id) else {
        return refuse(131009, "The number is gone");
    };
    if block && number.blocked.len() >= AT_MOST {
        return refuse(139101, "The block list is full");
    }
    if block {
        number.blocked.insert(digits.clone());
    } else {
        number.blocked.remove(&digits);
    }
    Ok(json!({"input": input, "wa_id": digits}))
}
