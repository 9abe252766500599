//! Carrying stanzas from device to device.
//!
//! Every stanza of a device is acknowledged before it is carried on, and leaves towards another device through
//! [`World::deliver`] alone: at once if that device listens, into its queue otherwise. Phones are devices too: what reaches
//! device 0 goes to [`phones`], and what a phone says enters here like a companion's stanza.

mod again;
mod calls;
mod messages;
mod offline;
pub(crate) mod phones;
mod presence;
mod receipts;
mod tokens;

use rand_10::RngExt;
use tracing::debug;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::faults::Kind;
use crate::number::{Address, Number};
use crate::socket::Parcel;
use crate::stanza::Read;
use crate::state::devices::Kept;
use crate::state::{Seat, World};

/// What a message names people by besides the address it is sent under.
const OTHER_ADDRESSES: [&str; 5] =
    ["sender_pn", "sender_lid", "participant_pn", "participant_lid", "peer_recipient_pn"];

impl World {
    /// A client said something.
    pub(crate) fn hear(&mut self, line: u64, node: Node) {
        match self.seat(line).cloned() {
            Some(Seat::Stranger) => self.hear_stranger(line, &node),
            Some(Seat::Device(who)) => self.hear_device(&who, &node),
            None => {}
        }
    }

    fn hear_device(&mut self, who: &Address, node: &Node) {
        match &*node.tag {
            "iq" if node.says("type", "result") || node.says("type", "error") => {}
            // Some questions come without a type.
            "iq" => self.answer(who, node),
            "message" => self.carry_message(who, node),
            "receipt" => self.carry_receipt(who, node),
            "ack" => self.confirm(who, node),
            "presence" => self.hear_presence(who, node),
            "chatstate" => self.carry_chat_state(who, node),
            "call" => self.carry_call(who, node),
            // Session telemetry, and asking for the next batch of what is sent without asking.
            "ib" => {}
            other => debug!(tag = other, "a stanza nobody knows"),
        }
    }

    /// `<ack class id to [participant]>` confirms what the server sent.
    fn confirm(&mut self, who: &Address, ack: &Node) {
        let (Some(class), Some(id)) = (ack.text("class"), ack.text("id")) else { return };
        let from = ack.text("to").filter(|_| class == "receipt");
        if let Some(companion) = self.companion_mut(who) {
            companion.confirm(&class, &id, from.as_deref());
        }
    }

    /// `<ack class id from ..>` to the sender, unless it is to be lost.
    fn acknowledge(&mut self, who: &Address, node: &Node, error: Option<u16>) {
        let is_message = node.tag == "message";
        if who.is_phone() || (is_message && self.take_fault(&who.number, |kind| kind == Kind::LostAck).is_some()) {
            return;
        }
        let mut builder = NodeBuilder::new("ack").attr("class", &*node.tag).attr("t", self.now_s());
        if let Some(to) = node.jid("to") {
            builder = builder.attr("from", to);
        }
        for key in ["id", "participant"] {
            if let Some(value) = node.attrs.get(key) {
                builder = builder.attr(key, value.clone());
            }
        }
        if let Some(kind) = node.text("type").filter(|_| node.tag == "receipt") {
            builder = builder.attr("type", kind);
        }
        if let Some(code) = error {
            builder = builder.attr("error", code);
        }
        if let Some(line) = self.companion(who).and_then(|device| device.line.as_ref()) {
            line.outbox.node(builder.build());
        }
    }

    /// Gives a stanza to one device, now or when it listens.
    pub(crate) fn deliver(&mut self, to: &Address, mut node: Node) {
        if to.is_phone() {
            return self.reach_phone(to, node);
        }
        if node.tag == "message" && self.take_fault(&to.number, |kind| kind == Kind::Terse).is_some() {
            node.attrs.0.retain(|(name, _)| !OTHER_ADDRESSES.contains(&&**name));
        }
        if self.companion(to).is_none() {
            return;
        }
        let trouble = if node.tag == "message" { self.delivery_fault(&to.number) } else { None };
        let Some(companion) = self.companion_mut(to) else { return };
        match trouble {
            Some(Kind::Duplicate) => {
                companion.give(node.clone());
                companion.give(node);
            }
            Some(Kind::Reorder) => companion.hold_back(node),
            Some(Kind::Delay(delay)) => companion.give_late(node, delay),
            _ => companion.give(node),
        }
    }

    /// The same stanza to every device of an account.
    pub(crate) fn deliver_to_all(&mut self, number: &Number, except: Option<&Address>, node: &Node) {
        let Some(account) = self.accounts.get(number) else { return };
        let devices: Vec<Address> = account.devices().map(|device| Address::new(number, device)).collect();
        for device in devices.iter().filter(|device| Some(*device) != except) {
            self.deliver(device, node.clone());
        }
    }

    fn reach_phone(&mut self, to: &Address, node: Node) {
        let Some(account) = self.accounts.get_mut(&to.number) else { return };
        if account.online {
            self.hear_at_phone(&to.number, &node);
        } else if matches!(&*node.tag, "message" | "receipt") {
            account.unheard.push_back(Kept(node));
        }
    }

    fn delivery_fault(&mut self, number: &Number) -> Option<Kind> {
        self.take_fault(number, |kind| matches!(kind, Kind::Duplicate | Kind::Reorder | Kind::Delay(_)))
    }

    pub(crate) fn take_fault(&mut self, number: &Number, wanted: impl Fn(Kind) -> bool) -> Option<Kind> {
        let thrown = self.random.random_range(0..100);
        self.faults.take(Some(number), || thrown, wanted)
    }

    /// Faults that end live streams strike them now, and otherwise the next one that logs in.
    pub(crate) fn strike(&mut self, who: &Address) {
        use crate::login::{conflict, stream_code};
        let Some(kind) = self.take_fault(&who.number, |kind| {
            matches!(kind, Kind::Stream(_) | Kind::Conflict | Kind::Drop | Kind::Silence)
        }) else {
            return;
        };
        let Some(line) = self.companion(who).and_then(|device| device.line.as_ref()) else { return };
        match kind {
            Kind::Stream(code) => line.outbox.node(stream_code(code)),
            Kind::Conflict => line.outbox.node(conflict()),
            Kind::Silence => return line.outbox.put(Parcel::Silence),
            _ => return line.outbox.put(Parcel::Cut),
        }
        line.outbox.put(Parcel::Close);
    }

    /// What a request for media gets instead of an answer.
    pub(crate) fn media_fault(&mut self) -> Option<u16> {
        let thrown = self.random.random_range(0..100);
        match self.faults.take(None, || thrown, |kind| matches!(kind, Kind::Media(_)))? {
            Kind::Media(status) => Some(status),
            _ => None,
        }
    }

    /// Every device that is connected now.
    pub(crate) fn connected(&self) -> Vec<Address> {
        let accounts = self.accounts.iter();
        accounts
            .flat_map(|account| {
                let here = account.companions.iter().filter(|(_, device)| device.line.is_some());
                here.map(|(device, _)| Address::new(&account.number, *device))
            })
            .collect()
    }
}

/// Copies attributes as they are.
fn copy(mut builder: NodeBuilder, from: &Node, keys: &[&'static str]) -> NodeBuilder {
    for key in keys {
        if let Some(value) = from.attrs.get(key) {
            builder = builder.attr(key, value.clone());
        }
    }
    builder
}

/// The chat of a one-to-one stanza as a whole, without device.
fn chat_of(jid: &Jid) -> Jid {
    jid.to_non_ad()
}
