//! `/webhook`: where a user's events go, and which.

use engine::Id;
use engine::subscriptions::{self, Change, Delete, Status, Subscription, Target};
use serde_json::json;

use crate::answer::Answer;
use crate::body::{Body, split_names};
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::options::Options;
use crate::service::Digigo;

/// Every event.
pub(crate) const ALL: &str = "All";
const LONGEST_URL: usize = 2048;

pub(crate) async fn show(call: Call) -> Handled {
    let found = current(&call).await?.map(|found| (found.url, found.events));
    let (url, events) = found.unwrap_or_else(|| (String::new(), call.user.settings.events.clone().unwrap_or_default()));
    Ok(Answer::of(json!({ "subscribe": events, "webhook": url })))
}

pub(crate) async fn set(call: Call) -> Handled {
    let url = address(&call.body)?.ok_or_else(|| Error::bad("missing webhookurl in payload"))?;
    let events = names(&call.body)?.unwrap_or_else(|| asked_for(&call));
    put(&call, url.clone(), events.clone(), true).await?;
    Ok(Answer::of(json!({ "WebhookURL": url, "Events": events })))
}

pub(crate) async fn update(call: Call) -> Handled {
    let before = current(&call).await?.map(|found| (found.url, found.events));
    let (known_url, known_events) = before.unwrap_or_else(|| (String::new(), asked_for(&call)));
    let url = address(&call.body)?.unwrap_or(known_url);
    let events = names(&call.body)?.unwrap_or(known_events);
    let active = call.body.flag(&["Active"])?.unwrap_or(true);
    if url.is_empty() {
        return Err(Error::bad("missing webhookurl in payload"));
    }
    put(&call, url.clone(), events.clone(), active).await?;
    Ok(Answer::of(json!({ "Webhook": url, "Events": events, "active": active })))
}

pub(crate) async fn delete(call: Call) -> Handled {
    if let Some(found) = current(&call).await? {
        // Somebody else may have deleted it first.
        let _ = call.engine().perform(Delete(target(&call, &found))).await?;
    }
    Ok(Answer::details("Webhook and events deleted successfully"))
}

/// What the connection was asked to tell before there was a webhook; without such a wish, everything.
fn asked_for(call: &Call) -> Vec<String> {
    call.user.settings.events.clone().unwrap_or_else(|| vec![ALL.to_owned()])
}

/// A user has one webhook at most.
pub(crate) async fn current(call: &Call) -> Result<Option<Subscription>, Error> {
    Ok(call.engine().subscriptions_of(&call.user.sender.id, crate::NAME).await?.into_iter().next())
}

fn target(call: &Call, found: &Subscription) -> Target {
    Target { organization: call.user.sender.organization_id, dialect: crate::NAME, id: found.id }
}

/// Makes the user's webhook, or changes the one there is.
pub(crate) async fn put(call: &Call, url: String, events: Vec<String>, active: bool) -> Result<(), Error> {
    let engine = call.engine();
    let status = if active { Status::Active } else { Status::Paused };
    let found = match current(call).await? {
        Some(found) => found,
        None => {
            let (organization, sender) = (call.user.sender.organization_id, Some(call.user.sender.id));
            let new = new(&call.digigo.options, organization, sender, url.clone(), &events);
            let create = subscriptions::create(engine, new).map_err(|refusal| Error::bad(refusal.to_string()))?;
            let (made, _) = engine.perform(create).await?.map_err(|refusal| Error::bad(refusal.to_string()))?;
            if active {
                return Ok(());
            }
            made
        }
    };
    let change = Change { url: Some(url), events: Some(events), status: Some(status), ..Change::default() };
    let update = subscriptions::update(engine, target(call, &found), change);
    let update = update.map_err(|refusal| Error::bad(refusal.to_string()))?;
    engine.perform(update).await?.map_err(|refusal| Error::bad(refusal.to_string()))?;
    Ok(())
}

pub(crate) fn new(
    options: &Options,
    organization: Id,
    sender: Option<Id>,
    url: String,
    events: &[String],
) -> subscriptions::New {
    let mut secret = [0; 24];
    (options.random)(&mut secret);
    subscriptions::New {
        organization,
        sender,
        dialect: crate::NAME,
        transport: "webhook",
        url,
        description: None,
        events: events.to_vec(),
        ordered: false,
        options: json!({}),
        secret: Some(hex::encode(secret)),
        headers: Vec::new(),
        most: None,
    }
}

/// What a body that makes a user says of his webhook.
pub(crate) fn wanted(digigo: &Digigo, organization: Id, body: &Body) -> Result<Option<subscriptions::New>, Error> {
    let Some(url) = address(body)?.filter(|url| !url.is_empty()) else { return Ok(None) };
    let events = names(body)?.unwrap_or_else(|| vec![ALL.to_owned()]);
    Ok(Some(new(&digigo.options, organization, None, url, &events)))
}

/// Under any of its three names (notes §23).
fn address(body: &Body) -> Result<Option<String>, Error> {
    let url = body.text(&["webhookurl", "webhook"])?;
    match url {
        Some(url) if url.len() > LONGEST_URL => Err(Error::bad("the webhook's address is too long")),
        url => Ok(url.map(|url| url.trim().to_owned())),
    }
}

/// Names we do not know are taken all the same: the list grows with the product.
fn names(body: &Body) -> Result<Option<Vec<String>>, Error> {
    Ok(body.texts(&["events", "subscribe"])?.map(|texts| split_names(&texts)).filter(|names| !names.is_empty()))
}
