//! `/webhook_subscriptions/{id}/secrets`: every live secret signs.

use engine::clock::rfc3339;
use engine::subscriptions::{AddSecret, RevokeSecret};
use serde_json::json;

use crate::call::{Call, Handled};
use crate::ids::Noun;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Adds a secret, shown this once. `expires_in_hours` is the life of the new one.
pub(crate) async fn add(call: Call) -> Handled {
    let (target, body) = (call.subscription()?, call.body()?);
    let hours = body.at().read("expires_in_hours", |at| at.integer(1..=336))?;
    let expires_at = hours.map(|hours| call.engine().now() + hours * HOUR_MS);
    let secret = call.new_secret();
    let wish = AddSecret { engine: call.engine().clone(), target, secret: secret.clone(), expires_at };
    let shape = move |added: &engine::subscriptions::Secret| {
        json!({
            "id": Noun::Secret.spell(&added.id),
            "object": "webhook_secret",
            "secret": secret,
            "created_at": rfc3339(added.created_at),
            "expires_at": added.expires_at.map(rfc3339),
        })
    };
    call.commit(wish, shape).await
}

pub(crate) async fn revoke(call: Call) -> Handled {
    let (target, secret) = (call.subscription()?, call.id(Noun::Secret, "secret_id")?);
    call.perform(RevokeSecret { target, secret, now: call.engine().now() }).await?;
    Ok(call.one(&json!({ "id": Noun::Secret.spell(&secret), "deleted": true })))
}
