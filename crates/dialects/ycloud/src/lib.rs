//! The YCloud API, version 2: a complete service under `/v2`, and its way of telling events.
//!
//! A request passes the edge (`api::edge`), the guard (key, then request limit, then its body) and reaches its handler
//! as a [`call::Call`]. Handlers read it, ask the engine for one thing and shape the answer; what goes wrong becomes an
//! [`errors::Error`]. One file per resource.

mod accounts;
mod answer;
mod balance;
mod call;
mod callbacks;
mod carried;
mod contacts;
mod custom_events;
mod emails;
mod endpoints;
mod errors;
mod files;
mod format;
mod guard;
mod ids;
mod messages;
mod numbers;
mod options;
mod paging;
mod service;
mod sms;
mod templates;
mod unsubscribers;
mod verify;
mod voices;

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{delete, get, patch, post};
use axum::{Router, middleware};
use engine::Engine;
use engine::policy::{DeliveryPolicy, Dialect, Disabling, Retried, Suspension};

pub use guard::derive_key;
pub use guard::new_key;
pub use options::{Media, Options, Random};
use service::YCloud;

/// The dialect's name in tables, settings and figures.
pub const NAME: &str = "ycloud";

/// What the engine must know of this dialect: endpoints, and the addresses that callers name with a message.
#[must_use]
pub fn dialects(options: &Options) -> [Dialect; 2] {
    let format = format::Format { media: Some(options.media.clone()) };
    [
        Dialect { name: NAME, format: Arc::new(format), delivery: DELIVERY },
        Dialect { name: callbacks::NAME, format: Arc::new(callbacks::Format), delivery: DELIVERY },
    ]
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Eight attempts over about six hours; any answer but 2xx is tried again.
const DELIVERY: DeliveryPolicy = DeliveryPolicy {
    timeout: Duration::from_secs(10),
    ladder: &[
        Duration::ZERO,
        Duration::from_secs(10),
        Duration::from_secs(30),
        minutes(5),
        minutes(30),
        minutes(60),
        minutes(120),
        minutes(120),
    ],
    jitter_percent: 0,
    retried_client_errors: Retried::All,
    honours_retry_after: &[],
    disabling: Disabling::GivenUp(5),
    shows_attempts: false,
    answer_bytes: 1 << 10,
    suspension: Some(Suspension { failures: 200, failing: minutes(10), within: minutes(1), pause: minutes(3) }),
};

/// Everything under `/v2`, with answers of its own for what is not there.
pub fn router(engine: Engine, options: Options) -> Router {
    let ycloud = YCloud::new(engine.clone(), options);
    let guarded = routes().merge(whatsapp()).route_layer(middleware::from_fn_with_state(ycloud.clone(), guard::guard));
    let open = Router::new()
        .route("/v2/openapi.json", get(service::contract))
        // Some links need no key.
        .route(files::PATH, get(files::download));
    api::edge::around(open.merge(guarded).with_state(ycloud.clone()), engine, Arc::new(ycloud))
}

fn routes() -> Router<YCloud> {
    Router::new()
        .route("/v2/balance", get(balance::get))
        .route("/v2/contact/contacts", get(contacts::list).post(contacts::create))
        .route("/v2/contact/contacts/{id}", get(contacts::get).patch(contacts::update).delete(contacts::delete))
        .route("/v2/emails", post(emails::send))
        .route("/v2/sms", get(sms::list).post(sms::send))
        .route("/v2/voices", get(voices::list).post(voices::send))
        .route("/v2/event/definitions", post(custom_events::define))
        .route("/v2/event/definitions/{name}", get(custom_events::get).patch(custom_events::update))
        .route("/v2/event/definitions/{name}/properties", post(custom_events::add_property))
        .route(
            "/v2/event/definitions/{name}/properties/{propertyName}",
            patch(custom_events::update_property).delete(custom_events::delete_property),
        )
        .route("/v2/event/events", post(custom_events::send))
        .route("/v2/unsubscribers", get(unsubscribers::list).post(unsubscribers::create))
        .route("/v2/unsubscribers/{customer}", get(unsubscribers::of_customer))
        .route("/v2/unsubscribers/{customer}/{channel}", get(unsubscribers::get).delete(unsubscribers::delete))
        .route("/v2/verify/verifications", post(verify::start))
        .route("/v2/verify/verificationChecks", post(verify::check))
        .route("/v2/webhookEndpoints", get(endpoints::list).post(endpoints::create))
        .route("/v2/webhookEndpoints/{id}", get(endpoints::get).patch(endpoints::update).delete(endpoints::delete))
        .route("/v2/webhookEndpoints/{id}/rotateSecret", post(endpoints::rotate))
}

fn whatsapp() -> Router<YCloud> {
    Router::new()
        .route("/v2/whatsapp/businessAccounts", get(accounts::list))
        .route("/v2/whatsapp/businessAccounts/{id}", get(accounts::get))
        .route("/v2/whatsapp/inboundMessages/{id}/markAsRead", post(messages::mark_as_read))
        .route("/v2/whatsapp/messages", post(messages::send))
        .route("/v2/whatsapp/messages/sendDirectly", post(messages::send_directly))
        .route("/v2/whatsapp/messages/{id}", get(messages::get))
        .route("/v2/whatsapp/phoneNumbers", get(numbers::list))
        .route("/v2/whatsapp/phoneNumbers/{wabaId}/{phoneNumber}", get(numbers::get))
        .route(
            "/v2/whatsapp/phoneNumbers/{wabaId}/{phoneNumber}/profile",
            get(numbers::profile).patch(numbers::change_profile),
        )
        .route(
            "/v2/whatsapp/phoneNumbers/{wabaId}/{phoneNumber}/whatsappCommerceSettings",
            get(numbers::commerce).patch(numbers::change_commerce),
        )
        .route("/v2/whatsapp/phoneNumbers/{wabaId}/{phoneNumber}/register", post(numbers::register))
        .route("/v2/whatsapp/templates", get(templates::list).post(templates::create))
        .route("/v2/whatsapp/templates/{wabaId}/{name}", delete(templates::delete_all))
        .route(
            "/v2/whatsapp/templates/{wabaId}/{name}/{language}",
            get(templates::get).patch(templates::edit).delete(templates::delete),
        )
}
