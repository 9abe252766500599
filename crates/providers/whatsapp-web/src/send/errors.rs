//! What WhatsApp's and the library's errors mean for trying again.

use engine::failure::{Code, Failure, Retry, SendError};
use whatsapp_rust::error::ErrorChainExt;

use super::files::UploadError;

/// The server did not take a message; `code` is its number.
pub(super) fn refused(code: &str) -> SendError {
    let (kind, retry, words) = match code {
        "421" | "429" => (Code::RateLimited, Retry::BackOff, "WhatsApp asks us to slow down"),
        "463" => (Code::Rejected, Retry::Never, "WhatsApp refused it: the recipient never wrote to this account"),
        "475" | "479" => (Code::Rejected, Retry::Never, "WhatsApp refused the message's form"),
        "401" | "403" => (Code::Rejected, Retry::Never, "this account may not write there"),
        "404" => (Code::RecipientUnreachable, Retry::Never, "the recipient is not on WhatsApp"),
        "500" | "503" => (Code::ProviderUnavailable, Retry::BackOff, "WhatsApp failed"),
        _ => (Code::Rejected, Retry::Never, "WhatsApp refused the message"),
    };
    SendError {
        failure: Failure {
            code: kind,
            message: format!("{words} ({code})."),
            provider_code: code.parse().ok(),
            details: None,
        },
        retry,
    }
}

/// An error before the server said anything.
pub(super) fn of<E: std::error::Error + 'static>(error: &E) -> SendError {
    if let Some(code) = error.server_rejection().map(|rejection| rejection.code) {
        return refused(&code.to_string());
    }
    tracing::debug!(error = error as &dyn std::error::Error, "a message was not handed over");
    SendError::unreached("the connection to WhatsApp failed")
}

pub(super) fn upload(error: &UploadError) -> SendError {
    tracing::warn!(error = error as &dyn std::error::Error, "a file could not be uploaded");
    match error {
        UploadError::Gone | UploadError::Read(_) => SendError::refused(Code::MediaFailed, error.to_string()),
        UploadError::Upload(_) => {
            SendError { retry: Retry::BackOff, ..SendError::refused(Code::MediaFailed, error.to_string()) }
        }
    }
}
