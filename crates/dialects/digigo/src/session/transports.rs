//! Which shared transports leave a user's events out.

use serde_json::{Value, json};

use super::config::keep;
use crate::answer::Answer;
use crate::body::Body;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::settings::GlobalSkips;

const NAMES: [&str; 6] = [
    "skipGlobalWebhook",
    "skipGlobalRabbitMQ",
    "skipGlobalSQS",
    "skipGlobalRedis",
    "skipGlobalWebSocket",
    "skipGlobalS3",
];

pub(crate) async fn set(call: Call) -> Handled {
    if call.body.is_empty() {
        return Err(Error::bad("no fields provided"));
    }
    let mut settings = call.user.settings.clone();
    settings.global = changed(settings.global, &call.body)?;
    keep(&call, &settings).await?;
    let mut data = json!(settings.global);
    data["details"] = json!("Global transport skip configuration updated successfully");
    Ok(Answer::of(data))
}

pub(crate) async fn show(call: Call) -> Handled {
    let mut data = json!(call.user.settings.global);
    data["details"] = json!("Global transport skip configuration retrieved successfully");
    Ok(Answer::of(data))
}

/// With what a body says; names nobody knows are refused.
pub(crate) fn changed(skips: GlobalSkips, body: &Body) -> Result<GlobalSkips, Error> {
    if let Some(name) = body.names().find(|name| !NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        return Err(Error::bad(format!("unknown field: {name}")));
    }
    let mut all = json!(skips);
    for name in NAMES {
        if let Some(flag) = body.flag(&[name])? {
            all[name] = Value::Bool(flag);
        }
    }
    serde_json::from_value(all).map_err(|_| Error::undecodable())
}
