//! How events are told to webhooks.
//!
//! What happened is kept in the words of this family (`web_wire::event`); here it gets an envelope, and the file that
//! came with it where the user wants files. A body is made once and is the same on every attempt. Which events a user
//! gets is decided by the names he subscribed to (`All` is every one) and by his skip flags. The operator's own webhook
//! gets the same of all users who do not object, in JSON always.

mod echo;
mod envelope;
mod file;
mod happening;
mod receipts;
mod sent;
mod signature;
mod skips;

use engine::events::{self, Event};
use engine::format::{AttemptInfo, Context, EventFormat, RenderError, Rendered, Rendering};
use engine::subscriptions::Subscription;
use web_wire::event::{BEYOND, Happening, NAMES, in_zone};

use envelope::Letter;

use crate::global;
use crate::options::{Encoding, Options};
use crate::settings::Settings;
use crate::webhook::ALL;

/// The engine's kinds of events that users hear of.
const KINDS: &[&str] =
    &[events::MESSAGE_RECEIVED, events::MESSAGE_ECHOED, events::MESSAGE_SUBMITTED, events::SESSION_NOTICE];

pub(crate) struct Format {
    options: Options,
}

impl Format {
    pub(crate) fn new(options: &Options) -> Self {
        Self { options: options.clone() }
    }

    async fn told(
        &self,
        event: &Event,
        context: &Context,
        subscription: &Subscription,
    ) -> Result<Option<Rendered>, RenderError> {
        let sender = context.sender.as_ref().ok_or_else(|| RenderError("the account was deleted".into()))?;
        let (settings, global) = (Settings::of(sender), global::is_global(subscription));
        if global && settings.global.skip_global_webhook {
            return Ok(None);
        }
        let happening = happening::of(&self.options, &settings, event, context).await?;
        let asked_for = happening.and_then(|happening| receipts::as_asked(&subscription.events, happening));
        let Some(mut happening) = asked_for.filter(|happening| !skips::leaves_out(&settings.skips, happening)) else {
            return Ok(None);
        };
        if !settings.skips.media && !self.options.skip_media {
            file::add(&self.options, context, &mut happening).await;
        }
        in_zone(&mut happening.event, &|time| self.options.zone.offset(time));
        let letter = Letter { options: &self.options, sender, event, context, global };
        let mut headers = self.headers(&letter, &happening);
        let (kind, body) = match self.options.webhooks.encoding {
            Encoding::Form if !global => (FORM, letter.form(happening)),
            _ => (JSON, letter.json(happening).to_string()),
        };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
        Ok(Some(Rendered { headers, body: body.into_bytes(), fact_id: event.id.hex32() }))
    }

    /// Beside the type of the body. The token is in none of them.
    fn headers(&self, letter: &Letter<'_>, happening: &Happening) -> Vec<(String, String)> {
        let id = letter.event.id.hex32();
        let mut all = vec![("Accept", JSON), ("User-Agent", "DIGIGO-Webhook/1.0"), ("X-Event-ID", &id)];
        let user = letter.sender.id.hex32();
        if self.options.webhooks.identity_headers {
            all.extend([
                ("X-DIGIGO-BaseURL", self.options.public_url.as_str()),
                ("X-DIGIGO-UserID", &user),
                ("X-DIGIGO-UserJID", identity(letter.context, "jid")),
                ("X-DIGIGO-EventType", &happening.kind),
            ]);
        }
        let sendable = all.into_iter().filter(|(_, value)| value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        sendable.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What the provider says of who the account is; nothing where it does not.
fn identity<'a>(context: &'a Context, name: &str) -> &'a str {
    let identity = context.session.as_ref().and_then(|session| session.identity.as_ref());
    identity.and_then(|identity| identity[name].as_str()).unwrap_or_default()
}

/// One of the names this family knows, for as long as the program runs.
fn known(name: &str) -> Option<&'static str> {
    NAMES.iter().chain(BEYOND.iter()).find(|known| **known == name).copied()
}

impl EventFormat for Format {
    fn name(&self) -> &'static str {
        crate::NAME
    }

    /// Names that we do not know may come to be known: they are taken.
    fn kinds(&self, _: &str) -> Option<&'static [&'static str]> {
        Some(KINDS)
    }

    fn event_name(&self, event: &Event, _: &Context) -> Option<&'static str> {
        happening::name_of(event).and_then(|name| known(&name))
    }

    fn wants(&self, events: &[String], name: &str) -> bool {
        events.iter().any(|event| event == ALL || event == name) || receipts::wanted(events, name)
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, subscription: &'a Subscription) -> Rendering<'a> {
        Box::pin(self.told(event, context, subscription))
    }

    /// Signed with the key of the moment, so that an old delivery can be checked with a new key.
    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        let key = self.options.webhooks.hmac_key.as_ref();
        key.map(|key| signature::header(key, &attempt.delivery.body)).into_iter().collect()
    }
}
