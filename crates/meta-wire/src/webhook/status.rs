//! What became of what we sent.

use crate::error::Problem;
use crate::loose::Timestamp;

words! {
    /// How far it came. Order and completeness are not promised.
    Word {
        Sent = "sent",
        Delivered = "delivered",
        Read = "read",
        Failed = "failed",
        /// A voice note was heard.
        Played = "played",
    }
}

wire! {
    Status {
        /// The id that sending was answered with.
        id: String,
        status: Word,
        timestamp: Timestamp,
        /// Digits, or a group's id. Missing where only the business-scoped id is known.
        recipient_id?: String,
        recipient_user_id?: String,
        recipient_parent_user_id?: String,
        recipient_type?: String,
        /// In groups: whose status this is.
        recipient_participant_id?: String,
        recipient_participant_user_id?: String,
        recipient_identity_key_hash?: String,
        /// As it was sent.
        biz_opaque_callback_data?: String,
        conversation?: Conversation,
        pricing?: Pricing,
        errors*: Problem,
    }

    Conversation {
        id?: String,
        expiration_timestamp?: Timestamp,
        origin?: Origin,
    }

    Origin {
        #[serde(rename = "type")]
        kind?: String,
    }

    Pricing {
        billable?: bool,
        pricing_model?: String,
        #[serde(rename = "type")]
        kind?: String,
        category?: String,
        subtype?: String,
    }
}

impl Status {
    /// One name for one fact, however often Meta tells it: `<wamid>:<status>`, in groups with the participant behind it.
    pub fn fact_id(&self) -> String {
        let participant = self.recipient_participant_user_id.as_ref().or(self.recipient_participant_id.as_ref());
        match participant {
            Some(participant) => format!("{}:{}:{participant}", self.id, self.status),
            None => format!("{}:{}", self.id, self.status),
        }
    }
}
