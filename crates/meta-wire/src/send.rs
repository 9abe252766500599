//! What is posted to `/{phone_number_id}/messages`, and what it is answered with.

pub mod card;
pub mod content;
pub mod interactive;
pub mod template;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

pub use content::Content;

use crate::Tagged;

/// A message to send. Members beside the typed ones are in `body.extra`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    #[serde(default = "whatsapp")]
    pub messaging_product: String,
    /// `individual` where missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_type: Option<String>,
    /// `+` and digits, or a group's id. Wins over `recipient`.
    #[serde(default, deserialize_with = "crate::loose::text", skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// Comes back in every status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biz_opaque_callback_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient_identity_key_hash: Option<String>,
    /// For marketing messages only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_activity_sharing: Option<bool>,
    #[serde(flatten)]
    pub body: Tagged<Content>,
}

fn whatsapp() -> String {
    "whatsapp".to_owned()
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            messaging_product: whatsapp(),
            recipient_type: None,
            to: None,
            recipient: None,
            context: None,
            biz_opaque_callback_data: None,
            recipient_identity_key_hash: None,
            product_policy: None,
            message_activity_sharing: None,
            body: Tagged::default(),
        }
    }
}

wire! {
    /// Quotes an earlier message.
    Context {
        message_id: String,
    }

    /// Tells that a message was read, and maybe shows that we type.
    Read {
        messaging_product: String,
        /// `read`.
        status: String,
        message_id: String,
        typing_indicator?: Typing,
    }

    Typing {
        #[serde(rename = "type")]
        kind: String,
    }

    /// The answer: taken, nothing more. All that follows comes as statuses.
    Sent {
        messaging_product: String,
        contacts*: SentTo,
        messages*: SentMessage,
    }

    SentTo {
        input: String,
        /// Missing if a business-scoped id was written to.
        wa_id?: String,
        user_id?: String,
    }

    SentMessage {
        id: String,
        /// For templates.
        message_status?: MessageStatus,
        group_id?: String,
    }
}

words! {
    MessageStatus {
        Accepted = "accepted",
        Held = "held_for_quality_assessment",
        Paused = "paused",
    }
}

impl Read {
    /// The receipt for `message_id`, with the typing sign if `typing`.
    pub fn new(message_id: impl Into<String>, typing: bool) -> Self {
        let kind = "text".to_owned();
        Self {
            messaging_product: whatsapp(),
            status: "read".to_owned(),
            message_id: message_id.into(),
            typing_indicator: typing.then(|| Typing { kind, ..Typing::default() }),
            ..Self::default()
        }
    }
}

impl Sent {
    /// Meta's id of the message.
    pub fn id(&self) -> Option<&str> {
        self.messages.first().map(|message| message.id.as_str())
    }
}

/// Whatever the path takes; a body with `status` is a receipt.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Posted {
    Message(Box<Outgoing>),
    Read(Box<Read>),
}

impl<'de> Deserialize<'de> for Posted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let posted = if value.get("status").is_some() {
            serde_json::from_value(value).map(Self::Read)
        } else {
            serde_json::from_value(value).map(Self::Message)
        };
        posted.map_err(D::Error::custom)
    }
}
