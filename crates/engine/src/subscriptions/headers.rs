//! Headers that a subscriber wants to have sent along. They may hold secrets of his, so they are sealed.

use store::subscriptions::Subscription;
use store::{Id, Result};

use crate::Engine;

/// Names and values, in the order in which they were given.
pub type Headers = Vec<(String, String)>;

fn purpose(subscription: &Id) -> String {
    format!("subscription/{subscription}/headers")
}

/// `None` when there are none.
pub(super) fn seal(engine: &Engine, subscription: &Id, headers: &Headers) -> Result<Option<Vec<u8>>> {
    if headers.is_empty() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(headers).expect("a list of texts is JSON");
    engine.key.seal(&purpose(subscription), &plain).map(Some)
}

impl Engine {
    /// What goes along with a subscription's deliveries, in the clear.
    pub fn headers_of(&self, subscription: &Subscription) -> Result<Headers> {
        let Some(sealed) = &subscription.headers else { return Ok(Vec::new()) };
        let plain = self.key.open(&purpose(&subscription.id), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| store::Error::corrupt("a subscription's headers"))
    }
}
