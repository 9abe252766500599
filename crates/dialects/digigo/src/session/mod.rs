//! `/session`: connecting and what is set for the connection.

mod config;
mod connect;
mod link;
mod passkey;
pub(crate) mod proxy;
mod refresh;
mod status;
pub(crate) mod transports;

use std::time::Duration;

use axum::Router;
use axum::routing::MethodFilter;
use engine::sessions::Session;

use crate::call::{A, C, RAW, user};
use crate::service::Digigo;

/// How long unlinking may take.
pub(crate) const UNLINK: Duration = Duration::from_secs(15);

/// Whom an account is linked to, with its device; empty: nobody.
pub(crate) fn jid(session: &Session) -> &str {
    session.identity.as_ref().and_then(|identity| identity["jid"].as_str()).unwrap_or_default()
}

pub(crate) fn routes() -> Router<Digigo> {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    Router::new()
        .route("/session/connect", user(POST, A, connect::connect))
        .route("/session/disconnect", user(POST, A, connect::disconnect))
        .route("/session/logout", user(POST, A, link::logout))
        .route("/session/status", user(GET, A, status::status))
        .route("/session/qr", user(GET, A, link::qr))
        .route("/session/pairphone", user(POST, A, link::pair_phone))
        .route("/session/refresh", user(POST, RAW, refresh::refresh))
        .route("/session/proxy", user(POST, RAW, proxy::set))
        .route("/session/echo/api", user(POST, C, config::set_echo).merge(user(GET, C, config::echo)))
        .route("/session/skipmedia/config", user(POST, A, config::set_media).merge(user(GET, A, config::media)))
        .route("/session/skipgroups/config", user(POST, A, config::set_groups).merge(user(GET, A, config::groups)))
        .route(
            "/session/skipnewsletters/config",
            user(POST, A, config::set_newsletters).merge(user(GET, A, config::newsletters)),
        )
        .route(
            "/session/skipbroadcasts/config",
            user(POST, A, config::set_broadcasts).merge(user(GET, A, config::broadcasts)),
        )
        .route("/session/skipownmessages/config", user(POST, A, config::set_own).merge(user(GET, A, config::own)))
        .route("/session/skipcalls/config", user(POST, A, config::set_calls).merge(user(GET, A, config::calls)))
        .route("/session/globaltransports/config", user(POST, A, transports::set).merge(user(GET, A, transports::show)))
        .route("/session/presence/config", user(POST, A, config::set_presence).merge(user(GET, A, config::presence)))
        .route("/session/passkey", user(GET, A, passkey::show))
        .route("/session/passkey/response", user(POST, A, passkey::respond))
        .route("/session/passkey/confirm", user(POST, A, passkey::confirm))
}
