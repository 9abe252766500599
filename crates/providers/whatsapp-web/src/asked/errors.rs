//! What the library's errors mean to whoever asked.

use engine::sessions::CallError;
use whatsapp_rust::error::ErrorChainExt;

/// Any error of the library's.
pub(super) fn of<E: std::error::Error + 'static>(error: E) -> CallError {
    let rejection = error.server_rejection().map(|rejection| (i64::from(rejection.code), rejection.text.to_owned()));
    match rejection {
        Some((code, text)) if text.is_empty() => {
            CallError::Refused { code: Some(code), message: format!("WhatsApp refused it ({code})") }
        }
        Some((code, message)) => CallError::Refused { code: Some(code), message },
        None if error.is_timeout() => CallError::TimedOut,
        None if error.is_transport_unavailable() => CallError::NotConnected,
        None => CallError::Refused { code: None, message: error.to_string() },
    }
}

/// The same for errors without a type.
pub(super) fn of_any(error: &anyhow::Error) -> CallError {
    let cause: &(dyn std::error::Error + 'static) = error.as_ref();
    match cause.server_rejection() {
        Some(rejection) => {
            CallError::Refused { code: Some(i64::from(rejection.code)), message: rejection.text.to_owned() }
        }
        None if cause.is_timeout() => CallError::TimedOut,
        None if cause.is_transport_unavailable() => CallError::NotConnected,
        None => CallError::Refused { code: None, message: error.to_string() },
    }
}
