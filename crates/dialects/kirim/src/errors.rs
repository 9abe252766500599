//! The closed vocabulary of what can go wrong: for each code its HTTP status and its type.

use std::borrow::Cow;
use std::sync::Arc;

use api::intake::BodyError;
use api::{FieldError, Kind};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Refusal;
use engine::idempotency::Given;
use engine::messages::ReadError;
use engine::provider::CallError;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidPhoneNumber,
    InvalidTemplateName,
    MissingRequiredField,
    InvalidFieldValue,
    InvalidRequest,
    InvalidLimit,
    InvalidCursor,
    InvalidWebhookUrl,
    InvalidApiKey,
    ExpiredApiKey,
    RevokedApiKey,
    ResourceNotFound,
    MethodNotAllowed,
    IdempotencyInProgress,
    SubscriptionDisabled,
    RequestTooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReuse,
    AccountNotConnected,
    UpstreamError,
    MarketingOptedOut,
    AccountRestricted,
    LastSecret,
    RateLimitExceeded,
    InternalError,
    WhatsappUpstreamError,
    ServiceUnavailable,
}

impl Code {
    /// Status, type and spelling.
    pub(crate) fn words(self) -> (u16, &'static str, &'static str) {
        const REQUEST: &str = "invalid_request_error";
        const KEY: &str = "authentication_error";
        match self {
            Self::InvalidPhoneNumber => (400, REQUEST, "invalid_phone_number"),
            Self::InvalidTemplateName => (400, REQUEST, "invalid_template_name"),
            Self::MissingRequiredField => (400, REQUEST, "missing_required_field"),
            Self::InvalidFieldValue => (400, REQUEST, "invalid_field_value"),
            Self::InvalidRequest => (400, REQUEST, "invalid_request"),
            Self::InvalidLimit => (400, REQUEST, "invalid_limit"),
            Self::InvalidCursor => (400, REQUEST, "invalid_cursor"),
            Self::InvalidWebhookUrl => (400, REQUEST, "invalid_webhook_url"),
            Self::InvalidApiKey => (401, KEY, "invalid_api_key"),
            Self::ExpiredApiKey => (401, KEY, "expired_api_key"),
            Self::RevokedApiKey => (401, KEY, "revoked_api_key"),
            Self::ResourceNotFound => (404, "not_found", "resource_not_found"),
            Self::MethodNotAllowed => (405, REQUEST, "method_not_allowed"),
            Self::IdempotencyInProgress => (409, "conflict", "idempotency_in_progress"),
            Self::SubscriptionDisabled => (409, "conflict", "subscription_disabled"),
            Self::RequestTooLarge => (413, REQUEST, "request_too_large"),
            Self::UnsupportedMediaType => (415, REQUEST, "unsupported_media_type"),
            Self::IdempotencyKeyReuse => (422, REQUEST, "idempotency_key_reuse"),
            Self::AccountNotConnected => (422, REQUEST, "account_not_connected"),
            Self::UpstreamError => (422, REQUEST, "upstream_error"),
            Self::MarketingOptedOut => (422, REQUEST, "marketing_opted_out"),
            Self::AccountRestricted => (422, REQUEST, "account_restricted"),
            Self::LastSecret => (422, REQUEST, "last_secret"),
            Self::RateLimitExceeded => (429, "rate_limit_error", "rate_limit_exceeded"),
            Self::InternalError => (500, "api_error", "internal_error"),
            Self::WhatsappUpstreamError => (502, "api_error", "whatsapp_upstream_error"),
            Self::ServiceUnavailable => (503, "api_error", "service_unavailable"),
        }
    }

    /// Whether an idempotency key stands for this answer from now on; otherwise the key is free again.
    pub(crate) fn is_remembered(self) -> bool {
        let status = self.words().0;
        status < 500 && !matches!(status, 401 | 429) && self != Self::IdempotencyInProgress
    }
}

/// What a caller is told. It has no body before the edge writes the request's id into it.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub(crate) code: Code,
    message: Cow<'static, str>,
    param: Option<String>,
    /// What only the log is told.
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), param: None, cause: None }
    }

    pub(crate) fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// Writes the cause to the log, where there is one. Done at the edge, once, where the request's id is known.
    pub(crate) fn log(&self, request_id: &str) {
        let Some(cause) = &self.cause else { return };
        let error = &**cause as &dyn std::error::Error;
        match self.code {
            Code::InternalError => tracing::error!(request_id, error, "a request failed"),
            Code::ServiceUnavailable => tracing::warn!(request_id, error, "the database is not available"),
            _ => tracing::warn!(request_id, error, "a call to the provider failed"),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::ResourceNotFound, format!("there is no such {what}"))
    }

    /// The whole answer.
    pub(crate) fn given(&self, request_id: &str) -> Given {
        let (status, kind, code) = self.code.words();
        let mut error = json!({ "type": kind, "code": code, "message": self.message });
        if let Some(param) = &self.param {
            error["param"] = param.as_str().into();
        }
        error["request_id"] = request_id.into();
        Given { status, body: json!({ "error": error }).to_string().into_bytes() }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.words().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        if error.param.is_empty() {
            return Self::new(Code::InvalidRequest, format!("the body {}", error.why));
        }
        let code = match error.kind {
            Kind::Missing => Code::MissingRequiredField,
            Kind::Invalid => Code::InvalidFieldValue,
        };
        Self::new(code, error.to_string()).at(error.param)
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::new(Code::RequestTooLarge, error.to_string()),
            BodyError::NotJson => Self::new(Code::UnsupportedMediaType, error.to_string()),
            BodyError::Unreadable(why) => Self::new(Code::InvalidRequest, why),
            BodyError::Field(error) => error.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NotFound(_) => Self::new(Code::ResourceNotFound, message),
            Refusal::Invalid { field: "url", why } => Self::new(Code::InvalidWebhookUrl, why).at("url"),
            Refusal::Invalid { field, .. } | Refusal::Taken { field } => {
                Self::new(Code::InvalidFieldValue, message).at(field)
            }
            Refusal::NotConnected { .. } => Self::new(Code::UpstreamError, message),
            Refusal::OptedOut => Self::new(Code::MarketingOptedOut, message),
            Refusal::Blocked => Self::new(Code::InvalidFieldValue, message).at("to"),
            Refusal::BalanceTooLow => Self::new(Code::AccountRestricted, message),
            Refusal::UnknownTemplate => Self::new(Code::InvalidTemplateName, message).at("template.name"),
            Refusal::Full(_) => Self::new(Code::InvalidRequest, message),
            Refusal::Disabled => Self::new(Code::SubscriptionDisabled, message),
            Refusal::LastSecret => Self::new(Code::LastSecret, message),
        }
    }
}

/// The cause goes to the log, once; the caller learns whether to come back.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        if error.is_unavailable() {
            return Self::new(Code::ServiceUnavailable, "the service is busy or being repaired; try again")
                .caused_by(error);
        }
        Self::new(Code::InternalError, "something went wrong on our side").caused_by(error)
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::UnknownMessage => Self::not_found("message").at("message_id"),
            ReadError::Unsupported => Self::new(Code::InvalidFieldValue, error.to_string()).at("status"),
            ReadError::Refusal(refusal) => refusal.into(),
            ReadError::Call(error) => error.into(),
            ReadError::Store(error) => error.into(),
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let message = match error {
            CallError::Store(error) => return error.into(),
            CallError::Refused { ref message, .. } => format!("WhatsApp refused: {message}"),
            CallError::Unauthorized { .. } => "WhatsApp does not accept this account's credentials".into(),
            CallError::Unreachable(_) | CallError::Unreadable(_) => "WhatsApp did not answer".into(),
        };
        Self::new(Code::WhatsappUpstreamError, message).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As published, or as recommended where nothing is.
    const TABLE: [(Code, u16, &str, &str); 27] = {
        use Code::*;
        const R: &str = "invalid_request_error";
        [
            (InvalidPhoneNumber, 400, R, "invalid_phone_number"),
            (InvalidTemplateName, 400, R, "invalid_template_name"),
            (MissingRequiredField, 400, R, "missing_required_field"),
            (InvalidFieldValue, 400, R, "invalid_field_value"),
            (InvalidRequest, 400, R, "invalid_request"),
            (InvalidLimit, 400, R, "invalid_limit"),
            (InvalidCursor, 400, R, "invalid_cursor"),
            (InvalidWebhookUrl, 400, R, "invalid_webhook_url"),
            (InvalidApiKey, 401, "authentication_error", "invalid_api_key"),
            (ExpiredApiKey, 401, "authentication_error", "expired_api_key"),
            (RevokedApiKey, 401, "authentication_error", "revoked_api_key"),
            (ResourceNotFound, 404, "not_found", "resource_not_found"),
            (MethodNotAllowed, 405, R, "method_not_allowed"),
            (IdempotencyInProgress, 409, "conflict", "idempotency_in_progress"),
            (SubscriptionDisabled, 409, "conflict", "subscription_disabled"),
            (RequestTooLarge, 413, R, "request_too_large"),
            (UnsupportedMediaType, 415, R, "unsupported_media_type"),
            (IdempotencyKeyReuse, 422, R, "idempotency_key_reuse"),
            (AccountNotConnected, 422, R, "account_not_connected"),
            (UpstreamError, 422, R, "upstream_error"),
            (MarketingOptedOut, 422, R, "marketing_opted_out"),
            (AccountRestricted, 422, R, "account_restricted"),
            (LastSecret, 422, R, "last_secret"),
            (RateLimitExceeded, 429, "rate_limit_error", "rate_limit_exceeded"),
            (InternalError, 500, "api_error", "internal_error"),
            (WhatsappUpstreamError, 502, "api_error", "whatsapp_upstream_error"),
            (ServiceUnavailable, 503, "api_error", "service_unavailable"),
        ]
    };

    #[test]
    fn every_code_has_its_status_and_type() {
        for (index, (code, status, kind, word)) in TABLE.into_iter().enumerate() {
            assert_eq!(code as usize, index, "the table names every code once, in order");
            let given = Error::new(code, "m").at("p").given("req_1");
            let body: serde_json::Value = serde_json::from_slice(&given.body).unwrap();
            assert_eq!(given.status, status);
            assert_eq!(
                body,
                json!({ "error": { "type": kind, "code": word, "message": "m", "param": "p", "request_id": "req_1" } })
            );
        }
        assert_eq!(TABLE.len(), Code::ServiceUnavailable as usize + 1);
        let forgotten: Vec<_> = TABLE.iter().filter(|row| !row.0.is_remembered()).map(|row| row.1).collect();
        assert_eq!(forgotten, [401, 401, 401, 409, 429, 500, 502, 503]);
    }

    #[test]
    fn an_answer_without_a_field_has_no_param() {
        let given = Error::not_found("message").given("req_1");
        assert!(!String::from_utf8(given.body).unwrap().contains("param"));
    }

    #[test]
    fn refusals_name_their_field() {
        let told = |refusal: Refusal| {
            let error = Error::from(refusal);
            (error.code, error.param.unwrap_or_default())
        };
        let invalid = |field| Refusal::Invalid { field, why: "no".into() };
        assert_eq!(told(invalid("url")), (Code::InvalidWebhookUrl, "url".into()));
        assert_eq!(told(invalid("events")), (Code::InvalidFieldValue, "events".into()));
        assert_eq!(told(Refusal::Taken { field: "phone_number" }), (Code::InvalidFieldValue, "phone_number".into()));
        assert_eq!(told(Refusal::UnknownTemplate), (Code::InvalidTemplateName, "template.name".into()));
        assert_eq!(told(Refusal::NotConnected { status: "degraded".into(), reason: None }).0, Code::UpstreamError);
        assert_eq!(told(Refusal::Disabled).0, Code::SubscriptionDisabled);
    }
}
