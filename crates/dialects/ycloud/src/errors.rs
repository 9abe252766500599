//! What can go wrong, in this dialect's words: for each code its HTTP status.

use std::borrow::Cow;
use std::sync::Arc;

use api::intake::BodyError;
use api::{FieldError, Kind};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::Refusal;
use engine::provider::CallError;
use serde::Serialize;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    ParamInvalid,
    ParamInvalidLength,
    ParamMissing,
    Unauthorized,
    Forbidden,
    AccountLimited,
    BalanceInsufficient,
    EmailDomainUnverified,
    RecipientInBlockList,
    RecipientUnsubscribed,
    SenderIdUnavailable,
    WabaUnavailable,
    PhoneNumberUnavailable,
    TemplateUnavailable,
    TemplateUneditable,
    NotFound,
    MethodNotAllowed,
    AlreadyExists,
    ContentTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    AccountRateLimited,
    SenderRateLimited,
    Internal,
    Unavailable,
}

impl Code {
    /// Status and spelling.
    pub(crate) fn words(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "BAD_REQUEST"),
            Self::ParamInvalid => (400, "PARAM_INVALID"),
            Self::ParamInvalidLength => (400, "PARAM_INVALID_LENGTH"),
            Self::ParamMissing => (400, "PARAM_MISSING"),
            Self::Unauthorized => (401, "UNAUTHORIZED"),
            Self::Forbidden => (403, "FORBIDDEN"),
            Self::AccountLimited => (403, "ACCOUNT_LIMITED"),
            Self::BalanceInsufficient => (403, "BALANCE_INSUFFICIENT"),
            Self::EmailDomainUnverified => (403, "EMAIL_DOMAIN_UNVERIFIED"),
            Self::RecipientInBlockList => (403, "RECIPIENT_IN_BLOCK_LIST"),
            Self::RecipientUnsubscribed => (403, "RECIPIENT_UNSUBSCRIBED"),
            Self::SenderIdUnavailable => (403, "SENDER_ID_UNAVAILABLE"),
            Self::WabaUnavailable => (403, "WHATSAPP_WABA_UNAVAILABLE"),
            Self::PhoneNumberUnavailable => (403, "WHATSAPP_PHONE_NUMBER_UNAVAILABLE"),
            Self::TemplateUnavailable => (403, "WHATSAPP_TEMPLATE_UNAVAILABLE"),
            Self::TemplateUneditable => (403, "WHATSAPP_TEMPLATE_UNEDITABLE"),
            Self::NotFound => (404, "NOT_FOUND"),
            Self::MethodNotAllowed => (405, "METHOD_NOT_ALLOWED"),
            Self::AlreadyExists => (409, "ALREADY_EXISTS"),
            Self::ContentTooLarge => (413, "CONTENT_TOO_LARGE"),
            Self::UnsupportedMediaType => (415, "UNSUPPORTED_MEDIA_TYPE"),
            Self::TooManyRequests => (429, "TOO_MANY_REQUESTS"),
            Self::AccountRateLimited => (429, "ACCOUNT_RATE_LIMITED"),
            Self::SenderRateLimited => (429, "SENDER_RATE_LIMITED"),
            Self::Internal => (500, "INTERNAL_SERVER_ERROR"),
            Self::Unavailable => (503, "SERVICE_UNAVAILABLE"),
        }
    }
}

/// What a caller is told. It has no body before the edge writes the request's id into it.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub(crate) code: Code,
    message: Cow<'static, str>,
    target: Option<String>,
    /// What Meta said, in Meta's words.
    whatsapp: Option<Box<WhatsappApiError>>,
    /// Instead of the code's own status.
    status: Option<u16>,
    /// Seconds after which another try may go well.
    pub(crate) retry_after: Option<i64>,
    /// What only the log is told.
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Meta's refusal as it is handed on; all numbers are texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct WhatsappApiError {
    pub(crate) message: String,
    pub(crate) code: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_subcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_user_msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_user_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fbtrace_id: Option<String>,
    /// A map with `details` for messages, a text for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_transient: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    status: u16,
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_api_error: Option<&'a WhatsappApiError>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            target: None,
            whatsapp: None,
            status: None,
            retry_after: None,
            cause: None,
        }
    }

    pub(crate) fn at(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// Meta refused: its words, and the status that they come with.
    pub(crate) fn of_meta(status: u16, code: Code, error: WhatsappApiError) -> Self {
        let told = Self::new(code, error.message.clone()).at("whatsappApiError");
        Self { whatsapp: Some(Box::new(error)), status: Some(status), ..told }
    }

    pub(crate) fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Its code as it is spelt, and what is wrong.
    pub(crate) fn words(&self) -> (&'static str, &str) {
        (self.code.words().1, &self.message)
    }

    pub(crate) fn status(&self) -> u16 {
        self.status.unwrap_or(self.code.words().0)
    }

    /// Writes the cause to the log, where there is one. Done at the edge, once, where the request's id is known.
    pub(crate) fn log(&self, request_id: &str) {
        let Some(cause) = &self.cause else { return };
        let error = &**cause as &dyn std::error::Error;
        match self.code {
            Code::Internal => tracing::error!(request_id, error, "a request failed"),
            Code::Unavailable => tracing::warn!(request_id, error, "the database or a provider is not available"),
            _ => tracing::warn!(request_id, error, "a call to the provider failed"),
        }
    }

    /// The whole body.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let told = Told {
            status: self.status(),
            code: self.code.words().1,
            message: &self.message,
            target: self.target.as_deref(),
            request_id,
            whatsapp_api_error: self.whatsapp.as_deref(),
        };
        serde_json::json!({ "error": told }).to_string().into_bytes()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        let code = match error.kind {
            Kind::Missing => Code::ParamMissing,
            Kind::Invalid if error.why.contains("characters") || error.why.contains("items") => {
                Code::ParamInvalidLength
            }
            Kind::Invalid => Code::ParamInvalid,
        };
        Self::new(code, error.to_string().trim().to_owned()).at(error.param)
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(_) => Self::new(Code::ContentTooLarge, error.to_string()),
            BodyError::NotJson => Self::new(Code::UnsupportedMediaType, error.to_string()),
            BodyError::Unreadable(why) => Self::new(Code::BadRequest, why),
            BodyError::Field(error) => error.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NotFound(_) => Self::new(Code::NotFound, message),
            Refusal::Invalid { field, why } => Self::new(Code::ParamInvalid, why).at(target(field)),
            Refusal::Taken { field } => Self::new(Code::AlreadyExists, message).at(target(field)),
            Refusal::NotConnected { .. } => Self::new(Code::PhoneNumberUnavailable, message).at("from"),
            Refusal::OptedOut => Self::new(Code::RecipientUnsubscribed, message).at("to"),
            Refusal::Blocked => Self::new(Code::RecipientInBlockList, message).at("to"),
            Refusal::BalanceTooLow => Self::new(Code::BalanceInsufficient, message),
            Refusal::UnknownTemplate => Self::new(Code::TemplateUnavailable, message).at("template.name"),
            Refusal::Full(_) => Self::new(Code::AccountLimited, message),
            Refusal::Disabled => Self::new(Code::Forbidden, message),
            Refusal::LastSecret => Self::new(Code::Forbidden, message),
        }
    }
}

/// The engine's words for fields, in this dialect's.
fn target(field: &'static str) -> &'static str {
    match field {
        "events" => "enabledEvents",
        "phone_number" => "phoneNumber",
        other => other,
    }
}

/// The cause goes to the log, once; the caller learns whether to come back.
impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        if error.is_unavailable() {
            return Self::new(Code::Unavailable, "the service is busy or being repaired; try again").caused_by(error);
        }
        Self::new(Code::Internal, "something went wrong on our side").caused_by(error)
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Store(error) => error.into(),
            CallError::Refused { ref message, code, ref details } => {
                let said = WhatsappApiError {
                    message: message.clone(),
                    code: code.unwrap_or_default().to_string(),
                    error_data: details.clone().map(Value::from),
                    ..WhatsappApiError::default()
                };
                Self::of_meta(400, Code::BadRequest, said).caused_by(error)
            }
            CallError::Unauthorized { ref message, code } => {
                let said = WhatsappApiError {
                    message: message.clone(),
                    code: code.unwrap_or(190).to_string(),
                    ..WhatsappApiError::default()
                };
                Self::of_meta(403, Code::WabaUnavailable, said).caused_by(error)
            }
            CallError::Unreachable(_) | CallError::Unreadable(_) => {
                Self::new(Code::Unavailable, "WhatsApp did not answer; try again").caused_by(error)
            }
        }
    }
}
