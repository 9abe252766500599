//! Broadcasts as they are shown. Counters add up: what was delivered was sent before, what was read delivered.

use engine::campaigns::{Campaign, State};
use engine::clock::rfc3339;
use engine::content::Content;
use serde_json::{Map, Value, json};

const CREATED: &[&str] = &["id", "name", "description", "template", "status", "recipientCount", "createdAt"];

pub(super) const STATUSES: [(State, &str); 6] = [
    (State::Draft, "draft"),
    (State::Scheduled, "scheduled"),
    (State::Sending, "sending"),
    (State::Completed, "completed"),
    (State::Failed, "failed"),
    (State::Cancelled, "cancelled"),
];

/// A pause has no word here: it will go on sending.
pub(super) fn status(state: State) -> &'static str {
    STATUSES.iter().find(|(known, _)| *known == state).map_or("sending", |(_, word)| word)
}

pub(super) fn whole(it: &Campaign) -> Map<String, Value> {
    let template = match Content::parse(&it.content) {
        Ok(Content::Template(template)) => json!({ "name": template.name, "language": template.language }),
        _ => json!({}),
    };
    let shown = json!({
        "id": it.id.hex24(),
        "name": it.name,
        "description": it.description,
        "template": template,
        "status": status(it.state),
        "recipientCount": it.counts.total(),
        "scheduledAt": it.scheduled_at.map(rfc3339),
        "startedAt": it.started_at.map(rfc3339),
        "completedAt": it.completed_at.map(rfc3339),
        "sentCount": it.counts.sent_in_all(),
        "deliveredCount": it.counts.delivered_in_all(),
        "readCount": it.counts.read,
        "failedCount": it.counts.failed,
        "createdAt": rfc3339(it.created_at),
        "updatedAt": rfc3339(it.updated_at),
    });
    let Value::Object(mut shown) = shown else { return Map::new() };
    shown.retain(|_, value| !value.is_null());
    shown
}

pub(super) fn listed(it: &Campaign) -> Map<String, Value> {
    let mut shown = whole(it);
    shown.shift_remove("updatedAt");
    shown
}

pub(super) fn created(it: &Campaign) -> Map<String, Value> {
    let mut shown = whole(it);
    shown.retain(|name, _| CREATED.contains(&name.as_str()));
    shown
}
