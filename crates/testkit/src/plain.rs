//! A dialect without finery: its events are called what the engine calls them.

use std::sync::Arc;
use std::time::Duration;

use engine::events::{self, Event};
use engine::format::{AttemptInfo, Context, EventFormat, RenderError, Rendered, Rendering};
use engine::policy::{DeliveryPolicy, Dialect, Disabling, Retried};
use engine::subscriptions::Subscription;
use serde_json::{Value, json};

pub const DIALECT: &str = "plain";

const KINDS: &[&[&str]] = &[
    &[events::MESSAGE_CREATED],
    &[events::MESSAGE_SUBMITTED],
    &[events::MESSAGE_SENT],
    &[events::MESSAGE_DELIVERED],
    &[events::MESSAGE_READ],
    &[events::MESSAGE_PLAYED],
    &[events::MESSAGE_FAILED],
    &[events::MESSAGE_RECEIVED],
    &[events::CONVERSATION_ASSIGNED],
    &[events::CONVERSATION_CLOSED],
    &[events::CONTACT_CREATED],
    &[events::CONTACT_UPDATED],
    &[events::CONTACT_IDENTITY_UPDATED],
    &[events::TEMPLATE_UPDATED],
    &[events::CAMPAIGN_UPDATED],
    &[events::SENDER_UPDATED],
    &[events::ACCOUNT_NOTICE],
    &[events::MESSAGE_ECHOED],
    &[events::SESSION_CHANGED],
    &[events::SESSION_NOTICE],
];

const LADDER: &[Duration] = &[
    Duration::ZERO,
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

#[must_use]
pub fn dialect() -> Dialect {
    Dialect {
        name: DIALECT,
        format: Arc::new(Plain),
        delivery: DeliveryPolicy {
            timeout: Duration::from_secs(10),
            ladder: LADDER,
            jitter_percent: 20,
            retried_client_errors: Retried::Only(&[408, 429]),
            honours_retry_after: &[429],
            disabling: Disabling::GivenUp(24),
            shows_attempts: false,
            answer_bytes: 1 << 10,
            suspension: None,
        },
    }
}

struct Plain;

impl EventFormat for Plain {
    fn name(&self) -> &'static str {
        DIALECT
    }

    fn kinds(&self, name: &str) -> Option<&'static [&'static str]> {
        KINDS.iter().copied().find(|kinds| kinds[0] == name)
    }

    fn event_name(&self, event: &Event, _: &Context) -> Option<&'static str> {
        self.kinds(&event.kind).map(|kinds| kinds[0])
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, _: &'a Subscription) -> Rendering<'a> {
        Box::pin(async move { told(event, context).map(Some) })
    }

    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        vec![
            ("x-fact".into(), attempt.delivery.fact_id.clone()),
            ("x-attempt".into(), attempt.number.to_string()),
            ("x-at".into(), attempt.at.to_string()),
            ("x-replay".into(), attempt.replay.to_string()),
            ("x-signed-with".into(), attempt.secrets.join(" ")),
        ]
    }
}

fn told(event: &Event, context: &Context) -> Result<Rendered, RenderError> {
    let data: Value = serde_json::from_str(&event.data).map_err(|error| RenderError(error.to_string()))?;
    let body = json!({
        "event": event.kind,
        "subject": event.subject_id,
        "data": data,
        "sender": context.sender.as_ref().map(|sender| &sender.external_id),
        "contact": context.contact.as_ref().map(|contact| contact.id),
        "labels": context.labels.iter().map(|label| &label.name).collect::<Vec<_>>(),
    });
    let fact_id = event.fact_id.clone().unwrap_or_else(|| event.id.hex24());
    let headers = vec![("x-event".into(), event.kind.clone())];
    Ok(Rendered { body: body.to_string().into_bytes(), fact_id, headers })
}
