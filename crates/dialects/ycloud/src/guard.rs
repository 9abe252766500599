//! Who calls, whether they may call again so soon, and with which words.

use std::sync::Arc;

use api::Asked;
use api::intake::{self, Taken};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use engine::keys::{ApiKey, Check};

use crate::errors::{Code, Error};
use crate::service::{Class, YCloud};

const HEADER: &str = "x-api-key";

/// A key of 192 random bits.
#[must_use]
pub fn new_key(random: [u8; 24]) -> String {
    hex::encode(random)
}

/// A sandbox's key, the same whenever it is derived from the same secret.
#[must_use]
pub fn derive_key(secret: [u8; 32]) -> String {
    let mut random = [0; 24];
    random.copy_from_slice(&secret[..24]);
    new_key(random)
}

/// A request on its way to its handler.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) asked: Arc<Asked>,
    pub(crate) taken: Option<Taken>,
}

pub(crate) async fn guard(
    State(ycloud): State<YCloud>,
    Extension(asked): Extension<Arc<Asked>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let class = class(request.method(), request.uri().path());
    let key = admit(&ycloud, &asked, request.headers(), class).await?;
    let has_body = matches!(*request.method(), Method::POST | Method::PATCH | Method::PUT);
    let taken = if has_body { Some(intake::take(&mut request, intake::LARGEST).await?) } else { None };
    request.extensions_mut().insert(Admitted { key, asked, taken });
    Ok(next.run(request).await)
}

/// Who calls, unless it is too often.
pub(crate) async fn admit(
    ycloud: &YCloud,
    asked: &Asked,
    headers: &HeaderMap,
    class: Class,
) -> Result<Arc<ApiKey>, Error> {
    let key = authenticate(ycloud, headers).await?;
    let standing = ycloud.count(key.organization_id, class);
    let _ = asked.organization.set(key.organization_id);
    let _ = asked.standing.set(standing);
    match standing.retry_after {
        None => Ok(key),
        Some(seconds) => {
            let code = match class {
                Class::Send => Code::SenderRateLimited,
                Class::Other => Code::AccountRateLimited,
            };
            Err(Error::new(code, format!("too many requests; try again in {seconds} s")))
        }
    }
}

async fn authenticate(ycloud: &YCloud, headers: &HeaderMap) -> Result<Arc<ApiKey>, Error> {
    let unknown = || Error::new(Code::Unauthorized, "a valid API key is needed in X-API-Key");
    let mut given = headers.get_all(HEADER).iter();
    let (Some(token), None) = (given.next(), given.next()) else { return Err(unknown()) };
    let token = token.to_str().map_err(|_| unknown())?.trim();
    match ycloud.engine.check_key(crate::NAME, token).await? {
        Check::Good(key) => Ok(key),
        Check::Unknown | Check::Expired | Check::Revoked => Err(unknown()),
    }
}

/// The operations that send have a limit of their own.
fn class(method: &Method, path: &str) -> Class {
    const SENDING: [&str; 5] =
        ["/v2/whatsapp/messages", "/v2/whatsapp/messages/sendDirectly", "/v2/sms", "/v2/voices", "/v2/emails"];
    if *method == Method::POST && SENDING.contains(&path) { Class::Send } else { Class::Other }
}
