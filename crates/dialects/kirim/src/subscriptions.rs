//! `/webhook_subscriptions`: who is told of what.

use api::At;
use engine::Id;
use engine::clock::rfc3339;
use engine::subscriptions::{self, Change, New, Secret, Status, Subscription, Target, WEBHOOK};
use serde::Serialize;
use serde_json::json;

use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids::Noun;
use crate::keys;
use crate::paging::Page;

#[derive(Serialize)]
struct Shown {
    id: String,
    object: &'static str,
    url: String,
    description: Option<String>,
    events: Vec<String>,
    status: &'static str,
    disabled_reason: Option<String>,
    consecutive_failures: i64,
    secrets: Vec<ShownSecret>,
    created_at: String,
    updated_at: String,
    /// Only in the answer to its creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_secret: Option<String>,
    /// Ours: strict order within a conversation. Told where it was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ordered: bool,
}

#[derive(Serialize)]
struct ShownSecret {
    id: String,
    created_at: String,
    expires_at: Option<String>,
}

fn shown((subscription, secrets): &(Subscription, Vec<Secret>)) -> Shown {
    let secret = |secret: &Secret| ShownSecret {
        id: Noun::Secret.spell(&secret.id),
        created_at: rfc3339(secret.created_at),
        expires_at: secret.expires_at.map(rfc3339),
    };
    Shown {
        id: Noun::Subscription.spell(&subscription.id),
        object: "webhook_subscription",
        url: subscription.url.clone(),
        description: subscription.description.clone(),
        events: subscription.events.clone(),
        status: subscription.status.as_str(),
        disabled_reason: subscription.disabled_reason.clone(),
        consecutive_failures: subscription.consecutive_failures.max(0),
        secrets: secrets.iter().map(secret).collect(),
        created_at: rfc3339(subscription.created_at),
        updated_at: rfc3339(subscription.updated_at),
        initial_secret: None,
        ordered: subscription.ordered,
    }
}

impl Call {
    /// The subscription that the path names.
    pub(crate) fn subscription(&self) -> Result<Target, Error> {
        let id = self.id(Noun::Subscription, "id")?;
        Ok(Target { organization: self.organization(), dialect: crate::NAME, id })
    }

    pub(crate) fn new_secret(&self) -> String {
        let mut random = [0; 32];
        (self.kirim.options.random)(&mut random);
        keys::new_secret(random)
    }
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let url = body.at().need("url")?.string(0..=2048)?;
    let description = body.at().read("description", |at| at.string(0..=200))?;
    let events = events(&body.at().need("events")?)?;
    let ordered = body.at().read("ordered", |at| at.boolean())?.unwrap_or(false);
    let secret = call.new_secret();
    let new = New {
        organization: call.organization(),
        sender: None,
        dialect: crate::NAME,
        transport: WEBHOOK,
        url,
        description,
        events,
        ordered,
        options: serde_json::json!({}),
        secret: Some(secret.clone()),
        headers: Vec::new(),
        most: None,
    };
    let wish = subscriptions::create(call.engine(), new)?;
    call.commit(wish, move |created| Shown { initial_secret: Some(secret.clone()), ..shown(created) }).await
}

/// Each name once, in the order given; whether there are such events the engine says.
fn events(at: &At<'_>) -> Result<Vec<String>, Error> {
    let mut events: Vec<String> = Vec::new();
    for at in at.items(1..=100)? {
        let name = at.text(0..=64)?;
        if !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    Ok(events)
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let page: Page<Id> = call.page(&query)?;
    let words = [
        ("active", Some(Status::Active)),
        ("paused", Some(Status::Paused)),
        ("disabled", Some(Status::Disabled)),
        ("all", None),
    ];
    let status = query.at().read("status", |at| at.word(&words))?.flatten();
    let (organization, before) = (call.organization(), page.after.as_ref());
    let rows = call.engine().subscriptions(&organization, crate::NAME, status, before, page.rows()).await?;
    Ok(call.paged(&page, rows, |(row, _)| row.id, shown))
}

pub(crate) async fn get(call: Call) -> Handled {
    let found = call.engine().subscription(&call.subscription()?).await?;
    Ok(call.one(&shown(&found.ok_or_else(|| Noun::Subscription.not_found())?)))
}

pub(crate) async fn update(call: Call) -> Handled {
    let (target, body) = (call.subscription()?, call.body()?);
    let at = body.at();
    let url = at.read("url", |at| at.string(0..=2048))?;
    let description = at.read_nullable("description", |at| at.string(0..=200))?;
    let events = at.read("events", |at| events(&at))?;
    let words = [("active", Status::Active), ("paused", Status::Paused)];
    let status = at.read("status", |at| at.word(&words))?;
    let ordered = at.read("ordered", |at| at.boolean())?;
    let change = Change { url, description, events, status, ordered, ..Change::default() };
    let wish = subscriptions::update(call.engine(), target, change)?;
    Ok(call.one(&shown(&call.perform(wish).await?)))
}

pub(crate) async fn delete(call: Call) -> Handled {
    let target = call.subscription()?;
    call.perform(subscriptions::Delete(target)).await?;
    Ok(call.one(&json!({ "id": Noun::Subscription.spell(&target.id), "deleted": true })))
}
