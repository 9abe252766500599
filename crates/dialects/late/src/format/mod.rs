//! How events are told to webhooks: one flat object with `id`, `event`, what it is about, and `timestamp`. A body is made
//! once and is the same on every attempt; so is its signature, which covers nothing but the body.

mod around;
mod changes;
mod messages;
mod metadata;
pub(crate) mod names;
mod signature;
mod subject;

use engine::clock::rfc3339;
use engine::content::Content;
use engine::events::{self, Event};
use engine::format::{AttemptInfo, Context, EventFormat, RenderError, Rendered, Rendering};
use engine::messages::Message;
use engine::subscriptions::Subscription;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::call::CHANNEL;
use crate::options::MediaLinks;

pub(crate) struct Format {
    pub(crate) media_links: MediaLinks,
}

/// The members of a body between `event` and `timestamp`.
type Members = Map<String, Value>;

impl Format {
    fn members(&self, name: &str, event: &Event, context: &Context) -> Result<Members, RenderError> {
        match event.kind.as_str() {
            events::TEMPLATE_UPDATED | events::ACCOUNT_NOTICE => changes::template(name, event, context),
            events::SENDER_UPDATED if name == names::NAME_REVIEWED => changes::display_name(event, context),
            events::SENDER_UPDATED | events::SESSION_CHANGED => changes::standing(name, event, context),
            events::CONVERSATION_STARTED => around::started(context),
            kind if kind.starts_with("number.") => changes::number(event),
            _ => messages::told(name, self, event, context),
        }
    }
}

/// Puts the members of an event into its envelope.
pub(crate) fn envelope(id: &str, name: &str, members: Members, timestamp: i64) -> Rendered {
    let mut body = Map::new();
    body.insert("id".into(), id.into());
    body.insert("event".into(), name.into());
    body.extend(members);
    body.insert("timestamp".into(), rfc3339(timestamp).into());
    let headers = [("Content-Type", "application/json"), ("X-Zernio-Event", name), ("X-Zernio-Event-Id", id)];
    Rendered {
        body: Value::Object(body).to_string().into_bytes(),
        fact_id: id.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

impl EventFormat for Format {
    fn name(&self) -> &'static str {
        crate::NAME
    }

    fn kinds(&self, name: &str) -> Option<&'static [&'static str]> {
        names::kinds(name)
    }

    /// Other channels' messages are none of this dialect's.
    fn event_name(&self, event: &Event, context: &Context) -> Option<&'static str> {
        let other = context.sender.as_ref().is_some_and(|sender| sender.channel != CHANNEL);
        names::of(event, context).filter(|_| !other)
    }

    fn refers_to(&self, event: &Event, message: &Message) -> Option<String> {
        let heard = [events::MESSAGE_RECEIVED, events::MESSAGE_ECHOED].contains(&event.kind.as_str());
        match Content::parse(&message.content).ok()? {
            Content::Reaction { target, .. } => Some(target),
            Content::Native(native) if heard => subject::of(&native).map(str::to_owned),
            _ if heard => message.reply_to.clone(),
            _ => None,
        }
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, _: &'a Subscription) -> Rendering<'a> {
        Box::pin(async move {
            let Some(name) = self.event_name(event, context) else { return Ok(None) };
            let members = self.members(name, event, context)?;
            Ok(Some(envelope(&event.id.hex24(), name, members, event.created_at)))
        })
    }

    /// The older name is read by clients of the time when the product was called Late.
    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        let Some(secret) = attempt.secrets.last() else { return Vec::new() };
        let signature = signature::sign(&attempt.delivery.body, secret);
        ["X-Zernio-Signature", "X-Late-Signature"].map(|name| (name.to_owned(), signature.clone())).into()
    }
}

/// What is kept with an event.
fn kept<T: DeserializeOwned>(event: &Event) -> Result<T, RenderError> {
    serde_json::from_str(&event.data).map_err(|error| RenderError(error.to_string()))
}

/// A part of Meta's own words for an event, where it came from there.
fn said(event: &Event, place: &str) -> Option<Value> {
    let document = event.document.as_ref().filter(|document| document.format == meta_wire::FORMAT)?;
    let document: Value = serde_json::from_slice(&document.bytes).ok()?;
    document.pointer(&format!("/entry/0/changes/0{place}")).cloned()
}

/// Members of an object.
fn members(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        _ => Members::new(),
    }
}
