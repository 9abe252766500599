//! How events are told to webhooks: `{id, type, apiVersion, createTime}` and one payload. A body is
//! made once and is the same on every attempt; only the headers of an attempt differ, the signature among them.

mod carried;
mod changes;
mod contacts;
mod messages;
pub(crate) mod names;
mod said;
mod signature;
mod standing;

use std::collections::BTreeMap;

use api::At;
use engine::clock::rfc3339;
use engine::events::{self, Event};
use engine::format::{AttemptInfo, Context, EventFormat, RenderError, Rendered, Rendering};
use engine::subscriptions::Subscription;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::carried::{EMAIL, SMS, VOICE};
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::messages::CHANNEL;
use crate::options::Media;

pub(crate) struct Format {
    /// `None`: nothing is told that has a file.
    pub(crate) media: Option<Media>,
}

impl Format {
    /// The payload's name and itself; `None`: nothing is to be told to this subscriber.
    fn payload(
        &self,
        event: &Event,
        context: &Context,
        subscription: &Subscription,
    ) -> Result<Option<(&'static str, Value)>, RenderError> {
        match event.kind.as_str() {
            events::CONTACT_CREATED => Ok(contacts::made(event, context)),
            events::CONTACT_DELETED => contacts::gone(event).map(Some),
            events::CONTACT_UPDATED => contacts::changed(event, context, subscription),
            events::CONSENT_WITHDRAWN | events::CONSENT_GIVEN => contacts::consent(event),
            events::MESSAGE_RECEIVED if channel(context) == SMS => carried::received(event, context).map(Some),
            events::MESSAGE_RECEIVED => messages::received(event, context, self.media.as_ref()).map(Some),
            events::TEMPLATE_UPDATED => changes::template(event),
            events::SENDER_UPDATED => standing::number(event, context),
            events::ACCOUNT_NOTICE => standing::account(event, context),
            _ if channel(context) == CHANNEL => messages::updated(context).map(Some),
            _ => carried::updated(context).map(Some),
        }
    }
}

impl EventFormat for Format {
    fn name(&self) -> &'static str {
        crate::NAME
    }

    fn kinds(&self, name: &str) -> Option<&'static [&'static str]> {
        names::kinds(name)
    }

    fn looks_back(&self) -> bool {
        true
    }

    fn event_name(&self, event: &Event, context: &Context) -> Option<&'static str> {
        if event.kind.starts_with("message.") {
            return message_name(event, context);
        }
        Some(match event.kind.as_str() {
            events::TEMPLATE_UPDATED => return changes::name(event),
            events::SENDER_UPDATED => return standing::of_number(event),
            events::ACCOUNT_NOTICE => return standing::of_account(event),
            events::CONTACT_CREATED => names::CONTACT_MADE,
            events::CONTACT_DELETED => names::CONTACT_GONE,
            events::CONTACT_UPDATED => names::CONTACT_CHANGED,
            events::CONSENT_WITHDRAWN => names::UNSUBSCRIBED,
            events::CONSENT_GIVEN => names::SUBSCRIBED_AGAIN,
            _ => return None,
        })
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, subscription: &'a Subscription) -> Rendering<'a> {
        Box::pin(async move {
            let Some(name) = self.event_name(event, context) else { return Ok(None) };
            let Some((payload, value)) = self.payload(event, context, subscription)? else { return Ok(None) };
            let id = Noun::Event.spell(&event.id);
            let body = json!({
                "id": id,
                "type": name,
                "apiVersion": "v2",
                "createTime": rfc3339(event.created_at),
                payload: value,
            });
            let headers = vec![
                ("Content-Type".to_owned(), "application/json".to_owned()),
                ("X-Webhook-Endpoint-ID".to_owned(), Noun::Endpoint.spell(&subscription.id)),
            ];
            Ok(Some(Rendered { body: body.to_string().into_bytes(), fact_id: id, headers }))
        })
    }

    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        let secret = attempt.secrets.last().map_or("", String::as_str);
        let signature = signature::sign(attempt.at / 1000, &attempt.delivery.body, secret);
        vec![("YCloud-Signature".to_owned(), signature)]
    }
}

/// By the channel and what happened. Messages of linked accounts belong to no account of this dialect's.
fn message_name(event: &Event, context: &Context) -> Option<&'static str> {
    let sender = context.sender.as_ref()?;
    let of_cloud = sender.channel == CHANNEL && context.session.is_none();
    match event.kind.as_str() {
        events::MESSAGE_RECEIVED if sender.channel == SMS => Some(names::SMS_RECEIVED),
        events::MESSAGE_DELIVERED | events::MESSAGE_FAILED if sender.channel == SMS => Some(names::SMS_UPDATED),
        events::MESSAGE_DELIVERED | events::MESSAGE_FAILED if sender.channel == VOICE => Some(names::VOICE_UPDATED),
        events::MESSAGE_DELIVERED | events::MESSAGE_FAILED if sender.channel == EMAIL => Some(names::EMAIL_UPDATED),
        events::MESSAGE_RECEIVED if of_cloud => Some(names::WHATSAPP_RECEIVED),
        events::MESSAGE_SENT | events::MESSAGE_DELIVERED | events::MESSAGE_READ | events::MESSAGE_FAILED
            if of_cloud =>
        {
            Some(names::WHATSAPP_UPDATED)
        }
        _ => None,
    }
}

fn channel(context: &Context) -> &str {
    context.sender.as_ref().map_or("", |sender| sender.channel.as_str())
}

/// Which attributes of contacts an endpoint wants to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventProperties(Vec<OfEvent>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OfEvent {
    event: String,
    properties: Vec<String>,
}

impl EventProperties {
    pub(crate) const NAME: &str = "eventProperties";

    /// Reads them from a body; without them `contact.attributes_changed` cannot be had.
    pub(crate) fn read(at: &At<'_>, events: &[String]) -> Result<Option<Self>, Error> {
        let given = at.read_nullable(Self::NAME, |at| items(&at))?.flatten();
        let needed = events.iter().any(|event| event == names::CONTACT_CHANGED);
        let has = |given: &Self| given.of(names::CONTACT_CHANGED).is_some();
        if needed && given.as_ref().is_some_and(|given| !has(given)) {
            let why = format!("{} needs the properties that are to be told", names::CONTACT_CHANGED);
            return Err(Error::new(Code::ParamMissing, why).at(Self::NAME));
        }
        Ok(given)
    }

    pub(crate) fn of(&self, event: &str) -> Option<&[String]> {
        self.0.iter().find(|of| of.event == event).map(|of| of.properties.as_slice())
    }

    fn of_subscription(subscription: &Subscription) -> Self {
        let options: BTreeMap<String, Value> = serde_json::from_str(&subscription.options).unwrap_or_default();
        options.get(Self::NAME).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
    }
}

fn items(at: &At<'_>) -> Result<EventProperties, Error> {
    let mut all = Vec::new();
    for item in at.items(0..=20)? {
        let event = item.need("event")?.string(1..=100)?;
        let properties = item.need("properties")?.items(1..=100)?;
        let properties = properties.iter().map(|name| name.string(1..=100)).collect::<Result<_, _>>()?;
        all.push(OfEvent { event, properties });
    }
    Ok(EventProperties(all))
}

/// What is kept with an event.
fn kept<T: serde::de::DeserializeOwned>(event: &Event) -> Result<T, RenderError> {
    serde_json::from_str(&event.data).map_err(|error| RenderError(error.to_string()))
}
