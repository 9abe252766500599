//! What goes wrong, and how it is told: the same text in one of several envelopes, by operation (notes §1).

use axum::http::StatusCode;
use serde_json::{Value, json};

/// How an operation spells its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"code", "data", "success": true}`; errors `{"code", "error", "success": false}`.
    A,
    /// As A; errors `{"error"}`.
    B,
    /// A flat body with `success`; errors `{"error"}`.
    C,
    /// As A, with the error's text in `data`.
    E,
    /// The body alone; errors as in A.
    Raw,
}

/// An answer that is not the one hoped for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    pub status: StatusCode,
    pub text: String,
    /// Members that one operation has beside its text.
    pub beside: Vec<(&'static str, Value)>,
}

impl Error {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), beside: Vec::new() }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub fn conflict(text: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, text)
    }

    pub fn failed(text: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    /// There is no connection for this user, and nobody asked for one.
    #[must_use]
    pub fn no_session() -> Self {
        Self::failed("no session")
    }

    /// A body that is not what it should be.
    #[must_use]
    pub fn undecodable() -> Self {
        Self::bad("could not decode payload")
    }

    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    #[must_use]
    pub fn beside(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.beside.push((name, value.into()));
        self
    }

    /// Its body in an operation's spelling.
    #[must_use]
    pub fn body(&self, shape: Shape) -> Value {
        let (code, text) = (self.status.as_u16(), self.text.as_str());
        let mut body = match shape {
            Shape::B | Shape::C => json!({ "error": text }),
            Shape::E => json!({ "code": code, "data": text, "success": false }),
            Shape::A | Shape::Raw => json!({ "code": code, "error": text, "success": false }),
        };
        if let Some(body) = body.as_object_mut() {
            body.extend(self.beside.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        body
    }
}

/// The database failed: the log has why, the caller has not.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        let down = matches!(error, engine::Error::Unavailable(_));
        tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
        match down {
            true => Self::new(StatusCode::SERVICE_UNAVAILABLE, "problem accessing DB"),
            false => Self::failed("problem accessing DB"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_tells_it_in_its_own_way() {
        let error = Error::bad("missing Image in Payload");
        for (shape, told) in [
            (Shape::A, json!({ "code": 400, "error": "missing Image in Payload", "success": false })),
            (Shape::B, json!({ "error": "missing Image in Payload" })),
            (Shape::C, json!({ "error": "missing Image in Payload" })),
            (Shape::E, json!({ "code": 400, "data": "missing Image in Payload", "success": false })),
            (Shape::Raw, json!({ "code": 400, "error": "missing Image in Payload", "success": false })),
        ] {
            assert_eq!(error.body(shape), told);
        }
        let told = error.beside("was", true).body(Shape::C);
        assert_eq!(told, json!({ "error": "missing Image in Payload", "was": true }));
    }
}
