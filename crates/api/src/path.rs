//! The parts of a path that its route names.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Refuses what is no UTF-8 behind its percent signs.
    pub async fn of(parts: &mut Parts) -> Result<Self, NotUtf8> {
        let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| NotUtf8)?;
        Ok(Self(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }

    /// Nothing, where the route names no such part.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the path is not UTF-8")]
pub struct NotUtf8;
