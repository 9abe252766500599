//! Somebody wrote to us, or we did on another device.

use store::jobs::{Job, State};
use store::media::Media;
use store::messages::{Direction, Message, Status};
use store::senders::Sender;
use store::{Id, Result, Tx};

use super::{Intake, clean, clean_text};
use crate::content::Content;
use crate::events::{self, MessageData, Note};
use crate::{consent, contacts, facts, media};

/// Where messages come from that no caller sent.
const PUSH: &str = "push";
const DEVICE: &str = "device";

impl Intake<'_> {
    pub(super) async fn message(&mut self, tx: &mut Tx, fact: &facts::Message) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        let (chat, author) = (clean_text(&fact.chat), clean_text(&fact.author));
        if store::messages::is_known(tx, &sender.id, &fact.provider_id, &chat, &author).await? {
            return Ok(());
        }
        let from = clean(&fact.from);
        let Some(first) = from.first() else { return Ok(()) };
        let name = fact.profile_name.as_deref().filter(|_| !fact.own);
        let contact = self.contact(tx, &sender, &from, name).await?;
        let (engine, now) = (self.engine, self.engine.now());
        let conversation =
            store::conversations::ensure(tx, &engine.new_id(), &sender.organization_id, &sender.id, &contact, now)
                .await?;
        if conversation.last_message_at.is_none() {
            store::contacts::ensure_link(tx, &contact, &sender.id).await?;
            let note = Note::new(&sender.organization_id, events::CONVERSATION_STARTED, &conversation.id)
                .in_conversation(&conversation);
            events::append_if_wanted(tx, engine, note, &serde_json::json!({})).await?;
        }
        let message = Message {
            address: first.value.clone(),
            chat,
            author,
            ..written(engine.new_id(), &sender, conversation.id, contact, fact)
        };
        if !store::messages::insert(tx, &message, conversation.last_message.as_ref()).await? {
            return Ok(());
        }
        self.count(tx, &sender, &conversation.id, &message, fact).await?;
        self.file(tx, &message, fact).await?;
        self.mind(tx, &sender, &message, fact, &from).await?;
        if !fact.own && crate::numbers::heard(tx, engine, &sender, &fact.content).await? {
            self.followed.files = true;
        }
        let held = fact.file_first && fact.file.is_some();
        let data = MessageData {
            provider_id: Some(fact.provider_id.clone()),
            at: Some(fact.at),
            late: fact.late,
            held,
            ..MessageData::default()
        };
        let kind = if fact.own { events::MESSAGE_ECHOED } else { events::MESSAGE_RECEIVED };
        let note = Note::about(&sender.organization_id, kind, &message)
            .with_fact_id(fact.provider_id.as_str())
            .with_document(fact.document.clone())
            .held(held);
        events::append(tx, engine, note, &data).await.map(drop)
    }

    /// What it means for the conversation and the session.
    async fn count(
        &self,
        tx: &mut Tx,
        sender: &Sender,
        conversation: &Id,
        message: &Message,
        fact: &facts::Message,
    ) -> Result<()> {
        let (provider, now) = (self.engine.provider(&sender.provider), self.engine.now());
        if provider.is_some_and(|provider| provider.sessions().is_some()) {
            store::sessions::touch(tx, &sender.id, now).await?;
        }
        if fact.own {
            return store::conversations::wrote(tx, conversation, &message.id, message.created_at).await;
        }
        let window = provider.and_then(|provider| provider.window());
        let until =
            window.map_or(i64::MAX, |window| fact.at.saturating_add(i64::try_from(window.as_millis()).unwrap_or(0)));
        store::conversations::heard(tx, conversation, &message.id, message.created_at, until, now).await
    }

    /// Whether it is one of the words for not wanting to hear from us, or for wanting to again.
    async fn mind(
        &self,
        tx: &mut Tx,
        sender: &Sender,
        message: &Message,
        fact: &facts::Message,
        from: &[contacts::Address],
    ) -> Result<()> {
        let Content::Text { body, .. } = &fact.content else { return Ok(()) };
        let Some(wanted) = consent::said(self.engine, body).filter(|_| !fact.own) else { return Ok(()) };
        let wish = consent::Wish {
            organization: sender.organization_id,
            addresses: from.to_vec(),
            channel: sender.channel.clone(),
            purpose: consent::MARKETING.into(),
            wanted,
            source: consent::BY_KEYWORD,
            proof: Some(message.id.to_string()),
            region: None,
        };
        consent::enter(tx, self.engine, &wish).await.map(drop)
    }

    /// Who wrote: found by any of the addresses, made when none is known, taught the rest.
    async fn contact(
        &self,
        tx: &mut Tx,
        sender: &Sender,
        from: &[contacts::Address],
        name: Option<&str>,
    ) -> Result<Id> {
        let (engine, organization) = (self.engine, &sender.organization_id);
        let name = name.map(clean_text).filter(|name| !name.is_empty());
        let (contact, fresh) = contacts::ensure(tx, engine, sender, from, name.as_deref()).await?;
        if fresh {
            let note = Note::new(organization, events::CONTACT_CREATED, &contact).of_sender(&sender.id);
            events::append(tx, engine, note, &serde_json::json!({ "source": "inbound" })).await?;
            return Ok(contact);
        }
        if from.len() > 1 && contacts::learn(tx, engine, organization, &contact, from).await? {
            let pairs = from.iter().map(|address| (address.kind.clone(), address.value.clone())).collect();
            let data = events::IdentityData { old: Vec::new(), new: pairs };
            let note = Note::new(organization, events::CONTACT_IDENTITY_UPDATED, &contact).of_sender(&sender.id);
            events::append(tx, engine, note, &data).await?;
        }
        if let Some(name) = name
            && store::contacts::name_if_unknown(tx, &contact, &name, engine.now()).await?
        {
            let note = Note::new(organization, events::CONTACT_UPDATED, &contact).of_sender(&sender.id);
            events::append(tx, engine, note, &serde_json::json!({ "source": "inbound" })).await?;
        }
        Ok(contact)
    }

    /// A file is fetched by a job.
    async fn file(&mut self, tx: &mut Tx, message: &Message, fact: &facts::Message) -> Result<()> {
        let Some(file) = &fact.file else { return Ok(()) };
        let row = Media {
            message_id: message.id,
            organization_id: message.organization_id,
            external_id: Some(clean_text(&file.external_id)),
            mime: clean_text(&file.mime),
            filename: file.filename.as_deref().map(clean_text),
            status: media::PENDING.into(),
            reason: None,
            size: None,
            sha256: None,
            created_at: message.created_at,
            updated_at: message.created_at,
        };
        store::media::insert(tx, &row).await?;
        let job = Job {
            id: message.id,
            organization_id: message.organization_id,
            kind: media::FETCH.into(),
            lane: message.sender_id,
            state: State::Ready,
            attempts: 0,
            due_at: message.created_at,
            called_at: None,
            created_at: message.created_at,
        };
        store::jobs::insert(tx, &job).await?;
        self.followed.files = true;
        Ok(())
    }
}

fn written(id: Id, sender: &Sender, conversation: Id, contact: Id, fact: &facts::Message) -> Message {
    Message {
        id,
        organization_id: sender.organization_id,
        sender_id: sender.id,
        conversation_id: conversation,
        contact_id: contact,
        direction: if fact.own { Direction::Outbound } else { Direction::Inbound },
        kind: clean_text(fact.content.kind()),
        content: fact.content.to_json(),
        reply_to: fact.reply_to.as_deref().map(clean_text),
        address: String::new(),
        status: if fact.own { Status::Sent } else { Status::Delivered },
        receipts: if fact.own { Status::Sent.bit() } else { 0 },
        error: None,
        provider_id: Some(fact.provider_id.clone()),
        chat: String::new(),
        author: String::new(),
        origin: if fact.own { DEVICE } else { PUSH }.into(),
        request_id: None,
        echo: None,
        billing: None,
        created_at: id.millis(),
        updated_at: id.millis(),
    }
}
