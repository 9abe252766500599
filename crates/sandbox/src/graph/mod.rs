//! The Graph API. Every id may stand at the same place in a path, so the way goes: version off, token checked, node looked up,
//! then one table of (method, kind of node, edge).

mod apps;
mod blocks;
pub(crate) mod check;
pub(crate) mod error;
mod input;
mod listing;
mod media;
pub(crate) use media::{address, file, keep};
pub(crate) mod messages;
mod numbers;
mod preverified;
mod profile;
mod registration;
mod templates;
mod wabas;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State as AxumState};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Map, Value};

use crate::accounts::Platform;
use crate::exposure::same;
use crate::faults::{Fault, Kind, Target};
use crate::state::State;
use crate::text::Text;
use crate::world::Shared;
use error::{Outcome, no_object, of, plain};
use messages::Door;
use sandbox_carriers::serve::cut;

/// How long a call under the fault `timeout` hangs.
const HANG: Duration = Duration::from_secs(30);

pub(crate) fn router(world: &Shared) -> Router {
    Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(world))
}

/// One call of a known platform.
pub(crate) struct Call {
    pub(crate) world: Shared,
    pub(crate) method: Method,
    /// Without version and leading slash.
    pub(crate) path: String,
    pub(crate) query: Map<String, Value>,
    pub(crate) headers: HeaderMap,
    /// The calling platform's id and app.
    pub(crate) platform: Platform,
    version: String,
}

impl Call {
    /// This call's URL without its query, for paging links.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}/{}", self.world.graph_url, self.version, self.path)
    }

    async fn fields(&self, body: Body) -> Outcome<Map<String, Value>> {
        input::fields(&self.headers, &self.query, body).await
    }
}

/// What an id names.
enum Node {
    Number(Text),
    Waba(Text),
    Template(u64),
    Media(String),
    Business(String),
    Preverified(Text),
    App,
    Upload(String),
    Foreign(i64),
}

async fn answer(AxumState(world): AxumState<Shared>, request: Request) -> Response {
    let fault = world.take_fault(Target::Meta, request.uri().path());
    match fault {
        None => serve(world, request).await,
        Some(fault) => under_fault(world, request, &fault).await,
    }
}

async fn under_fault(world: Shared, request: Request, fault: &Fault) -> Response {
    match fault.kind {
        Kind::Delay => {
            let wait = i64::try_from(fault.delay_ms).unwrap_or(i64::MAX);
            world.clock.reach(world.clock.now().saturating_add(wait)).await;
            serve(world, request).await
        }
        Kind::Drop | Kind::LostAck => {
            serve(world, request).await;
            cut()
        }
        Kind::Code => of(fault.number().unwrap_or(1), "This error was asked for.").respond(&world.ids.trace()),
        Kind::Status => {
            let status = fault.status.unwrap_or(500);
            let error = fault.number().map_or_else(
                || {
                    plain(
                        status,
                        if status >= 500 { 2 } else { 1 },
                        "An unexpected error has occurred. Please retry your request later.",
                    )
                },
                |code| of(code, "This error was asked for."),
            );
            error.with_status(status).respond(&world.ids.trace())
        }
        _ => {
            crate::clock::pause(HANG).await;
            cut()
        }
    }
}

async fn serve(world: Shared, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let trace = world.ids.trace();
    let query = input::query(parts.uri.query().unwrap_or_default());
    let full = parts.uri.path().trim_matches('/');
    let (version, path) = unversioned(full);
    if path == media::DOWNLOAD_PATH {
        return match caller(&world, &parts.headers, &query) {
            Ok(platform) => media::download(&world, &platform, &query).await,
            Err(_) => StatusCode::UNAUTHORIZED.into_response(),
        };
    }
    let platform = match caller(&world, &parts.headers, &query) {
        Ok(platform) => platform,
        Err(error) => return error.respond(&trace),
    };
    let call = Call {
        path: path.to_owned(),
        version: version.to_owned(),
        world,
        method: parts.method,
        query,
        headers: parts.headers,
        platform,
    };
    let outcome = route(&call, body).await;
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(error) => error.respond(&trace),
    }
}

/// `v23.0/1/messages` → (`v23.0`, `1/messages`).
fn unversioned(path: &str) -> (&str, &str) {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let is_version =
        first.strip_prefix('v').and_then(|version| version.split_once('.')).is_some_and(|(major, minor)| {
            !major.is_empty()
                && !minor.is_empty()
                && [major, minor].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        });
    if is_version { (first, rest) } else { ("v23.0", path) }
}

fn caller(world: &Shared, headers: &HeaderMap, query: &Map<String, Value>) -> Outcome<Platform> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
        .map(|(_, token)| token.trim().to_owned())
        .or_else(|| input::text(query, "access_token"));
    let Some(token) = token else {
        return Err(plain(401, 190, "An access token is required to request this resource."));
    };
    let state = world.state();
    let known = state
        .platforms
        .iter()
        .find(|platform| same(&platform.access_token, &token) || same(&apps::app_token(platform), &token));
    known.cloned().ok_or_else(|| plain(401, 190, "Invalid OAuth access token - Cannot parse access token"))
}

fn node(state: &State, platform: &Platform, id: &str) -> Option<Node> {
    let own = |waba: &str| state.wabas.get(waba).is_some_and(|waba| waba.platform == platform.id);
    if let Some(number) = state.numbers.get(id) {
        return Some(if own(&number.waba) { Node::Number(number.id.clone()) } else { Node::Foreign(10) });
    }
    if let Some(waba) = state.wabas.get(id) {
        return Some(if own(id) { Node::Waba(waba.id.clone()) } else { Node::Foreign(200) });
    }
    if let Some(media) = state.media.get(id) {
        let own = state.numbers.get(&media.number).is_some_and(|number| own(&number.waba));
        return own.then(|| Node::Media(id.to_owned()));
    }
    if id == platform.app_id || id == "app" {
        return Some(Node::App);
    }
    if id.starts_with("upload:") {
        let own = state.uploads.get(id).is_some_and(|upload| upload.app == platform.app_id);
        return own.then(|| Node::Upload(id.to_owned()));
    }
    if let Some(waba) = state.wabas.values().find(|waba| waba.business_id == id) {
        return Some(if own(&waba.id) { Node::Business(id.to_owned()) } else { Node::Foreign(200) });
    }
    if let Some(number) = state.preverified.get(id) {
        let waba = state.wabas.values().find(|waba| waba.business_id == number.business)?;
        return Some(if own(&waba.id) { Node::Preverified(number.id.clone()) } else { Node::Foreign(200) });
    }
    let template = state.templates.get(&id.parse().ok()?)?;
    Some(if own(&template.waba) { Node::Template(template.id) } else { Node::Foreign(200) })
}

async fn route(call: &Call, body: Body) -> Outcome {
    let path = call.path.clone();
    let (id, edge) = path.split_once('/').unwrap_or((&path, ""));
    if id == "debug_token" && call.method == Method::GET {
        return apps::debug_token(call);
    }
    if id == "me" && edge.is_empty() && call.method == Method::GET {
        return apps::me(call);
    }
    let found = node(&call.world.state(), &call.platform, id);
    let missing = || no_object(call.method.as_str(), id);
    match found {
        None => Err(missing()),
        Some(Node::Foreign(10)) => Err(plain(403, 10, "(#10) Application does not have permission for this action")),
        Some(Node::Foreign(_)) => Err(plain(
            403,
            200,
            "(#200) You do not have the necessary permissions to access this WhatsApp Business Account",
        )),
        Some(Node::Number(number)) => number_edge(call, &number, edge, body).await.unwrap_or_else(|| Err(missing())),
        Some(Node::Waba(waba)) => waba_edge(call, &waba, edge, body).await.unwrap_or_else(|| Err(missing())),
        Some(Node::Template(template)) => match (call.method.as_str(), edge) {
            ("GET", "") => templates::get(call, template),
            ("POST", "") => templates::edit(call, template, &call.fields(body).await?),
            ("POST", "unpause") => templates::unpause(call, template),
            _ => Err(missing()),
        },
        Some(Node::Media(media)) => match (call.method.as_str(), edge) {
            ("GET", "") => media::get(call, &media),
            ("DELETE", "") => media::delete(call, &media),
            _ => Err(missing()),
        },
        Some(Node::Upload(upload)) => match (call.method.as_str(), edge) {
            ("POST", "") => media::continue_upload(call, &upload, body).await,
            ("GET", "") => media::upload_progress(call, &upload),
            _ => Err(missing()),
        },
        Some(Node::Preverified(number)) => match (call.method.as_str(), edge) {
            ("GET", "") => preverified::get(call, &number),
            ("DELETE", "") => preverified::delete(call, &number),
            ("POST", "request_code") => preverified::request_code(call, &number, &call.fields(body).await?),
            ("POST", "verify_code") => preverified::verify_code(call, &number, &call.fields(body).await?),
            _ => Err(missing()),
        },
        Some(Node::App) => match (call.method.as_str(), edge) {
            ("GET", "") => apps::get(call),
            ("POST", "uploads") => media::start_upload(call, &call.fields(body).await?),
            ("GET", "subscriptions") => apps::subscriptions(call),
            _ => Err(missing()),
        },
        Some(Node::Business(business)) => match (call.method.as_str(), edge) {
            ("GET", "") => wabas::business(call, &business),
            ("GET", "preverified_numbers") => preverified::list(call, &business),
            ("POST", "add_phone_numbers") => preverified::add(call, &business, &call.fields(body).await?),
            ("GET", "owned_whatsapp_business_accounts") => wabas::owned(call, &business),
            ("GET", "client_whatsapp_business_accounts") => listing::page(Vec::new(), &call.query, &call.url()),
            _ => Err(missing()),
        },
    }
}

async fn number_edge(call: &Call, number: &Text, edge: &str, body: Body) -> Option<Outcome> {
    let method = call.method.as_str();
    if (method, edge) == ("POST", "media") {
        return Some(media::upload(call, number, body).await);
    }
    let fields = match call.fields(body).await {
        Ok(fields) => fields,
        Err(error) => return Some(Err(error)),
    };
    Some(match (method, edge) {
        ("POST", "messages") => messages::send(call, number, Door::Messages, fields),
        ("POST", "marketing_messages") => messages::send(call, number, Door::Marketing, fields),
        ("GET", "") => numbers::get(call, number),
        ("POST", "") => numbers::change(call, number, &fields).await,
        ("GET", "settings") => numbers::settings(call, number),
        ("POST", "settings") => numbers::set_settings(call, number, &fields),
        ("POST", "request_code") => registration::request_code(call, number, &fields),
        ("POST", "verify_code") => registration::verify_code(call, number, &fields),
        ("POST", "register") => registration::register(call, number, &fields),
        ("POST", "deregister") => registration::deregister(call, number),
        ("GET", "whatsapp_business_profile") => profile::get(call, number),
        ("POST", "whatsapp_business_profile") => profile::set(call, number, &fields),
        ("GET", "whatsapp_commerce_settings") => profile::commerce(call, number),
        ("POST", "whatsapp_commerce_settings") => profile::set_commerce(call, number, &fields),
        ("GET", "block_users") => blocks::list(call, number),
        ("POST", "block_users") => blocks::change(call, number, &fields, true),
        ("DELETE", "block_users") => blocks::change(call, number, &fields, false),
        _ => return None,
    })
}

async fn waba_edge(call: &Call, waba: &Text, edge: &str, body: Body) -> Option<Outcome> {
    let fields = match call.fields(body).await {
        Ok(fields) => fields,
        Err(error) => return Some(Err(error)),
    };
    Some(match (call.method.as_str(), edge) {
        ("GET", "") => wabas::get(call, waba),
        ("GET", "phone_numbers") => numbers::list(call, waba),
        ("POST", "phone_numbers") => numbers::create(call, waba, &fields),
        ("GET", "subscribed_apps") => wabas::subscriptions(call, waba),
        ("POST", "subscribed_apps") => wabas::subscribe(call, waba, &fields).await,
        ("DELETE", "subscribed_apps") => wabas::unsubscribe(call, waba),
        ("GET", "message_templates") => templates::list(call, waba),
        ("POST", "message_templates") => templates::create(call, waba, &fields),
        ("DELETE", "message_templates") => templates::delete(call, waba, &fields),
        ("POST", "upsert_message_templates") => templates::upsert(call, waba, &fields),
        _ => return None,
    })
}
