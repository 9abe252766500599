use serde_json::Value;

use super::{Contact, Message, Metadata, Status};
use crate::error::Problem;
use crate::loose::{MetaId, Timestamp};

wire! {
    /// A whole post, for building one; [`super::parse`] reads them.
    Notification {
        object: String,
        entry*: Entry,
    }

    Entry {
        id: MetaId,
        time?: Timestamp,
        changes*: FieldChange,
    }

    FieldChange {
        value: Value,
        field: String,
    }

    /// The value of a `messages` change.
    Conversation {
        messaging_product: String,
        metadata?: Metadata,
        contacts*: Contact,
        messages*: Message,
        statuses*: Status,
        errors*: Problem,
    }
}

impl Notification {
    /// A post with one change. `time` is told on account-level fields only.
    pub fn of(waba: &str, time: Option<i64>, field: &str, value: Value) -> Self {
        let change = FieldChange { value, field: field.to_owned(), ..FieldChange::default() };
        let entry =
            Entry { id: waba.into(), time: time.map(Timestamp::number), changes: vec![change], ..Entry::default() };
        Self { object: "whatsapp_business_account".to_owned(), entry: vec![entry], ..Self::default() }
    }
}
