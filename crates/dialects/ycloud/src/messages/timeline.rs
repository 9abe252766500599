//! What became of a message, as its events tell it: when it reached each status, what it cost, why it failed.

use engine::events::{
    Event, MESSAGE_DELIVERED, MESSAGE_FAILED, MESSAGE_PLAYED, MESSAGE_READ, MESSAGE_SENT, MESSAGE_SUBMITTED,
    MessageData,
};
use engine::failure::Failure;
use meta_wire::FORMAT;
use serde_json::Value;

/// Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Timeline {
    pub(crate) wamid: Option<String>,
    /// When the provider took it.
    pub(crate) submitted_at: Option<i64>,
    pub(crate) sent_at: Option<i64>,
    pub(crate) delivered_at: Option<i64>,
    pub(crate) read_at: Option<i64>,
    pub(crate) failure: Option<Failure>,
    pub(crate) updated_at: Option<i64>,
    /// `accepted`, `sent`, `delivered`, `read` or `failed`.
    pub(crate) status: Option<&'static str>,
    /// Meta's own, of the latest status that had them.
    pub(crate) conversation: Option<Value>,
    pub(crate) pricing: Option<Value>,
    /// Meta's own errors of a failure.
    pub(crate) errors: Option<Value>,
}

impl Timeline {
    /// All that happened, in any order.
    pub(crate) fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut timeline = Self::default();
        events.into_iter().for_each(|event| timeline.add(event));
        timeline
    }

    fn add(&mut self, event: &Event) {
        let data: MessageData = serde_json::from_str(&event.data).unwrap_or_default();
        let at = data.at.unwrap_or(event.created_at);
        let (status, time) = match event.kind.as_str() {
            // The provider took it; its own word `sent` comes later.
            MESSAGE_SUBMITTED => {
                self.wamid = data.provider_id.or(self.wamid.take());
                self.submitted_at.get_or_insert(at);
                self.updated_at = self.updated_at.max(Some(event.created_at));
                return;
            }
            MESSAGE_SENT => ("sent", Some(&mut self.sent_at)),
            MESSAGE_DELIVERED => ("delivered", Some(&mut self.delivered_at)),
            MESSAGE_READ | MESSAGE_PLAYED => ("read", Some(&mut self.read_at)),
            MESSAGE_FAILED => ("failed", None),
            _ => return,
        };
        if let Some(time) = time {
            time.get_or_insert(at);
        }
        self.wamid = data.provider_id.or(self.wamid.take());
        self.failure = data.failure.or(self.failure.take());
        self.updated_at = self.updated_at.max(Some(event.created_at));
        if rank(status) > self.status.map_or(0, rank) {
            self.status = Some(status);
        }
        self.take_document(event);
    }

    fn take_document(&mut self, event: &Event) {
        let Some(document) = event.document.as_ref().filter(|document| document.format == FORMAT) else { return };
        let Ok(document) = serde_json::from_slice::<Value>(&document.bytes) else { return };
        let Some(status) = document.pointer("/entry/0/changes/0/value/statuses/0") else { return };
        let take = |name: &str, place: &mut Option<Value>| {
            if let Some(value) = status.get(name) {
                *place = Some(value.clone());
            }
        };
        take("conversation", &mut self.conversation);
        take("pricing", &mut self.pricing);
        take("errors", &mut self.errors);
    }
}

/// A failure is overtaken by proof of arrival only.
fn rank(status: &str) -> u8 {
    match status {
        "sent" => 1,
        "failed" => 2,
        "delivered" => 3,
        "read" => 4,
        _ => 0,
    }
}
