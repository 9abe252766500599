//! Questions of linked devices, one file per namespace.
//!
//! A question is answered with nodes or refused with a code; what the answer leads to happens behind it, so that the client
//! has read the answer first.

mod app_state;
mod devices;
mod empty;
mod groups;
mod keys;
mod media;
mod mex;
mod passive;
mod privacy;
mod profile;
mod props;
mod usync;

use tracing::warn;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, SERVER_JID};

use crate::number::Address;
use crate::stanza::{self, Read};
use crate::state::World;

pub(crate) use devices::News;
pub(crate) use groups::{Change, Picked, group_node};
use privacy::may_reach;

/// Why a question is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) text: &'static str,
}

impl Refusal {
    pub(crate) const BAD_REQUEST: Self = Self { code: 400, text: "bad-request" };
    pub(crate) const NOT_AUTHORIZED: Self = Self { code: 401, text: "not-authorized" };
    pub(crate) const FORBIDDEN: Self = Self { code: 403, text: "forbidden" };
    pub(crate) const NOT_FOUND: Self = Self { code: 404, text: "item-not-found" };
    pub(crate) const NOT_ACCEPTABLE: Self = Self { code: 406, text: "not-acceptable" };
    pub(crate) const CONFLICT: Self = Self { code: 409, text: "conflict" };
    pub(crate) const NOT_IMPLEMENTED: Self = Self { code: 501, text: "feature-not-implemented" };

    pub(crate) fn node(&self) -> Node {
        stanza::error(self.code, self.text)
    }
}

/// What follows an answer.
pub(crate) enum Then {
    Nothing,
    /// The device listens from now on.
    Listen,
    /// The device is no longer linked.
    Unlink,
    /// The phone says its first words.
    Greet,
}

/// An answer and what follows it.
pub(crate) struct Answer {
    pub(crate) content: Vec<Node>,
    pub(crate) then: Then,
}

impl Answer {
    /// Yes.
    pub(crate) fn done() -> Self {
        Self::nodes(Vec::new())
    }

    pub(crate) fn node(node: Node) -> Self {
        Self::nodes(vec![node])
    }

    pub(crate) fn nodes(content: Vec<Node>) -> Self {
        Self { content, then: Then::Nothing }
    }

    pub(crate) fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }
}

type Answered = Result<Answer, Refusal>;

/// The stanza that answers a question.
pub(crate) fn reply(question: &Node, answer: Result<Vec<Node>, Refusal>) -> Node {
    let from = question.jid("to").map_or_else(|| SERVER_JID.into(), wacore_binary::NodeValue::from);
    let (kind, content) = match answer {
        Ok(content) => ("result", content),
        Err(refusal) => ("error", vec![refusal.node()]),
    };
    let builder = NodeBuilder::new("iq").attr("type", kind).attr("from", from);
    let builder = match question.text("id") {
        Some(id) => builder.attr("id", id),
        None => builder,
    };
    if content.is_empty() { builder.build() } else { builder.children(content).build() }
}

impl World {
    /// Answers a linked device.
    pub(crate) fn answer(&mut self, who: &Address, question: &Node) {
        let (answer, then) = match self.consider(who, question) {
            Ok(Answer { content, then }) => (Ok(content), then),
            Err(refusal) => {
                self.note_refusal(question, &refusal);
                (Err(refusal), Then::Nothing)
            }
        };
        if let Some(line) = self.companion(who).and_then(|device| device.line.as_ref()) {
            line.outbox.node(reply(question, answer));
        }
        match then {
            Then::Nothing => {}
            Then::Listen => self.start_listening(who),
            Then::Unlink => {
                self.unlink(who, None);
            }
            Then::Greet => self.greet(who),
        }
    }

    fn consider(&mut self, who: &Address, question: &Node) -> Answered {
        match question.text("xmlns").as_deref() {
            Some("encrypt") => keys::answer(self, who, question),
            Some("usync") => usync::answer(self, question),
            Some("passive") => passive::switch(question),
            Some("w:p" | "urn:xmpp:ping") => Ok(Answer::done()),
            Some("md") => passive::devices(who, question),
            Some("w:m") => media::answer(self),
            Some("w:g2") => groups::answer(self, who, question),
            Some("w:sync:app:state") => app_state::answer(self, who, question),
            Some("w:profile:picture") => profile::picture(self, who, question),
            Some("status") => profile::about(self, who, question),
            Some("disappearing_mode") => profile::disappearing(self, who, question),
            Some("w:biz") => profile::business(self, question),
            Some("privacy") => privacy::settings(self, who, question),
            Some("blocklist") => privacy::blocklist(self, who, question),
            Some("abt" | "w") => props::answer(self, who),
            Some("w:mex") => mex::answer(self, who, question),
            Some("bot") => empty::bots(question),
            Some("w:biz:catalog") => empty::goods(question),
            Some("spam") => empty::report(question),
            // No channel and no order is known.
            Some("newsletter" | "fb:thrift_iq") => Err(Refusal::NOT_FOUND),
            Some("urn:xmpp:whatsapp:dirty" | "w:stats" | "tos" | "urn:xmpp:whatsapp:push" | "w:auth:token") => {
                Ok(Answer::done())
            }
            _ => Err(Refusal::NOT_IMPLEMENTED),
        }
    }

    /// What this server does not know is told to whoever works on it.
    fn note_refusal(&mut self, question: &Node, refusal: &Refusal) {
        if *refusal == Refusal::NOT_IMPLEMENTED {
            self.counters.unknown_questions += 1;
            let about = question.nodes().first().map(|child| child.tag.to_string());
            warn!(namespace = question.text("xmlns"), about, "a question without an answer");
        }
    }
}
