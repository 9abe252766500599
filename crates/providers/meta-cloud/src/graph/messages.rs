use meta_wire::Success;
use meta_wire::send::{Outgoing, Read, Sent};

use super::{Graph, Result};

impl Graph {
    /// Hands a message over. Success says that it was taken, nothing more.
    pub async fn send(&self, phone: &str, message: &Outgoing) -> Result<Sent> {
        self.call(self.post(&[phone, "messages"]).json(message)).await
    }

    /// Marks a message and all before it as read.
    pub async fn mark_read(&self, phone: &str, receipt: &Read) -> Result<Success> {
        self.call(self.post(&[phone, "messages"]).json(receipt)).await
    }
}
