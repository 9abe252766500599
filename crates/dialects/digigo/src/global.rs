//! The operator's own webhook: it hears of all users of an organization.
//!
//! It is a subscription without a user, made, changed and removed at every start ([`settle_global`]). Processes that
//! start at the same time end with one: who is first makes it, the others find it.

use engine::subscriptions::{self, Change, Delete, Status, Subscription, Target};
use engine::{Engine, Id, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::options::Options;
use crate::webhook::{self, ALL};

/// What the settings ask for.
#[derive(Clone, Debug)]
pub struct GlobalWebhook {
    pub organization: Id,
    pub url: String,
    /// Names of events; none: all of them.
    pub events: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum GlobalWebhookError {
    #[error("the global webhook cannot be used: {0}")]
    Refused(Refusal),
    #[error("the database failed")]
    Store(#[from] engine::Error),
}

/// What a subscription keeps of it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Reach {
    global: bool,
}

/// Whether a subscription is the operator's.
pub(crate) fn is_global(subscription: &Subscription) -> bool {
    serde_json::from_str::<Reach>(&subscription.options).is_ok_and(|reach| reach.global)
}

/// Makes the webhook as it is wanted, or removes the one that was.
pub async fn settle_global(
    engine: &Engine,
    wanted: Option<GlobalWebhook>,
    options: &Options,
) -> Result<(), GlobalWebhookError> {
    let mut kept = None;
    if let Some(mut wanted) = wanted {
        if wanted.events.is_empty() {
            wanted.events = vec![ALL.to_owned()];
        }
        kept = Some(put(engine, &wanted, options).await?);
    }
    for old in all(engine).await?.iter().filter(|old| Some(old.id) != kept) {
        // Another process may have removed it first.
        let _ = engine.perform(Delete(target(old))).await?;
    }
    Ok(())
}

async fn all(engine: &Engine) -> Result<Vec<Subscription>, engine::Error> {
    let mut found = engine.subscriptions_of_no_sender(crate::NAME).await?;
    found.retain(is_global);
    Ok(found)
}

fn target(subscription: &Subscription) -> Target {
    Target { organization: subscription.organization_id, dialect: crate::NAME, id: subscription.id }
}

/// Which of them is the one that stays.
async fn put(engine: &Engine, wanted: &GlobalWebhook, options: &Options) -> Result<Id, GlobalWebhookError> {
    let make = subscriptions::create(engine, new(wanted, options)).map_err(GlobalWebhookError::Refused)?;
    let standing = engine.perform(subscriptions::create_one(make, is_global)).await?;
    let standing = standing.map_err(GlobalWebhookError::Refused)?;
    change(engine, wanted, &standing).await?;
    Ok(standing.id)
}

fn new(wanted: &GlobalWebhook, options: &Options) -> subscriptions::New {
    let new = webhook::new(options, wanted.organization, None, wanted.url.clone(), &wanted.events);
    subscriptions::New { options: marked(), description: Some("the operator's own webhook".to_owned()), ..new }
}

fn marked() -> Value {
    json!(Reach { global: true })
}

async fn change(engine: &Engine, wanted: &GlobalWebhook, found: &Subscription) -> Result<(), GlobalWebhookError> {
    if found.url == wanted.url && found.events == wanted.events && found.status == Status::Active {
        return Ok(());
    }
    let change = Change {
        url: Some(wanted.url.clone()),
        events: Some(wanted.events.clone()),
        status: Some(Status::Active),
        ..Change::default()
    };
    let update = subscriptions::update(engine, target(found), change).map_err(GlobalWebhookError::Refused)?;
    engine.perform(update).await?.map_err(GlobalWebhookError::Refused)?;
    Ok(())
}
