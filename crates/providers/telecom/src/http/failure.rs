//! What a carrier's refusals mean: a neutral name, a sentence for the caller, and whether to try again.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::failure::{Code, Failure, Retry, SendError};

/// Numbers of a carrier's, what they are called here, what a request refused so is to be followed by, and a sentence.
pub(crate) type Row = (RangeInclusive<i64>, Code, Retry, &'static str);

/// A little later, where the carrier names no time.
pub(super) const SOON: Retry = Retry::After(Duration::from_secs(1));
/// Where a limit is counted by the day.
pub(super) const LATER: Retry = Retry::After(Duration::from_secs(60 * 60));
/// The longest pause that a carrier may ask for.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A request that was answered with anything but success.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The carrier's number for it.
    pub(crate) code: Option<i64>,
    /// The carrier's words.
    pub(crate) details: Option<String>,
}

/// A failure that a carrier numbered, by a refusal or a receipt.
pub(super) fn of_code(codes: &[Row], code: Option<i64>, details: Option<String>) -> Failure {
    let row = code.and_then(|code| find(codes, code));
    let (name, message) = row
        .map_or((Code::Other, "The carrier could not deliver the message."), |(_, name, _, message)| (*name, *message));
    Failure {
        code: name,
        message: message.to_owned(),
        provider_code: code,
        details: details.filter(|it| !it.is_empty()),
    }
}

/// A failure in our own words.
pub(super) fn plain(code: Code, message: &str) -> Failure {
    Failure { code, message: message.to_owned(), provider_code: None, details: None }
}

fn find(codes: &[Row], code: i64) -> Option<&Row> {
    codes.iter().find(|(range, ..)| range.contains(&code))
}

/// Why a message was not taken, and what to do about it.
pub(super) fn of_refusal(codes: &[Row], refusal: Refusal) -> SendError {
    let Refusal { status, retry_after, code, details } = refusal;
    let known = code.and_then(|code| find(codes, code));
    let (name, retry, message) = match known {
        Some((_, name, retry, message)) => (*name, *retry, (*message).to_owned()),
        None => by_status(status),
    };
    let retry = match (retry, retry_after) {
        (Retry::After(_), Some(wait)) => Retry::After(wait.min(LONGEST)),
        _ => retry,
    };
    let details = details.filter(|it| !it.is_empty());
    SendError { failure: Failure { code: name, message, provider_code: code, details }, retry }
}

/// Without a number that we know. What comes from something on the way may have been passed on before.
fn by_status(status: u16) -> (Code, Retry, String) {
    let message = format!("The carrier answered with HTTP {status}.");
    let (code, retry) = match status {
        401 => (Code::AccountProblem, Retry::Stop),
        402 => (Code::AccountProblem, Retry::Stop),
        403 => (Code::AccountProblem, Retry::Never),
        409 => (Code::RateLimited, SOON),
        429 => (Code::RateLimited, SOON),
        503 | 300..=399 => (Code::ProviderUnavailable, Retry::BackOff),
        408 | 500.. => (Code::OutcomeUnknown, Retry::Unknown),
        _ => (Code::Rejected, Retry::Never),
    };
    (code, retry, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::Api;
    use crate::http::telnyx::Telnyx;
    use crate::http::twilio::Twilio;
    use crate::http::vonage::Vonage;

    fn refused(codes: &[Row], status: u16, code: i64) -> (Code, Retry) {
        let code = Some(code).filter(|code| *code != 0);
        let error = of_refusal(codes, Refusal { status, code, ..Refusal::default() });
        assert_eq!(error.failure.provider_code, code);
        (error.failure.code, error.retry)
    }

    #[test]
    fn refusals_say_whose_fault_it_is_and_whether_to_try_again() {
        let (twilio, telnyx, vonage) = (Twilio::CODES, Telnyx::CODES, Vonage::CODES);
        for (codes, status, code, name, retry) in [
            (twilio, 401, 20003, Code::AccountProblem, Retry::Stop),
            (twilio, 429, 20429, Code::RateLimited, SOON),
            (twilio, 400, 21211, Code::RecipientUnreachable, Retry::Never),
            (twilio, 400, 21610, Code::RecipientOptedOut, Retry::Never),
            (twilio, 400, 21606, Code::AccountProblem, Retry::StopSender),
            (twilio, 503, 20503, Code::ProviderUnavailable, Retry::BackOff),
            (twilio, 400, 99999, Code::Rejected, Retry::Never),
            (telnyx, 401, 10009, Code::AccountProblem, Retry::Stop),
            (telnyx, 400, 40310, Code::RecipientUnreachable, Retry::Never),
            (telnyx, 400, 40300, Code::RecipientOptedOut, Retry::Never),
            (telnyx, 403, 20100, Code::AccountProblem, Retry::Stop),
            (vonage, 429, 1000, Code::RateLimited, SOON),
            (vonage, 402, 1070, Code::AccountProblem, Retry::Stop),
            (vonage, 422, 1120, Code::AccountProblem, Retry::StopSender),
            (vonage, 422, 0, Code::Rejected, Retry::Never),
            (vonage, 401, 0, Code::AccountProblem, Retry::Stop),
            (vonage, 500, 0, Code::OutcomeUnknown, Retry::Unknown),
            (vonage, 502, 0, Code::OutcomeUnknown, Retry::Unknown),
            (vonage, 503, 0, Code::ProviderUnavailable, Retry::BackOff),
            (vonage, 302, 0, Code::ProviderUnavailable, Retry::BackOff),
            (vonage, 404, 0, Code::Rejected, Retry::Never),
        ] {
            assert_eq!(refused(codes, status, code), (name, retry), "HTTP {status} with {code}");
        }
    }

    #[test]
    fn a_carrier_may_name_its_pause_but_not_any_pause() {
        let asked = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            of_refusal(&[], Refusal { status: 429, retry_after, ..Refusal::default() }).retry
        };
        assert_eq!(asked(7), Retry::After(Duration::from_secs(7)));
        assert_eq!(asked(1_000_000), Retry::After(LONGEST));
    }

    #[test]
    fn rows_are_in_order_and_hide_nothing() {
        for codes in [Twilio::CODES, Telnyx::CODES, Vonage::CODES] {
            for pair in codes.windows(2) {
                assert!(pair[0].0.end() < pair[1].0.start(), "{:?} and {:?}", pair[0].0, pair[1].0);
            }
        }
    }
}
