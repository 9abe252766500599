//! Messages: each named device gets its own envelope and everything that is for all.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt, Node, Server};

use super::{chat_of, copy};
use crate::faults::Kind;
use crate::iq::Refusal;
use crate::number::{Address, Naming, Number};
use crate::stanza::Read;
use crate::state::World;

/// The reader lets nobody write who has no token of theirs.
const NEEDS_A_TOKEN: u16 = 463;

/// What a message keeps on its way.
const KEPT: &[&str] = &["id", "type", "edit", "category"];

/// One message taken apart.
struct Letter<'a> {
    node: &'a Node,
    who: &'a Address,
    to: Jid,
    /// Envelopes for one device each.
    named: Vec<(Jid, Vec<Node>)>,
    /// Envelopes that stand by themselves: a group's, or one for a single device.
    bare: Vec<Node>,
    /// What everybody gets.
    common: Vec<Node>,
}

impl<'a> Letter<'a> {
    fn read(who: &'a Address, node: &'a Node) -> Option<Self> {
        let mut letter =
            Self { node, who, to: node.jid("to")?, named: Vec::new(), bare: Vec::new(), common: Vec::new() };
        for child in node.nodes() {
            match &*child.tag {
                "participants" => {
                    let named =
                        child.get_children_by_tag("to").filter_map(|to| Some((to.jid("jid")?, to.nodes().to_vec())));
                    letter.named.extend(named);
                }
                "enc" => letter.bare.push(child.clone()),
                // Tokens are for the server.
                "tctoken" | "cstoken" => {}
                _ => letter.common.push(child.clone()),
            }
        }
        Some(letter)
    }

    fn is_peer(&self) -> bool {
        self.node.says("category", "peer")
    }
}

impl World {
    /// A device wrote a message.
    pub(crate) fn carry_message(&mut self, who: &Address, node: &Node) {
        let Some(letter) = Letter::read(who, node) else { return };
        self.counters.messages += u64::from(!letter.is_peer());
        let refusal = self.refusal(&letter);
        self.acknowledge(who, node, refusal);
        if refusal.is_some() {
            return;
        }
        if letter.to.is_group() {
            self.carry_to_group(&letter);
        } else if letter.to.server == Server::Broadcast {
            self.carry_status(&letter);
        } else {
            self.carry_to_user(&letter);
        }
    }

    fn refusal(&mut self, letter: &Letter<'_>) -> Option<u16> {
        if !letter.is_peer()
            && let Some(Kind::Refuse(code)) =
                self.take_fault(&letter.who.number, |kind| matches!(kind, Kind::Refuse(_)))
        {
            return Some(code);
        }
        match letter.to.server {
            Server::Group => {
                let group = self.groups.get(&letter.to);
                let role = group.and_then(|group| group.role(&letter.who.number));
                match (group, role) {
                    (None, _) => Some(Refusal::NOT_FOUND.code),
                    (_, None) => Some(Refusal::FORBIDDEN.code),
                    (Some(group), _) if group.announcement && !group.is_admin(&letter.who.number) => {
                        Some(Refusal::FORBIDDEN.code)
                    }
                    _ => None,
                }
            }
            Server::Broadcast => None,
            Server::Pn | Server::Lid => match self.number_of(&letter.to) {
                Some(reader) if self.admits(&reader, letter.who, letter.node) => None,
                Some(_) => Some(NEEDS_A_TOKEN),
                None => Some(Refusal::NOT_FOUND.code),
            },
            _ => Some(Refusal::NOT_IMPLEMENTED.code),
        }
    }

    fn carry_to_user(&mut self, letter: &Letter<'_>) {
        if !letter.bare.is_empty() {
            if let Some(address) = self.address_of(&letter.to) {
                let copy = self.copy_for(letter, &address, &letter.bare);
                self.deliver(&address, copy);
            }
            return;
        }
        for (jid, envelopes) in &letter.named {
            let Some(address) = self.address_of(jid) else { continue };
            if address == *letter.who || !self.lets_in(&address.number, &letter.who.number) {
                continue;
            }
            let copy = self.copy_for(letter, &address, envelopes);
            self.deliver(&address, copy);
        }
    }

    /// A blocked writer is not told; the message just goes nowhere.
    fn lets_in(&self, reader: &Number, writer: &Number) -> bool {
        self.accounts.get(reader).is_some_and(|account| !account.blocked.contains(writer))
    }

    /// The message as one device of the reader or of the writer gets it, named as the writer named it.
    fn copy_for(&self, letter: &Letter<'_>, to: &Address, envelopes: &[Node]) -> Node {
        let naming = if letter.is_peer() { Naming::Lid } else { Naming::of(&letter.to) };
        let builder = self.copy_head(letter);
        let Some(writer) = self.accounts.get(&letter.who.number) else { return builder.build() };
        let mut builder = builder.attr("from", writer.jid(naming, letter.who.device));
        builder = match naming {
            Naming::Lid => builder.attr("sender_pn", writer.user(Naming::Phone)),
            Naming::Phone => builder.attr("sender_lid", writer.user(Naming::Lid)),
        };
        if to.number == letter.who.number && !letter.is_peer() {
            let chat = letter.node.jid("recipient").unwrap_or_else(|| letter.to.clone());
            builder = builder.attr("recipient", chat_of(&chat));
            if let Some(reader) = self.account_of(&chat).filter(|_| naming == Naming::Lid) {
                builder = builder.attr("peer_recipient_pn", reader.user(Naming::Phone));
            }
        }
        builder.children(envelopes.iter().chain(&letter.common).cloned()).build()
    }

    fn copy_head(&self, letter: &Letter<'_>) -> NodeBuilder {
        let builder = copy(NodeBuilder::new("message"), letter.node, KEPT).attr("t", self.now_s());
        match self.accounts.get(&letter.who.number) {
            Some(writer) if !writer.push_name.is_empty() => builder.attr("notify", writer.push_name.as_str()),
            _ => builder,
        }
    }

    fn carry_to_group(&mut self, letter: &Letter<'_>) {
        // A copy for one device alone, after it could not read the first one.
        if let Some(jid) = letter.node.jid("participant").filter(|_| letter.named.is_empty()) {
            if let Some(address) = self.address_of(&jid) {
                let copy = self.group_copy(letter, &[]);
                self.deliver(&address, copy);
            }
            return;
        }
        let Some(group) = self.groups.get(&letter.to) else { return };
        let members: Vec<Number> = group.members.keys().cloned().collect();
        self.fan_out(letter, &members);
    }

    fn fan_out(&mut self, letter: &Letter<'_>, readers: &[Number]) {
        for number in readers {
            let Some(account) = self.accounts.get(number) else { continue };
            let devices: Vec<Address> = account.devices().map(|device| Address::new(number, device)).collect();
            for address in devices.iter().filter(|address| *address != letter.who) {
                let own = letter.named.iter().find(|(jid, _)| self.address_of(jid).as_ref() == Some(address));
                let copy = self.group_copy(letter, own.map_or(&[], |(_, envelopes)| envelopes));
                self.deliver(address, copy);
            }
        }
    }

    fn group_copy(&self, letter: &Letter<'_>, own: &[Node]) -> Node {
        let builder = self.copy_head(letter).attr("from", &letter.to);
        let Some(writer) = self.accounts.get(&letter.who.number) else { return builder.build() };
        let by_lid = letter.to.is_group();
        let builder = if by_lid {
            builder
                .attr("participant", writer.jid(Naming::Lid, letter.who.device))
                .attr("participant_pn", writer.user(Naming::Phone))
                .attr("addressing_mode", "lid")
        } else {
            builder
                .attr("participant", writer.jid(Naming::Phone, letter.who.device))
                .attr("participant_lid", writer.user(Naming::Lid))
        };
        builder.children(own.iter().chain(&letter.bare).chain(&letter.common).cloned()).build()
    }

    /// A status goes to everybody it was ever meant for and to the writer's other devices.
    fn carry_status(&mut self, letter: &Letter<'_>) {
        let named: Vec<Number> =
            letter.named.iter().filter_map(|(jid, _)| self.address_of(jid)).map(|it| it.number).collect();
        let Some(writer) = self.accounts.get_mut(&letter.who.number) else { return };
        writer.status_readers.extend(named);
        writer.status_readers.insert(letter.who.number.clone());
        let readers: Vec<Number> = writer.status_readers.iter().cloned().collect();
        self.fan_out(letter, &readers);
    }
}
