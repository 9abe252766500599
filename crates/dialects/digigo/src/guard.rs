//! Who calls: a user by his token, an administrator by his.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use engine::Id;
use engine::keys::Check;
use engine::senders::Sender;

use crate::errors::Error;
use crate::service::Digigo;
use crate::settings::Settings;

/// The longest token that is looked up.
const LONGEST_TOKEN: usize = 512;

/// A user: an account of WhatsApp's with a token of its own.
pub(crate) struct User {
    pub(crate) sender: Arc<Sender>,
    pub(crate) settings: Settings,
    pub(crate) token: String,
}

impl User {
    pub(crate) fn of(sender: Arc<Sender>, token: String) -> Self {
        Self { settings: Settings::of(&sender), sender, token }
    }

    /// As this API spells it.
    pub(crate) fn id(&self) -> String {
        self.sender.id.hex32()
    }
}

/// By the header `token`.
pub(crate) async fn user(digigo: &Digigo, headers: &HeaderMap) -> Result<Arc<User>, Error> {
    let token = headers.get("token").and_then(|token| token.to_str().ok()).filter(|token| !token.is_empty());
    let Some(token) = token.filter(|token| token.len() <= LONGEST_TOKEN) else { return Err(Error::unauthorized()) };
    let Check::Good(key) = digigo.engine.check_key(crate::NAME, token).await? else {
        return Err(Error::unauthorized());
    };
    let Some(sender) = &key.sender_id else { return Err(Error::unauthorized()) };
    let sender = digigo.engine.sender_by_id(sender).await?.ok_or_else(Error::unauthorized)?;
    Ok(Arc::new(User::of(sender, token.to_owned())))
}

/// By the header `Authorization`, bare or as a bearer token (notes §1); answers whose administrator it is.
pub(crate) async fn admin(digigo: &Digigo, headers: &HeaderMap) -> Result<Id, Error> {
    let refused = || Error::new(StatusCode::UNAUTHORIZED, "unauthorized - admin token required");
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    let token = api::bearer::token(headers).unwrap_or(given);
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Err(refused());
    }
    match digigo.engine.check_key(crate::NAME, token).await? {
        Check::Good(key) if key.sender_id.is_none() => Ok(key.organization_id),
        _ => Err(refused()),
    }
}
