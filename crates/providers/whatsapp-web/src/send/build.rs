//! What is sent, in the protocol's own message. Files are uploaded before (`files`); everything else is pure.

use waproto::buffa::MessageField;
use waproto::whatsapp as wa;
use waproto::whatsapp::message as parts;
use web_wire::jid::Jid;
use web_wire::send::{Body, Context, Event, List, Media, Preview, Quoted, Target};

use super::cards;
use super::files::Uploaded;
use super::quote;

/// A message that cannot be built; in words for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unbuildable(pub String);

/// What a message is built for.
pub(crate) struct Build<'a> {
    pub chat: &'a Jid,
    /// Our own address, which replies name.
    pub me: &'a Jid,
    pub context: Option<&'a Context>,
    /// Seconds.
    pub expires_in: Option<u32>,
    /// Milliseconds.
    pub now: i64,
    /// 32 unpredictable bytes for what others answer to in secret (polls, events).
    pub secret: [u8; 32],
    /// The uploaded files, in the order of `Body::files`.
    pub files: Vec<Uploaded>,
}

impl Build<'_> {
    pub(crate) fn message(mut self, body: &Body) -> Result<wa::Message, Unbuildable> {
        match body {
            Body::Text { text, preview } => self.text(text, preview.as_ref()),
            Body::Media(media) => self.media(media),
            Body::Location { latitude, longitude, name } => Ok(wa::Message {
                location_message: MessageField::some(parts::LocationMessage {
                    degrees_latitude: Some(*latitude),
                    degrees_longitude: Some(*longitude),
                    name: name.clone(),
                    context_info: self.context()?,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Body::Contact { name, vcard } => Ok(wa::Message {
                contact_message: MessageField::some(parts::ContactMessage {
                    display_name: Some(name.clone()),
                    vcard: Some(vcard.clone()),
                    context_info: self.context()?,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Body::Poll { question, options, choices } => self.poll(question, options, *choices),
            Body::Event(event) => self.event(event),
            Body::List(list) => self.list(list),
            Body::Interactive(card) => {
                let interactive = cards::interactive(card, self.files.pop(), self.context()?);
                Ok(wa::Message { interactive_message: MessageField::some(interactive), ..Default::default() })
            }
            Body::Carousel { text, cards } => {
                let context = self.context()?;
                let carousel = cards::carousel(text, cards, self.files, context);
                Ok(wa::Message { interactive_message: MessageField::some(carousel), ..Default::default() })
            }
            Body::Reaction { target, emoji } => Ok(wa::Message {
                reaction_message: MessageField::some(parts::ReactionMessage {
                    key: MessageField::some(key(self.chat, target)),
                    text: Some(emoji.clone()),
                    sender_timestamp_ms: Some(self.now),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Body::Edit { text, .. } => self.text(text, None),
            Body::Revoke { .. } => Err(Unbuildable("a deletion has no content".into())),
        }
    }

    fn text(&self, text: &str, preview: Option<&Preview>) -> Result<wa::Message, Unbuildable> {
        let context = self.context()?;
        if preview.is_none() && !context.is_set() {
            return Ok(wa::Message { conversation: Some(text.to_owned()), ..Default::default() });
        }
        let mut extended =
            parts::ExtendedTextMessage { text: Some(text.to_owned()), context_info: context, ..Default::default() };
        if let Some(preview) = preview {
            extended.matched_text = Some(preview.url.clone());
            extended.title.clone_from(&preview.title);
            extended.description.clone_from(&preview.description);
            extended.jpeg_thumbnail = preview.thumbnail.as_deref().map(bytes_of).transpose()?;
        }
        Ok(wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() })
    }

    fn media(&mut self, media: &Media) -> Result<wa::Message, Unbuildable> {
        let file = self.files.pop().ok_or_else(|| Unbuildable("the file is missing".into()))?;
        let message = super::files::message(media, file, self.context()?)?;
        Ok(match media.view_once {
            true => wa::Message {
                view_once_message_v2: MessageField::some(parts::FutureProofMessage {
                    message: MessageField::some(message),
                }),
                ..Default::default()
            },
            false => message,
        })
    }

    fn poll(&self, question: &str, options: &[String], choices: u32) -> Result<wa::Message, Unbuildable> {
        let option = |name: &String| parts::poll_creation_message::Option {
            option_name: Some(name.clone()),
            ..Default::default()
        };
        let poll = MessageField::some(parts::PollCreationMessage {
            name: Some(question.to_owned()),
            options: options.iter().map(option).collect(),
            selectable_options_count: Some(choices),
            context_info: self.context()?,
            ..Default::default()
        });
        // The protocol has one form for a single choice and another for several.
        Ok(match choices {
            1 => wa::Message {
                poll_creation_message_v3: poll,
                message_context_info: self.secret(),
                ..Default::default()
            },
            _ => wa::Message { poll_creation_message: poll, message_context_info: self.secret(), ..Default::default() },
        })
    }

    fn event(&self, event: &Event) -> Result<wa::Message, Unbuildable> {
        let place = event.place.as_ref().map(|place| parts::LocationMessage {
            name: place.name.clone(),
            degrees_latitude: place.latitude,
            degrees_longitude: place.longitude,
            ..Default::default()
        });
        let message = parts::EventMessage {
            name: Some(event.name.clone()),
            description: event.description.clone(),
            start_time: Some(event.starts_at),
            end_time: event.ends_at,
            extra_guests_allowed: Some(event.extra_guests),
            is_canceled: Some(event.cancelled),
            is_schedule_call: Some(event.call),
            location: place.map(MessageField::some).unwrap_or_default(),
            context_info: self.context()?,
            ..Default::default()
        };
        Ok(wa::Message {
            event_message: MessageField::some(message),
            message_context_info: self.secret(),
            ..Default::default()
        })
    }

    fn list(&self, list: &List) -> Result<wa::Message, Unbuildable> {
        let row = |row: &web_wire::send::Row| parts::list_message::Row {
            title: Some(row.title.clone()),
            description: Some(row.description.clone()),
            row_id: Some(row.id.clone()),
        };
        let section = |section: &web_wire::send::Section| parts::list_message::Section {
            title: Some(section.title.clone()),
            rows: section.rows.iter().map(row).collect(),
        };
        Ok(wa::Message {
            list_message: MessageField::some(parts::ListMessage {
                title: list.title.clone(),
                description: Some(list.text.clone()),
                button_text: Some(list.button.clone()),
                list_type: Some(parts::list_message::ListType::SINGLE_SELECT),
                sections: list.sections.iter().map(section).collect(),
                footer_text: list.footer.clone(),
                context_info: self.context()?,
                ..Default::default()
            }),
            ..Default::default()
        })
    }

    fn secret(&self) -> MessageField<wa::MessageContextInfo> {
        MessageField::some(wa::MessageContextInfo { message_secret: Some(self.secret.to_vec()), ..Default::default() })
    }

    /// Unset when there is nothing to say.
    fn context(&self) -> Result<MessageField<wa::ContextInfo>, Unbuildable> {
        let context = self.context.cloned().unwrap_or_default();
        if context == Context::default() && self.expires_in.is_none() {
            return Ok(MessageField::none());
        }
        let mut info = wa::ContextInfo {
            mentioned_jid: context.mentions.iter().map(Jid::to_string).collect(),
            non_jid_mentions: context.mention_all.then_some(1),
            is_forwarded: context.forwarded.then_some(true),
            forwarding_score: context.forwarded.then_some(1),
            expiration: self.expires_in,
            ..Default::default()
        };
        if let Some(reply) = &context.reply_to {
            self.answer(&mut info, reply)?;
        }
        Ok(MessageField::some(info))
    }

    fn answer(&self, info: &mut wa::ContextInfo, reply: &Quoted) -> Result<(), Unbuildable> {
        let other = || if self.chat.is_person() { self.chat } else { self.me };
        info.stanza_id = Some(reply.id.clone());
        info.participant = Some(reply.author.as_ref().unwrap_or_else(other).bare().to_string());
        info.quoted_message = MessageField::some(match &reply.message {
            Some(message) => quote::read(message).map_err(Unbuildable)?,
            None => wa::Message { conversation: Some(String::new()), ..Default::default() },
        });
        Ok(())
    }
}

/// The protocol's name for a message in a chat.
pub(crate) fn key(chat: &Jid, target: &Target) -> wa::MessageKey {
    wa::MessageKey {
        remote_jid: Some(chat.to_string()),
        from_me: Some(target.own),
        id: Some(target.id.clone()),
        participant: target.author.as_ref().filter(|_| !chat.is_person()).map(|author| author.bare().to_string()),
    }
}

/// What stands in base64.
pub(crate) fn bytes_of(base64: &str) -> Result<Vec<u8>, Unbuildable> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(base64);
    decoded.map_err(|_| Unbuildable("a picture is not base64".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build<'a>(chat: &'a Jid, context: Option<&'a Context>) -> Build<'a> {
        Build { chat, me: chat, context, expires_in: None, now: 5, secret: [7; 32], files: Vec::new() }
    }

    #[test]
    fn plain_text_is_a_conversation_and_grows_with_its_context() {
        let chat: Jid = "551@s.whatsapp.net".parse().unwrap();
        let text = Body::Text { text: "hi".into(), preview: None };
        assert_eq!(build(&chat, None).message(&text).unwrap().conversation.as_deref(), Some("hi"));
        let reply = Quoted { id: "A1".into(), author: None, message: None };
        let context = Context { reply_to: Some(reply), forwarded: true, ..Context::default() };
        let message = build(&chat, Some(&context)).message(&text).unwrap();
        let extended = message.extended_text_message.as_option().unwrap();
        let info = extended.context_info.as_option().unwrap();
        assert_eq!(extended.text.as_deref(), Some("hi"));
        assert_eq!(info.participant.as_deref(), Some("551@s.whatsapp.net"));
        assert_eq!((info.stanza_id.as_deref(), info.is_forwarded), (Some("A1"), Some(true)));
    }

    #[test]
    fn polls_and_events_carry_a_secret() {
        let chat: Jid = "1-2@g.us".parse().unwrap();
        for (choices, single) in [(1, true), (0, false)] {
            let poll = Body::Poll { question: "?".into(), options: vec!["a".into(), "b".into()], choices };
            let message = build(&chat, None).message(&poll).unwrap();
            assert_eq!(message.poll_creation_message_v3.is_set(), single);
            assert_eq!(message.poll_creation_message.is_set(), !single);
            let info = message.message_context_info.as_option().unwrap();
            assert_eq!(info.message_secret.as_deref(), Some(&[7; 32][..]));
        }
    }

    #[test]
    fn reactions_name_the_author_in_groups_only() {
        let (group, person): (Jid, Jid) = ("1@g.us".parse().unwrap(), "2@s.whatsapp.net".parse().unwrap());
        let target = Target { id: "A".into(), own: false, author: Some(person.clone()) };
        assert_eq!(key(&group, &target).participant.as_deref(), Some("2@s.whatsapp.net"));
        assert_eq!(key(&person, &target).participant, None);
    }
}
