//! The way to a client: what is put here leaves in order, sealed by the socket's own task.

use std::time::Duration;

use tokio::sync::mpsc;
use wacore_binary::Node;

/// One thing for the socket's task to do.
pub(crate) enum Parcel {
    Node(Box<Node>),
    /// What is no node, or only a part of one.
    Bytes(Vec<u8>),
    /// Nothing leaves for a while, and then this.
    Late(Box<Node>, Duration),
    /// Say goodbye and end.
    Close,
    /// End without a word, as a broken network does.
    Cut,
    /// Neither end nor say or hear anything any more.
    Silence,
}

/// Cheap to clone; putting into the outbox of a client that is gone does nothing.
#[derive(Clone)]
pub(crate) struct Outbox(mpsc::UnboundedSender<Parcel>);

impl Outbox {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Parcel>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn put(&self, parcel: Parcel) {
        // Fails when the client is gone; what must not be lost is kept by its device until confirmed.
        let _ = self.0.send(parcel);
    }

    pub(crate) fn node(&self, node: Node) {
        self.put(Parcel::Node(Box::new(node)));
    }
}
