//! Where providers push to: `/webhooks/{provider}/{account}`, and `/webhooks/meta` while one app is enough.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::Engine;
use engine::provider::{Push, PushError, Pushed, Reply};
use http::{HeaderMap, StatusCode, header};

/// The largest push: Meta's are up to 3 MB.
pub const MOST: usize = 4 * 1024 * 1024;

/// Short paths for providers' names.
const SHORT: &[(&str, &str)] = &[("meta", "meta-cloud")];

pub fn router(engine: Engine) -> Router {
    Router::new()
        .route("/webhooks/{provider}", get(handshake).post(push))
        .route("/webhooks/{provider}/{account}", get(handshake_of).post(push_of))
        .with_state(engine)
}

async fn handshake(State(engine): State<Engine>, Path(provider): Path<String>, RawQuery(query): RawQuery) -> Response {
    shake(&engine, &provider, None, query).await
}

async fn handshake_of(
    State(engine): State<Engine>,
    Path((provider, account)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    shake(&engine, &provider, Some(&account), query).await
}

async fn shake(engine: &Engine, provider: &str, account: Option<&str>, query: Option<String>) -> Response {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let Some((name, push)) = pusher(engine, provider) else { return StatusCode::NOT_FOUND.into_response() };
    answer(name, push.handshake(engine, account, &pairs).await.map(IntoResponse::into_response))
}

async fn push(
    State(engine): State<Engine>,
    Path(provider): Path<String>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&engine, &provider, None, &uri, &headers, body).await
}

async fn push_of(
    State(engine): State<Engine>,
    Path((provider, account)): Path<(String, String)>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&engine, &provider, Some(&account), &uri, &headers, body).await
}

async fn take(
    engine: &Engine,
    provider: &str,
    account: Option<&str>,
    uri: &OriginalUri,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
    let url = format!("{}{asked}", engine.settings.public_url);
    let pushed = Pushed { account, url: &url, header: &header, body };
    let Some((name, push)) = pusher(engine, provider) else { return StatusCode::NOT_FOUND.into_response() };
    answer(name, push.reply(engine, pushed).await.map(told))
}

fn told(reply: Option<Reply>) -> Response {
    match reply {
        Some(Reply { mime, body }) => ([(header::CONTENT_TYPE, mime)], body).into_response(),
        None => StatusCode::OK.into_response(),
    }
}

/// A provider that pushes, by its name or its short one.
fn pusher<'a>(engine: &'a Engine, provider: &str) -> Option<(&'static str, &'a dyn Push)> {
    let name = SHORT.iter().find(|(short, _)| *short == provider).map_or(provider, |(_, name)| name);
    let found = engine.provider(name)?;
    Some((found.name(), found.push()?))
}

/// Tells how it went in the provider's terms: anything but 200 makes it come again.
fn answer(provider: &'static str, outcome: Result<Response, PushError>) -> Response {
    let (status, word) = match &outcome {
        Ok(_) => (StatusCode::OK, "taken"),
        Err(PushError::Refused) => (StatusCode::FORBIDDEN, "refused"),
        Err(PushError::UnknownAccount) => (StatusCode::NOT_FOUND, "unknown"),
        Err(PushError::Unreadable(_)) => (StatusCode::BAD_REQUEST, "unreadable"),
        Err(PushError::Store(_)) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    metrics::counter!("hermod_pushes_total", "provider" => provider, "outcome" => word).increment(1);
    outcome.unwrap_or_else(|error| {
        tracing::warn!(provider, error = &error as &dyn std::error::Error, "a push was not taken");
        (status, word).into_response()
    })
}
