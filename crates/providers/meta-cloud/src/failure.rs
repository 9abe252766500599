//! What Meta's errors mean: a neutral name, a sentence for the caller, and whether to try again.

mod codes;

use std::time::Duration;

use engine::failure::{Code, Failure, Retry, SendError};
use engine::provider::CallError;
use meta_wire::{Class, GraphError};

use crate::account::Unusable;
use crate::graph;
use codes::{CODES, NUMBER, PARTIAL};

/// Where Meta asks for a long wait and names no time.
const LONG: Duration = Duration::from_secs(60 * 60);

/// A failure that Meta numbered, also later, by a status.
pub(crate) fn failure(code: i64, details: &str) -> Failure {
    let row = CODES.iter().find(|(codes, ..)| codes.contains(&code));
    let (name, message) =
        row.map_or((Code::Rejected, "Meta refused the message."), |(_, name, message)| (*name, *message));
    Failure {
        code: name,
        message: message.to_owned(),
        provider_code: Some(code),
        details: Some(details.to_owned()).filter(|details| !details.is_empty()),
    }
}

/// A failure that Meta did not explain.
pub(crate) fn unexplained() -> Failure {
    SendError::refused(Code::Other, "The message failed; Meta gave no reason.").failure
}

/// Why a message was not taken, and what to do about it.
pub(crate) fn of_send(error: graph::Error) -> SendError {
    use graph::Error;
    match error {
        Error::Unreached(_) => SendError::unreached("Meta could not be reached."),
        Error::Lost(_) => SendError::unknown("Meta did not answer."),
        Error::Unreadable(_) => SendError::unknown("Meta's answer could not be read."),
        Error::Refused { status, error, .. } => refused(status, &error),
        Error::Status(status) => unexplained_status(status),
    }
}

fn refused(status: u16, error: &GraphError) -> SendError {
    SendError { failure: failure(error.code, error.details()), retry: retry(error.code, error.class(status)) }
}

fn retry(code: i64, class: Class) -> Retry {
    match class {
        Class::BackOff => Retry::BackOff,
        Class::BackOffOnce => Retry::Once,
        Class::Pair => Retry::Pair,
        Class::Wait(time) => Retry::After(time.unwrap_or(LONG)),
        Class::Account if PARTIAL.contains(&code) => Retry::Never,
        Class::Account if NUMBER.contains(&code) => Retry::StopSender,
        Class::Token | Class::Account => Retry::Stop,
        Class::Never => Retry::Never,
    }
}

/// An answer without Meta's words comes from something on the way; it may have passed the message on.
fn unexplained_status(status: u16) -> SendError {
    let message = format!("Meta answered with HTTP {status} and no explanation.");
    match status {
        401 => SendError { retry: Retry::Stop, ..SendError::refused(Code::AccountProblem, message) },
        408 | 429 => SendError { retry: Retry::BackOff, ..SendError::refused(Code::RateLimited, message) },
        503 => SendError::unreached(message),
        500.. => SendError::unknown(message),
        300..=399 => SendError::unreached(message),
        _ => SendError::refused(Code::Rejected, message),
    }
}

impl From<Unusable> for CallError {
    fn from(error: Unusable) -> Self {
        Self::Unauthorized { message: error.to_string(), code: None }
    }
}

impl From<graph::Error> for CallError {
    fn from(error: graph::Error) -> Self {
        match error {
            graph::Error::Refused { status, error, .. } => refused_call(status, *error),
            graph::Error::Status(401) => Self::Unauthorized { message: error.to_string(), code: None },
            graph::Error::Status(400..500) => Self::Refused { message: error.to_string(), code: None, details: None },
            graph::Error::Unreadable(what) => Self::Unreadable(what),
            error => Self::Unreachable(error.into()),
        }
    }
}

fn refused_call(status: u16, error: GraphError) -> CallError {
    let code = Some(error.code);
    let details = Some(error.details().to_owned()).filter(|details| *details != error.message);
    match error.class(status) {
        Class::Token => CallError::Unauthorized { message: error.message, code },
        _ => CallError::Refused { message: error.message, code, details },
    }
}

#[cfg(test)]
mod tests;
