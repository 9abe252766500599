//! Answers that went well.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::errors::{Error, Shape};

/// What a handler has to say, before it is put into its operation's envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    /// Members beside `data`, in operations that have some.
    pub beside: Vec<(&'static str, Value)>,
}

impl Answer {
    /// What is told in `data`, or is the body itself where there is no envelope.
    #[must_use]
    pub fn of(body: Value) -> Self {
        Self { status: StatusCode::OK, body, beside: Vec::new() }
    }

    /// `{"Details": …}`.
    #[must_use]
    pub fn details(text: &str) -> Self {
        Self::of(json!({ "Details": text }))
    }

    #[must_use]
    pub fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    #[must_use]
    pub fn beside(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.beside.push((name, value.into()));
        self
    }

    fn into_body(self, shape: Shape) -> Value {
        let mut body = match shape {
            Shape::A | Shape::B | Shape::E => {
                json!({ "code": self.status.as_u16(), "data": self.body, "success": true })
            }
            Shape::C | Shape::Raw => self.body,
        };
        if let Some(body) = body.as_object_mut() {
            body.extend(self.beside.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        body
    }
}

/// Prints what came of an operation.
pub fn print(shape: Shape, outcome: Result<Answer, Error>) -> Response {
    match outcome {
        Ok(answer) => (answer.status, Json(answer.into_body(shape))).into_response(),
        Err(error) => (error.status, Json(error.body(shape))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_wrapped_where_the_operation_wraps_it() {
        let answer = Answer::details("Sent").beside("details", "x");
        assert_eq!(
            answer.clone().into_body(Shape::A),
            json!({ "code": 200, "data": { "Details": "Sent" }, "success": true, "details": "x" })
        );
        assert_eq!(answer.into_body(Shape::C), json!({ "Details": "Sent", "details": "x" }));
        assert_eq!(Answer::of(json!([])).created().into_body(Shape::A)["code"], 201);
    }
}
