//! `/webhooks/logs`: every attempt, newest first.

use engine::Id;
use engine::attempts::{Attempt, Filter};
use engine::clock::rfc3339;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::paging::Page;

const USUAL: i64 = 50;
const MOST: i64 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(rename = "_id")]
    id: String,
    webhook_id: String,
    webhook_name: Option<String>,
    event_id: String,
    event: String,
    url: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<i64>,
    request_payload: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    attempt_number: i64,
    response_time: i64,
    created_at: String,
}

fn shown(attempt: Attempt) -> Shown {
    Shown {
        id: format!("{}-{}", attempt.delivery_id.hex24(), attempt.number),
        webhook_id: attempt.subscription_id.hex24(),
        webhook_name: attempt.description,
        event_id: attempt.fact_id,
        event: attempt.name,
        url: attempt.url,
        status: if attempt.error.is_none() { "success" } else { "failed" },
        status_code: attempt.response_status,
        request_payload: serde_json::from_slice(&attempt.body).unwrap_or_default(),
        response_body: attempt.response_body,
        error_message: attempt.error,
        attempt_number: attempt.number,
        response_time: attempt.duration_ms,
        created_at: rfc3339(attempt.started_at),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let at = query.at();
    let page = Page::of(&query, USUAL)?;
    let page = Page { limit: page.limit.min(MOST), ..page };
    let webhook = at.read("webhookId", |at| at.string(1..=64))?;
    let filter = Filter {
        subscription: webhook.as_deref().and_then(Id::parse_hex24),
        name: at.read("event", |at| at.string(1..=100))?,
        fact_id: at.read("eventId", |at| at.string(1..=64))?,
        succeeded: at.read("status", |at| at.word(&[("success", true), ("failed", false)]))?,
        since: 0,
    };
    // What is not spelt like an id is nobody's.
    let (rows, total) = match webhook.is_some() && filter.subscription.is_none() {
        true => (Vec::new(), 0),
        false => {
            let (organization, age) = (call.organization(), call.late.options.webhooks.log);
            let part = (page.limit, page.skip);
            call.engine().attempts(&organization, crate::NAME, filter, age, part).await?
        }
    };
    let logs: Vec<Shown> = rows.into_iter().map(shown).collect();
    let pagination = json!({
        "total": total,
        "limit": page.limit,
        "skip": page.skip,
        "pages": (total + page.limit - 1) / page.limit,
        "hasMore": page.skip.saturating_add(page.limit) < total,
    });
    Ok(Answer::of(&json!({ "logs": logs, "pagination": pagination })))
}
