//! What changed about templates, in events.

use engine::clock::rfc3339;
use engine::events::{ChangeData, Event};
use engine::format::RenderError;
use serde_json::{Map, Value};

use super::kept;
use super::said::{Said, said};

const REVIEWED: &str = "whatsapp.template.reviewed";
const CATEGORY: &str = "whatsapp.template.category_updated";
const QUALITY: &str = "whatsapp.template.quality_updated";

pub(super) fn name(event: &Event) -> Option<&'static str> {
    match said(event)?.field.as_str() {
        "message_template_status_update" => Some(REVIEWED),
        "template_category_update" => Some(CATEGORY),
        "message_template_quality_update" => Some(QUALITY),
        _ => None,
    }
}

pub(super) fn template(event: &Event) -> Result<Option<(&'static str, Value)>, RenderError> {
    let Some(Said { waba, field, value }) = said(event) else { return Ok(None) };
    let data: ChangeData = kept(event)?;
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            told.insert(name.to_owned(), value);
        }
    };
    let text = |name: &str| value.get(name).filter(|value| value.is_string()).cloned().unwrap_or_default();
    put("wabaId", waba);
    put("name", data.name.into());
    put("language", text("message_template_language"));
    put("updateTime", rfc3339(event.created_at).into());
    match field.as_str() {
        "message_template_status_update" => {
            put("status", status(&value).into());
            put("statusUpdateEvent", text("event"));
            put("reason", text("reason"));
            put("disableDate", value.pointer("/disable_info/disable_date").cloned().unwrap_or_default());
        }
        "template_category_update" => {
            put("category", text("new_category"));
            put("previousCategory", text("previous_category"));
        }
        _ => put("qualityRating", text("new_quality_score")),
    }
    Ok(Some(("whatsappTemplate", Value::Object(told))))
}

/// The state that an event leaves a template in.
fn status(value: &Value) -> Option<&'static str> {
    Some(match value.get("event")?.as_str()? {
        "PENDING" => "PENDING",
        "APPROVED" | "FLAGGED" | "REINSTATED" | "UNARCHIVED" => "APPROVED",
        "REJECTED" => "REJECTED",
        "IN_APPEAL" => "IN_APPEAL",
        "PAUSED" => "PAUSED",
        "DISABLED" => "DISABLED",
        "ARCHIVED" => "ARCHIVED",
        "PENDING_DELETION" => "DELETED",
        _ => return None,
    })
}
