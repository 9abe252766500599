//! What callers tell us of their customers' doings. A kind of event is defined once, with the properties it may have;
//! what happened is kept with the contact it happened to, for whatever will want to know.

use serde_json::{Map, Value};
pub use store::custom_events::{Definition, Happened, Property};
use store::{Id, Result, Tx, Work, custom_events as rows};

use crate::contacts::PHONE;
use crate::{Engine, Outcome, Refusal, UseCase};

/// A definition with its properties, in the order in which they were added.
pub type Defined = (Definition, Vec<Property>);

pub struct Define {
    pub engine: Engine,
    pub definition: Definition,
    pub properties: Vec<Property>,
}

impl Work for Define {
    type Output = Outcome<Defined>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Defined>> {
        if !rows::define(tx, &self.definition).await? {
            return Ok(Err(Refusal::Taken { field: "name" }));
        }
        let (organization, name) = (&self.definition.organization_id, &self.definition.name);
        for property in &self.properties {
            if !rows::add_property(tx, organization, name, property).await? {
                return Err(store::Error::Exists("event_properties".into()));
            }
        }
        Ok(Ok((self.definition.clone(), self.properties.clone())))
    }
}

impl UseCase for Define {}

/// `None`: as it was.
pub struct Update {
    pub organization: Id,
    pub name: String,
    pub label: Option<String>,
    pub description: Option<Option<String>>,
}

impl Work for Update {
    type Output = Outcome<Defined>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Defined>> {
        let Some(mut definition) = rows::get(tx, &self.organization, &self.name).await? else { return unknown() };
        definition.label = self.label.clone().unwrap_or(definition.label);
        definition.description = self.description.clone().unwrap_or(definition.description);
        rows::update(tx, &definition).await?;
        let properties = rows::properties(tx, &self.organization, &self.name).await?;
        Ok(Ok((definition, properties)))
    }
}

impl UseCase for Update {}

fn unknown<T>() -> Result<Outcome<T>> {
    Ok(Err(Refusal::NotFound("event definition")))
}

pub struct AddProperty {
    pub organization: Id,
    pub definition: String,
    pub property: Property,
}

impl Work for AddProperty {
    type Output = Outcome<Property>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Property>> {
        if rows::get(tx, &self.organization, &self.definition).await?.is_none() {
            return unknown();
        }
        match rows::add_property(tx, &self.organization, &self.definition, &self.property).await? {
            true => Ok(Ok(self.property.clone())),
            false => Ok(Err(Refusal::Taken { field: "name" })),
        }
    }
}

impl UseCase for AddProperty {}

/// `None`: as it was.
pub struct UpdateProperty {
    pub organization: Id,
    pub definition: String,
    pub name: String,
    pub label: Option<String>,
    pub description: Option<Option<String>>,
}

impl Work for UpdateProperty {
    type Output = Outcome<Property>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Property>> {
        if rows::get(tx, &self.organization, &self.definition).await?.is_none() {
            return unknown();
        }
        let all = rows::properties(tx, &self.organization, &self.definition).await?;
        let Some(mut property) = all.into_iter().find(|property| property.name == self.name) else {
            return Ok(Err(Refusal::NotFound("event property")));
        };
        property.label = self.label.clone().unwrap_or(property.label);
        property.description = self.description.clone().unwrap_or(property.description);
        rows::update_property(tx, &self.organization, &self.definition, &property).await?;
        Ok(Ok(property))
    }
}

impl UseCase for UpdateProperty {}

pub struct RemoveProperty {
    pub organization: Id,
    pub definition: String,
    pub name: String,
}

impl Work for RemoveProperty {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        match rows::remove_property(tx, &self.organization, &self.definition, &self.name).await? {
            true => Ok(Ok(())),
            false => Ok(Err(Refusal::NotFound("event property"))),
        }
    }
}

impl UseCase for RemoveProperty {}

/// Whom an event happened to.
#[derive(Clone, Debug)]
pub enum Whom {
    Contact(Id),
    Phone(String),
}

/// Something happened.
pub struct Happen {
    pub engine: Engine,
    pub organization: Id,
    pub name: String,
    pub whom: Whom,
    /// Milliseconds.
    pub at: i64,
    pub properties: Map<String, Value>,
}

impl Work for Happen {
    type Output = Outcome<Happened>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Happened>> {
        if rows::get(tx, &self.organization, &self.name).await?.is_none() {
            return unknown();
        }
        let contact = match &self.whom {
            Whom::Contact(id) => store::contacts::get(tx, &self.organization, id).await?.map(|contact| contact.id),
            Whom::Phone(phone) => store::contacts::by_address(tx, &self.organization, PHONE, phone).await?,
        };
        let Some(contact) = contact else { return Ok(Err(Refusal::NotFound("contact"))) };
        let known = rows::properties(tx, &self.organization, &self.name).await?;
        if let Some((name, why)) = self.properties.iter().find_map(|(name, value)| wrong(&known, name, value)) {
            return Ok(Err(Refusal::Invalid { field: "properties", why: format!("{name} {why}") }));
        }
        let id = self.engine.new_id();
        let happened = Happened {
            id,
            organization_id: self.organization,
            name: self.name.clone(),
            contact_id: contact,
            properties: Value::Object(self.properties.clone()).to_string(),
            occurred_at: self.at,
            created_at: id.millis(),
        };
        rows::insert(tx, &happened).await?;
        Ok(Ok(happened))
    }
}

impl UseCase for Happen {}

/// What is wrong with a property, if anything. Numbers and times may come as texts.
fn wrong<'a>(known: &[Property], name: &'a str, value: &Value) -> Option<(&'a str, &'static str)> {
    let Some(property) = known.iter().find(|property| property.name == name) else {
        return Some((name, "is not a property of this event"));
    };
    let text = value.as_str();
    let number = value.as_f64().or_else(|| text?.parse::<f64>().ok()).filter(|number| number.is_finite());
    let good = match property.kind.as_str() {
        "number" => number.is_some(),
        "timestamp" => number.is_some_and(|number| number.fract() == 0.0),
        "url" => text.is_some_and(|text| text.starts_with("http://") || text.starts_with("https://")),
        _ => text.is_some(),
    };
    let why = match property.kind.as_str() {
        "number" => "must be a number",
        "timestamp" => "must be a time in milliseconds",
        "url" => "must be an http or https URL",
        _ => "must be a text",
    };
    (!good).then_some((name, why))
}

impl Engine {
    pub async fn event_definition(&self, organization: &Id, name: &str) -> Result<Option<Defined>> {
        let mut reader = self.db.reader().await?;
        let Some(definition) = rows::peek(&mut reader, organization, name).await? else { return Ok(None) };
        let properties = rows::properties(&mut reader, organization, name).await?;
        Ok(Some((definition, properties)))
    }

    /// What happened to a contact, newest first.
    pub async fn custom_events_of(&self, organization: &Id, contact: &Id, limit: i64) -> Result<Vec<Happened>> {
        rows::of_contact(&mut *self.db.reader().await?, organization, contact, limit).await
    }
}
