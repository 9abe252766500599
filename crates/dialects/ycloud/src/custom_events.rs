//! `/event`: kinds of events that callers define, and what happened.

use api::{At, FieldError};
use engine::clock::rfc3339;
use engine::custom_events::{
    AddProperty, Define, Defined, Definition, Happen, Property, RemoveProperty, Update, UpdateProperty, Whom,
};
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, phone};
use crate::errors::{Code, Error};
use crate::ids::Noun;

const LABEL: std::ops::RangeInclusive<usize> = 1..=50;
const DESCRIPTION: std::ops::RangeInclusive<usize> = 0..=200;
/// How many properties an event may have.
const MOST: usize = 100;
const TYPES: [(&str, &str); 4] =
    [("STRING", "string"), ("NUMBER", "number"), ("TIMESTAMP", "timestamp"), ("URL", "url")];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: String,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    object_type: &'static str,
    create_time: String,
    properties: Vec<ShownProperty>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownProperty {
    name: String,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_time: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

fn shown((definition, properties): Defined) -> Shown {
    Shown {
        name: definition.name,
        label: definition.label,
        description: definition.description,
        object_type: "CONTACT",
        create_time: rfc3339(definition.created_at),
        properties: properties.into_iter().map(shown_property).collect(),
    }
}

fn shown_property(property: Property) -> ShownProperty {
    let kind = TYPES.iter().find(|(_, kind)| *kind == property.kind).map_or("STRING", |(word, _)| word);
    ShownProperty {
        name: property.name,
        label: property.label,
        description: property.description,
        create_time: rfc3339(property.created_at),
        kind,
    }
}

/// `[a-z0-9_]{1,50}`, for properties with a letter in front.
fn name(at: &At<'_>, letter_first: bool) -> Result<String, FieldError> {
    let text = at.text(1..=50)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = !letter_first || (text.len() > 1 && text.as_bytes()[0].is_ascii_lowercase());
    match plain && begins {
        true => Ok(text.to_owned()),
        false => Err(at.refuse("may have lower-case letters, digits and underscores only")),
    }
}

fn property(at: &At<'_>, now: i64) -> Result<Property, Error> {
    Ok(Property {
        name: name(&at.need("name")?, true)?,
        label: at.need("label")?.string(LABEL)?,
        kind: at.need("type")?.word(&TYPES)?.to_owned(),
        description: at.read_nullable("description", |at| at.string(DESCRIPTION))?.flatten(),
        created_at: now,
    })
}

pub(crate) async fn define(call: Call) -> Handled {
    let (body, now) = (call.body()?, call.engine().now());
    let at = body.at();
    let definition = Definition {
        organization_id: call.organization(),
        name: name(&at.need("name")?, false)?,
        label: at.need("label")?.string(LABEL)?,
        object_type: at.need("objectType")?.word(&[("CONTACT", "contact")])?.to_owned(),
        description: at.read_nullable("description", |at| at.string(DESCRIPTION))?.flatten(),
        created_at: now,
    };
    let items = at.read_nullable("properties", |at| at.items(0..=MOST))?.flatten().unwrap_or_default();
    let mut properties: Vec<Property> = Vec::with_capacity(items.len());
    for item in &items {
        let property = property(item, now)?;
        if properties.iter().any(|known| known.name == property.name) {
            return Err(Error::from(item.refuse("has a name that was given already")));
        }
        properties.push(property);
    }
    let wish = Define { engine: call.engine().clone(), definition, properties };
    Ok(Answer::of(&shown(call.perform(wish).await?)))
}

pub(crate) async fn get(call: Call) -> Handled {
    let found = call.engine().event_definition(&call.organization(), call.param("name")).await?;
    Ok(Answer::of(&shown(found.ok_or_else(|| Error::not_found("event definition"))?)))
}

pub(crate) async fn update(call: Call) -> Handled {
    let body = call.body()?;
    let wish = Update {
        organization: call.organization(),
        name: call.param("name").to_owned(),
        label: body.at().read("label", |at| at.string(LABEL))?,
        description: body.at().read_nullable("description", |at| at.string(DESCRIPTION))?,
    };
    Ok(Answer::of(&shown(call.perform(wish).await?)))
}

pub(crate) async fn add_property(call: Call) -> Handled {
    let body = call.body()?;
    let property = property(&body.at(), call.engine().now())?;
    let wish = AddProperty { organization: call.organization(), definition: call.param("name").to_owned(), property };
    Ok(Answer::of(&shown_property(call.perform(wish).await?)))
}

pub(crate) async fn update_property(call: Call) -> Handled {
    let body = call.body()?;
    let wish = UpdateProperty {
        organization: call.organization(),
        definition: call.param("name").to_owned(),
        name: call.param("propertyName").to_owned(),
        label: body.at().read("label", |at| at.string(LABEL))?,
        description: body.at().read_nullable("description", |at| at.string(DESCRIPTION))?,
    };
    Ok(Answer::of(&shown_property(call.perform(wish).await?)))
}

pub(crate) async fn delete_property(call: Call) -> Handled {
    let wish = RemoveProperty {
        organization: call.organization(),
        definition: call.param("name").to_owned(),
        name: call.param("propertyName").to_owned(),
    };
    call.perform(wish).await?;
    Ok(Answer::nothing())
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let name = at.need("eventName")?.string(1..=50)?;
    let when = at.read_nullable("occurTime", |at| at.time())?.flatten().unwrap_or(call.engine().now());
    let properties = at.read_nullable("properties", |at| at.object().cloned())?.flatten().unwrap_or_default();
    let id = at.read_nullable("objectId", |at| at.string(1..=128))?.flatten();
    let number = at.read_nullable("contactPhoneNumber", |at| phone(&at))?.flatten();
    let whom = match (id, number) {
        (Some(id), _) => Whom::Contact(Noun::Contact.parse(&id)?),
        (None, Some(number)) => Whom::Phone(number),
        (None, None) => {
            return Err(Error::new(Code::ParamMissing, "objectId or contactPhoneNumber is required").at("objectId"));
        }
    };
    let (engine, organization) = (call.engine().clone(), call.organization());
    call.perform(Happen { engine, organization, name, whom, at: when, properties }).await?;
    Ok(Answer::nothing())
}
