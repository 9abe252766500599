//! What phones say and do.

use bytes::Bytes;
use serde_json::Value;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;

use super::Handle;
use crate::arrivals::Chat;
use crate::number::{Address, Number, PHONE};
use crate::phone::content::Known;
use crate::phone::{media, show};
use crate::relay::phones::SpeakError;
use crate::stanza::empty;

impl Handle {
    /// A phone writes a message as it is. Gives its id.
    pub fn say(&self, from: &Number, to: &Chat, message: wa::Message) -> Result<String, SpeakError> {
        let mut world = self.0.world();
        let chat = world.chat_jid(to)?;
        world.say(from, &chat, message)
    }

    /// A phone writes what the JSON says, in the control API's words. A file given by link has to be fetched by the caller
    /// ([`SpeakError::Fetch`]) and is handed over as `fetched`.
    pub fn speak(&self, from: &Number, to: &Chat, body: &Value, fetched: Option<Bytes>) -> Result<String, SpeakError> {
        let mut world = self.0.world();
        let chat = world.chat_jid(to)?;
        let message = world.draft(from, &chat, body, fetched)?;
        world.say(from, &chat, message)
    }

    /// A phone writes new words for a message of its own, or takes it back if there are none. Gives the change's own id.
    pub fn change(&self, from: &Number, id: &str, text: Option<&str>) -> Result<String, SpeakError> {
        let mut world = self.0.world();
        let (chat, message) = world.rewrite(from, id, text)?;
        world.say(from, &chat, message)
    }

    /// The phone's owner looks at what came: all of it, or these messages.
    pub fn read(&self, number: &Number, ids: Option<&[String]>) {
        self.0.world().look_at(number, ids);
    }

    /// The phone's owner types (`composing`), speaks (`recording`) or stopped (`paused`).
    pub fn typing(&self, from: &Number, to: &Chat, state: &str) -> Result<(), SpeakError> {
        let mut world = self.0.world();
        let chat = world.chat_jid(to)?;
        let state = match state {
            "recording" => NodeBuilder::new("composing").attr("media", "audio").build(),
            "composing" => empty("composing"),
            _ => empty("paused"),
        };
        world.account(from);
        let stanza = NodeBuilder::new("chatstate").attr("to", chat).children([state]).build();
        world.carry_chat_state(&Address::new(from, PHONE), &stanza);
        Ok(())
    }

    /// The phone's owner has the app open, or put it away.
    pub fn set_available(&self, number: &Number, available: bool) {
        let mut world = self.0.world();
        world.account(number);
        let kind = if available { "available" } else { "unavailable" };
        let presence = NodeBuilder::new("presence").attr("type", kind).build();
        world.hear_presence(&Address::new(number, PHONE), &presence);
    }

    /// A phone calls. Gives the call's id.
    pub fn call(&self, from: &Number, to: &Number, video: bool) -> String {
        self.0.world().ring(from, to, video)
    }

    /// The caller gives up.
    pub fn hang_up(&self, from: &Number, to: &Number, call: &str) {
        self.end_call(from, to, call, "timeout");
    }

    /// A call ends for the linked devices of who was called: `accepted_elsewhere`, `rejected_elsewhere`, …
    pub fn end_call(&self, from: &Number, to: &Number, call: &str, reason: &str) {
        self.0.world().hang_up(from, to, call, reason);
    }

    /// A message that a phone remembers, by its id; votes are read with the poll's.
    pub fn known(&self, phone: &Number, id: &str) -> Option<Known> {
        let world = self.0.world();
        let (_, message) = world.accounts.get(phone)?.chats.find_anywhere(id)?;
        Some(message.known.clone())
    }

    /// The phone's owner deletes a message for himself; `false` if it is not there.
    pub fn forget(&self, phone: &Number, id: &str) -> bool {
        self.0.world().account(phone).chats.forget(id)
    }

    /// What somebody voted for in a poll that this phone's chat holds: the poll's id and the options.
    pub fn open_vote(
        &self,
        phone: &Number,
        chat: &Chat,
        from: &Number,
        message: &wa::Message,
    ) -> Option<(String, Vec<String>)> {
        let show::Change::Vote { id } = show::change(message)? else { return None };
        let mut world = self.0.world();
        let chat = world.chat_jid(chat).ok()?.to_string();
        let voter = world.chat_address(from).to_string();
        let poll = world.accounts.get(phone)?.chats.find(&chat, &id)?;
        show::vote(message, &poll.known, &voter).map(|options| (id, options))
    }

    /// The file of a message, opened: its bytes.
    pub fn open_file(&self, message: &wa::Message) -> Option<Vec<u8>> {
        use wacore::proto_helpers::MessageExt;
        let file = media::file(message.get_base_message())?;
        let sealed = self.0.world().blobs.get(file.direct_path.as_deref()?)?;
        file.open(&sealed).ok()
    }
}
