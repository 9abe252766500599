//! WhatsApp Business Accounts, their portfolios and webhook subscriptions.

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object};
use super::numbers::{checked_override, tier};
use super::{Call, input, listing};
use crate::accounts::Waba;
use crate::state::State;
use crate::text::Text;

const KIND: &str = "WhatsAppBusinessAccount";
const DEFAULTS: [&str; 4] = ["name", "timezone_id", "message_template_namespace", "currency"];

fn node(state: &State, waba: &Waba) -> Value {
    json!({
        "id": waba.id,
        "name": waba.name,
        "timezone_id": "1",
        "currency": "USD",
        "country": "US",
        "status": "ACTIVE",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "message_template_namespace": waba.namespace,
        "ownership_type": "SELF",
        "owner_business_info": {"id": waba.business_id, "name": waba.name},
        "on_behalf_of_business_info": null,
        "health_status": {
            "can_send_message": "AVAILABLE",
            "entities": [
                {"entity_type": "WABA", "id": waba.id, "can_send_message": "AVAILABLE"},
                {"entity_type": "BUSINESS", "id": waba.business_id, "can_send_message": "AVAILABLE"},
            ],
        },
        "is_enabled_for_insights": true,
        "marketing_messages_lite_api_status": "ONBOARDED",
        "marketing_messages_onboarding_status": "ONBOARDED",
        "disable_marketing_messages_on_cloud_api": false,
        "primary_business_location": "US",
        "auth_international_rate_eligibility": null,
        "primary_funding_id": null,
        "subscribed_apps": null,
        "purchase_order_number": null,
        "creation_time": waba.created_at / 1000,
        "template_auto_archival_enabled": false,
        "whatsapp_business_manager_messaging_limit": tier(state),
    })
}

pub(super) fn get(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let waba = state.wabas.get(id).ok_or_else(|| no_object("GET", id))?;
    listing::select(node(&state, waba), KIND, &call.query, &DEFAULTS)
}

pub(super) fn business(call: &Call, id: &str) -> Outcome {
    let state = call.world.state();
    let waba = state.wabas.values().find(|waba| waba.business_id == id).ok_or_else(|| no_object("GET", id))?;
    let business = json!({"id": id, "name": waba.name, "verification_status": "verified"});
    listing::select(business, "Business", &call.query, &["name"])
}

pub(super) fn owned(call: &Call, business: &str) -> Outcome {
    let state = call.world.state();
    let wabas = state.wabas.values().filter(|waba| waba.business_id == business);
    let items: Outcome<Vec<_>> = wabas
        .map(|waba| Ok((waba.id.to_string(), listing::select(node(&state, waba), KIND, &call.query, &DEFAULTS)?)))
        .collect();
    listing::page(items?, &call.query, &call.url())
}

pub(super) fn subscriptions(call: &Call, id: &Text) -> Outcome {
    let state = call.world.state();
    let waba = state.wabas.get(id).ok_or_else(|| no_object("GET", id))?;
    let mut data = Vec::new();
    if waba.subscribed {
        let app = &call.platform.app_id;
        let mut entry = json!({"whatsapp_business_api_data": {
            "id": app,
            "name": format!("Sandbox app {app}"),
            "link": format!("{}/", call.world.control_url),
        }});
        if let Some(webhook) = &waba.webhook {
            entry["override_callback_uri"] = json!(webhook.url);
        }
        data.push(entry);
    }
    Ok(json!({"data": data}))
}

pub(super) async fn subscribe(call: &Call, id: &Text, fields: &Map<String, Value>) -> Outcome {
    let url = input::text(fields, "override_callback_uri").unwrap_or_default();
    let webhook = checked_override(call, &url, input::text(fields, "verify_token")).await?;
    let mut state = call.world.state();
    let waba = state.wabas.get_mut(id).ok_or_else(|| no_object("POST", id))?;
    (waba.subscribed, waba.webhook) = (true, webhook);
    call.world.touch();
    Ok(json!({"success": true}))
}

pub(super) fn unsubscribe(call: &Call, id: &Text) -> Outcome {
    let mut state = call.world.state();
    let waba = state.wabas.get_mut(id).ok_or_else(|| no_object("DELETE", id))?;
    waba.subscribed = false;
    call.world.touch();
    Ok(json!({"success": true}))
}
