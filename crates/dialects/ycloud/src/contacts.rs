//! `/contact/contacts`: people and businesses of the whole account.

use api::At;
use engine::clock::rfc3339;
use engine::directory::{self, Change, Entry, Wide};
use engine::{Id, regions};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::call::{Call, Handled, e164, phone};
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::paging::{self, Page};

const TEXT: std::ops::RangeInclusive<usize> = 0..=250;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message_to_phone_number: Option<String>,
    tags: Vec<String>,
    create_time: String,
    custom_attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_email: Option<String>,
}

#[derive(Serialize)]
struct Attribute {
    name: String,
    value: Value,
}

fn shown(entry: Entry) -> Shown {
    let contact = entry.contact;
    let attributes: Map<String, Value> = serde_json::from_str(&contact.attributes).unwrap_or_default();
    Shown {
        id: Noun::Contact.spell(&contact.id),
        nickname: contact.name,
        country_code: contact.country,
        phone_number: contact.phone,
        email: contact.email,
        last_seen: entry.last_seen.map(rfc3339),
        last_message_to_phone_number: entry.last_address,
        tags: entry.tags,
        create_time: rfc3339(contact.created_at),
        custom_attributes: attributes.into_iter().map(|(name, value)| Attribute { name, value }).collect(),
        owner_email: contact.owner,
    }
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let number = phone(&body.at().need("phoneNumber")?)?;
    let mut change = read(&body.at())?;
    if change.country.is_none() {
        change.country = Some(regions::of_number(&number));
    }
    let (engine, organization) = (call.engine().clone(), call.organization());
    let create = directory::Create { engine, organization, phone: number, change };
    Ok(Answer::of(&shown(call.perform(create).await?)))
}

/// What a body says of a contact, its number left out.
fn read(at: &At<'_>) -> Result<Change, Error> {
    let nullable = |name: &str| at.read_nullable(name, |at| at.string(TEXT));
    Ok(Change {
        phone: None,
        name: nullable("nickname")?,
        email: at.read_nullable("email", |at| email(&at))?,
        country: at.read_nullable("countryCode", |at| country(&at))?,
        owner: at.read_nullable("ownerEmail", |at| email(&at))?,
        tags: at.read_nullable("tags", |at| tags(&at))?.flatten(),
        attributes: at.read_nullable("customAttributes", |at| attributes(&at))?.flatten(),
    })
}

fn email(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(TEXT)?;
    let plausible = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible { Ok(text.to_owned()) } else { Err(at.refuse("must be an email address").into()) }
}

fn country(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(2..=2)?;
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters { Ok(text.to_uppercase()) } else { Err(at.refuse("must be a two-letter country code").into()) }
}

/// Each once, in the order given.
fn tags(at: &At<'_>) -> Result<Vec<String>, Error> {
    let mut tags: Vec<String> = Vec::new();
    for item in at.items(0..=50)? {
        let tag = item.string(1..=50)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Values are scalars or arrays of texts; whichever type comes is the attribute's.
fn attributes(at: &At<'_>) -> Result<Map<String, Value>, Error> {
    let mut attributes = Map::new();
    for item in at.items(0..=200)? {
        let name = item.need("name")?.string(1..=100)?;
        let place = item.need("value")?;
        let value = match place.value() {
            Value::String(_) => place.string(0..=5000)?.into(),
            Value::Array(_) => {
                let items = place.items(0..=100)?;
                items.iter().map(|item| item.string(TEXT)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Value::Object(_) => return Err(place.refuse("must be a text, a number, a boolean or an array").into()),
            other => other.clone(),
        };
        attributes.insert(name, value);
    }
    Ok(attributes)
}

/// The contact that the path names: by its id, or by its number with or without `+`.
async fn named(call: &Call) -> Result<Id, Error> {
    let text = call.param("id");
    let unknown = || Error::not_found("contact");
    if let Ok(id) = Noun::Contact.parse(text) {
        return Ok(id);
    }
    let number = e164(text).ok_or_else(unknown)?;
    call.engine().directory_id(&call.organization(), &number).await?.ok_or_else(unknown)
}

pub(crate) async fn get(call: Call) -> Handled {
    let id = named(&call).await?;
    let found = call.engine().directory_entry(&call.organization(), &id).await?;
    Ok(Answer::of(&shown(found.ok_or_else(|| Error::not_found("contact"))?)))
}

pub(crate) async fn update(call: Call) -> Handled {
    let (id, body) = (named(&call).await?, call.body()?);
    let phone = body.at().read("phoneNumber", |at| phone(&at))?;
    let change = Change { phone, ..read(&body.at())? };
    let (engine, organization) = (call.engine().clone(), call.organization());
    Ok(Answer::of(&shown(call.perform(directory::Update { engine, organization, id, change }).await?)))
}

/// Answers with the contact as it was.
pub(crate) async fn delete(call: Call) -> Handled {
    let id = named(&call).await?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    Ok(Answer::of(&shown(call.perform(directory::Delete { engine, organization, id }).await?)))
}

pub(crate) async fn list(call: Call) -> Handled {
    let (query, organization) = (call.query()?, call.organization());
    let (page, at) = (Page::of(&query)?, query.at());
    let after = paging::after(&query, Noun::Contact)?;
    let tags: Vec<String> = at
        .read("filter.tags", |at| at.string(0..=2600))?
        .map(|text| text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
        .unwrap_or_default();
    for tag in &tags {
        if !call.engine().is_tag(&organization, tag).await? {
            return Err(Error::new(Code::ParamInvalid, format!("there is no tag {tag:?}")).at("filter.tags"));
        }
    }
    let filter = Wide {
        tags,
        country: at.read("filter.countryCode", |at| country(&at))?,
        phone: at.read("filter.phoneNumber", |at| phone(&at))?,
        email: at.read("filter.email", |at| at.string(TEXT))?,
        after: after.flatten(),
    };
    let total = match page.with_total {
        true => Some(call.engine().directory_count(&organization, &filter).await?),
        false => None,
    };
    let page = if after.is_some() { Page { offset: 0, ..page } } else { page };
    let mut found = call.engine().directory(&organization, &filter, page.limit + 1, page.offset).await?;
    let more = found.len() as i64 > page.limit;
    found.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more && after.is_some()).map(|entry| Noun::Contact.spell(&entry.contact.id));
    Ok(Answer::of(&page.show(found.into_iter().map(shown).collect(), total).before_more(next)))
}
