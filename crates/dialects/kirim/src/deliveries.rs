//! `/webhook_deliveries`: what was told to whom, and telling it again.

use engine::Id;
use engine::clock::rfc3339;
use engine::deliveries::{Delivery, Filter, Replay, ReplayMany, Replayed, Status};
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::{Call, Handled};
use crate::ids::Noun;
use crate::paging::Page;

/// How many one call may send again.
const CAP: usize = 1000;

#[derive(Serialize)]
struct Shown {
    id: String,
    object: &'static str,
    subscription_id: String,
    event_type: String,
    event_id: String,
    status: &'static str,
    attempt_count: i64,
    last_attempt_at: Option<String>,
    next_attempt_at: Option<String>,
    response_status: Option<i64>,
    response_body_snippet: Option<String>,
    duration_ms: Option<i64>,
    replayed_from: Option<String>,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
    created_at: String,
}

fn shown(delivery: &Delivery) -> Shown {
    Shown {
        id: Noun::Delivery.spell(&delivery.id),
        object: "webhook_delivery",
        subscription_id: Noun::Subscription.spell(&delivery.subscription_id),
        event_type: delivery.name.clone(),
        event_id: delivery.fact_id.clone(),
        status: delivery.status.as_str(),
        attempt_count: delivery.attempt_count,
        last_attempt_at: delivery.last_attempt_at.map(rfc3339),
        next_attempt_at: delivery.next_attempt_at.map(rfc3339),
        response_status: delivery.response_status,
        response_body_snippet: delivery.response_snippet.clone(),
        duration_ms: delivery.duration_ms,
        replayed_from: delivery.replayed_from.map(|id| Noun::Delivery.spell(&id)),
        payload: None,
        created_at: rfc3339(delivery.created_at),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let page: Page<Id> = call.page(&query)?;
    let at = query.at();
    let words =
        [Status::Pending, Status::Succeeded, Status::Failed, Status::Dead].map(|status| (status.as_str(), status));
    let filter = Filter {
        subscription: Noun::Subscription.narrowing(&at, "subscription_id")?,
        status: at.read("status", |at| at.word(&words))?,
        name: at.read("event_type", |at| at.string(1..=64))?,
        created_after: at.read("created_after", |at| at.time())?,
        created_before: at.read("created_before", |at| at.time())?,
        before: page.after,
    };
    let rows = call.engine().deliveries(&call.organization(), crate::NAME, &filter, page.rows()).await?;
    Ok(call.paged(&page, rows, |delivery| delivery.id, shown))
}

pub(crate) async fn get(call: Call) -> Handled {
    let id = call.id(Noun::Delivery, "id")?;
    let found = call.engine().delivery(&call.organization(), crate::NAME, &id).await?;
    let found = found.ok_or_else(|| Noun::Delivery.not_found())?;
    let payload = serde_json::from_slice(&found.body).ok();
    Ok(call.one(&Shown { payload, ..shown(&found) }))
}

pub(crate) async fn replay(call: Call) -> Handled {
    let id = call.id(Noun::Delivery, "id")?;
    let wish = Replay { engine: call.engine().clone(), organization: call.organization(), dialect: crate::NAME, id };
    let shape = move |new: &Delivery| {
        json!({
            "id": Noun::Delivery.spell(&new.id),
            "object": "webhook_delivery",
            "replayed_from": Noun::Delivery.spell(&id),
            "status": Status::Pending.as_str(),
        })
    };
    call.commit(wish, shape).await
}

/// Sends the dead again, oldest first, or those that failed and wait.
pub(crate) async fn bulk_replay(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let subscription = Noun::Subscription.parse(at.need("subscription_id")?.text(0..=64)?, "subscription_id")?;
    let words = [("failed", Status::Failed), ("dead", Status::Dead)];
    let status = at.read("status", |at| at.word(&words))?;
    let filter = Filter {
        status: Some(status.unwrap_or(Status::Dead)),
        name: at.read("event_type", |at| at.string(1..=64))?,
        created_after: at.read("created_after", |at| at.time())?,
        created_before: at.read("created_before", |at| at.time())?,
        ..Filter::default()
    };
    let (engine, organization) = (call.engine().clone(), call.organization());
    let wish = ReplayMany { engine, organization, dialect: crate::NAME, subscription, filter, cap: CAP };
    call.commit(wish, |done: &Replayed| json!({ "enqueued": done.enqueued, "capped": done.capped })).await
}
