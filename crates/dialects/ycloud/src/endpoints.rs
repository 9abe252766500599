//! `/webhookEndpoints`: who is told of what. The secret is shown again in every answer.

use api::At;
use engine::clock::rfc3339;
use engine::subscriptions::{self, Change, New, Status, Subscription, Target, WEBHOOK};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::{Code, Error};
use crate::format::{EventProperties, names};
use crate::ids::Noun;
use crate::paging::Page;

/// How many an account may have.
const MOST: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    url: String,
    enabled_events: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_properties: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: &'static str,
    secret: String,
    create_time: String,
    update_time: String,
}

/// An endpoint that failed too often was switched off by us: it is `pending` until its owner switches it on again.
fn status(row: &Subscription) -> &'static str {
    match (row.status, &row.disabled_reason) {
        (Status::Active, _) => "active",
        (Status::Disabled, Some(_)) => "pending",
        (Status::Disabled | Status::Paused, _) => "disabled",
    }
}

async fn shown(call: &Call, row: Subscription) -> Result<Shown, Error> {
    let secret = call.engine().secrets_shown(&row.id).await?.pop().unwrap_or_default();
    let options: Value = serde_json::from_str(&row.options).unwrap_or_default();
    Ok(Shown {
        id: Noun::Endpoint.spell(&row.id),
        status: status(&row),
        event_properties: options.get(EventProperties::NAME).cloned(),
        url: row.url,
        enabled_events: row.events,
        description: row.description,
        secret,
        create_time: rfc3339(row.created_at),
        update_time: rfc3339(row.updated_at),
    })
}

fn target(call: &Call) -> Result<Target, Error> {
    let id = Noun::Endpoint.parse(call.param("id"))?;
    Ok(Target { organization: call.organization(), dialect: crate::NAME, id })
}

pub(crate) fn new_secret(call: &Call) -> String {
    let mut random = [0; 16];
    (call.ycloud.options.random)(&mut random);
    format!("whsec_{}", hex::encode(random))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let url = at.need("url")?.string(1..=500)?;
    let events = enabled(&at.need("enabledEvents")?)?;
    let description = at.read("description", |at| at.or_null().map(|at| at.string(0..=400)).transpose())?.flatten();
    let status = at.read("status", |at| at.word(&STATUSES))?.unwrap_or(Status::Active);
    let properties = EventProperties::read(&at, &events)?;
    let secret = new_secret(&call);
    let new = New {
        organization: call.organization(),
        sender: None,
        dialect: crate::NAME,
        transport: WEBHOOK,
        url,
        description,
        events,
        ordered: false,
        options: properties.map_or_else(|| json!({}), |properties| json!({ EventProperties::NAME: properties })),
        secret: Some(secret),
        headers: Vec::new(),
        most: Some(MOST),
    };
    let (mut row, _) = call.perform(subscriptions::create(call.engine(), new)?).await?;
    if status != Status::Active {
        let target = Target { organization: call.organization(), dialect: crate::NAME, id: row.id };
        let change = Change { status: Some(status), ..Change::default() };
        row = call.perform(subscriptions::update(call.engine(), target, change)?).await?.0;
    }
    Ok(Answer::of(&shown(&call, row).await?))
}

const STATUSES: [(&str, Status); 3] =
    [("active", Status::Active), ("disabled", Status::Disabled), ("pending", Status::Disabled)];

/// Each name once, in the order given.
fn enabled(at: &At<'_>) -> Result<Vec<String>, Error> {
    let mut events: Vec<String> = Vec::new();
    for item in at.items(1..=100)? {
        let name = item.text(1..=100)?;
        if !names::is_known(name) {
            return Err(Error::new(Code::ParamInvalid, format!("there is no event {name:?}")).at("enabledEvents"));
        }
        if !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    Ok(events)
}

pub(crate) async fn list(call: Call) -> Handled {
    let page = Page::of(&call.query()?)?;
    let (organization, most) = (call.organization(), i64::try_from(MOST).unwrap_or(i64::MAX));
    let rows = call.engine().subscriptions(&organization, crate::NAME, None, None, most).await?;
    let mut all = Vec::with_capacity(rows.len());
    for (row, _) in rows {
        all.push(shown(&call, row).await?);
    }
    Ok(Answer::of(&page.cut(all)))
}

pub(crate) async fn get(call: Call) -> Handled {
    let found = call.engine().subscription(&target(&call)?).await?;
    let (row, _) = found.ok_or_else(|| Error::not_found("webhook endpoint"))?;
    Ok(Answer::of(&shown(&call, row).await?))
}

pub(crate) async fn update(call: Call) -> Handled {
    let (target, body) = (target(&call)?, call.body()?);
    let at = body.at();
    let events = at.read("enabledEvents", |at| enabled(&at))?;
    let known = call.engine().subscription(&target).await?;
    let (row, _) = known.ok_or_else(|| Error::not_found("webhook endpoint"))?;
    let properties = EventProperties::read(&at, events.as_deref().unwrap_or(&row.events))?;
    let change = Change {
        url: at.read("url", |at| at.string(1..=500))?,
        description: at.read_nullable("description", |at| at.string(0..=400))?,
        events,
        status: at.read("status", |at| at.word(&STATUSES))?,
        ordered: None,
        options: properties.map(|properties| json!({ EventProperties::NAME: properties })),
        ..Change::default()
    };
    let (row, _) = call.perform(subscriptions::update(call.engine(), target, change)?).await?;
    Ok(Answer::of(&shown(&call, row).await?))
}

/// Answers with the endpoint as it was.
pub(crate) async fn delete(call: Call) -> Handled {
    let target = target(&call)?;
    let found = call.engine().subscription(&target).await?;
    let (row, _) = found.ok_or_else(|| Error::not_found("webhook endpoint"))?;
    let answer = Answer::of(&shown(&call, row).await?);
    call.perform(subscriptions::Delete(target)).await?;
    Ok(answer)
}

pub(crate) async fn rotate(call: Call) -> Handled {
    let (target, secret) = (target(&call)?, new_secret(&call));
    let rotate = subscriptions::Rotate { engine: call.engine().clone(), target, secret };
    let row = call.perform(rotate).await?;
    Ok(Answer::of(&shown(&call, row).await?))
}
