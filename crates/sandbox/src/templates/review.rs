//! Reviews. A new or changed template is looked at three seconds later: its name decides. `reject` in it means REJECTED,
//! `pending` means that nobody looks until the control API decides, all else is APPROVED.

use std::sync::Arc;

use serde_json::json;

use super::Template;
use crate::delivery;
use crate::state::State;
use crate::world::Shared;

pub(crate) const REVIEW_MS: i64 = 3_000;

/// When a template with this name will be reviewed, if by itself.
pub(crate) fn due(name: &str, now: i64) -> Option<i64> {
    (!name.contains("pending")).then_some(now + REVIEW_MS)
}

/// Waits for a template's review and makes the decision.
pub(crate) fn schedule(world: &Shared, template: &Template) {
    let Some(at) = template.review_at else { return };
    let (id, world) = (template.id, Arc::clone(world));
    let task_world = Arc::clone(&world);
    world.spawn(async move {
        task_world.clock.reach(at).await;
        let mut state = task_world.state();
        let Some(template) = state.templates.get(&id).filter(|t| t.review_at == Some(at)) else {
            return;
        };
        let (status, reason) =
            if template.name.contains("reject") { ("REJECTED", Some("INVALID_FORMAT")) } else { ("APPROVED", None) };
        decide(&task_world, &mut state, id, status, reason);
    });
}

/// Takes up the reviews that an earlier run left open.
pub(crate) fn resume(world: &Shared) {
    let open: Vec<Arc<Template>> =
        world.state().templates.values().filter(|t| t.review_at.is_some()).cloned().collect();
    for template in open {
        schedule(world, &template);
    }
}

/// Sets a template's status and tells its business.
pub(crate) fn decide(world: &Shared, state: &mut State, id: u64, status: &str, reason: Option<&str>) -> bool {
    let Some(template) = state.templates.get(&id) else {
        return false;
    };
    let mut template = Template::clone(template);
    template.status = status.to_owned();
    template.review_at = None;
    template.rejected_reason = reason.filter(|_| status == "REJECTED").map(str::to_owned);
    let mut value = json!({
        "event": status,
        "message_template_id": template.id,
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category,
        "reason": reason.unwrap_or("NONE"),
    });
    if status == "DISABLED" {
        let day = crate::clock::rfc3339(world.clock.now());
        value["disable_info"] = json!({"disable_date": day.split('T').next()});
    }
    if status == "PAUSED" {
        value["other_info"] =
            json!({"title": "FIRST_PAUSE", "description": "This template is paused because of its low quality."});
    }
    if status == "REJECTED" {
        value["rejection_info"] = json!({"reason": reason.unwrap_or("INVALID_FORMAT"), "recommendation": "Change the content and submit it again."});
    }
    delivery::tell_account(world, state, &template.waba.clone(), "message_template_status_update", &value);
    state.put_template(template);
    world.touch();
    true
}
