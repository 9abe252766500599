//! `/whatsapp/business-profile`: what customers see of a number's owner.

use api::At;
use serde_json::{Map, Value, json};

use crate::accounts;
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;

/// Members as Meta names them, and as they are named here.
const MEMBERS: [(&str, &str); 7] = [
    ("about", "about"),
    ("address", "address"),
    ("description", "description"),
    ("email", "email"),
    ("profile_picture_url", "profilePictureUrl"),
    ("websites", "websites"),
    ("vertical", "vertical"),
];

pub(crate) async fn get(call: Call) -> Handled {
    let query = call.query()?;
    let sender = call.account(&query.at()).await?;
    let business = accounts::behind(&call, &sender).await?;
    let profile = business.numbers()?.profile(&business.account, &sender.external_id).await?;
    let known = MEMBERS.iter().filter_map(|(theirs, ours)| {
        let value = profile.get(*theirs).filter(|value| !value.is_null())?;
        Some(((*ours).to_owned(), value.clone()))
    });
    Ok(Answer::success(&json!({ "businessProfile": known.collect::<Map<_, _>>() })))
}

/// Writes the members that are given.
pub(crate) async fn change(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let change = read(&at)?;
    let sender = call.account(&at).await?;
    let business = accounts::behind(&call, &sender).await?;
    let numbers = business.numbers()?;
    if !change.is_empty() {
        numbers.set_profile(&business.account, &sender.external_id, &Value::Object(change)).await?;
    }
    Ok(Answer::success(&json!({ "message": "Business profile updated successfully" })))
}

fn read(at: &At<'_>) -> Result<Map<String, Value>, Error> {
    let mut change = Map::new();
    let texts = [
        ("about", "about", 1..=139),
        ("address", "address", 0..=256),
        ("description", "description", 0..=512),
        ("email", "email", 0..=128),
        ("vertical", "vertical", 0..=64),
        ("profilePictureHandle", "profile_picture_handle", 1..=2048),
    ];
    for (ours, theirs, length) in texts {
        if let Some(Some(text)) = at.read_nullable(ours, |at| at.string(length))? {
            change.insert(theirs.into(), text.into());
        }
    }
    if let Some(Some(items)) = at.read_nullable("websites", |at| at.items(0..=2))? {
        let sites = items.iter().map(|item| item.web_address()).collect::<Result<Vec<_>, _>>()?;
        change.insert("websites".into(), sites.into());
    }
    Ok(change)
}

/// What Meta makes of a name that it has not approved, in the words that are known here.
fn standing(number: &Value) -> &'static str {
    let word = |name: &str| number.get(name).and_then(Value::as_str).unwrap_or_default();
    match (word("new_name_status"), word("name_status")) {
        ("PENDING_REVIEW" | "PENDING", _) | (_, "PENDING_REVIEW") => "PENDING_REVIEW",
        (_, "APPROVED" | "AVAILABLE_WITHOUT_REVIEW") => "APPROVED",
        (_, "DECLINED" | "EXPIRED") => "DECLINED",
        _ => "NONE",
    }
}

pub(crate) async fn name(call: Call) -> Handled {
    let query = call.query()?;
    let sender = call.account(&query.at()).await?;
    let business = accounts::behind(&call, &sender).await?;
    let number = business.numbers()?.number(&business.account, &sender.external_id).await?;
    let mut shown = json!({ "status": standing(&number), "phoneNumber": sender.address });
    if let Some(name) = number.get("verified_name").filter(|name| name.is_string()) {
        shown["name"] = name.clone();
    }
    Ok(Answer::success(&json!({ "displayName": shown })))
}

pub(crate) async fn change_name(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let name = at.need("displayName")?.string(3..=512)?;
    let sender = call.account(&at).await?;
    let business = accounts::behind(&call, &sender).await?;
    business.numbers()?.set_name(&business.account, &sender.external_id, &name).await?;
    let shown = json!({ "name": name, "status": "PENDING_REVIEW" });
    Ok(Answer::success(&json!({ "message": "Display name submitted for review", "displayName": shown })))
}
