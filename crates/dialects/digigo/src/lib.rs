//! The DIGIGO API: a complete service at the origin's root, and its way of telling events.
//!
//! A user of this API is a sender with a token of its own; an administrator's token names an organization. A request
//! passes the edge (`api::edge`) and reaches its operation ([`call`]), which finds out who asks (`guard`), reads the
//! body ([`body`], names in any case), and prints the answer in that operation's own envelope (`errors::Shape`). What
//! needs the account's connection is asked of the session that keeps it up (`asking`), in whichever process that is.
//! What this API leaves open is decided in `docs/digigo.md`.

mod admin;
mod answer;
mod asking;
mod avatar;
mod body;
mod call;
mod chat;
mod errors;
mod files;
mod format;
mod global;
mod guard;
mod health;
mod options;
mod qr;
mod send;
mod service;
mod session;
mod settings;
mod time;
mod user;
mod webhook;
mod zone;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{MethodFilter, get};
use engine::Engine;
use engine::policy::{DeliveryPolicy, Dialect, Disabling, Retried};

pub use files::sweep;
pub use global::{GlobalWebhook, GlobalWebhookError, settle_global};
pub use options::{Encoding, Envelope, NewUsers, Options, Random, Webhooks};
pub use settings::RejectType;
pub use zone::{NoSuchZone, Zone};

use call::A;
use service::Digigo;

/// The dialect's name in tables, settings and figures.
pub const NAME: &str = "digigo";
/// What carries its users' messages.
const PROVIDER: &str = "whatsapp-web";

/// Twelve attempts from five seconds to two minutes apart; any answer but 2xx is tried again (reference:
/// digigo-events §1.4).
const DELIVERY: DeliveryPolicy = DeliveryPolicy {
    timeout: Duration::from_secs(30),
    ladder: &[
        Duration::ZERO,
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(20),
        Duration::from_secs(40),
        Duration::from_secs(80),
        Duration::from_secs(120),
        Duration::from_secs(120),
        Duration::from_secs(120),
        Duration::from_secs(120),
        Duration::from_secs(120),
        Duration::from_secs(120),
    ],
    jitter_percent: 10,
    retried_client_errors: Retried::All,
    honours_retry_after: &[429, 503],
    disabling: Disabling::Never,
    shows_attempts: false,
    answer_bytes: 1 << 10,
    suspension: None,
};

/// What the engine must know of this dialect.
#[must_use]
pub fn dialect(options: &Options) -> Dialect {
    let delivery = DeliveryPolicy { timeout: options.webhooks.timeout, ..DELIVERY };
    Dialect { name: NAME, format: Arc::new(format::Format::new(options)), delivery }
}

/// Everything at the root, with answers of its own for what is not there.
pub fn router(engine: Engine, options: Options) -> Router {
    let digigo = Digigo::new(engine.clone(), options);
    let routes = Router::new()
        .route("/health", get(health::check))
        .merge(admin::routes())
        .merge(session::routes())
        .merge(chat::routes())
        .merge(user::routes())
        .merge(send::routes())
        .merge(webhooks())
        .with_state(digigo.clone());
    api::edge::around(routes, engine, Arc::new(digigo))
}

fn webhooks() -> Router<Digigo> {
    Router::new().route(
        "/webhook",
        call::user(MethodFilter::GET, A, webhook::show)
            .merge(call::user(MethodFilter::POST, A, webhook::set))
            .merge(call::user(MethodFilter::PUT, A, webhook::update))
            .merge(call::user(MethodFilter::DELETE, A, webhook::delete)),
    )
}
