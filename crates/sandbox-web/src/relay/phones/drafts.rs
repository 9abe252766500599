//! From what a person wants to say to the message that says it.

use bytes::Bytes;
use serde_json::Value;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Server};
use waproto::whatsapp as wa;

use super::SpeakError;
use crate::arrivals::Chat;
use crate::number::{Address, Number, PHONE};
use crate::phone::content::{self, Known, Place, Source};
use crate::phone::media;
use crate::state::World;

impl World {
    pub(crate) fn chat_jid(&mut self, chat: &Chat) -> Result<Jid, SpeakError> {
        match chat {
            Chat::With(number) => Ok(self.chat_address(number)),
            Chat::Group(id) => id.parse().map_err(|_| SpeakError::NotInGroup),
            Chat::Status => Ok(Jid::status_broadcast()),
        }
    }

    pub(crate) fn draft(
        &mut self,
        from: &Number,
        chat: &Jid,
        body: &Value,
        fetched: Option<Bytes>,
    ) -> Result<wa::Message, SpeakError> {
        let draft = {
            let own = self.chat_address(from).to_string();
            let (text, now) = (chat.to_string(), self.clock.ms());
            let account = self.accounts.get(from).ok_or(SpeakError::Nobody)?;
            let find = |id: &str| account.chats.find(&text, id).map(|message| message.known.clone());
            content::read(body, &Place { chat: &text, own: &own, now, find: &find }, &mut self.random)?
        };
        let Some(file) = draft.attachment.clone() else { return Ok(draft.message()) };
        let bytes = match (file.source, fetched) {
            (Source::Data(bytes), _) => bytes,
            (Source::Link(_), Some(bytes)) => bytes.to_vec(),
            (Source::Link(link), None) => return Err(SpeakError::Fetch(link)),
        };
        let mut sealed = media::seal(file.kind, &bytes, Some(&file.mime_type), &mut self.random)?;
        let path = format!("/v{}/{}", file.kind.upload_path(), hex::encode(sealed.file.enc_sha256.as_slice()));
        sealed.file.url = Some(format!("https://{}{path}", self.media_host));
        sealed.file.direct_path = Some(path.clone());
        self.blobs.put(path, Bytes::from(sealed.upload));
        Ok(draft.attach(&sealed.file))
    }

    pub(crate) fn rewrite(
        &mut self,
        from: &Number,
        id: &str,
        text: Option<&str>,
    ) -> Result<(Jid, wa::Message), SpeakError> {
        let own = self.chat_address(from).to_string();
        let now = self.clock.ms();
        let unknown = || SpeakError::NoSuchMessage(id.to_owned());
        let account = self.accounts.get(from).ok_or(SpeakError::Nobody)?;
        let (chat, message) = account.chats.find_anywhere(id).filter(|(_, it)| it.known.from_me).ok_or_else(unknown)?;
        let (chat, known): (String, Known) = (chat.to_owned(), message.known.clone());
        let place = Place { chat: &chat, own: &own, now, find: &|_| None };
        let change = match text {
            Some(text) => content::edit(&known, text, &place),
            None => content::revoke(&known, &place),
        };
        Ok((chat.parse().map_err(|_| unknown())?, change))
    }

    pub(crate) fn look_at(&mut self, number: &Number, ids: Option<&[String]>) {
        let now_s = self.now_s();
        let Some(account) = self.accounts.get_mut(number) else { return };
        for (chat, writer, id) in account.chats.take_unread(ids) {
            let Ok(to) = chat.parse::<Jid>() else { continue };
            let in_group = to.server == Server::Group;
            let mut builder =
                NodeBuilder::new("receipt").attr("id", id).attr("type", "read").attr("t", now_s).attr("to", to);
            if in_group {
                builder = builder.attr("participant", writer);
            }
            self.carry_receipt(&Address::new(number, PHONE), &builder.build());
        }
    }
}
