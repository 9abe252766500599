//! What customers see of a business: its profile, and its cart and catalogue switches.

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object, of, parameter};
use super::numbers::edit;
use super::{Call, input, listing};
use crate::text::Text;

const VERTICALS: [&str; 22] = [
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
    "ALCOHOL",
    "ONLINE_GAMBLING",
    "PHYSICAL_GAMBLING",
    "OTC_DRUGS",
    "UNDEFINED",
];
/// (field, longest)
const TEXTS: [(&str, usize); 4] = [("about", 139), ("address", 256), ("description", 512), ("email", 128)];
const FIELDS: [&str; 8] =
    ["about", "address", "description", "email", "messaging_product", "profile_picture_url", "websites", "vertical"];

pub(super) fn get(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let number = state.numbers.get(id).ok_or_else(|| no_object("GET", id))?;
    let mut profile = number.profile.clone();
    for field in FIELDS {
        profile.entry(field).or_insert(Value::Null);
    }
    profile.insert("messaging_product".to_owned(), json!("whatsapp"));
    let chosen = listing::select(Value::Object(profile), "WhatsAppBusinessProfile", &call.query, &FIELDS)?;
    Ok(json!({"data": [chosen]}))
}

pub(super) fn set(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    input::product(fields)?;
    let mut changes = Map::new();
    for (field, longest) in TEXTS {
        let Some(text) = input::text(fields, field) else {
            continue;
        };
        if text.chars().count() > longest || (field == "about" && text.is_empty()) {
            return Err(of(100, format!("Param {field} must have at most {longest} characters")));
        }
        changes.insert(field.to_owned(), json!(text));
    }
    if let Some(email) = changes.get("email").and_then(Value::as_str).filter(|email| !email.is_empty())
        && !email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
    {
        return Err(of(100, "Param email must be a valid e-mail address"));
    }
    if let Some(sites) = input::list(fields, "websites") {
        let valid = |site: &String| site.len() <= 256 && (site.starts_with("http://") || site.starts_with("https://"));
        if sites.len() > 2 || !sites.iter().all(valid) {
            return Err(of(100, "Param websites must be at most 2 URLs of at most 256 characters"));
        }
        changes.insert("websites".to_owned(), json!(sites));
    }
    if let Some(vertical) = input::text(fields, "vertical") {
        if !VERTICALS.contains(&vertical.as_str()) {
            return Err(of(100, format!("Param vertical must be one of {{{}}}", VERTICALS.join(", "))));
        }
        changes.insert("vertical".to_owned(), json!(vertical));
    }
    if let Some(handle) = input::text(fields, "profile_picture_handle") {
        let state = call.world.state();
        let upload = state.uploads.values().find(|upload| upload.handle.as_ref() == Some(&handle));
        let Some((upload, file)) = upload.and_then(|upload| Some((upload, upload.file.as_ref()?))) else {
            return Err(of(100, "Param profile_picture_handle is not the handle of an upload"));
        };
        let url = call.world.media_link(&file.sha256, &upload.mime);
        changes.insert("profile_picture_url".to_owned(), json!(url));
    }
    edit(call, id, |number| number.profile.extend(changes))?;
    Ok(json!({"success": true}))
}

pub(super) fn commerce(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let number = state.numbers.get(id).ok_or_else(|| no_object("GET", id))?;
    Ok(
        json!({"data": [{"id": id, "is_cart_enabled": number.cart_enabled, "is_catalog_visible": number.catalog_visible}]}),
    )
}

pub(super) fn set_commerce(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let (cart, catalog) = (input::flag(fields, "is_cart_enabled")?, input::flag(fields, "is_catalog_visible")?);
    if cart.is_none() && catalog.is_none() {
        return Err(parameter("One of is_cart_enabled and is_catalog_visible is required."));
    }
    edit(call, id, |number| {
        number.cart_enabled = cart.unwrap_or(number.cart_enabled);
        number.catalog_visible = catalog.unwrap_or(number.catalog_visible);
    })?;
    Ok(json!({"success": true}))
}
