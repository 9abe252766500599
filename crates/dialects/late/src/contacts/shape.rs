//! Contacts as they are shown: one whole one, and which of its members each operation shows.

use engine::clock::rfc3339;
use engine::roster::{Entry, Minds};
use serde_json::{Map, Value, json};

const CREATED: &[&str] = &["id", "phone", "name", "email", "company", "tags", "groups", "isOptedIn", "createdAt"];
const UPDATED: &[&str] = &[
    "id",
    "phone",
    "name",
    "email",
    "company",
    "tags",
    "groups",
    "isOptedIn",
    "isBlocked",
    "customFields",
    "notes",
    "updatedAt",
];
const LISTED: &[&str] = &[
    "id",
    "phone",
    "waId",
    "name",
    "email",
    "company",
    "tags",
    "groups",
    "isOptedIn",
    "lastMessageSentAt",
    "lastMessageReceivedAt",
    "messagesSentCount",
    "messagesReceivedCount",
    "customFields",
    "notes",
    "createdAt",
];

/// What is not known is left out.
pub(super) fn whole(entry: Entry, minds: Minds) -> Map<String, Value> {
    let (contact, traffic) = (entry.contact, entry.traffic);
    let opted_in_at = minds.opted_in_at.unwrap_or(contact.created_at);
    let shown = json!({
        "id": contact.id.hex24(),
        "phone": contact.phone,
        "waId": contact.phone.as_deref().map(|phone| phone.trim_start_matches('+')),
        "name": contact.name,
        "email": contact.email,
        "company": contact.company,
        "tags": entry.tags,
        "groups": entry.labels,
        "isOptedIn": entry.opted_in,
        "optInDate": entry.opted_in.then(|| rfc3339(opted_in_at)),
        "optOutDate": minds.opted_out_at.filter(|_| !entry.opted_in).map(rfc3339),
        "isBlocked": contact.blocked,
        "lastMessageSentAt": traffic.last_sent_at.map(rfc3339),
        "lastMessageReceivedAt": traffic.last_received_at.map(rfc3339),
        "messagesSentCount": traffic.sent,
        "messagesReceivedCount": traffic.received,
        "customFields": fields(&contact.attributes),
        "notes": contact.notes,
        "createdAt": rfc3339(contact.created_at),
        "updatedAt": rfc3339(contact.updated_at),
    });
    let Value::Object(mut shown) = shown else { return Map::new() };
    shown.retain(|_, value| !value.is_null());
    shown
}

/// Here all values are texts; elsewhere they may have been something else.
fn fields(attributes: &str) -> Map<String, Value> {
    let attributes: Map<String, Value> = serde_json::from_str(attributes).unwrap_or_default();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    attributes.into_iter().map(|(name, value)| (name, text(value).into())).collect()
}

fn only(entry: Entry, names: &[&str]) -> Map<String, Value> {
    let mut shown = whole(entry, Minds::default());
    shown.retain(|name, _| names.contains(&name.as_str()));
    shown
}

pub(super) fn listed(entry: Entry) -> Map<String, Value> {
    only(entry, LISTED)
}

pub(super) fn created(entry: Entry) -> Map<String, Value> {
    only(entry, CREATED)
}

pub(super) fn updated(entry: Entry) -> Map<String, Value> {
    only(entry, UPDATED)
}
