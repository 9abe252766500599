//! The API: who may call it, what it refuses, and in which words.

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, OriginalUri, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::books::{Given, Known, Session, Standing};
use super::refunds::Bank;
use super::{Account, Desk, Unmoved};
use crate::http::course::{self, Course};
use crate::outside::Target;
use crate::serve::cut;

pub(super) type Shared = Arc<Desk>;

/// Seconds that a session stays open.
const SHORTEST: i64 = 30 * 60;
const LONGEST: i64 = 24 * 60 * 60;
/// The least that is charged, in the smallest unit.
const LEAST: u64 = 50;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/checkout/sessions", post(create))
        .route("/v1/checkout/sessions/{session}", get(retrieve))
        .route("/v1/checkout/sessions/{session}/expire", post(expire))
        .fallback(nothing)
}

/// A refusal in Stripe's shape.
pub(super) struct Problem {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl Problem {
    pub(super) fn new(
        status: u16,
        code: Option<&'static str>,
        param: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        let param = param.map(str::to_owned);
        Self { status, kind: "invalid_request_error", code, param, message: message.into() }
    }

    fn bad(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self::new(400, Some(code), Some(param), message)
    }

    pub(super) fn unknown(what: &str, id: &str, param: &str) -> Self {
        Self::new(404, Some("resource_missing"), Some(param), format!("No such {what}: '{id}'"))
    }

    fn demanded(status: u32) -> Self {
        let status = u16::try_from(status).ok().filter(|status| (400..600).contains(status)).unwrap_or(400);
        let kind = if status >= 500 { "api_error" } else { "invalid_request_error" };
        let code = (status == 429).then_some("rate_limit");
        Self { status, kind, code, param: None, message: "The request was refused on demand.".to_owned() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, kind, code, param, message } = self;
        let error = json!({ "type": kind, "code": code, "param": param, "message": message });
        let Value::Object(mut error) = error else { return StatusCode::BAD_REQUEST.into_response() };
        error.retain(|_, value| !value.is_null());
        (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(json!({ "error": error })))
            .into_response()
    }
}

async fn nothing(method: Method, uri: Uri) -> Response {
    Problem::new(404, None, None, format!("Unrecognized request URL ({method}: {}).", uri.path())).into_response()
}

/// Whose key it is.
pub(super) fn customer(desk: &Desk, headers: &HeaderMap) -> Result<Arc<Account>, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(given) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(Problem::new(401, None, None, "You did not provide an API key, as a bearer token."));
    };
    let right = |account: &&Arc<Account>| bool::from(account.secret_key.as_bytes().ct_eq(given.as_bytes()));
    let found = desk.accounts().iter().find(right).cloned();
    found.ok_or_else(|| Problem::new(401, None, None, "Invalid API Key provided."))
}

/// Lets a call meet what is to go wrong.
async fn course(desk: &Shared, done: impl FnOnce() -> Response) -> Response {
    let take = match course::of(&desk.world, Target::Till).await {
        Course::Refuse(status) => return Problem::demanded(status).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let answer = done();
    if take.cut { cut() } else { answer }
}

/// A call that changes something, as it came.
pub(super) struct Change {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Change {
    type Rejection = BytesRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, BytesRejection> {
        let original = request.extensions().get().map(|OriginalUri(uri)| uri.path());
        let path = original.unwrap_or(request.uri().path()).to_owned();
        let headers = request.headers().clone();
        Ok(Self { path, headers, body: Bytes::from_request(request, state).await? })
    }
}

impl Change {
    /// Does it, or gives the answer that its key got before. Refusals are forgotten, errors of the server's are not.
    pub(super) async fn once(
        &self,
        desk: &Shared,
        act: impl FnOnce(&Account, &Form) -> Result<Value, Problem>,
    ) -> Response {
        let account = match customer(desk, &self.headers) {
            Ok(account) => account,
            Err(problem) => return problem.into_response(),
        };
        if let Known::Used(Given::Broken(status)) = self.known(desk, &account) {
            return replayed(Problem::demanded(status.into()).into_response());
        }
        let answer = course(desk, || match self.done(desk, &account, act) {
            Ok((answer, false)) => Json(answer).into_response(),
            Ok((answer, true)) => replayed(Json(answer).into_response()),
            Err(problem) => problem.into_response(),
        })
        .await;
        if answer.status().is_server_error() {
            self.remember(desk, &account, Given::Broken(answer.status().as_u16()));
        }
        answer
    }

    fn key(&self) -> Option<&str> {
        self.headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default())
    }

    fn asked(&self) -> [u8; 32] {
        Sha256::digest([self.path.as_bytes(), b"\n", &*self.body].concat()).into()
    }

    fn known(&self, desk: &Desk, account: &Account) -> Known {
        let known = |key| desk.books().known(&account.secret_key, key, &self.asked(), desk.now());
        self.key().map_or(Known::Fresh, known)
    }

    fn remember(&self, desk: &Desk, account: &Account, given: Given) {
        if let Some(key) = self.key() {
            desk.books().remember(&account.secret_key, key, self.asked(), given, desk.now());
        }
    }

    fn done(
        &self,
        desk: &Desk,
        account: &Account,
        act: impl FnOnce(&Account, &Form) -> Result<Value, Problem>,
    ) -> Result<(Value, bool), Problem> {
        if self.key().is_some_and(|key| key.is_empty() || key.len() > 255) {
            return Err(Problem::new(400, None, None, "Idempotency keys have from 1 to 255 characters."));
        }
        match self.known(desk, account) {
            Known::Fresh => {}
            Known::Used(Given::Done(answer)) => return Ok((answer, true)),
            Known::Used(Given::Broken(status)) => return Err(Problem::demanded(status.into())),
            Known::Other => {
                let key = self.key().unwrap_or_default();
                let message = format!("Keys for idempotent requests stand for one request only: '{key}'.");
                return Err(Problem { kind: "idempotency_error", ..Problem::new(400, None, None, message) });
            }
        }
        let answer = act(account, &Form::read(&self.headers, &self.body)?)?;
        self.remember(desk, account, Given::Done(answer.clone()));
        Ok((answer, false))
    }
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}

/// A form's fields. Of several with one name the last counts.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
            let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded).";
            return Err(Problem::new(400, None, None, message));
        }
        let fields: Vec<_> = url::form_urlencoded::parse(body).into_owned().collect();
        match fields.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => {
                Err(Problem::bad("parameter_invalid_empty", name, format!("You passed an empty string for '{name}'.")))
            }
            None => Ok(Self(fields)),
        }
    }

    pub(super) fn only(&self, known: impl Fn(&str) -> bool) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| !known(name) && !name.starts_with("metadata[")) {
            Some((name, _)) => {
                Err(Problem::bad("parameter_unknown", name, format!("Received unknown parameter: {name}")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| lacks(name))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let wrong = |text| Problem::bad("parameter_invalid_integer", name, format!("Invalid integer: {text}"));
        self.get(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }

    fn url(&self, name: &str) -> Result<Option<String>, Problem> {
        let fits = |url: url::Url| matches!(url.scheme(), "http" | "https");
        match self.get(name) {
            Some(text) if !url::Url::parse(text).is_ok_and(fits) => {
                Err(Problem::bad("url_invalid", name, "Not a valid URL"))
            }
            given => Ok(given.map(str::to_owned)),
        }
    }

    pub(super) fn metadata(&self) -> Map<String, Value> {
        let key = |name: &str| Some(name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned());
        self.0.iter().filter_map(|(name, value)| Some((key(name)?, json!(value)))).collect()
    }
}

async fn create(State(desk): State<Shared>, change: Change) -> Response {
    change
        .once(&desk, |account, form| {
            let session = opened(&desk, account, form)?;
            let shown = session.shown();
            desk.books().open(session);
            Ok(shown)
        })
        .await
}

/// A session for one thing.
fn opened(desk: &Desk, account: &Account, form: &Form) -> Result<Session, Problem> {
    let [currency, amount, name, quantity] =
        ["[price_data][currency]", "[price_data][unit_amount]", "[price_data][product_data][name]", "[quantity]"]
            .map(|part| format!("line_items[0]{part}"));
    let plain = ["mode", "success_url", "cancel_url", "client_reference_id", "expires_at"];
    form.only(|it| plain.contains(&it) || [&currency, &amount, &name, &quantity].iter().any(|own| *own == it))?;
    if form.need("mode")? != "payment" {
        return Err(Problem::new(400, None, Some("mode"), "Invalid mode: only payment is here."));
    }
    let code = form.need(&currency)?.to_lowercase();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(Problem::new(400, None, Some(&currency), format!("Invalid currency: {code}.")));
    }
    let each = form.number(&amount)?.ok_or_else(|| lacks(&amount))?;
    let total = each.saturating_mul(form.number(&quantity)?.unwrap_or(1));
    if total < LEAST {
        let message = format!("The Checkout Session's total amount due must add up to at least {LEAST}.");
        return Err(Problem::new(400, Some("amount_too_small"), None, message));
    }
    let reference = form.get("client_reference_id").map(str::to_owned);
    if reference.as_ref().is_some_and(|it| it.len() > 200) {
        return Err(Problem::bad("parameter_invalid_string", "client_reference_id", "It has up to 200 characters."));
    }
    let (now, id) = (desk.now(), desk.books().fresh("cs_test_", desk.world.now()));
    Ok(Session {
        account: account.secret_key.clone(),
        url: format!("{}/c/pay/{id}", desk.url),
        id,
        title: form.need(&name)?.to_owned(),
        amount: total,
        currency: code,
        reference,
        metadata: form.metadata(),
        success_url: form.url("success_url")?.ok_or_else(|| lacks("success_url"))?,
        cancel_url: form.url("cancel_url")?,
        created: now,
        expires_at: end(form, now)?,
        standing: Standing::Open,
        bank: Bank::default(),
        refunds: Vec::new(),
    })
}

fn lacks(name: &str) -> Problem {
    Problem::bad("parameter_missing", name, format!("Missing required param: {name}."))
}

fn end(form: &Form, now: i64) -> Result<i64, Problem> {
    let Some(given) = form.number("expires_at")? else { return Ok(now + LONGEST) };
    let given = i64::try_from(given).unwrap_or(i64::MAX);
    let wrong = |how| {
        let message = format!("The `expires_at` timestamp must be {how} from Checkout Session creation.");
        Problem::new(400, None, Some("expires_at"), message)
    };
    match given.saturating_sub(now) {
        ..SHORTEST => Err(wrong("at least 30 minutes")),
        SHORTEST..=LONGEST => Ok(given),
        _ => Err(wrong("less than 24 hours")),
    }
}

/// One of the account's own.
fn own(desk: &Desk, account: &Account, id: &str) -> Result<Session, Problem> {
    let found = desk.books().find(id).filter(|session| session.account == account.secret_key).cloned();
    found.ok_or_else(|| Problem::unknown("checkout.session", id, "session"))
}

async fn retrieve(State(desk): State<Shared>, Path(id): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let found = customer(&desk, &headers).and_then(|account| {
        desk.close();
        let mut session = own(&desk, &account, &id)?.shown();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match (&*name, &*value) {
                ("expand[]" | "expand[0]", "payment_intent") => session = own(&desk, &account, &id)?.expanded(),
                _ => return Err(Problem::new(400, None, Some(&name), "This property cannot be expanded.")),
            }
        }
        Ok(session)
    });
    match found {
        Ok(session) => course(&desk, || Json(session).into_response()).await,
        Err(problem) => problem.into_response(),
    }
}

async fn expire(State(desk): State<Shared>, Path(id): Path<String>, change: Change) -> Response {
    change
        .once(&desk, |account, form| {
            form.only(|_| false)?;
            own(&desk, account, &id)?;
            let moved = desk.move_on(&id, Standing::Expired, false);
            match moved {
                Ok(session) => Ok(session.shown()),
                Err(Unmoved::Unknown) => Err(Problem::unknown("checkout.session", &id, "session")),
                Err(Unmoved::Over) => {
                    let status = own(&desk, account, &id)?.standing.status();
                    let message = format!(
                        "Only Checkout Sessions with a status in [\"open\"] can be expired. This one has a status of `{status}`."
                    );
                    Err(Problem::new(400, None, None, message))
                }
            }
        })
        .await
}
