//! How an event is wrapped (reference: digigo-events §1.1–1.3). Keys stand in order, as Go prints maps.

use engine::events::Event;
use engine::format::Context;
use engine::senders::Sender;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use web_wire::event::Happening;

use crate::options::{Envelope, Options};

/// What the operator's own webhook reads who is speaking by.
const SOURCE: &str = "digigo-global";

/// Whose event it is, and to whom it is told.
pub(super) struct Letter<'a> {
    pub options: &'a Options,
    pub sender: &'a Sender,
    pub event: &'a Event,
    pub context: &'a Context,
    /// To the operator's own webhook.
    pub global: bool,
}

impl Letter<'_> {
    /// In the envelope that the operator chose.
    pub(super) fn json(&self, happening: Happening) -> Value {
        let mut all = match self.options.webhooks.envelope {
            Envelope::Nested => self.nested(happening),
            Envelope::Flat => self.flat(happening),
        };
        if self.global {
            put(&mut all, [("source", SOURCE), ("token", self.token()), ("userToken", self.token())]);
        }
        sorted(all)
    }

    /// As a form; whatever the envelope, it holds the event, its name and what stands beside it.
    pub(super) fn form(&self, happening: Happening) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("instanceName", self.name());
        form.append_pair("jsonData", &sorted(data(happening)).to_string());
        form.append_pair("token", self.token());
        form.append_pair("userID", &self.sender.id.hex32());
        form.finish()
    }

    fn nested(&self, happening: Happening) -> Map<String, Value> {
        let kind = happening.kind.clone();
        let mut all = Map::new();
        put(
            &mut all,
            [
                ("baseURL", self.options.public_url.as_str()),
                ("businessName", self.identity("business_name")),
                ("eventType", &kind),
                ("pushName", self.identity("push_name")),
                ("token", self.token()),
                ("userID", &self.sender.id.hex32()),
                ("userJID", self.identity("jid")),
                ("userName", self.name()),
            ],
        );
        all.insert("data".into(), sorted(data(happening)));
        all.insert("timestamp".into(), json!(self.event.created_at / 1000));
        all
    }

    fn flat(&self, happening: Happening) -> Map<String, Value> {
        let mut all = data(happening);
        put(&mut all, [("instanceName", self.name()), ("userID", &self.sender.id.hex32())]);
        all
    }

    fn name(&self) -> &str {
        self.sender.name.as_deref().unwrap_or_default()
    }

    fn token(&self) -> &str {
        self.context.token.as_ref().map(|token| token.expose_secret()).unwrap_or_default()
    }

    fn identity(&self, name: &str) -> &str {
        super::identity(self.context, name)
    }
}

/// The event, its name and what stands beside it.
fn data(happening: Happening) -> Map<String, Value> {
    let mut all = happening.extras;
    all.insert("event".into(), happening.event);
    all.insert("type".into(), json!(happening.kind));
    all
}

fn put<const N: usize>(all: &mut Map<String, Value>, members: [(&str, &str); N]) {
    all.extend(members.map(|(name, text)| (name.to_owned(), json!(text))));
}

fn sorted(members: Map<String, Value>) -> Value {
    let mut members: Vec<(String, Value)> = members.into_iter().collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(members.into_iter().collect())
}

#[cfg(test)]
pub(super) mod tests;
