//! What a server would not say, and what clients must live with.

use wacore_binary::{Jid, Node};

use super::Handle;
use crate::number::Number;
use crate::socket::Parcel;
use crate::state::World;

impl Handle {
    /// Says this to every linked device of an account that is connected now, whatever it is. Nobody remembers it.
    pub fn push(&self, number: &Number, node: &Node) {
        self.0.world().put_to_all(number, || Parcel::Node(Box::new(node.clone())));
    }

    /// The same with what is perhaps no stanza at all: a frame as it is before it is sealed.
    pub fn push_bytes(&self, number: &Number, bytes: &[u8]) {
        self.0.world().put_to_all(number, || Parcel::Bytes(bytes.to_vec()));
    }

    /// The account as its linked devices address it.
    pub fn jid(&self, number: &Number) -> Jid {
        self.0.world().chat_address(number)
    }

    /// Wants the client that shows a pairing code for this number to show another; `false` if none does.
    pub fn refresh_code(&self, number: &Number, by_hand: bool) -> bool {
        self.0.world().want_another_code(number, by_hand)
    }
}

impl World {
    fn put_to_all(&self, number: &Number, parcel: impl Fn() -> Parcel) {
        let Some(account) = self.accounts.get(number) else { return };
        for line in account.companions.values().filter_map(|device| device.line.as_ref()) {
            line.outbox.put(parcel());
        }
    }
}
