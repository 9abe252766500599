//! Meta's errors: one body form over HTTP, another in webhooks.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// An error of the Graph API, ready to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    status: u16,
    code: i64,
    subcode: Option<i64>,
    message: String,
    details: Option<String>,
    user: Option<(String, String)>,
    /// Members beside `error`, for answers that are partly good.
    beside: Map<String, Value>,
}

pub(crate) type Outcome<T = Value> = Result<T, Box<Error>>;

/// (code, HTTP status, title). Codes that are not here answer 400.
const KNOWN: &[(i64, u16, &str)] = &[
    (1, 400, "API Unknown"),
    (2, 503, "API Service"),
    (3, 500, "API Method"),
    (4, 400, "Application request limit reached"),
    (10, 403, "Application does not have permission for this action"),
    (33, 400, "Parameter value is not valid"),
    (100, 400, "Invalid parameter"),
    (190, 401, "Invalid OAuth access token"),
    (200, 403, "You do not have the necessary permissions required to do this operation"),
    (368, 403, "Temporarily blocked for policies violations"),
    (80007, 400, "Rate limit issues"),
    (130403, 400, "The business has blocked this user"),
    (130429, 400, "Rate limit hit"),
    (130472, 400, "User's number is part of an experiment"),
    (130497, 403, "Business account is restricted from messaging users in this country"),
    (131000, 500, "Something went wrong"),
    (131005, 403, "Access denied"),
    (131008, 400, "Required parameter is missing"),
    (131009, 400, "Parameter value is not valid"),
    (131016, 500, "Service unavailable"),
    (131021, 400, "Recipient cannot be sender"),
    (131026, 400, "Message undeliverable"),
    (131030, 400, "Recipient phone number not in allowed list"),
    (131031, 403, "Business Account locked"),
    (131037, 400, "WhatsApp provided number needs display name approval before message can be sent"),
    (131042, 400, "Business eligibility payment issue"),
    (131045, 500, "Incorrect certificate"),
    (131047, 400, "Re-engagement message"),
    (131048, 400, "Spam rate limit hit"),
    (131049, 400, "This message was not delivered to maintain healthy ecosystem engagement"),
    (131050, 400, "User has stopped marketing messages"),
    (131051, 400, "Unsupported message type"),
    (131052, 400, "Media download error"),
    (131053, 400, "Media upload error"),
    (131055, 400, "Method not allowed"),
    (131056, 400, "(Business Account, Consumer Account) pair rate limit hit"),
    (131057, 500, "Account in maintenance mode"),
    (131059, 400, "Invalid cursor"),
    (131062, 400, "Business-scoped user ID recipients are not supported for this message"),
    (132000, 400, "Number of parameters does not match the expected number of params"),
    (132001, 404, "Template name does not exist in the translation"),
    (132005, 400, "Translated text too long"),
    (132007, 400, "Template format character policy violated"),
    (132008, 400, "Parameter value is not valid"),
    (132012, 400, "Parameter format does not match format in the created template"),
    (132015, 400, "Template is paused"),
    (132016, 400, "Template is disabled"),
    (132018, 400, "Template parameter validation failed"),
    (133000, 500, "Deregistration incomplete"),
    (133004, 503, "Server temporarily unavailable"),
    (133005, 400, "Two step verification PIN mismatch"),
    (133006, 400, "Phone number re-verification needed"),
    (133008, 400, "Too many PIN guesses"),
    (133009, 400, "PIN guessed too fast"),
    (133010, 400, "Phone number not registered"),
    (133016, 400, "Account register/deregister rate limit exceeded"),
    (134011, 400, "WhatsApp payments terms of service has not been accepted"),
    (134100, 400, "Only marketing messages are supported"),
    (135000, 400, "Generic user error"),
    (136024, 400, "Verification code error"),
    (137000, 400, "Recipient identity key hash mismatch"),
    (138000, 400, "Calling is not enabled"),
    (139100, 400, "Failed to block/unblock users"),
    (139101, 400, "Block list limit reached"),
];

fn known(code: i64) -> (u16, &'static str) {
    let entry = KNOWN.iter().find(|(known, ..)| *known == code);
    entry.map_or((400, "Unknown error"), |(_, status, title)| (*status, *title))
}

/// An error by its code, with the details that name what is wrong.
pub(crate) fn of(code: i64, details: impl Into<String>) -> Box<Error> {
    let (status, title) = known(code);
    Box::new(Error {
        status,
        code,
        subcode: None,
        message: format!("(#{code}) {title}"),
        details: Some(details.into()),
        user: None,
        beside: Map::new(),
    })
}

/// A bare error: the message says all.
pub(crate) fn plain(status: u16, code: i64, message: impl Into<String>) -> Box<Error> {
    Box::new(Error {
        status,
        code,
        subcode: None,
        message: message.into(),
        details: None,
        user: None,
        beside: Map::new(),
    })
}

/// `(#100) …` about a parameter of a management call.
pub(crate) fn parameter(message: impl std::fmt::Display) -> Box<Error> {
    plain(400, 100, format!("(#100) {message}"))
}

/// An id that names nothing, or nothing this token may see.
pub(crate) fn no_object(method: &str, id: &str) -> Box<Error> {
    let message = format!(
        "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
        method.to_ascii_lowercase()
    );
    let mut error = plain(400, 100, message);
    error.subcode = Some(33);
    error
}

/// Code 100 with a subcode and the words for people, as template and number management answer.
pub(crate) fn sub(subcode: i64, title: &str, explanation: impl Into<String>) -> Box<Error> {
    let mut error = plain(400, 100, "Invalid parameter");
    (error.subcode, error.user) = (Some(subcode), Some((title.to_owned(), explanation.into())));
    error
}

impl Error {
    pub(crate) fn with_status(mut self: Box<Self>, status: u16) -> Box<Self> {
        self.status = status;
        self
    }

    pub(crate) fn beside(mut self: Box<Self>, key: &str, value: Value) -> Box<Self> {
        self.beside.insert(key.to_owned(), value);
        self
    }

    pub(crate) fn respond(&self, trace: &str) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let kind = if self.code == 100 && self.details.is_none() && self.subcode == Some(33) {
            "GraphMethodException"
        } else {
            "OAuthException"
        };
        let mut error = json!({"message": self.message, "type": kind, "code": self.code});
        if let Some(details) = &self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some((title, text)) = &self.user {
            error["is_transient"] = json!(false);
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(text);
        }
        error["fbtrace_id"] = json!(trace);
        let mut body = self.beside.clone();
        body.insert("error".to_owned(), error);
        (status, axum::Json(Value::Object(body))).into_response()
    }
}

/// The form in statuses: `message` repeats `title`.
pub(crate) fn in_webhook(code: i64, details: &str) -> Value {
    let (_, title) = known(code);
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
    })
}
