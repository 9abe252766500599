//! How a client comes in: as a stranger who wants to be linked, or as a device that is.

mod code;
mod pairing;
mod passkey;

use tracing::debug;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};
use waproto::whatsapp::ClientPayload;

use crate::faults::Kind;
use crate::iq::News;
use crate::number::{Address, Naming, Number};
use crate::socket::{Outbox, Parcel};
use crate::state::devices::Line;
use crate::state::keys::Key;
use crate::state::{Seat, World};

pub(crate) use code::{CodeWait, type_code};

impl World {
    /// Takes a client in and gives its connection a name; `None` if it was sent away.
    pub(crate) fn enter(&mut self, noise: [u8; 32], payload: &ClientPayload, outbox: Outbox) -> Option<u64> {
        self.counters.connections += 1;
        let line = self.new_line();
        if let Some(data) = payload.device_pairing_data.as_option() {
            let push_name = payload.push_name.clone().unwrap_or_default();
            let seated = self.welcome_stranger(line, Key(noise), data, push_name, outbox.clone());
            if seated.is_none() {
                outbox.node(failure(400));
            }
            return seated;
        }
        match self.log_in(line, Key(noise), payload, &outbox) {
            Ok(()) => Some(line),
            Err(reason) => {
                debug!(reason, username = payload.username, "log-in refused");
                outbox.node(failure(reason));
                None
            }
        }
    }

    fn log_in(&mut self, line: u64, noise: Key, payload: &ClientPayload, outbox: &Outbox) -> Result<(), u16> {
        const UNKNOWN: u16 = 401;
        let number: Number = payload.username.and_then(|user| user.to_string().parse().ok()).ok_or(UNKNOWN)?;
        let device = payload.device.and_then(|device| u16::try_from(device).ok()).ok_or(UNKNOWN)?;
        let address = Address::new(&number, device);
        if let Some(reason) = self.log_in_fault(&number) {
            return Err(reason);
        }
        let known = self.companion(&address).ok_or(UNKNOWN)?;
        if known.noise != noise {
            return Err(UNKNOWN);
        }
        self.replace_line(&address, Line { id: line, outbox: outbox.clone(), active: false });
        self.take_seat(line, Seat::Device(address.clone()));
        outbox.node(self.success(&address));
        self.strike(&address);
        Ok(())
    }

    fn log_in_fault(&mut self, number: &Number) -> Option<u16> {
        match self.take_fault(number, |kind| matches!(kind, Kind::LogIn(_)))? {
            Kind::LogIn(reason) => Some(reason),
            _ => None,
        }
    }

    /// The newest connection of a device is the only one.
    fn replace_line(&mut self, address: &Address, line: Line) {
        let Some(companion) = self.companion_mut(address) else { return };
        let old = companion.disconnect();
        companion.line = Some(line);
        if let Some(old) = old {
            self.counters.takeovers += 1;
            self.leave_seat(old.id);
            old.outbox.node(conflict());
            old.outbox.put(Parcel::Close);
        }
    }

    fn success(&self, address: &Address) -> Node {
        let lid = self.jid_of(address, Naming::Lid).map(|jid| jid.to_string()).unwrap_or_default();
        NodeBuilder::new("success")
            .attr("t", self.now_s())
            .attr("lid", lid)
            .attr("creation", self.now_s())
            .attr("location", "lla")
            .attr("props", "27")
            .build()
    }

    /// A connection is gone.
    pub(crate) fn leave(&mut self, line: u64) {
        if let Some(mut pairing) = self.pairings.remove(line) {
            pairing.settle(Err(crate::state::pairings::LinkError::Gone));
        }
        let Some(Seat::Device(address)) = self.leave_seat(line) else { return };
        let Some(companion) = self.companion_mut(&address) else { return };
        if companion.line.as_ref().is_some_and(|live| live.id == line) {
            companion.disconnect();
            self.withdraw_presence(&address);
        }
    }

    /// Ends a device's link: it is told if it is here, and nothing is kept for it.
    pub(crate) fn unlink(&mut self, address: &Address, farewell: Option<Node>) -> bool {
        let removed = self.accounts.get_mut(&address.number).and_then(|it| it.companions.remove(&address.device));
        let Some(mut companion) = removed else { return false };
        self.keep_now(&address.number);
        if let Some(line) = companion.disconnect() {
            self.leave_seat(line.id);
            if let Some(farewell) = farewell {
                line.outbox.node(farewell);
            }
            line.outbox.put(Parcel::Close);
        }
        self.forget_device(address);
        self.announce_device(&address.number, address.device, companion.key_index, News::Removed);
        self.tell(crate::arrivals::Arrival::Unlinked { phone: address.number.clone(), device: address.device });
        true
    }
}

/// `<failure reason/>`: the way to say no at the door.
fn failure(reason: u16) -> Node {
    let builder = NodeBuilder::new("failure").attr("reason", reason).attr("location", "lla");
    // A temporary ban says how long it lasts.
    if reason == 402 { builder.attr("code", 101).attr("expire", 3600).build() } else { builder.build() }
}

/// The account came in elsewhere.
pub(crate) fn conflict() -> Node {
    stream_error(NodeBuilder::new("conflict").attr("type", "replaced").build())
}

/// The phone took the device off its list.
pub(crate) fn removed() -> Node {
    let child = NodeBuilder::new("conflict").attr("type", "device_removed").build();
    NodeBuilder::new("stream:error").attr("code", 401).children([child]).build()
}

fn stream_error(child: Node) -> Node {
    NodeBuilder::new("stream:error").children([child]).build()
}

/// `<stream:error code/>`.
pub(crate) fn stream_code(code: u16) -> Node {
    NodeBuilder::new("stream:error").attr("code", code).build()
}

/// A notification of the server itself.
fn from_server(kind: &'static str, id: &str, now_s: i64, child: Node) -> Node {
    crate::stanza::notification(kind, id, SERVER_JID, now_s, child).build()
}
