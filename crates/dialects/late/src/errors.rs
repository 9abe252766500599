//! What can go wrong, in this dialect's words. Bodies are flat and `error` is a text: clients show it as it is.

use std::borrow::Cow;
use std::sync::Arc;

use api::FieldError;
use api::intake::BodyError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Refusal;
use engine::provider::CallError;
use serde::Serialize;
use serde_json::{Value, json};

use crate::reasons;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Validation,
    InvalidRequest,
    TemplateNotFound,
    InsufficientBalance,
    MissingApiKey,
    InvalidApiKey,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PurchaseVelocity,
    PayloadTooLarge,
    UnsupportedMediaType,
    Unprocessable,
    RateLimitExceeded,
    PlatformApiError,
    InternalError,
    ServiceUnavailable,
}

impl Code {
    /// Status, kind and spelling.
    fn words(self) -> (u16, &'static str, &'static str) {
        const INVALID: &str = "invalid_request_error";
        match self {
            Self::Validation => (400, INVALID, "validation_error"),
            Self::InvalidRequest => (400, INVALID, "invalid_request"),
            Self::TemplateNotFound => (400, INVALID, "template_not_found"),
            Self::InsufficientBalance => (403, "permission_error", "insufficient_balance"),
            Self::MissingApiKey => (401, "authentication_error", "missing_api_key"),
            Self::InvalidApiKey => (401, "authentication_error", "invalid_api_key"),
            Self::Forbidden => (403, "permission_error", "forbidden"),
            Self::NotFound => (404, "not_found", "not_found"),
            Self::MethodNotAllowed => (405, INVALID, "method_not_allowed"),
            Self::Conflict => (409, INVALID, "conflict"),
            Self::PurchaseVelocity => (409, INVALID, "PURCHASE_VELOCITY"),
            Self::PayloadTooLarge => (413, INVALID, "payload_too_large"),
            Self::UnsupportedMediaType => (415, INVALID, "unsupported_media_type"),
            Self::Unprocessable => (422, INVALID, "unprocessable"),
            Self::RateLimitExceeded => (429, "rate_limit_error", "rate_limit_exceeded"),
            Self::PlatformApiError => (400, "platform_error", "platform_api_error"),
            Self::InternalError => (500, "api_error", "internal_error"),
            Self::ServiceUnavailable => (503, "api_error", "service_unavailable"),
        }
    }
}

/// What a caller is told.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub(crate) code: Code,
    message: Cow<'static, str>,
    /// The member that is to blame.
    param: Option<String>,
    details: Option<Box<Value>>,
    /// What Meta said.
    platform: Option<Box<Value>>,
    /// What only the log is told.
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    error: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_error: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Value>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), param: None, details: None, platform: None, cause: None }
    }

    pub(crate) fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "Not found")
    }

    /// The state of things does not allow it.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// A member's value cannot be taken. Clients find all that is wrong in `details.fields`.
    pub(crate) fn of_field(param: &str, why: &str) -> Self {
        let message = format!("{param} {why}").trim().to_owned();
        let details = (!param.is_empty()).then(|| Box::new(json!({ "fields": { param: [why] } })));
        Self {
            param: Some(param.to_owned()).filter(|param| !param.is_empty()),
            details,
            ..Self::new(Code::Validation, message)
        }
    }

    /// Meta refused: its words.
    pub(crate) fn of_meta(message: String, code: Option<i64>, details: Option<&str>) -> Self {
        let mut said = json!({ "message": message });
        if let Some(code) = code {
            said["code"] = code.into();
        }
        if let Some(details) = details {
            said["error_data"] = json!({ "details": details });
        }
        Self { platform: Some(Box::new(said)), ..Self::new(Code::PlatformApiError, message) }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Writes the cause to the log, where there is one. Done at the edge, once, where the request's id is known.
    pub(crate) fn log(&self, request_id: &str) {
        let Some(cause) = &self.cause else { return };
        let error = &**cause as &dyn std::error::Error;
        match self.code {
            Code::InternalError => tracing::error!(request_id, error, "a request failed"),
            Code::ServiceUnavailable => {
                tracing::warn!(request_id, error, "the database or a provider is not available")
            }
            _ => tracing::warn!(request_id, error, "a call to the provider failed"),
        }
    }

    /// The whole body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let (_, kind, code) = self.code.words();
        let told = Told {
            error: &self.message,
            kind,
            code,
            param: self.param.as_deref(),
            platform: self.platform.as_ref().map(|_| "whatsapp"),
            platform_error: self.platform.as_deref(),
            details: self.details.as_deref(),
        };
        serde_json::to_vec(&told).expect("errors are made of texts and JSON")
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.words().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::of_field(&error.param, &error.why)
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::new(Code::PayloadTooLarge, error.to_string()),
            BodyError::NotJson => Self::new(Code::UnsupportedMediaType, error.to_string()),
            BodyError::Unreadable(why) => Self::new(Code::Validation, why),
            BodyError::Field(error) => error.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NotFound(_) => Self::not_found(),
            Refusal::Invalid { field, why } => Self::of_field(field, &why),
            Refusal::Taken { .. } => Self::new(Code::Conflict, message),
            Refusal::NotConnected { .. } => Self::invalid(message).at("accountId"),
            Refusal::OptedOut => Self::invalid(reasons::OPTED_OUT),
            Refusal::Blocked => Self::invalid(reasons::BLOCKED),
            Refusal::BalanceTooLow => Self::new(Code::InsufficientBalance, message),
            Refusal::UnknownTemplate => Self::new(Code::TemplateNotFound, "Template not found").at("template.name"),
            Refusal::Full(_) | Refusal::Disabled | Refusal::LastSecret => Self::invalid(message),
        }
    }
}

/// The cause goes to the log, once; the caller learns whether to come back.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        if error.is_unavailable() {
            let busy = "The service is busy or being repaired; try again";
            return Self::new(Code::ServiceUnavailable, busy).caused_by(error);
        }
        Self::new(Code::InternalError, "Something went wrong on our side").caused_by(error)
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Store(error) => error.into(),
            CallError::Refused { ref message, code, ref details } => {
                Self::of_meta(message.clone(), code, details.as_deref()).caused_by(error)
            }
            CallError::Unauthorized { ref message, code } => {
                Self::of_meta(message.clone(), code, None).caused_by(error)
            }
            CallError::Unreachable(_) | CallError::Unreadable(_) => {
                Self::new(Code::ServiceUnavailable, "WhatsApp did not answer; try again").caused_by(error)
            }
        }
    }
}
