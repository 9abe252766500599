//! The app and its tokens, as far as an operator's set-up asks about them.

use serde_json::{Value, json};

use super::error::{Outcome, parameter};
use super::{Call, input, listing, same};
use crate::accounts::{Platform, SCOPES};

/// `{app id}|{app secret}`: an app's own token, good for looking at other tokens.
pub(super) fn app_token(platform: &Platform) -> String {
    format!("{}|{}", platform.app_id, platform.app_secret)
}

fn app_name(platform: &Platform) -> String {
    format!("Sandbox app {}", platform.app_id)
}

pub(super) fn get(call: &Call) -> Outcome {
    let app = json!({
        "id": call.platform.app_id,
        "name": app_name(&call.platform),
        "link": format!("{}/", call.world.control_url),
        "category": "Business",
        "namespace": null,
    });
    listing::select(app, "Application", &call.query, &["category", "link", "name"])
}

/// Who the token stands for.
pub(super) fn me(call: &Call) -> Outcome {
    let user = json!({"id": call.world.seed.digits(&format!("user/{}", call.platform.id), '9', 15), "name": "Sandbox system user"});
    listing::select(user, "User", &call.query, &["name"])
}

pub(super) fn debug_token(call: &Call) -> Outcome {
    let token = input::required(&call.query, "input_token")?;
    if !same(&token, &call.platform.access_token) && !same(&token, &app_token(&call.platform)) {
        return Ok(json!({"data": {
            "is_valid": false,
            "scopes": [],
            "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"},
        }}));
    }
    let wabas: Vec<Value> = call.platform.wabas.iter().map(|id| json!(id)).collect();
    let granular: Vec<Value> = SCOPES[..2].iter().map(|scope| json!({"scope": scope, "target_ids": wabas})).collect();
    Ok(json!({"data": {
        "app_id": call.platform.app_id,
        "type": "SYSTEM_USER",
        "application": app_name(&call.platform),
        "data_access_expires_at": 0,
        "expires_at": 0,
        "is_valid": true,
        "issued_at": 0,
        "scopes": SCOPES,
        "granular_scopes": granular,
        "user_id": call.world.seed.digits(&format!("user/{}", call.platform.id), '9', 15),
    }}))
}

/// The app's own webhook subscription.
pub(super) fn subscriptions(call: &Call) -> Outcome {
    if call.platform.webhook_url.is_empty() {
        return Err(parameter("The app has no webhook"));
    }
    let fields = [
        "messages",
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "phone_number_quality_update",
        "phone_number_name_update",
        "account_update",
        "account_review_update",
        "account_alerts",
        "business_capability_update",
        "user_preferences",
        "security",
    ];
    let fields: Vec<Value> = fields.iter().map(|name| json!({"name": name, "version": "v23.0"})).collect();
    Ok(json!({"data": [{
        "object": "whatsapp_business_account",
        "callback_url": call.platform.webhook_url,
        "active": true,
        "fields": fields,
    }]}))
}
