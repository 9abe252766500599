//! `callbackUrl`: an address that a caller names with a message, and that hears what its endpoints hear of it. Behind
//! each such address is a subscription that no list shows; it tells of the messages that named it and of nothing else.

use engine::events::Event;
use engine::format::{AttemptInfo, Context, EventFormat, Rendering};
use engine::messages::Echo;
use engine::subscriptions::{self, New, Subscription, WEBHOOK};
use serde_json::json;

use crate::call::Call;
use crate::endpoints;
use crate::errors::Error;
use crate::format;

/// Its name in tables.
pub(crate) const NAME: &str = "ycloud-callback";

/// Sees to it that an address is told.
pub(crate) async fn ensure(call: &Call, url: &str, event: &str) -> Result<(), Error> {
    let new = New {
        organization: call.organization(),
        sender: None,
        dialect: NAME,
        transport: WEBHOOK,
        url: url.to_owned(),
        description: None,
        events: [format::names::SMS_UPDATED, format::names::VOICE_UPDATED, format::names::EMAIL_UPDATED]
            .map(str::to_owned)
            .to_vec(),
        ordered: false,
        options: json!({}),
        secret: Some(endpoints::new_secret(call)),
        headers: Vec::new(),
        most: None,
    };
    debug_assert!(new.events.iter().any(|known| known == event));
    let wish = subscriptions::ensure(call.engine(), new).map_err(|refusal| Error::from(refusal).at("callbackUrl"))?;
    call.perform(wish).await
}

/// What endpoints are told, of which callbacks hear a part: nothing with files.
static TOLD: format::Format = format::Format { media: None };

pub(crate) struct Format;

impl EventFormat for Format {
    fn name(&self) -> &'static str {
        NAME
    }

    fn kinds(&self, name: &str) -> Option<&'static [&'static str]> {
        TOLD.kinds(name)
    }

    fn looks_back(&self) -> bool {
        true
    }

    fn event_name(&self, event: &Event, context: &Context) -> Option<&'static str> {
        TOLD.event_name(event, context)
    }

    fn render<'a>(&'a self, event: &'a Event, context: &'a Context, subscription: &'a Subscription) -> Rendering<'a> {
        let named = context.message.as_ref().and_then(|message| Echo::of(message).callback_url);
        match named.is_some_and(|url| url == subscription.url) {
            true => TOLD.render(event, context, subscription),
            false => Box::pin(async { Ok(None) }),
        }
    }

    fn attempt_headers(&self, attempt: &AttemptInfo<'_>) -> Vec<(String, String)> {
        TOLD.attempt_headers(attempt)
    }
}
