//! What accounts keep in their two JSON texts, read strictly: a field that nobody knows is a typing error that would
//! otherwise show itself only when the first message is sent.

use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use url::Url;

/// An account's JSON is not what its provider needs. Quotes nothing of the secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the account's config cannot be used: {0}")]
    Config(String),
    #[error("the account's secrets cannot be used: they must be {0}")]
    Secrets(&'static str),
}

pub(super) fn config<T: DeserializeOwned>(json: &str) -> Result<T, Unusable> {
    serde_json::from_str(json).map_err(|error| Unusable::Config(error.to_string()))
}

/// `shape`: what they should be, in words.
pub(super) fn secrets<T: DeserializeOwned>(json: &SecretString, shape: &'static str) -> Result<T, Unusable> {
    serde_json::from_str(json.expose_secret()).map_err(|_| Unusable::Secrets(shape))
}

/// Without the blanks that come along when secrets are pasted. An empty one would sign for everybody.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Err(Error::custom("a secret is empty")),
        text => Ok(text.into()),
    }
}

pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Err(Error::custom("a name is empty")),
        text => Ok(text.to_owned()),
    }
}

/// An origin with perhaps a path.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let url = Url::parse(text.trim()).map_err(Error::custom)?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(Some(url)),
        _ => Err(Error::custom("base_url must begin with https:// or http://")),
    }
}

/// Where the carrier answers: `known`, a constant, unless the account names another place.
pub(super) fn root(named: Option<&Url>, known: &'static str) -> Url {
    named.cloned().unwrap_or_else(|| Url::parse(known).expect("a constant URL"))
}
