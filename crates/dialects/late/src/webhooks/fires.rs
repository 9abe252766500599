//! `/webhooks/test` and `/webhooks/logs/redeliver`: attempts that the caller waits for, one each.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Id;
use engine::deliveries::Made;
use serde_json::{Map, json};

use super::target;
use crate::answer::Answer;
use crate::call::Call;
use crate::errors::{Code, Error};
use crate::format::{envelope, names};
use crate::ids;

const TOLD: &str = "This is a test of your webhook";

pub(crate) async fn test(call: Call) -> Result<Response, Error> {
    let body = call.body()?;
    let target = target(&call, body.at().need("webhookId")?.text(1..=64)?)?;
    let id = call.engine().new_id();
    let members = Map::from_iter([("message".to_owned(), TOLD.into())]);
    let rendered = envelope(&id.hex24(), names::TEST, members, id.millis());
    let made = call.engine().try_out(&target, id, names::TEST, rendered).await??;
    Ok(answer(&made, "Test webhook"))
}

/// What was sent before, to where the webhook leads now.
pub(crate) async fn redeliver(call: Call) -> Result<Response, Error> {
    let body = call.body()?;
    let target = target(&call, body.at().need("webhookId")?.text(1..=64)?)?;
    let event = ids::parse(body.at().need("eventId")?.text(1..=64)?)?;
    let found = call.engine().delivery_of(&target, &event).await?;
    if is_over(&call, &event) && (found.is_some() || call.engine().subscription(&target).await?.is_some()) {
        return Err(Error::new(Code::Unprocessable, "The event is too old to be sent again"));
    }
    let delivery = found.ok_or_else(Error::not_found)?;
    let made = call.engine().redeliver(&target, &delivery).await??;
    Ok(answer(&made, "Event"))
}

/// Events are no longer kept than the log, whatever lies in the tables. Their ids tell their time.
fn is_over(call: &Call, event: &Id) -> bool {
    let log = i64::try_from(call.late.options.webhooks.log.as_millis()).unwrap_or(i64::MAX);
    event.millis() < call.engine().now().saturating_sub(log)
}

fn answer(made: &Made, what: &str) -> Response {
    let Some(why) = &made.error else {
        return Answer::success(&json!({ "message": format!("{what} sent successfully") })).into_response();
    };
    let message = format!("{what} could not be delivered: {why}");
    let body = json!({
        "success": false,
        "message": message,
        "error": message,
        "type": "api_error",
        "code": "webhook_delivery_failed",
    });
    let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Body::from(body.to_string())).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
