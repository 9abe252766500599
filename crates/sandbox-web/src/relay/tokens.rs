//! Tokens that let strangers through to accounts which keep strangers out.
//!
//! An account gives a token to whom it trusts; who has none may show one that follows from a salt of their own, which their
//! phone gave them. The server knows both and lets nobody else through.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use wacore::iq::tctoken::compute_cs_token;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::number::{Address, Naming, Number};
use crate::stanza::{Read, notification, wrap};
use crate::state::World;

impl World {
    /// Whether `visitor`, who shows these tokens, gets through to `host`.
    pub(crate) fn admits(&self, host: &Number, visitor: &Address, shown: &Node) -> bool {
        let (Some(account), Some(stranger)) = (self.accounts.get(host), self.accounts.get(&visitor.number)) else {
            return false;
        };
        let scenario = &account.scenario;
        if !scenario.restricted || visitor.is_phone() || visitor.number == *host {
            return true;
        }
        let given = token(account.salt.as_slice(), &visitor.number);
        let own = compute_cs_token(stranger.salt.as_slice(), &account.user(Naming::Lid).to_string());
        (scenario.tc_enabled && shown.content_of("tctoken") == given)
            || (scenario.cs_enabled && shown.content_of("cstoken") == own)
    }

    /// An account gives tokens to people it trusts.
    pub(crate) fn give_tokens(&mut self, who: &Address, tokens: &Node) {
        for wanted in tokens.get_children_by_tag("token") {
            let Some(to) = wanted.jid("jid").and_then(|jid| self.address_of(&jid)) else { continue };
            let (id, now_s) = (self.fresh_id(), self.now_s());
            let Some(account) = self.accounts.get(&who.number) else { return };
            let given = NodeBuilder::new("token")
                .attr("type", wanted.text("type").unwrap_or_default())
                .attr("t", wanted.text("t").unwrap_or_default())
                .bytes(token(account.salt.as_slice(), &to.number))
                .build();
            let from = account.user(Naming::Phone);
            let told = notification("privacy_token", &id, from, now_s, wrap("tokens", [given]))
                .attr("sender_lid", account.user(Naming::Lid))
                .build();
            self.deliver_to_all(&to.number, None, &told);
        }
    }
}

fn token(salt: &[u8], to: &Number) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(to.digits().as_bytes());
    mac.finalize().into_bytes()[..16].to_vec()
}
