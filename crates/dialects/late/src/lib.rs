//! The Late API: a complete service for `/whatsapp` and `/webhooks` under `/v1` and `/api/v1`, and its way of telling
//! events.
//!
//! A request passes the edge (`api::edge`), the guard (key, then request limit, then its body) and reaches its handler
//! as a [`call::Call`]. Handlers read it, ask the engine for one thing and shape the answer; what goes wrong becomes an
//! [`errors::Error`]. One file per resource.

mod accounts;
mod answer;
mod broadcasts;
mod bulk;
mod call;
mod contacts;
mod errors;
mod format;
mod groups;
mod guard;
mod ids;
mod numbers;
mod options;
mod paging;
mod photo;
mod profile;
mod reasons;
mod service;
mod template;
mod templates;
mod webhooks;

use std::sync::Arc;

use api::intake;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, patch, post};
use axum::{Router, middleware};
use engine::Engine;
use engine::policy::Dialect;

pub use guard::{derive_key, new_key};
pub use options::{MediaLinks, Options, Random};
use service::Late;
pub use webhooks::{SwitchOff, Webhooks};

/// The dialect's name in tables, settings and figures.
pub const NAME: &str = "late";

/// What the engine must know of this dialect.
#[must_use]
pub fn dialect(options: &Options) -> Dialect {
    let format = format::Format { media_links: options.media_links.clone() };
    Dialect { name: NAME, format: Arc::new(format), delivery: options.webhooks.delivery() }
}

/// Everything under `/v1` and the same under `/api/v1`, with answers of its own for what is not there.
pub fn router(engine: Engine, options: Options) -> Router {
    let late = Late::new(engine.clone(), options);
    let guarded = |routes: Router<Late>, largest: usize| {
        let door = guard::Door { late: late.clone(), largest };
        routes.route_layer(middleware::from_fn_with_state(door, guard::guard))
    };
    let guarded = guarded(whatsapp().merge(webhooks::routes()), intake::LARGEST).merge(guarded(of_many(), LARGE));
    let open = Router::new().route("/v1/whatsapp/openapi.json", get(service::contract));
    let both = open.nest("/v1", guarded.clone()).nest("/api/v1", guarded);
    api::edge::around(both.with_state(late.clone()), engine, Arc::new(late))
}

/// Bodies that hold as many people as their operations take, with all that may be said of each.
const LARGE: usize = 8 << 20;

fn of_many() -> Router<Late> {
    Router::new()
        .route("/whatsapp/bulk", post(bulk::send))
        .route("/whatsapp/contacts/import", post(contacts::import))
        .route("/whatsapp/broadcasts/{broadcastId}/recipients", patch(broadcasts::add))
}

/// Relative to `/v1`.
fn whatsapp() -> Router<Late> {
    Router::new()
        .route("/whatsapp/business-profile", get(profile::get).post(profile::change))
        .route("/whatsapp/business-profile/display-name", get(profile::name).post(profile::change_name))
        .route("/whatsapp/business-profile/photo", post(photo::change).layer(DefaultBodyLimit::max(photo::FORM)))
        .route("/whatsapp/contacts", get(contacts::list).post(contacts::create))
        .route("/whatsapp/contacts/bulk", post(contacts::update_many).delete(contacts::delete_many))
        .route("/whatsapp/contacts/{contactId}", get(contacts::get).put(contacts::update).delete(contacts::delete))
        .route("/whatsapp/groups", get(groups::list).post(groups::rename).delete(groups::delete))
        .route("/whatsapp/templates", get(templates::list).post(templates::create))
        .route(
            "/whatsapp/templates/{templateName}",
            get(templates::get).patch(templates::edit).delete(templates::delete),
        )
        .merge(of_broadcasts())
        .merge(of_numbers())
}

fn of_broadcasts() -> Router<Late> {
    Router::new()
        .route("/whatsapp/broadcasts", get(broadcasts::list).post(broadcasts::create))
        .route("/whatsapp/broadcasts/{broadcastId}", get(broadcasts::get).delete(broadcasts::delete))
        .route("/whatsapp/broadcasts/{broadcastId}/send", post(broadcasts::send))
        .route("/whatsapp/broadcasts/{broadcastId}/schedule", post(broadcasts::schedule).delete(broadcasts::unschedule))
        .route(
            "/whatsapp/broadcasts/{broadcastId}/recipients",
            get(broadcasts::list_recipients).delete(broadcasts::remove),
        )
}

fn of_numbers() -> Router<Late> {
    Router::new()
        .route("/whatsapp/phone-numbers", get(numbers::list))
        .route("/whatsapp/phone-numbers/available", get(numbers::available))
        .route("/whatsapp/phone-numbers/preverified", get(numbers::preverified))
        .route("/whatsapp/phone-numbers/purchase", post(numbers::purchase))
        .route("/whatsapp/phone-numbers/{phoneNumberId}", get(numbers::get).delete(numbers::release))
        .route("/whatsapp/phone-numbers/{phoneNumberId}/request-code", post(numbers::request_code))
        .route("/whatsapp/phone-numbers/{phoneNumberId}/verify", post(numbers::verify))
}
