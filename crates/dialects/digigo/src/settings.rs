//! What a user of this API has set for its account: kept as this dialect's member of the sender's settings.

use serde::{Deserialize, Serialize};

use crate::errors::Error;

/// Said to callers who are turned away, unless the user says otherwise.
pub const REJECTION: &str = "Sorry, I cannot take calls at the moment.";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub skips: Skips,
    /// Sends of this API are told as events too, where the operator allows it.
    pub echo: bool,
    pub call_reject_message: String,
    pub call_reject_type: RejectType,
    pub global: GlobalSkips,
    /// Unavailable again a moment after each connect, so that the phone keeps its notifications.
    pub auto_unavailable: bool,
    /// Names of events that the connection was last asked to tell; none: what the webhook says.
    pub events: Option<Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skips: Skips::default(),
            echo: false,
            call_reject_message: REJECTION.to_owned(),
            call_reject_type: RejectType::Busy,
            global: GlobalSkips::default(),
            auto_unavailable: false,
            events: None,
        }
    }
}

/// What is left out of a user's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skips {
    pub media: bool,
    pub groups: bool,
    pub newsletters: bool,
    pub broadcasts: bool,
    pub own_messages: bool,
    pub calls: bool,
}

/// How a call is turned away. Both spellings of the middle one are read (notes §23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RejectType {
    Busy,
    #[serde(alias = "decline")]
    Declined,
    Unavailable,
}

impl RejectType {
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        match text {
            "busy" => Ok(Self::Busy),
            "decline" | "declined" => Ok(Self::Declined),
            "unavailable" => Ok(Self::Unavailable),
            _ => Err(Error::bad("invalid reject_type, must be: busy, declined, or unavailable")),
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Declined => "declined",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Shared transports that do not get this user's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GlobalSkips {
    pub skip_global_webhook: bool,
    #[serde(rename = "skipGlobalRabbitMQ")]
    pub skip_global_rabbitmq: bool,
    #[serde(rename = "skipGlobalSQS")]
    pub skip_global_sqs: bool,
    pub skip_global_redis: bool,
    #[serde(rename = "skipGlobalWebSocket")]
    pub skip_global_web_socket: bool,
    #[serde(rename = "skipGlobalS3")]
    pub skip_global_s3: bool,
}

impl Settings {
    /// A sender's, or the defaults where it has none or they cannot be read.
    #[must_use]
    pub fn of(sender: &engine::senders::Sender) -> Self {
        let all: serde_json::Value = serde_json::from_str(&sender.settings).unwrap_or_default();
        let ours = all.get(crate::NAME).cloned().unwrap_or_default();
        serde_json::from_value(ours).unwrap_or_default()
    }
}
