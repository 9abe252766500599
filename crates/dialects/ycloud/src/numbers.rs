//! `/whatsapp/phoneNumbers`: numbers of the Cloud API, what customers see of them, and their registration.

use std::sync::Arc;

use api::At;
use engine::Engine;
use engine::senders::Sender;
use serde_json::{Map, Value};

use crate::accounts::{self, Waba, renamed};
use crate::answer::Answer;
use crate::call::{Call, Handled, e164};
use crate::errors::Error;
use crate::messages::CHANNEL;
use crate::paging::Page;

/// Members as Meta names them, and as they are named here.
const MEMBERS: [(&str, &str); 9] = [
    ("id", "id"),
    ("display_phone_number", "displayPhoneNumber"),
    ("quality_rating", "qualityRating"),
    ("verified_name", "verifiedName"),
    ("code_verification_status", "codeVerificationStatus"),
    ("is_official_business_account", "isOfficialBusinessAccount"),
    ("status", "status"),
    ("name_status", "nameStatus"),
    ("new_name_status", "newNameStatus"),
];

fn shape(number: &Value, waba: &str) -> Value {
    let mut shown = renamed(number, &MEMBERS);
    shown.insert("wabaId".into(), waba.into());
    let display = number.get("display_phone_number").and_then(Value::as_str).unwrap_or_default();
    let digits: String = display.chars().filter(char::is_ascii_digit).collect();
    shown.insert("phoneNumber".into(), format!("+{digits}").into());
    let limit = ["messaging_limit_tier", "whatsapp_business_manager_messaging_limit"];
    let limit = limit.iter().find_map(|name| number.get(*name)?.as_str());
    shown.insert("messagingLimit".into(), limit.unwrap_or("TIER_NOT_SET").into());
    // Meta's words for the same that the contract does not list.
    for (member, theirs, ours) in [
        ("qualityRating", "NA", "UNKNOWN"),
        ("codeVerificationStatus", "UNVERIFIED", "NOT_VERIFIED"),
        ("status", "OFFLINE", "DISCONNECTED"),
    ] {
        if shown.get(member).is_some_and(|value| value == theirs) {
            shown.insert(member.into(), ours.into());
        }
    }
    Value::Object(shown)
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let page = Page::of(&query)?;
    let wanted = query.at().read("filter.wabaId", |at| at.string(1..=255))?;
    let mut shown = Vec::new();
    for waba in accounts::all(&call).await? {
        if wanted.as_ref().is_some_and(|wanted| *wanted != waba.account.external_id) {
            continue;
        }
        if let Some(numbers) = waba.provider.numbers() {
            let found = numbers.numbers(&waba.account).await?;
            shown.extend(found.iter().map(|number| shape(number, &waba.account.external_id)));
        }
    }
    Ok(Answer::of(&page.cut(shown)))
}

fn unknown() -> Error {
    Error::not_found("phone number")
}

/// The number that the path names, with its account.
async fn named(call: &Call) -> Result<(Waba, Arc<Sender>), Error> {
    let waba = accounts::named(call, call.param("wabaId")).await?;
    let number = e164(call.param("phoneNumber")).ok_or_else(unknown)?;
    let found = call.engine().sender_on(&call.organization(), CHANNEL, Some(&number)).await?;
    let sender = found.filter(|sender| sender.account_id == waba.account.id).ok_or_else(unknown)?;
    Ok((waba, sender))
}

pub(crate) async fn get(call: Call) -> Handled {
    let (waba, sender) = named(&call).await?;
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    let number = numbers.number(&waba.account, &sender.external_id).await?;
    Ok(Answer::of(&shape(&number, &waba.account.external_id)))
}

const PROFILE: [(&str, &str); 7] = [
    ("about", "about"),
    ("address", "address"),
    ("description", "description"),
    ("email", "email"),
    ("profile_picture_url", "profilePictureUrl"),
    ("websites", "websites"),
    ("vertical", "vertical"),
];

pub(crate) async fn profile(call: Call) -> Handled {
    let (waba, sender) = named(&call).await?;
    shown_profile(&waba, &sender).await
}

async fn shown_profile(waba: &Waba, sender: &Sender) -> Handled {
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    let profile = numbers.profile(&waba.account, &sender.external_id).await?;
    Ok(Answer::of(&Value::Object(renamed(&profile, &PROFILE))))
}

const VERTICALS: [&str; 18] = [
    "",
    "OTHER",
    "AUTO",
    "BEAUTY",
    "APPAREL",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GROCERY",
    "GOVT",
    "HOTEL",
    "HEALTH",
    "NONPROFIT",
    "PROF_SERVICES",
    "RETAIL",
    "TRAVEL",
    "RESTAURANT",
];

pub(crate) async fn change_profile(call: Call) -> Handled {
    let (waba, sender) = named(&call).await?;
    let body = call.body()?;
    let change = profile_of(&body.at())?;
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    if !change.is_empty() {
        numbers.set_profile(&waba.account, &sender.external_id, &Value::Object(change)).await?;
    }
    shown_profile(&waba, &sender).await
}

fn profile_of(at: &At<'_>) -> Result<Map<String, Value>, Error> {
    let mut change = Map::new();
    let texts = [("about", 1..=139), ("address", 0..=256), ("description", 0..=512), ("email", 0..=128)];
    for (name, length) in texts {
        if let Some(Some(text)) = at.read_nullable(name, |at| at.string(length))? {
            change.insert(name.into(), text.into());
        }
    }
    let vertical = VERTICALS.map(|word| (word, word));
    if let Some(Some(word)) = at.read_nullable("vertical", |at| at.word(&vertical))? {
        change.insert("vertical".into(), word.into());
    }
    if let Some(Some(items)) = at.read_nullable("websites", |at| at.items(0..=2))? {
        let sites = items.iter().map(|item| item.string(1..=255)).collect::<Result<Vec<_>, _>>()?;
        change.insert("websites".into(), sites.into());
    }
    if let Some(Some(handle)) = at.read_nullable("profilePictureHandle", |at| at.string(1..=2048))? {
        change.insert("profile_picture_handle".into(), handle.into());
    }
    Ok(change)
}

const COMMERCE: [(&str, &str); 3] =
    [("id", "id"), ("is_cart_enabled", "isCartEnabled"), ("is_catalog_visible", "isCatalogVisible")];

pub(crate) async fn commerce(call: Call) -> Handled {
    let (waba, sender) = named(&call).await?;
    shown_commerce(&waba, &sender).await
}

async fn shown_commerce(waba: &Waba, sender: &Sender) -> Handled {
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    let settings = numbers.commerce(&waba.account, &sender.external_id).await?;
    Ok(Answer::of(&Value::Object(renamed(&settings, &COMMERCE))))
}

pub(crate) async fn change_commerce(call: Call) -> Handled {
    let (waba, sender) = named(&call).await?;
    let body = call.body()?;
    let mut change = Map::new();
    for (theirs, ours) in &COMMERCE[1..] {
        if let Some(Some(on)) = body.at().read_nullable(ours, |at| at.boolean())? {
            change.insert((*theirs).to_owned(), on.into());
        }
    }
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    if !change.is_empty() {
        numbers.set_commerce(&waba.account, &sender.external_id, &Value::Object(change)).await?;
    }
    shown_commerce(&waba, &sender).await
}

/// Here the path has WhatsApp's id of the number.
pub(crate) async fn register(call: Call) -> Handled {
    let waba = accounts::named(&call, call.param("wabaId")).await?;
    let found = call.engine().sender(&call.organization(), call.param("phoneNumber")).await?;
    let sender = found.filter(|sender| sender.account_id == waba.account.id).ok_or_else(unknown)?;
    let setup = waba.provider.setup().ok_or_else(unknown)?;
    setup.register(&waba.account, &sender.external_id, &pin(call.engine(), &sender.external_id)).await?;
    let numbers = waba.provider.numbers().ok_or_else(unknown)?;
    let number = numbers.number(&waba.account, &sender.external_id).await?;
    Ok(Answer::of(&shape(&number, &waba.account.external_id)))
}

/// The six digits of a number's two-step verification: the same each time, known to this installation only.
fn pin(engine: &Engine, number: &str) -> String {
    let secret = engine.key.derive(&format!("pin of {number}"));
    let digits = u64::from_be_bytes([0, 0, secret[0], secret[1], secret[2], secret[3], secret[4], secret[5]]);
    format!("{:06}", digits % 1_000_000)
}
