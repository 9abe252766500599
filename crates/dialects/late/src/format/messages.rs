//! Messages, what became of them, and reactions to them.

use engine::clock::rfc3339;
use engine::content::{Content, MediaKind, Source};
use engine::events::{Event, MessageData};
use engine::failure::Failure;
use engine::format::{Context, RenderError};
use engine::messages::{Direction, Message, Status};
use serde_json::{Value, json};

use super::around::{PLATFORM, account, conversation, gone, participant, sender};
use super::{Format, Members, kept, members, metadata, names, said, subject};

/// How long the link to a file works: as long as a delivery may be on its way, and some days more.
const LINK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Where messages come from that another device of ours sent.
const DEVICE: &str = "device";

/// One event about a message.
struct Telling<'a> {
    format: &'a Format,
    event: &'a Event,
    context: &'a Context,
    message: &'a Message,
    content: Content,
    data: MessageData,
}

pub(super) fn told(name: &str, format: &Format, event: &Event, context: &Context) -> Result<Members, RenderError> {
    let message = context.message.as_ref().ok_or_else(|| gone("message"))?;
    let content = Content::parse(&message.content).map_err(|error| RenderError(error.to_string()))?;
    let telling = Telling { format, event, context, message, content, data: kept(event)? };
    let mut told = telling.members(name)?;
    told.insert("conversation".into(), conversation(context)?);
    told.insert("account".into(), account(sender(context)?));
    Ok(told)
}

impl Telling<'_> {
    fn members(&self, name: &str) -> Result<Members, RenderError> {
        Ok(match name {
            names::REACTION => members(json!({ "reaction": self.reaction()? })),
            names::EDITED => self.edited()?,
            names::DELETED => members(json!({ "message": self.subject()?, "deletedAt": self.at() })),
            names::RECEIVED | names::SENT => self.message_and_metadata(name)?,
            _ => {
                let error = self.data.failure.as_ref().filter(|_| name == names::FAILED).map(|it| self.error(it));
                members(json!({ "message": self.whole()?, "statusAt": self.at(), "error": error }))
            }
        })
    }

    /// When it happened by WhatsApp's clock, where that is known.
    fn at(&self) -> String {
        rfc3339(self.data.at.unwrap_or(self.event.created_at))
    }

    fn message_and_metadata(&self, name: &str) -> Result<Members, RenderError> {
        let mut message = self.whole()?;
        message["sentVia"] = Value::Null;
        if name == names::SENT {
            let by_us = self.message.origin != DEVICE;
            message["source"] = if by_us { "cloud_api" } else { "whatsapp_business_app" }.into();
            message["sentVia"] = if by_us { "api".into() } else { Value::Null };
        }
        let mut told = members(json!({ "message": message }));
        let metadata = metadata::of(self.message, &self.content, self.event, self.context.referred.as_ref());
        if !metadata.is_empty() {
            told.insert("metadata".into(), metadata.into());
        }
        Ok(told)
    }

    /// The message itself.
    fn whole(&self) -> Result<Value, RenderError> {
        let sent_at = match self.message.direction {
            Direction::Inbound => self.at(),
            Direction::Outbound => rfc3339(self.message.created_at),
        };
        self.shape(self.message, &self.content, sent_at)
    }

    fn shape(&self, message: &Message, content: &Content, sent_at: String) -> Result<Value, RenderError> {
        let incoming = message.direction == Direction::Inbound;
        Ok(json!({
            "id": message.id.hex24(),
            "conversationId": message.conversation_id.hex24(),
            "platform": PLATFORM,
            "platformMessageId": message.provider_id.as_deref().unwrap_or_default(),
            "direction": if incoming { "incoming" } else { "outgoing" },
            "text": metadata::text(content),
            "attachments": self.attachments(message, content),
            "sender": self.sender(message)?,
            "sentAt": sent_at,
            "isRead": !incoming && message.status >= Status::Read,
        }))
    }

    /// Whoever wrote it: for our own messages the account, for which no contact stands.
    fn sender(&self, message: &Message) -> Result<Value, RenderError> {
        if message.direction == Direction::Outbound {
            let sender = sender(self.context)?;
            return Ok(json!({ "id": sender.id.hex24(), "name": sender.name, "username": sender.address }));
        }
        let contact = self.context.contact.as_ref();
        let phone = contact.and_then(|contact| contact.phone.clone());
        let phone = phone.or_else(|| message.address.starts_with('+').then(|| message.address.clone()));
        let mut told = members(json!({
            "id": participant(phone.as_deref().unwrap_or(&message.address)),
            "contactId": message.contact_id.hex24(),
            "phoneNumber": phone,
        }));
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value.filter(Value::is_string) {
                told.insert(name.to_owned(), value);
            }
        };
        put("name", contact.and_then(|contact| contact.name.clone()).map(Value::from));
        put("businessScopedUserId", said(self.event, "/value/messages/0/from_user_id"));
        put("parentBusinessScopedUserId", said(self.event, "/value/messages/0/from_parent_user_id"));
        put("whatsappUsername", said(self.event, "/value/contacts/0/profile/username"));
        Ok(Value::Object(told))
    }

    fn attachments(&self, message: &Message, content: &Content) -> Vec<Value> {
        let Content::Media(media) = content else { return Vec::new() };
        let link = match (&media.source, message.direction) {
            (_, Direction::Inbound) => (self.format.media_links)(&message.id, self.event.created_at + LINK_MS),
            (Source::Link(link), Direction::Outbound) => link.clone(),
            (Source::Id(_), Direction::Outbound) => return Vec::new(),
        };
        let kind = match media.kind {
            MediaKind::Document => "file",
            other => other.as_str(),
        };
        let mut payload = members(json!({ "mimeType": media.mime, "filename": media.filename }));
        payload.retain(|_, member| !member.is_null());
        vec![json!({ "type": kind, "url": link, "payload": payload })]
    }

    fn error(&self, failure: &Failure) -> Value {
        let said = |member: &str| said(self.event, &format!("/value/statuses/0/errors/0/{member}"));
        let title = said("title").unwrap_or_else(|| failure.message.as_str().into());
        let mut told = members(json!({
            "code": failure.provider_code,
            "title": title,
            "message": failure.message,
            "details": failure.details,
            "href": said("href"),
        }));
        told.retain(|_, member| !member.is_null());
        Value::Object(told)
    }

    fn reaction(&self) -> Result<Value, RenderError> {
        let Content::Reaction { target, emoji } = &self.content else {
            return Err(RenderError("it is not a reaction".into()));
        };
        let mut told = json!({
            "emoji": emoji,
            "action": if emoji.is_empty() { "removed" } else { "added" },
            "platformMessageId": target,
            "sender": self.sender(self.message)?,
            "reactedAt": self.at(),
        });
        if let Some(referred) = &self.context.referred {
            told["messageId"] = referred.id.hex24().into();
        }
        Ok(told)
    }

    /// The message that was changed or taken back, as far as we have it.
    fn subject(&self) -> Result<Value, RenderError> {
        match &self.context.referred {
            Some(message) => {
                let content = Content::parse(&message.content).map_err(|error| RenderError(error.to_string()))?;
                self.shape(message, &content, rfc3339(message.created_at))
            }
            None => {
                let mut told = self.whole()?;
                if let Content::Native(native) = &self.content {
                    told["platformMessageId"] = subject::of(native).into();
                }
                Ok(told)
            }
        }
    }

    fn edited(&self) -> Result<Members, RenderError> {
        let mut message = self.subject()?;
        let before = json!({ "text": message["text"], "attachments": message["attachments"], "editedAt": self.at() });
        if let Content::Native(native) = &self.content {
            message["text"] = subject::text(native).into();
        }
        let history: Vec<Value> = self.context.referred.iter().map(|_| before.clone()).collect();
        Ok(members(json!({ "message": message, "editHistory": history, "editCount": 1, "editedAt": self.at() })))
    }
}
