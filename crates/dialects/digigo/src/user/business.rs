//! `/user/business/profile`.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Business};
use web_wire::jid::Jid;

use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(super) async fn profile(call: Call) -> Handled {
    let phone = call.body.needed(&["phone"], "missing phone number in payload")?;
    let address = Jid::of_text(&phone).map_err(|_| Error::bad("could not parse phone number"))?;
    let found: Option<Business> = ask(&call, Ask::Business { address }).await?;
    let found = found.ok_or_else(|| Error::failed("failed to get business profile: not a business account"))?;
    Ok(Answer::of(shown(&found)))
}

pub(super) fn shown(profile: &Business) -> Value {
    let hours: Vec<Value> = profile
        .hours
        .iter()
        .map(|day| {
            let time = |time: &Option<String>| time.clone().unwrap_or_default();
            json!({
                "day_of_week": day.day, "mode": day.mode, "open_time": time(&day.opens), "close_time": time(&day.closes),
            })
        })
        .collect();
    json!({
        "jid": profile.address, "email": profile.email.clone().unwrap_or_default(),
        "address": profile.street.clone().unwrap_or_default(), "categories": profile.categories,
        "profile_options": profile.options, "business_hours_timezone": profile.timezone.clone().unwrap_or_default(),
        "business_hours": hours,
    })
}
