//! Who waits for the server to acknowledge a message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What the server said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Milliseconds, by the server's clock.
    pub at: Option<i64>,
    /// Why it was not taken.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Acks(Mutex<HashMap<String, oneshot::Sender<Ack>>>);

/// Stops waiting when it is dropped.
pub(crate) struct Waiting<'a> {
    acks: &'a Acks,
    id: String,
    pub told: oneshot::Receiver<Ack>,
}

impl Acks {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Ack>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before the message goes out.
    pub(crate) fn wait(&self, id: &str) -> Waiting<'_> {
        let (tell, told) = oneshot::channel();
        self.lock().insert(id.to_owned(), tell);
        Waiting { acks: self, id: id.to_owned(), told }
    }

    pub(crate) fn tell(&self, id: &str, ack: Ack) {
        if let Some(waiting) = self.lock().remove(id) {
            let _ = waiting.send(ack);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.acks.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_ack_reaches_who_waits_for_it() {
        let (acks, ack) = (Acks::default(), Ack { at: Some(1), error: None });
        let mut waiting = acks.wait("A");
        acks.tell("B", ack.clone());
        assert!(waiting.told.try_recv().is_err());
        acks.tell("A", ack.clone());
        assert_eq!((&mut waiting.told).await, Ok(ack));
        drop(waiting);
        assert!(acks.lock().is_empty());
    }
}
