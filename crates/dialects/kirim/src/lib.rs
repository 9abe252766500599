//! The Kirim API: a complete service under `/v1`, and its way of telling events.
//!
//! A request passes the edge (`api::edge`), the guard (key, then request limit), the intake (body, then
//! idempotency key) and reaches its handler as a [`call::Call`]. Handlers read it, ask the engine for one
//! thing and shape the answer; what goes wrong becomes an [`errors::Error`], whose code, type and status
//! are one closed table. One file per resource.

mod accounts;
mod answer;
mod call;
mod contacts;
mod conversations;
mod deliveries;
mod errors;
mod format;
mod guard;
mod health;
mod ids;
mod intake;
mod keys;
mod labels;
mod me;
mod messages;
mod options;
mod paging;
mod phone;
mod secrets;
mod send;
mod service;
mod sticking;
mod subscriptions;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use axum::routing::{delete, get, post};
use axum::{Router, middleware};
use engine::Engine;
use engine::policy::{DeliveryPolicy, Dialect, Disabling, Retried};

pub use keys::{derive_key, new_key};
pub use options::{MediaLinks, Options, Random};
use service::Kirim;

/// The dialect's name in tables, settings and figures.
pub const NAME: &str = "kirim";

pub(crate) use meta_wire::FORMAT as META;

/// What the engine must know of this dialect.
#[must_use]
pub fn dialect(options: &Options) -> Dialect {
    Dialect { name: NAME, format: Arc::new(format::Format::new(options)), delivery: DELIVERY }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Eight attempts over about 31 hours; any 4xx but 408 and 429 ends a delivery.
const DELIVERY: DeliveryPolicy = DeliveryPolicy {
    timeout: Duration::from_secs(10),
    ladder: &[
        Duration::ZERO,
        Duration::from_secs(10),
        Duration::from_secs(30),
        minutes(2),
        minutes(10),
        minutes(60),
        minutes(6 * 60),
        minutes(24 * 60),
    ],
    jitter_percent: 20,
    retried_client_errors: Retried::Only(&[408, 429]),
    honours_retry_after: &[429],
    disabling: Disabling::GivenUp(24),
    shows_attempts: false,
    answer_bytes: 1 << 10,
    suspension: None,
};

/// Everything under `/v1`, with answers of its own for what is not there.
pub fn router(engine: Engine, options: Options) -> Router {
    let kirim = Kirim::new(engine.clone(), options);
    let routes = open().merge(guarded(&kirim)).with_state(kirim.clone());
    api::edge::around(routes, engine, Arc::new(kirim))
}

fn open() -> Router<Kirim> {
    Router::new().route("/v1/health", get(health::check)).route("/v1/openapi.json", get(health::contract))
}

fn guarded(kirim: &Kirim) -> Router<Kirim> {
    of_number().merge(of_organization()).route_layer(middleware::from_fn_with_state(kirim.clone(), guard::guard))
}

fn of_number() -> Router<Kirim> {
    Router::new()
        .route("/v1/{phone_number_id}/messages", get(messages::list).post(send::send))
        .route("/v1/{phone_number_id}/messages/{id}", get(messages::get))
        .route("/v1/{phone_number_id}/messages/{id}/media", get(messages::media))
        .route("/v1/{phone_number_id}/templates", get(templates::list))
        .route("/v1/{phone_number_id}/templates/{name}", get(templates::get))
        .route("/v1/{phone_number_id}/conversations", get(conversations::list))
        .route("/v1/{phone_number_id}/conversations/{id}", get(conversations::get).patch(conversations::update))
        .route("/v1/{phone_number_id}/conversations/{id}/labels", post(sticking::to_conversation))
        .route("/v1/{phone_number_id}/conversations/{id}/labels/{label_id}", delete(sticking::off_conversation))
        .route("/v1/{phone_number_id}/contacts", get(contacts::list).post(contacts::create))
        .route("/v1/{phone_number_id}/contacts/bulk_label", post(sticking::bulk))
        .route(
            "/v1/{phone_number_id}/contacts/{id}",
            get(contacts::get).patch(contacts::update).delete(contacts::delete),
        )
        .route("/v1/{phone_number_id}/contacts/{id}/labels", post(sticking::to_contact))
        .route("/v1/{phone_number_id}/contacts/{id}/labels/{label_id}", delete(sticking::off_contact))
}

fn of_organization() -> Router<Kirim> {
    Router::new()
        .route("/v1/me", get(me::get))
        .route("/v1/accounts", get(accounts::list))
        .route("/v1/labels", get(labels::list).post(labels::create))
        .route("/v1/labels/{id}", get(labels::get).patch(labels::update).delete(labels::delete))
        .route("/v1/webhook_subscriptions", get(subscriptions::list).post(subscriptions::create))
        .route(
            "/v1/webhook_subscriptions/{id}",
            get(subscriptions::get).patch(subscriptions::update).delete(subscriptions::delete),
        )
        .route("/v1/webhook_subscriptions/{id}/secrets", post(secrets::add))
        .route("/v1/webhook_subscriptions/{id}/secrets/{secret_id}", delete(secrets::revoke))
        .route("/v1/webhook_deliveries", get(deliveries::list))
        .route("/v1/webhook_deliveries/bulk_replay", post(deliveries::bulk_replay))
        .route("/v1/webhook_deliveries/{id}", get(deliveries::get))
        .route("/v1/webhook_deliveries/{id}/replay", post(deliveries::replay))
}
