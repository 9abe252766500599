//! Telling a platform what became of a session, with `Stripe-Signature: t=…,v1=…`: hexadecimal HMAC-SHA-256 under the
//! endpoint's secret, over the time, a point and the body.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use ring::hmac;
use serde_json::{Value, json};

use super::Account;
use crate::http::callbacks::{self, Policy, Post};
use crate::world::World;

/// The version that events are written in.
const VERSION: &str = "2024-06-20";

pub(super) struct Event {
    pub(super) id: String,
    pub(super) kind: &'static str,
    /// Seconds since 1970.
    pub(super) created: i64,
    pub(super) object: Value,
}

/// One after the other; what is not taken comes again later, and may be overtaken.
pub(super) async fn tell(world: Arc<World>, account: Arc<Account>, events: Vec<Event>) {
    for event in events {
        let body = json!({
            "id": event.id, "object": "event", "api_version": VERSION, "created": event.created, "type": event.kind,
            "data": { "object": event.object }, "livemode": false, "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
        });
        let (account, body) = (Arc::clone(&account), body.to_string());
        callbacks::tell(&world, Policy::Stripe, move |this| Post {
            url: account.webhook_url.clone(),
            headers: headers(&account.webhook_secret, &body, this.now / 1000),
            body: body.clone().into(),
        })
        .await;
    }
}

/// `now`: seconds since 1970.
fn headers(secret: &str, body: &str, now: i64) -> HeaderMap {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = hex::encode(hmac::sign(&key, format!("{now}.{body}").as_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Ok(value) = HeaderValue::try_from(format!("t={now},v1={signed}")) {
        headers.insert("stripe-signature", value);
    }
    headers
}
