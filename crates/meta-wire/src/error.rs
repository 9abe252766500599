//! Graph's error body, the error form of webhooks, and what an error code means for trying again.

mod class;

use serde::Deserialize;
use serde_json::{Value, json};

pub use class::{Class, class};

wire! {
    /// The object under `error` in a refused call.
    GraphError {
        #[serde(default)]
        message: String,
        #[serde(rename = "type", default)]
        kind: String,
        code: i64,
        error_subcode?: i64,
        error_data?: Value,
        fbtrace_id?: String,
        is_transient?: bool,
        error_user_title?: String,
        error_user_msg?: String,
    }

    /// An error inside a webhook.
    Problem {
        code: i64,
        title?: String,
        message?: String,
        error_data?: Value,
        href?: String,
    }

    /// An error of one block-list entry, or of a health check.
    ItemError {
        code?: i64,
        error_code?: i64,
        message?: String,
        error_data?: Value,
        error_description?: String,
        possible_solution?: String,
    }
}

impl GraphError {
    /// Reads `{"error": {…}}`; `None` if the body is something else.
    pub fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            error: GraphError,
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        Some(body.error)
    }

    /// An error as Meta words it: `(#code) title`, with the details that a person should see.
    pub fn new(code: i64, title: &str, details: &str) -> Self {
        Self {
            message: format!("(#{code}) {title}"),
            kind: "OAuthException".to_owned(),
            code,
            error_data: Some(json!({ "messaging_product": "whatsapp", "details": details })),
            ..Self::default()
        }
    }

    /// The body that carries it.
    pub fn to_body(&self) -> Value {
        json!({ "error": self })
    }

    /// The sentence that says most, or the message where there is none.
    pub fn details(&self) -> &str {
        details(self.error_data.as_ref()).or(self.error_user_msg.as_deref()).unwrap_or(&self.message)
    }

    /// What to do about it. `status` is the answer's HTTP status.
    pub fn class(&self, status: u16) -> Class {
        let class = class(self.code, self.error_subcode, Some(status));
        match self.is_transient {
            Some(true) if class == Class::Never && !class::known(self.code, self.error_subcode) => Class::BackOff,
            _ => class,
        }
    }
}

impl Problem {
    /// The sentence that says most; empty where there is none.
    pub fn details(&self) -> &str {
        details(self.error_data.as_ref()).or(self.message.as_deref()).or(self.title.as_deref()).unwrap_or_default()
    }
}

/// `error_data` is an object with `details`, in old answers a bare text.
fn details(data: Option<&Value>) -> Option<&str> {
    match data? {
        Value::String(text) => Some(text),
        data => data.get("details")?.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_is_read_and_printed_back() {
        let body = json!({"error": {
            "message": "(#131047) Re-engagement message", "type": "OAuthException", "code": 131047,
            "error_data": {"messaging_product": "whatsapp", "details": "More than 24 hours have passed"},
            "error_subcode": 2494055, "fbtrace_id": "A1", "is_transient": false, "new_member": [1]
        }});
        let error = GraphError::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(error.details(), "More than 24 hours have passed");
        assert_eq!(error.class(400), Class::Never);
        assert_eq!(error.to_body(), body);
        let old = GraphError::parse(br#"{"error":{"code":999999,"error_data":"plain","is_transient":true}}"#).unwrap();
        assert_eq!((old.details(), old.class(400)), ("plain", Class::BackOff));
        for body in [&b"<html>"[..], b"", b"{}", b"{\"error\":\"x\"}", b"\xff"] {
            assert!(GraphError::parse(body).is_none());
        }
        let made = GraphError::new(100, "Invalid parameter", "to is missing");
        assert_eq!((made.message.as_str(), made.details()), ("(#100) Invalid parameter", "to is missing"));
    }
}
