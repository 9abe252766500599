//! Takes bodies in, and sees to it that a POST with an idempotency key is answered once.
//!
//! An answer that tells of a change is remembered in the change's own transaction, by the handler
//! (`Call::commit`). What is left for here is a request that was refused before there was one.

use std::sync::Arc;

use api::Asked;
use api::intake::Taken;
use api::once::{self, Settled};
use axum::extract::Request;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::idempotency::Once;
use engine::keys::ApiKey;

use crate::answer::{Answer, Kept};
use crate::errors::{Code, Error};
use crate::service::Kirim;

const HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// A request on its way to its handler.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) asked: Arc<Asked>,
    pub(crate) taken: Option<Taken>,
    pub(crate) once: Option<Once>,
}

pub(crate) async fn take_in(
    kirim: &Kirim,
    key: Arc<ApiKey>,
    asked: Arc<Asked>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let mut admitted = Admitted { key, asked: asked.clone(), taken: None, once: None };
    if !matches!(*request.method(), Method::POST | Method::PATCH | Method::PUT) {
        return Ok(run(next, request, admitted).await);
    }
    let taken = api::intake::take(&mut request, api::intake::LARGEST).await?;
    let once = named(&request, &admitted.key, &taken)?;
    admitted.taken = Some(taken);
    let Some(once) = once else {
        return Ok(run(next, request, admitted).await);
    };
    let Some(_turn) = kirim.turns.take(&once, &kirim.engine.clock).await else {
        return Err(Error::new(
            Code::IdempotencyInProgress,
            "the first request with this idempotency key is still running",
        ));
    };
    admitted.once = Some(once.clone());
    let response = run(next, request, admitted).await;
    settle(kirim, &once, &asked.request_id, response).await
}

fn run(next: Next, mut request: Request, admitted: Admitted) -> impl Future<Output = Response> {
    request.extensions_mut().insert(admitted);
    next.run(request)
}

/// The caller's key, bound to method, path and body.
fn named(request: &Request, key: &ApiKey, taken: &Taken) -> Result<Option<Once>, Error> {
    let given = request.headers().get(HEADER).filter(|_| request.method() == Method::POST);
    let Some(given) = given else { return Ok(None) };
    let wrong =
        || Error::new(Code::InvalidFieldValue, "Idempotency-Key must have 1 to 255 characters").at("Idempotency-Key");
    let name = std::str::from_utf8(given.as_bytes()).map_err(|_| wrong())?;
    if name.is_empty() || name.chars().count() > LONGEST_KEY {
        return Err(wrong());
    }
    let body = match &*taken.json {
        Ok(Some(json)) => once::canonical(json),
        Ok(None) => Vec::new(),
        Err(_) => taken.bytes.to_vec(),
    };
    let path = request.uri().path().as_bytes();
    Ok(Some(Once::new(&key.organization_id, crate::NAME, name, &[b"POST", path, &body])))
}

async fn settle(kirim: &Kirim, once: &Once, request_id: &str, response: Response) -> Result<Response, Error> {
    if let Some(kept) = response.extensions().get::<Kept>().copied() {
        return Ok(marked(response, kept));
    }
    let refused = response.extensions().get::<Error>().filter(|error| error.code.is_remembered());
    let Some(error) = refused else {
        return Ok(marked(response, Kept::Now));
    };
    match once::settle(&kirim.engine, once, error.given(request_id)).await? {
        Settled::New => Ok(marked(response, Kept::Now)),
        Settled::Before(given) => Ok(marked(Answer::kept(given, Kept::Before).into_response(), Kept::Before)),
        Settled::Reused => Err(reused()),
    }
}

pub(crate) fn reused() -> Error {
    Error::new(Code::IdempotencyKeyReuse, "this idempotency key was used for another request")
}

fn marked(mut response: Response, kept: Kept) -> Response {
    let again = HeaderValue::from_static(if kept == Kept::Before { "true" } else { "false" });
    response.headers_mut().insert("idempotent-replayed", again);
    response
}
