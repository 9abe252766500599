//! `/webhooks/settings`. Secrets are taken and never shown again.

use std::collections::BTreeMap;

use api::At;
use axum::http::{HeaderName, HeaderValue};
use engine::clock::rfc3339;
use engine::subscriptions::{self, Change, Headers, New, Status, Subscription, WEBHOOK};
use serde::Serialize;
use serde_json::json;

use super::target;
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::{Code, Error};
use crate::format::names;

/// How many an organization may have.
const MOST: usize = 50;
const MOST_HEADERS: usize = 50;
/// What one is called that was given no name.
const UNNAMED: &str = "Webhook";
/// The spellings of its id that clients use; the last is what the first becomes in one of them.
const IDS: [&str; 4] = ["webhookId", "_id", "id", "Id"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(rename = "_id")]
    id: String,
    name: String,
    url: String,
    events: Vec<String>,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_fired_at: Option<String>,
    failure_count: i64,
    custom_headers: BTreeMap<String, String>,
    /// Why we switched it off, where we did.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<String>,
}

fn shown(call: &Call, row: Subscription) -> Result<Shown, Error> {
    Ok(Shown {
        id: row.id.hex24(),
        custom_headers: call.engine().headers_of(&row)?.into_iter().collect(),
        name: row.description.unwrap_or_else(|| UNNAMED.to_owned()),
        url: row.url,
        events: row.events,
        is_active: row.status == Status::Active,
        last_fired_at: row.succeeded_at.map(rfc3339),
        failure_count: row.consecutive_failures,
        disabled_reason: row.disabled_reason,
    })
}

/// What a body says of a webhook. `null` is as if it were not there.
struct Said {
    name: Option<String>,
    url: Option<String>,
    /// Empty: none.
    secret: Option<String>,
    events: Option<Vec<String>>,
    active: Option<bool>,
    headers: Option<Headers>,
}

impl Said {
    fn read(at: &At<'_>) -> Result<Self, Error> {
        Ok(Self {
            name: at.read_nullable("name", |at| at.string(1..=50))?.flatten(),
            url: at.read_nullable("url", |at| at.text(1..=2048).map(|url| url.trim().to_owned()))?.flatten(),
            secret: at.read_nullable("secret", |at| at.string(0..=1024))?.flatten(),
            events: at.read_nullable("events", |at| events(&at))?.flatten(),
            active: at.read_nullable("isActive", |at| at.boolean())?.flatten(),
            headers: at.read_nullable("customHeaders", |at| headers(&at))?.flatten(),
        })
    }
}

/// Each name once, in the order given.
fn events(at: &At<'_>) -> Result<Vec<String>, Error> {
    let mut events: Vec<String> = Vec::new();
    for item in at.items(1..=100)? {
        let name = item.text(1..=100)?;
        if !names::is_known(name) {
            return Err(item.refuse("is not an event").into());
        }
        if !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    Ok(events)
}

/// Names and values that can stand in a request.
fn headers(at: &At<'_>) -> Result<Headers, Error> {
    let given = at.object()?;
    if given.len() > MOST_HEADERS {
        return Err(at.refuse(format!("must have at most {MOST_HEADERS} members")).into());
    }
    let mut headers = Headers::new();
    for name in given.keys() {
        let at = at.need(name)?;
        let value = at.string(0..=4096)?;
        if name.len() > 256 || HeaderName::try_from(name).is_err() {
            return Err(at.refuse("is not the name of a header").into());
        }
        if HeaderValue::try_from(&value).is_err() {
            return Err(at.refuse("is not the value of a header").into());
        }
        headers.push((name.clone(), value));
    }
    Ok(headers)
}

/// The id of a webhook by any of its names.
fn id<'a>(at: &At<'a>) -> Result<&'a str, Error> {
    for name in IDS {
        if let Some(at) = at.maybe(name)?.and_then(At::or_null) {
            return Ok(at.text(1..=64)?);
        }
    }
    Err(Error::of_field("webhookId", "is required"))
}

fn answer(call: &Call, row: Subscription) -> Handled {
    Ok(Answer::success(&json!({ "webhook": shown(call, row)? })))
}

pub(crate) async fn list(call: Call) -> Handled {
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let rows = call.engine().subscriptions(&call.organization(), crate::NAME, None, None, most).await?;
    let all = rows.into_iter().map(|(row, _)| shown(&call, row)).collect::<Result<Vec<_>, Error>>()?;
    Ok(Answer::of(&json!({ "webhooks": all })))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let said = Said::read(&body.at())?;
    let missing = |name: &'static str| move || Error::of_field(name, "is required");
    let new = New {
        organization: call.organization(),
        sender: None,
        dialect: crate::NAME,
        transport: WEBHOOK,
        url: said.url.ok_or_else(missing("url"))?,
        description: Some(said.name.unwrap_or_else(|| UNNAMED.to_owned())),
        events: said.events.ok_or_else(missing("events"))?,
        ordered: false,
        options: json!({}),
        secret: said.secret.filter(|secret| !secret.is_empty()),
        headers: said.headers.unwrap_or_default(),
        most: Some(MOST),
    };
    let create = subscriptions::create(call.engine(), new)?;
    let create = if said.active == Some(false) { create.switched_off() } else { create };
    let (row, _) = call.perform(create).await.map_err(|error| match error.code {
        Code::InvalidRequest => Error::invalid(format!("There can be at most {MOST} webhooks")),
        _ => error,
    })?;
    answer(&call, row)
}

pub(crate) async fn update(call: Call) -> Handled {
    let body = call.body()?;
    let target = target(&call, id(&body.at())?)?;
    let said = Said::read(&body.at())?;
    let change = Change {
        url: said.url,
        description: said.name.map(Some),
        events: said.events,
        status: said.active.map(|active| if active { Status::Active } else { Status::Disabled }),
        secret: said.secret.map(|secret| Some(secret).filter(|secret| !secret.is_empty())),
        headers: said.headers,
        ..Change::default()
    };
    let (row, _) = call.perform(subscriptions::update(call.engine(), target, change)?).await?;
    answer(&call, row)
}

/// Its attempts go with it.
pub(crate) async fn delete(call: Call) -> Handled {
    let said = call.body_or_query(&[])?;
    let target = target(&call, id(&At::top(&said))?)?;
    call.perform(subscriptions::Delete(target)).await?;
    Ok(Answer::success(&json!({})))
}
