//! How events are told to webhooks.
//!
//! Two kinds of bodies. What WhatsApp told us (`source: meta`) goes on in its own bytes; to an incoming
//! message a `kirim` block is added as the last member, by splicing, so that Meta's part stays byte for
//! byte. What only we know (`source: kirim`) has an envelope of ours. A body is made once and is the same
//! on every attempt; only the headers of an attempt differ, the signature among them.

mod meta;
mod native;
mod signature;

use engine::events::{self, Event};
use engine::format::{AttemptInfo, Context, EventFormat, RenderError, Rendered, Rendering};
use engine::subscriptions::Subscription;

use crate::ids::Noun;
use crate::options::Options;

pub(crate) struct Format {
    options: Options,
}

/// Who made the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Meta,
    Kirim,
}

/// A name of ours, who speaks, and the engine's kinds of events behind it.
type Name = (&'static str, Source, &'static [&'static str]);

const NAMES: [Name; 9] = [
    ("message.received", Source::Meta, &[events::MESSAGE_RECEIVED]),
    (
        "message.status",
        Source::Meta,
        &[
            events::MESSAGE_SENT,
            events::MESSAGE_DELIVERED,
            events::MESSAGE_READ,
            events::MESSAGE_PLAYED,
            events::MESSAGE_FAILED,
        ],
    ),
    ("message.created", Source::Kirim, &[events::MESSAGE_CREATED]),
    ("message.sent", Source::Kirim, &[events::MESSAGE_SUBMITTED]),
    ("conversation.assigned", Source::Kirim, &[events::CONVERSATION_ASSIGNED]),
    ("conversation.closed", Source::Kirim, &[events::CONVERSATION_CLOSED]),
    ("contact.created", Source::Kirim, &[events::CONTACT_CREATED]),
    ("contact.updated", Source::Kirim, &[events::CONTACT_UPDATED]),
    ("contact.identity_updated", Source::Kirim, &[events::CONTACT_IDENTITY_UPDATED]),
];

fn told_as(event: &Event) -> Option<&'static Name> {
    NAMES.iter().find(|(_, _, kinds)| kinds.contains(&event.kind.as_str()))
}

impl Format {
    pub(crate) fn new(options: &Options) -> Self {
        Self { options: options.clone() }
    }

    fn headers(name: &Name, fact_id: &str) -> Vec<(String, String)> {
        let source = match name.1 {
            Source::Meta => "meta",
            Source::Kirim => "kirim",
        };
        let headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Kirim-Webhook/1.0"),
            ("X-Kirim-Source", source),
            ("X-Kirim-Event", name.0),
            ("X-Kirim-Event-Id", fact_id),
        ];
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn told(&self, event: &Event, context: &Context) -> Result<Rendered, RenderError> {
        let name = told_as(event).ok_or_else(|| RenderError(format!("there is no word for {}", event.kind)))?;
        let (fact_id, body) = match (name.1, event.kind.as_str()) {
            (Source::Kirim, _) => (Noun::Event.spell(&event.id), native::body(name.0, event, context)?),
            (Source::Meta, events::MESSAGE_RECEIVED) => meta::received(&self.options, event, context)?,
            (Source::Meta, _) => meta::status(event, context)?,
        };
        Ok(Rendered { headers: Self::headers(name, &fact_id), body, fact_id })
    }
}

impl EventFormat for Format {
    fn name(&self) -> &'static str {
        crate::NAME
    }

    fn kinds(&self, name: &str) -> Option<&'static [&'static str]> {
        NAMES.iter().find(|(known, ..)| *known == name).map(|(_, _, kinds)| *kinds)
    }

    /// Other channels' messages are none of this dialect's.
    fn event_name(&self, event: &Event, context: &Context) -> Option<&'static str> {
        let other = context.sender.as_ref().is_some_and(|sender| sender.channel != crate::call::CHANNEL);
        told_as(event).filter(|_| !other).map(|(name, ..)| *name)
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, _: &'a Subscription) -> Rendering<'a> {
        Box::pin(async move { self.told(event, context).map(Some) })
    }

    /// `X-Kirim-Replay: true` is an addition of ours: it marks a delivery that was asked for again.
    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        let mut headers = vec![
            ("X-Kirim-Delivery-Id".to_owned(), Noun::Delivery.spell(&attempt.delivery.id)),
            ("X-Kirim-Attempt".to_owned(), attempt.number.to_string()),
            (
                "X-Kirim-Signature".to_owned(),
                signature::sign(attempt.at / 1000, &attempt.delivery.body, attempt.secrets),
            ),
        ];
        if attempt.replay {
            headers.push(("X-Kirim-Replay".to_owned(), "true".to_owned()));
        }
        headers
    }
}

/// The message that an event is about.
fn message_of(context: &Context) -> Result<&engine::messages::Message, RenderError> {
    context.message.as_ref().ok_or_else(|| RenderError("the message was deleted".into()))
}
