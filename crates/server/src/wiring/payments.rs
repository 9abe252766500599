//! Money for phone numbers.

use std::sync::Arc;
use std::time::Duration;

use engine::provider::Provider;
use provider_payments::{Options, Stripe};
use secrecy::ExposeSecret;

use super::{Error, Surroundings};
use crate::settings::Settings;

/// For a call to a till.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn wire(settings: &Settings, around: &Surroundings) -> Result<Option<Arc<dyn Provider>>, Error> {
    let stripe = &settings.stripe;
    let (base_url, secret_key, webhook_secret) = match &around.till {
        _ if !stripe.secret_key.expose_secret().is_empty() => {
            (&stripe.base_url, &stripe.secret_key, &stripe.webhook_secret)
        }
        Some(till) => (&till.base_url, &till.secret_key, &till.webhook_secret),
        None => return Ok(None),
    };
    let client = net::plain_client(&net::PlainSettings {
        connect_timeout: Duration::from_secs(10),
        timeout: TIMEOUT,
        extra_roots: Vec::new(),
    })?;
    let return_url = if stripe.return_url.is_empty() { &around.public_url } else { &stripe.return_url };
    Ok(Some(Arc::new(Stripe::new(Options {
        client,
        base_url: base_url.parse()?,
        secret_key: secret_key.clone(),
        webhook_secret: webhook_secret.clone(),
        return_url: return_url.clone(),
        clock: around.clock.clone(),
        timeout: TIMEOUT,
    }))))
}
