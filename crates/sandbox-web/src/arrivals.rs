//! What reaches the phones, told to whoever plays them.

use tokio::sync::mpsc;
use waproto::whatsapp as wa;

use crate::number::Number;

/// Where a conversation takes place, seen from one phone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Chat {
    /// With one other account.
    With(Number),
    /// In a group, by its id (`…@g.us`).
    Group(String),
    /// Status updates.
    Status,
}

/// What a tick says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tick {
    /// It is on a device.
    Delivered,
    /// Somebody looked at it.
    Read,
    /// Somebody listened to it.
    Played,
}

/// Something a phone shows.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A message came, or the account wrote one on a linked device (`from` is the phone's own number then).
    Message {
        /// Whose phone.
        phone: Number,
        /// Where it is shown.
        chat: Chat,
        /// Who wrote it.
        from: Number,
        /// The message's id.
        id: String,
        /// Milliseconds.
        at: i64,
        /// What it says.
        message: Box<wa::Message>,
    },
    /// Messages this account wrote were delivered, read or played.
    Receipt {
        /// Whose phone.
        phone: Number,
        /// Where.
        chat: Chat,
        /// Who has them now.
        from: Number,
        /// Which.
        ids: Vec<String>,
        /// What happened to them.
        tick: Tick,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Whose phone.
        phone: Number,
        /// Where.
        chat: Chat,
        /// Who types.
        from: Number,
        /// `composing`, `recording` or `paused`.
        state: &'static str,
    },
    /// A device was linked.
    Linked {
        /// Whose.
        phone: Number,
        /// Which.
        device: u16,
    },
    /// A linked device is no longer one.
    Unlinked {
        /// Whose.
        phone: Number,
        /// Which.
        device: u16,
    },
    /// A call this phone made was turned down.
    CallRejected {
        /// Whose phone.
        phone: Number,
        /// Who does not want to talk.
        from: Number,
        /// Which call.
        call: String,
    },
}

/// Everybody who wants to know.
#[derive(Default)]
pub(crate) struct Listeners(Vec<mpsc::UnboundedSender<Arrival>>);

impl Listeners {
    pub(crate) fn add(&mut self) -> mpsc::UnboundedReceiver<Arrival> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.push(sender);
        receiver
    }

    pub(crate) fn tell(&mut self, arrival: Arrival) {
        self.0.retain(|listener| listener.send(arrival.clone()).is_ok());
    }
}
