//! The control API: for the platform's introduction, for people and for tests. Errors are `{"error": "…"}`.

mod carriers;
mod customers;
mod page;
mod platforms;
mod settings;
pub(crate) mod speak;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as AxumState};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use http::{StatusCode, header};
use serde_json::json;

use crate::exposure::shows_token;
use crate::world::Shared;

/// 100 MB of media in base64, and some.
const MAX_BODY: usize = 140 * 1024 * 1024;

pub(crate) fn router(world: &Shared) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/events", get(page::events))
        .route("/businesses", get(platforms::businesses))
        .route("/media/{sha256}", get(page::media))
        .route("/platforms", post(platforms::introduce))
        .route("/clock", get(platforms::clock).post(platforms::move_clock))
        .route("/phones", get(customers::list))
        .route("/phones/{phone}", put(customers::put).patch(customers::change).get(customers::get))
        .route("/phones/{phone}/messages", get(customers::messages).post(speak::write))
        .route("/phones/{phone}/messages/{*id}", patch(customers::edit).delete(customers::delete))
        .route("/phones/{phone}/read", post(customers::read))
        .route("/phones/{phone}/typing", post(customers::typing))
        .route("/faults", get(settings::faults).post(settings::add_fault).delete(settings::clear_faults))
        .route("/limits", get(settings::limits).put(settings::set_limits))
        .route("/templates/{id}/review", post(settings::review))
        .route("/accounts/{waba}/events", post(settings::account_event))
        .route("/sms", get(carriers::sms))
        .route("/voice", get(carriers::voice))
        .route("/emails", get(carriers::emails))
        .route("/payments", get(carriers::payments))
        .route("/payments/{session}/pay", post(carriers::pay))
        .route("/payments/{session}/expire", post(carriers::expire))
        .route("/stats", get(settings::stats))
        .merge(crate::web::routes())
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is nothing here"))
        .layer(middleware::from_fn_with_state(Arc::clone(world), guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(world))
}

/// A refusal of the control API.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    /// The reason, for a log.
    #[cfg_attr(not(feature = "web-sandbox"), expect(dead_code, reason = "answers carry it otherwise"))]
    pub(crate) fn why(&self) -> &str {
        &self.1
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({"error": self.1}))).into_response()
    }
}

pub(crate) fn refuse(status: StatusCode, why: impl Into<String>) -> Refusal {
    Refusal(status, why.into())
}

pub(crate) fn bad(why: impl Into<String>) -> Refusal {
    refuse(StatusCode::BAD_REQUEST, why)
}

pub(crate) type Answer<T = Response> = Result<T, Refusal>;

/// A JSON body of any content type; an empty one counts as `{}`.
pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Answer<T> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| bad(format!("the body is not understood: {error}")))
}

/// The digits of the phone in a path.
pub(crate) fn phone(text: &str) -> Answer<String> {
    crate::phones::digits(text).ok_or_else(|| bad(format!("{text} is not a phone number")))
}

/// Foreign web pages are kept out; where the sandbox is exposed, so is everybody without the token.
async fn guard(AxumState(world): AxumState<Shared>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST))
        && origin.split_once("://").is_none_or(|(_, from)| from != host)
    {
        return refuse(StatusCode::FORBIDDEN, "other origins may not call the sandbox").into_response();
    }
    let (parts, body) = request.into_parts();
    if world.token.as_ref().is_some_and(|token| !shows_token(&parts, token)) {
        return refuse(StatusCode::UNAUTHORIZED, "the sandbox's token is required").into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}
