//! What Stripe tells us of sessions.

use engine::numbers::{Paid, Standing};
use engine::provider::{Push, PushError, Pushed};
use engine::{Engine, Id};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;

use crate::api::CheckoutSession;
use crate::{Stripe, signature};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

impl Push for Stripe {
    fn handshake<'a>(
        &'a self,
        _: &'a Engine,
        _: Option<&'a str>,
        _: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<String, PushError>> {
        Box::pin(async { Err(PushError::Unreadable("nothing of the kind is asked here".to_owned())) })
    }

    fn receive<'a>(&'a self, engine: &'a Engine, push: Pushed<'a>) -> BoxFuture<'a, Result<(), PushError>> {
        Box::pin(self.take(engine, push))
    }
}

impl Stripe {
    async fn take(&self, engine: &Engine, push: Pushed<'_>) -> Result<(), PushError> {
        let header = (push.header)("stripe-signature").unwrap_or_default();
        let secret = self.options.webhook_secret.expose_secret();
        if !signature::is_right(secret, &header, &push.body, self.options.clock.now()) {
            return Err(PushError::Refused);
        }
        // The parser's own message may quote what it found.
        let unreadable = |_| PushError::Unreadable("no event".to_owned());
        let Event { kind, data } = serde_json::from_slice(&push.body).map_err(unreadable)?;
        if !kind.starts_with("checkout.session.") {
            return Ok(());
        }
        let session: CheckoutSession = serde_json::from_value(data.object).map_err(unreadable)?;
        // Sessions of somebody else's may come by the same address.
        let Some(order) = session.order().and_then(Id::parse_hex24) else { return Ok(()) };
        let standing = match kind.as_str() {
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => session.standing(),
            "checkout.session.expired" | "checkout.session.async_payment_failed" => Standing::Ended,
            _ => return Ok(()),
        };
        engine.perform(Paid { engine: engine.clone(), order, session: session.id, standing }).await?;
        Ok(())
    }
}
