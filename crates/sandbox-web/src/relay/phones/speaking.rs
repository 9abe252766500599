//! What a phone says: sealed for every device it is for, and carried like any device's stanza.

use rand_10::RngExt;
use wacore::send::stanza_type_from_message;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt, Node, Server};
use waproto::whatsapp as wa;

use crate::number::{Address, Naming, Number, PHONE};
use crate::phone::content::Known;
use crate::phone::show::{self, Change};
use crate::phone::signal::Enc;
use crate::stanza::{Read, wrap};
use crate::state::World;
use crate::state::chats::Message;

/// Why a phone cannot say something.
#[derive(Debug, thiserror::Error)]
pub enum SpeakError {
    /// The group does not exist, or the phone's owner is not in it.
    #[error("this phone is not in that group")]
    NotInGroup,
    /// The message to answer, edit or delete is not in the chat.
    #[error("there is no message {0} here")]
    NoSuchMessage(String),
    /// The content is not a message.
    #[error("{0}")]
    Content(#[from] crate::phone::content::ContentError),
    /// A file is given by link: fetch it and say it again with the bytes.
    #[error("the file at {0} has to be fetched first")]
    Fetch(String),
    /// A file cannot be sealed.
    #[error("the file cannot be sent")]
    File(#[from] crate::phone::media::MediaError),
    /// There is nothing to talk to at this address.
    #[error("nobody is there")]
    Nobody,
}

impl World {
    /// A phone writes to a person or group. Gives the message's id.
    pub(crate) fn say(&mut self, phone: &Number, chat: &Jid, message: wa::Message) -> Result<String, SpeakError> {
        self.account(phone);
        let id = format!("3A{}", hex::encode_upper(self.random.random::<[u8; 9]>()));
        let node = if chat.is_group() {
            self.group_stanza(phone, chat, &id, &message)?
        } else {
            self.user_stanza(phone, chat, &id, &message)?
        };
        self.remember_own(phone, chat, &id, message);
        self.carry_message(&Address::new(phone, PHONE), &node);
        Ok(id)
    }

    fn remember_own(&mut self, phone: &Number, chat: &Jid, id: &str, message: wa::Message) {
        let at = self.clock.ms();
        let Some(account) = self.accounts.get_mut(phone) else { return };
        let own = account.user(Naming::Lid);
        let known = Known { id: id.to_owned(), sender: own.to_string(), from_me: true, message };
        account.chats.is_new(&own.to_string(), id);
        account.chats.add(&chat.to_string(), Message { known, at, device: own, read: true });
    }

    /// Where a phone writes to; people are named by LID.
    pub(crate) fn chat_address(&mut self, number: &Number) -> Jid {
        self.account(number).user(Naming::Lid)
    }

    fn head(&self, to: &Jid, id: &str, message: &wa::Message) -> NodeBuilder {
        let builder =
            NodeBuilder::new("message").attr("to", to).attr("id", id).attr("type", stanza_type_from_message(message));
        match show::change(message) {
            Some(Change::Edit { .. }) => builder.attr("edit", "1"),
            Some(Change::Delete { .. }) => builder.attr("edit", "7"),
            Some(Change::Reaction { emoji, .. }) if emoji.is_empty() => builder.attr("edit", "7"),
            _ => builder,
        }
    }

    fn user_stanza(&mut self, phone: &Number, chat: &Jid, id: &str, message: &wa::Message) -> Result<Node, SpeakError> {
        let reader = self.account_of(chat).ok_or(SpeakError::Nobody)?.number.clone();
        let for_own_devices = device_sent(chat, message.clone());
        let mut named = Vec::new();
        if reader != *phone {
            for to in self.devices_of(&reader) {
                named.extend(self.seal_for(phone, &to, message));
            }
        }
        for to in self.devices_of(phone) {
            named.extend(self.seal_for(phone, &to, &for_own_devices));
        }
        Ok(self.head(chat, id, message).children([wrap("participants", named)]).build())
    }

    fn devices_of(&self, number: &Number) -> Vec<Address> {
        let account = self.accounts.get(number);
        account.map(|it| it.devices().map(|device| Address::new(number, device)).collect()).unwrap_or_default()
    }

    /// `<to jid><enc/></to>`; nothing for the phone itself and for devices that left no keys.
    fn seal_for(&mut self, phone: &Number, to: &Address, message: &wa::Message) -> Option<Node> {
        if to.is_phone() && to.number == *phone {
            return None;
        }
        let enc = self.seal(phone, to, message)?;
        let jid = self.jid_of(to, Naming::Lid)?;
        Some(NodeBuilder::new("to").attr("jid", jid).children([enc_node(&enc, None)]).build())
    }

    fn seal(&mut self, phone: &Number, to: &Address, message: &wa::Message) -> Option<Enc> {
        if !self.ready_to_write(phone, to) {
            return None;
        }
        let name = self.session_name(to)?;
        self.accounts.get_mut(phone)?.phone.seal(&name, message).ok()
    }

    fn group_stanza(
        &mut self,
        phone: &Number,
        chat: &Jid,
        id: &str,
        message: &wa::Message,
    ) -> Result<Node, SpeakError> {
        let group = self.groups.get(chat).filter(|group| group.members.contains_key(phone));
        let members: Vec<Number> = group.ok_or(SpeakError::NotInGroup)?.members.keys().cloned().collect();
        let own = self.session_name(&Address::new(phone, PHONE)).ok_or(SpeakError::Nobody)?;
        let group = chat.to_string();
        let account = self.accounts.get_mut(phone).ok_or(SpeakError::Nobody)?;
        let key = account.phone.sender_key(&own, &group, &mut self.random).map_err(|_| SpeakError::Nobody)?;
        let mut named = Vec::new();
        let devices: Vec<Address> = members.iter().flat_map(|member| self.devices_of(member)).collect();
        for to in devices {
            if self.needs_sender_key(phone, &group, &to)
                && let Some(envelope) = self.seal_for(phone, &to, &key)
            {
                named.push(envelope);
                self.note_sender_key(phone, &group, &to);
            }
        }
        let account = self.accounts.get_mut(phone).ok_or(SpeakError::Nobody)?;
        let sealed =
            account.phone.seal_group(&own, &group, message, &mut self.random).map_err(|_| SpeakError::Nobody)?;
        let participants = (!named.is_empty()).then(|| wrap("participants", named));
        let children: Vec<Node> = participants.into_iter().chain([enc_node(&sealed, None)]).collect();
        Ok(self.head(chat, id, message).attr("addressing_mode", "lid").children(children).build())
    }

    fn needs_sender_key(&self, phone: &Number, group: &str, to: &Address) -> bool {
        let shared = self.accounts.get(phone).and_then(|account| account.sender_keys.get(group));
        shared.is_none_or(|known| !known.contains(&(to.number.clone(), to.device)))
    }

    fn note_sender_key(&mut self, phone: &Number, group: &str, to: &Address) {
        if let Some(account) = self.accounts.get_mut(phone) {
            account.sender_keys.entry(group.to_owned()).or_default().insert((to.number.clone(), to.device));
        }
    }

    /// Somebody left a group: its members' phones take new sender keys.
    pub(crate) fn renew_sender_keys(&mut self, group: &Jid, members: &[Number]) {
        let group = group.to_string();
        for member in members {
            let Some(own) = self.session_name(&Address::new(member, PHONE)) else { continue };
            if let Some(account) = self.accounts.get_mut(member)
                && account.sender_keys.remove(&group).is_some()
            {
                account.phone.drop_sender_key(&own, &group);
            }
        }
    }

    /// A device could not read what this phone wrote: once more, under a new session.
    pub(super) fn repeat(&mut self, phone: &Number, receipt: &Node) {
        let (Some(id), Some(from)) = (receipt.text("id"), receipt.jid("from")) else { return };
        let participant = receipt.jid("participant");
        let Some(device) = self.address_of(participant.as_ref().unwrap_or(&from)) else { return };
        let count = receipt.get_optional_child("retry").and_then(|retry| retry.text("count")).unwrap_or_default();
        let Some(account) = self.accounts.get(phone) else { return };
        let Some((chat, remembered)) = account.chats.find_anywhere(&id).filter(|(_, it)| it.known.from_me) else {
            return;
        };
        let (message, Ok(chat)) = (remembered.known.message.clone(), chat.parse::<Jid>()) else { return };
        if let (Some(name), Some(account)) = (self.session_name(&device), self.accounts.get_mut(phone)) {
            account.phone.drop_session(&name);
        }
        let own = device.number == *phone;
        let again = if own && !chat.is_group() { device_sent(&chat, message.clone()) } else { message.clone() };
        let Some(enc) = self.seal(phone, &device, &again) else { return };
        let Some(jid) = self.jid_of(&device, Naming::Lid) else { return };
        let builder = if is_person(&chat) {
            let builder = self.head(&jid, &id, &message);
            if own { builder.attr("recipient", &chat) } else { builder }
        } else {
            self.head(&chat, &id, &message).attr("participant", jid)
        };
        let node = builder.children([enc_node(&enc, Some(count))]).build();
        self.carry_message(&Address::new(phone, PHONE), &node);
    }

    /// A phone's word to one of its own devices.
    pub(super) fn whisper(&mut self, phone: &Number, to: &Address, message: &wa::Message) {
        let id = self.fresh_id();
        let Some(enc) = self.seal(phone, to, message) else { return };
        let Some(jid) = self.jid_of(to, Naming::Lid) else { return };
        let node = NodeBuilder::new("message")
            .attr("to", jid)
            .attr("id", id)
            .attr("type", "text")
            .attr("category", "peer")
            .children([enc_node(&enc, None)])
            .build();
        self.carry_message(&Address::new(phone, PHONE), &node);
    }
}

fn is_person(chat: &Jid) -> bool {
    matches!(chat.server, Server::Pn | Server::Lid)
}

fn enc_node(enc: &Enc, count: Option<String>) -> Node {
    let builder = NodeBuilder::new("enc").attr("v", "2").attr("type", enc.kind.as_str());
    let builder = match count {
        Some(count) => builder.attr("count", count),
        None => builder,
    };
    builder.bytes(enc.bytes.clone()).build()
}

/// What one's own other devices get.
fn device_sent(chat: &Jid, message: wa::Message) -> wa::Message {
    wa::Message {
        message_context_info: message.message_context_info.clone(),
        device_sent_message: wa::message::DeviceSentMessage {
            destination_jid: Some(chat.to_string()),
            message: message.into(),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    }
}
