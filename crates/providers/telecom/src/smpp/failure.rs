//! What a carrier's numbers mean: a neutral name, a sentence for the caller, and whether to try again.

use std::time::Duration;

use engine::failure::{Code, Failure, Retry, SendError};

const OK: u32 = 0x00;
const INVALID_BIND_STATUS: u32 = 0x04;
const ALREADY_BOUND: u32 = 0x05;
const SYSTEM_ERROR: u32 = 0x08;
const INVALID_SOURCE: u32 = 0x0A;
const INVALID_DESTINATION: u32 = 0x0B;
const BIND_FAILED: u32 = 0x0D;
const INVALID_PASSWORD: u32 = 0x0E;
const INVALID_SYSTEM_ID: u32 = 0x0F;
const QUEUE_FULL: u32 = 0x14;
const INVALID_DESTINATION_FLAG: u32 = 0x40;
const SUBMIT_FAILED: u32 = 0x45;
const INVALID_SOURCE_TON: u32 = 0x48;
const INVALID_SOURCE_NPI: u32 = 0x49;
const INVALID_DESTINATION_TON: u32 = 0x50;
const INVALID_DESTINATION_NPI: u32 = 0x51;
const THROTTLED: u32 = 0x58;
const TEMPORARY: u32 = 0x64;
const INVALID_PARAMETER: u32 = 0xC4;

/// How long a message rests that the carrier refused for being too much, again and again.
pub(super) const REST: Duration = Duration::from_secs(10);

/// Whether the carrier has more than it can take.
pub(super) fn is_too_much(status: u32) -> bool {
    matches!(status, THROTTLED | QUEUE_FULL)
}

/// The carrier forgot who we are.
pub(super) fn is_unbound(status: u32) -> bool {
    status == INVALID_BIND_STATUS
}

/// Why a message was not taken, and what to do about it.
pub(super) fn of_submit(status: u32) -> SendError {
    let (code, retry, message) = match status {
        THROTTLED | QUEUE_FULL => (Code::RateLimited, Retry::After(REST), "The carrier cannot take more now."),
        SYSTEM_ERROR | TEMPORARY | INVALID_BIND_STATUS => {
            (Code::ProviderUnavailable, Retry::BackOff, "The carrier has a problem.")
        }
        INVALID_DESTINATION | INVALID_DESTINATION_TON | INVALID_DESTINATION_NPI | INVALID_DESTINATION_FLAG => {
            (Code::RecipientUnreachable, Retry::Never, "The carrier knows no such number.")
        }
        INVALID_SOURCE | INVALID_SOURCE_TON | INVALID_SOURCE_NPI => {
            (Code::Rejected, Retry::Never, "The carrier does not let us send as this sender.")
        }
        SUBMIT_FAILED => (Code::Rejected, Retry::Once, "The carrier could not submit the message."),
        INVALID_PARAMETER.. => {
            (Code::Rejected, Retry::Never, "The carrier refused the message for a reason of its own.")
        }
        _ => (Code::Rejected, Retry::Never, "The carrier refused the message."),
    };
    SendError { failure: failure(code, message, status), retry }
}

/// Why we were not let in, and what it means for messages that wait. Only a wrong name or password needs a person: a carrier
/// says of a connection that it has not missed yet that we are bound already, or that binding failed.
pub(super) fn of_bind(status: u32) -> SendError {
    let (code, retry, message) = match status {
        INVALID_PASSWORD | INVALID_SYSTEM_ID => {
            (Code::AccountProblem, Retry::Stop, "The carrier does not accept our system id or password.")
        }
        ALREADY_BOUND => (Code::ProviderUnavailable, Retry::BackOff, "The carrier says that we are connected already."),
        BIND_FAILED => (Code::ProviderUnavailable, Retry::BackOff, "The carrier does not let us connect."),
        _ => (Code::ProviderUnavailable, Retry::BackOff, "The carrier cannot let us connect now."),
    };
    SendError { failure: failure(code, message, status), retry }
}

fn failure(code: Code, message: &str, status: u32) -> Failure {
    Failure {
        code,
        message: message.to_owned(),
        provider_code: Some(status.into()),
        details: (status != OK).then(|| format!("command_status 0x{status:08X}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_name_and_a_consequence() {
        let cases = [
            (0x58, Code::RateLimited, Retry::After(REST)),
            (0x14, Code::RateLimited, Retry::After(REST)),
            (0x08, Code::ProviderUnavailable, Retry::BackOff),
            (0x64, Code::ProviderUnavailable, Retry::BackOff),
            (0x0B, Code::RecipientUnreachable, Retry::Never),
            (0x0A, Code::Rejected, Retry::Never),
            (0x45, Code::Rejected, Retry::Once),
            (0x0400, Code::Rejected, Retry::Never),
        ];
        for (status, code, retry) in cases {
            let error = of_submit(status);
            assert_eq!((error.failure.code, error.retry), (code, retry), "{status:#x}");
            assert_eq!(error.failure.provider_code, Some(status.into()));
        }
        assert_eq!(of_bind(0x0E).retry, Retry::Stop);
        assert_eq!((of_bind(0x05).retry, of_bind(0x0D).retry), (Retry::BackOff, Retry::BackOff));
    }
}
