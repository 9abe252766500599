//! Contacts and unsubscribers in events. Unlike in the contact's own resource, the nickname is `nickName` here and the
//! custom attributes are an object.

use engine::clock::rfc3339;
use engine::consent::{self, ConsentData};
use engine::contacts::PHONE;
use engine::directory::ChangedData;
use engine::events::{CONSENT_WITHDRAWN, Event};
use engine::format::{Context, RenderError};
use engine::subscriptions::Subscription;
use serde_json::{Map, Value, json};

use super::{EventProperties, kept, names};
use crate::ids::Noun;
use crate::messages::CHANNEL as WHATSAPP;

type Payload = (&'static str, Value);

pub(super) fn made(_: &Event, context: &Context) -> Option<Payload> {
    let contact = context.contact.as_ref()?;
    let attributes: Map<String, Value> = serde_json::from_str(&contact.attributes).unwrap_or_default();
    let mut told = json!({
        "id": Noun::Contact.spell(&contact.id),
        "nickName": contact.name,
        "countryCode": contact.country,
        "phoneNumber": contact.phone,
        "email": contact.email,
        "ownerEmail": contact.owner,
        "createTime": rfc3339(contact.created_at),
        "customAttributes": attributes,
    });
    without_nulls(&mut told);
    Some(("contactCreated", told))
}

pub(super) fn gone(event: &Event) -> Result<Payload, RenderError> {
    let card: Map<String, Value> = kept(event)?;
    let member = |name: &str| card.get(name).cloned().unwrap_or_default();
    let mut told = json!({
        "id": Noun::Contact.spell(&event.subject_id),
        "nickName": member("name"),
        "countryCode": member("country"),
        "phoneNumber": member("phone_number"),
        "email": member("email"),
        "ownerEmail": member("owner"),
        "tags": member("tags"),
        "createTime": card.get("created_at").and_then(Value::as_i64).map(rfc3339),
        "customAttributes": member("attributes"),
    });
    without_nulls(&mut told);
    Ok(("contactDeleted", told))
}

/// Only the attributes that the endpoint named; nothing where none of them changed.
pub(super) fn changed(
    event: &Event,
    context: &Context,
    subscription: &Subscription,
) -> Result<Option<Payload>, RenderError> {
    let data: ChangedData = kept(event)?;
    let wanted = EventProperties::of_subscription(subscription);
    let wanted = wanted.of(names::CONTACT_CHANGED).unwrap_or_default();
    let changed: Map<String, Value> = data
        .changed
        .iter()
        .filter_map(|(name, change)| {
            let name = word(name);
            wanted.iter().any(|wanted| wanted == name).then(|| (name.to_owned(), attribute(change)))
        })
        .collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let told = json!({
        "id": Noun::Contact.spell(&event.subject_id),
        "phoneNumber": context.contact.as_ref().and_then(|contact| contact.phone.clone()),
        "updateTime": rfc3339(event.created_at),
        "changedAttributes": changed,
    });
    Ok(Some(("contactAttributesChanged", told)))
}

/// The engine's name of a contact's member, in this dialect's.
fn word(name: &str) -> &str {
    match name {
        "name" => "nickName",
        "phone_number" => "phoneNumber",
        "country" => "countryCode",
        "owner" => "ownerEmail",
        other => other.strip_prefix("attributes.").unwrap_or(other),
    }
}

fn attribute(change: &Value) -> Value {
    let (old, new) = (&change["old"], &change["new"]);
    let mut told = json!({ "oldValue": old, "newValue": new });
    if let (Some(old), Some(new)) = (old.as_array(), new.as_array()) {
        let entry = |action: &str, value: &Value| json!({ "action": action, "value": value });
        let removed = old.iter().filter(|value| !new.contains(value)).map(|value| entry("REMOVED", value));
        let added = new.iter().filter(|value| !old.contains(value)).map(|value| entry("ADDED", value));
        told["extra"] = removed.chain(added).collect();
    }
    without_nulls(&mut told);
    told
}

pub(super) fn consent(event: &Event) -> Result<Option<Payload>, RenderError> {
    let data: ConsentData = kept(event)?;
    // What was said on other channels is not told here, as it is not shown.
    if data.kind != PHONE || data.channel != WHATSAPP {
        return Ok(None);
    }
    let source = match data.source.as_str() {
        consent::BY_PROVIDER | consent::BY_KEYWORD => "Whatsapp",
        _ => "API",
    };
    let mut told = json!({
        "type": "PHONE_NUMBER",
        "customer": data.value,
        "channel": data.channel,
        "regionCode": data.region,
        "source": source,
        "createTime": rfc3339(event.created_at),
    });
    without_nulls(&mut told);
    let name = match event.kind == CONSENT_WITHDRAWN {
        true => "contactUnsubscribeCreated",
        false => "contactUnsubscribeDeleted",
    };
    Ok(Some((name, told)))
}

fn without_nulls(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
}
