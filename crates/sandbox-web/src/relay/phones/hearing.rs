//! What reaches a phone.

use tracing::debug;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt, Node, Server};
use waproto::whatsapp as wa;

use crate::arrivals::{Arrival, Chat, Tick};
use crate::number::{Address, Naming, Number, PHONE};
use crate::phone::content::Known;
use crate::phone::signal::{Enc, EncType, SignalError};
use crate::phone::{peer, show};
use crate::relay::receipts::receipt_ids;
use crate::stanza::{Read, bytes};
use crate::state::World;
use crate::state::chats::Message;

/// Where a message came from and belongs to.
struct Envelope {
    id: String,
    /// The device that wrote it.
    writer: Address,
    /// Address of the chat as phones remember it.
    chat: Jid,
    group: Option<String>,
    /// The stanza's own names, for receipts.
    from: Jid,
    participant: Option<Jid>,
    peer: bool,
}

impl World {
    /// A stanza came to a phone that is switched on.
    pub(crate) fn hear_at_phone(&mut self, phone: &Number, node: &Node) {
        match &*node.tag {
            "message" => self.read_at_phone(phone, node),
            "receipt" if node.says("type", "retry") => self.repeat(phone, node),
            "receipt" => self.see_ticks(phone, node),
            "chatstate" => self.see_typing(phone, node),
            "call" => self.see_call(phone, node),
            _ => {}
        }
    }

    fn envelope(&self, phone: &Number, node: &Node) -> Option<Envelope> {
        let from = node.jid("from")?;
        let in_group = from.is_group() || from.server == Server::Broadcast;
        let participant = node.jid("participant").filter(|_| in_group);
        let writer = self.address_of(participant.as_ref().unwrap_or(&from))?;
        let chat = match node.jid("recipient") {
            _ if in_group => from.clone(),
            Some(recipient) if writer.number == *phone => recipient,
            _ => from.clone(),
        };
        // Phones remember people by LID.
        let chat = if in_group { chat } else { self.account_of(&chat)?.user(Naming::Lid) };
        Some(Envelope {
            id: node.text("id")?,
            writer,
            group: in_group.then(|| from.to_string()),
            chat,
            from,
            participant,
            peer: node.says("category", "peer"),
        })
    }

    fn read_at_phone(&mut self, phone: &Number, node: &Node) {
        let Some(envelope) = self.envelope(phone, node) else { return };
        let mut opened = Ok(None);
        for enc in node.get_children_by_tag("enc") {
            match self.open_at_phone(phone, &envelope, enc) {
                Ok(message) => opened = Ok(Some(message)),
                Err(error) => {
                    opened = Err(error);
                    break;
                }
            }
        }
        match opened {
            Ok(Some(message)) => {
                self.say_delivered(phone, &envelope);
                self.take_message(phone, envelope, message);
            }
            Ok(None) => {}
            Err(error) if error.wants_retry() => {
                debug!(%phone, id = envelope.id, error = &error as &dyn std::error::Error, "a phone asks again");
                self.ask_again(phone, &envelope, node);
            }
            // Seen before: say so again.
            Err(_) => self.say_delivered(phone, &envelope),
        }
    }

    fn open_at_phone(&mut self, phone: &Number, envelope: &Envelope, enc: &Node) -> Result<wa::Message, SignalError> {
        let kind = EncType::parse(&enc.text("type").unwrap_or_default())?;
        let name = self.session_name(&envelope.writer).ok_or(SignalError::UnknownEnvelope)?;
        let enc = Enc { kind, bytes: enc.content().to_vec() };
        let account = self.accounts.get_mut(phone).ok_or(SignalError::UnknownEnvelope)?;
        account.phone.open(&name, envelope.group.as_deref(), &enc, &mut self.random)
    }

    fn say_delivered(&mut self, phone: &Number, envelope: &Envelope) {
        let mut builder = NodeBuilder::new("receipt").attr("id", envelope.id.as_str()).attr("to", &envelope.from);
        if let Some(participant) = &envelope.participant {
            builder = builder.attr("participant", participant);
        }
        if envelope.peer {
            builder = builder.attr("type", "peer_msg");
        } else if envelope.writer.number == *phone {
            builder = builder.attr("type", "sender");
        }
        self.carry_receipt(&Address::new(phone, PHONE), &builder.build());
    }

    fn ask_again(&mut self, phone: &Number, envelope: &Envelope, node: &Node) {
        let count = node
            .get_children_by_tag("enc")
            .filter_map(|enc| enc.text("count")?.parse::<u8>().ok())
            .max()
            .map_or(1, |count| count.saturating_add(1));
        // Whoever cannot be understood after several tries is let go.
        if count > 5 {
            return self.say_delivered(phone, envelope);
        }
        let Some(account) = self.accounts.get_mut(phone) else { return };
        let registration = account.phone.keys.registration_id();
        let retry = NodeBuilder::new("retry")
            .attr("count", count)
            .attr("id", envelope.id.as_str())
            .attr("t", node.text("t").unwrap_or_default())
            .attr("v", "1")
            .build();
        let mut parts = vec![retry, bytes("registration", registration.to_be_bytes())];
        parts.extend((count > 1).then(|| self.keys_of_phone(phone)).flatten());
        let mut builder = NodeBuilder::new("receipt")
            .attr("id", envelope.id.as_str())
            .attr("to", &envelope.from)
            .attr("type", "retry");
        if let Some(participant) = &envelope.participant {
            builder = builder.attr("participant", participant);
        }
        self.carry_receipt(&Address::new(phone, PHONE), &builder.children(parts).build());
    }

    fn keys_of_phone(&mut self, phone: &Number) -> Option<Node> {
        use wacore::iq::prekeys::{OneTimePreKeyNode, SignedPreKeyNode};
        use wacore::protocol::ProtocolNode;
        let (bundle, _) = self.bundle(&Address::new(phone, PHONE))?;
        let signed = bundle.signed;
        let mut parts = vec![bytes("type", [5]), bytes("identity", bundle.identity.0)];
        parts.extend(bundle.one_time.map(|(id, key)| OneTimePreKeyNode::new(id, key.0.to_vec()).into_node()));
        parts.push(SignedPreKeyNode::new(signed.id, signed.key.0.to_vec(), signed.signature).into_node());
        Some(NodeBuilder::new("keys").children(parts).build())
    }

    fn take_message(&mut self, phone: &Number, envelope: Envelope, message: wa::Message) {
        let own = envelope.writer.number == *phone;
        if let Some(request) = own.then(|| peer::request(&message)).flatten() {
            return self.answer_peer(phone, &envelope.writer, &envelope.id, request);
        }
        // What one's own device wrote comes with where it went.
        let message = match message.device_sent_message.as_option() {
            Some(sent) => sent.message.as_option().cloned().unwrap_or_default(),
            None => message,
        };
        let Some(writer) = self.accounts.get(&envelope.writer.number).map(|account| account.user(Naming::Lid)) else {
            return;
        };
        let at = self.clock.ms();
        let (chat, shown) = (envelope.chat.to_string(), self.chat_shown(&envelope.chat));
        let Some(account) = self.accounts.get_mut(phone) else { return };
        if !account.chats.is_new(&writer.to_string(), &envelope.id) {
            return;
        }
        if show::change(&message) == Some(show::Change::Silent) {
            return;
        }
        let known =
            Known { id: envelope.id.clone(), sender: writer.to_string(), from_me: own, message: message.clone() };
        let device = envelope.participant.unwrap_or(envelope.from);
        account.chats.add(&chat, Message { known, at, device, read: own });
        if let Some(shown) = shown {
            self.tell(Arrival::Message {
                phone: phone.clone(),
                chat: shown,
                from: envelope.writer.number,
                id: envelope.id,
                at,
                message: Box::new(message),
            });
        }
    }

    /// A chat's address as people think of it.
    pub(crate) fn chat_shown(&self, chat: &Jid) -> Option<Chat> {
        match chat.server {
            Server::Group => Some(Chat::Group(chat.to_string())),
            Server::Broadcast => Some(Chat::Status),
            _ => self.account_of(chat).map(|account| Chat::With(account.number.clone())),
        }
    }

    fn see_ticks(&mut self, phone: &Number, node: &Node) {
        let tick = match node.text("type").as_deref() {
            None | Some("" | "inactive" | "delivery") => Tick::Delivered,
            Some("read") => Tick::Read,
            Some("played") => Tick::Played,
            // Read on another device of one's own, and other things between devices.
            Some(_) => return,
        };
        let Some(from) = node.jid("from") else { return };
        let Some(reader) = self.address_of(node.jid("participant").as_ref().unwrap_or(&from)) else { return };
        let Some(chat) = self.chat_shown(&from) else { return };
        let ids = receipt_ids(node);
        self.tell(Arrival::Receipt { phone: phone.clone(), chat, from: reader.number, ids, tick });
    }

    fn see_typing(&mut self, phone: &Number, node: &Node) {
        let Some(from) = node.jid("from") else { return };
        let Some(who) = self.address_of(node.jid("participant").as_ref().unwrap_or(&from)) else { return };
        let Some(chat) = self.chat_shown(&from) else { return };
        let state = match node.nodes().first() {
            Some(state) if state.tag == "composing" && state.says("media", "audio") => "recording",
            Some(state) if state.tag == "composing" => "composing",
            _ => "paused",
        };
        self.tell(Arrival::Typing { phone: phone.clone(), chat, from: who.number, state });
    }
}
