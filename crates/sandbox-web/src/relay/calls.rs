//! Calls, as far as a device without a voice needs them: a phone rings, a companion turns it down.

use rand_10::RngExt;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::arrivals::Arrival;
use crate::number::{Address, Naming, Number, PHONE};
use crate::stanza::{Read, empty};
use crate::state::World;

impl World {
    /// A phone calls an account; every linked device of it rings. Gives the call's id.
    pub(crate) fn ring(&mut self, caller: &Number, called: &Number, video: bool) -> String {
        let call = hex::encode_upper(self.random.random::<[u8; 16]>());
        let stanza = self.call_stanza(caller, |creator| {
            let mut offered = vec![NodeBuilder::new("audio").attr("enc", "opus").attr("rate", "16000").build()];
            offered.extend(video.then(|| empty("video")));
            NodeBuilder::new("offer")
                .attr("call-id", call.as_str())
                .attr("call-creator", creator)
                .children(offered)
                .build()
        });
        self.account(called);
        self.deliver_to_companions(called, &stanza);
        call
    }

    /// A call ends: the caller gave up (`timeout`), or another device has it (`accepted_elsewhere`, `rejected_elsewhere`).
    pub(crate) fn hang_up(&mut self, caller: &Number, called: &Number, call: &str, reason: &str) {
        let stanza = self.call_stanza(caller, |creator| {
            NodeBuilder::new("terminate")
                .attr("call-id", call)
                .attr("call-creator", creator)
                .attr("reason", reason)
                .build()
        });
        self.deliver_to_companions(called, &stanza);
    }

    fn call_stanza(&mut self, caller: &Number, action: impl FnOnce(wacore_binary::Jid) -> Node) -> Node {
        let (id, now_s) = (self.fresh_id(), self.now_s());
        let account = self.account(caller);
        let (from, name) = (account.jid(Naming::Lid, PHONE), account.push_name.clone());
        let phone = account.user(Naming::Phone);
        let mut action = action(from.clone());
        action.attrs.insert("caller_pn", phone);
        NodeBuilder::new("call")
            .attr("from", from)
            .attr("id", id)
            .attr("t", now_s)
            .attr("notify", name)
            .attr("platform", "android")
            .attr("version", "2.24.0")
            .children([action])
            .build()
    }

    fn deliver_to_companions(&mut self, number: &Number, stanza: &Node) {
        let phone = Address::new(number, PHONE);
        self.deliver_to_all(number, Some(&phone), stanza);
    }

    /// A companion answers a call, mostly with no.
    pub(crate) fn carry_call(&mut self, who: &Address, node: &Node) {
        self.acknowledge(who, node, None);
        let (Some(to), Some(account)) = (node.jid("to"), self.accounts.get(&who.number)) else { return };
        let Some(target) = self.address_of(&to) else { return };
        let mut stanza = node.clone();
        stanza.attrs.insert("from", account.jid(Naming::of(&to), who.device));
        stanza.attrs.insert("t", self.now_s());
        self.deliver(&target, stanza);
    }

    pub(super) fn see_call(&mut self, phone: &Number, node: &Node) {
        let Some(reject) = node.get_optional_child("reject") else { return };
        let Some(from) = node.jid("from").and_then(|jid| self.address_of(&jid)) else { return };
        let call = reject.text("call-id").unwrap_or_default();
        self.tell(Arrival::CallRejected { phone: phone.clone(), from: from.number, call });
    }
}
