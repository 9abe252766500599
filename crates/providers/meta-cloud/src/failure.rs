//! What Meta's errors mean: a neutral name, a sentence for the caller, and whether to try again.

use std::ops::RangeInclusive;
use std::time::Duration;

use engine::failure::{Code, Failure, Retry, SendError};
use engine::provider::CallError;
use meta_wire::{Class, GraphError};

use crate::account::Unusable;
use crate::graph;

/// In order; the first row that holds the code counts.
const CODES: &[(RangeInclusive<i64>, Code, &str)] = &[
    (
        0..=0,
        Code::AccountProblem,
        "Meta does not accept the access token.",
    ),
    (
        1..=2,
        Code::ProviderUnavailable,
        "Meta's API is failing at the moment.",
    ),
    (
        3..=3,
        Code::AccountProblem,
        "The access token lacks a permission.",
    ),
    (4..=4, Code::RateLimited, "The app made too many calls."),
    (
        10..=10,
        Code::AccountProblem,
        "The access token lacks a permission.",
    ),
    (
        33..=33,
        Code::Rejected,
        "The sending number no longer exists at Meta.",
    ),
    (
        190..=190,
        Code::AccountProblem,
        "The access token has expired or was revoked.",
    ),
    (
        200..=299,
        Code::AccountProblem,
        "The access token lacks a permission.",
    ),
    (
        368..=368,
        Code::AccountProblem,
        "Meta has blocked the account for a time because of its policies.",
    ),
    (
        613..=613,
        Code::RateLimited,
        "Too many calls in a short time.",
    ),
    (
        80007..=80007,
        Code::RateLimited,
        "The account made too many calls.",
    ),
    (
        130403..=130403,
        Code::RecipientBlocked,
        "The recipient is on this number's block list.",
    ),
    (
        130429..=130429,
        Code::RateLimited,
        "The number sends more messages per second than it may.",
    ),
    (
        130472..=130472,
        Code::RecipientUnreachable,
        "The recipient takes part in an experiment of Meta's and gets no marketing messages.",
    ),
    (
        130497..=130497,
        Code::AccountProblem,
        "The account may not write to the recipient's country.",
    ),
    (
        131000..=131000,
        Code::ProviderUnavailable,
        "Meta failed for a reason that it does not tell.",
    ),
    (
        131005..=131005,
        Code::AccountProblem,
        "The access token lacks a permission.",
    ),
    (
        131016..=131016,
        Code::ProviderUnavailable,
        "A service of Meta's is unavailable.",
    ),
    (
        131021..=131021,
        Code::Rejected,
        "The sender and the recipient are the same number.",
    ),
    (
        131026..=131026,
        Code::RecipientUnreachable,
        "The recipient cannot be reached on WhatsApp.",
    ),
    (
        131030..=131030,
        Code::Rejected,
        "The recipient is not on the test number's list.",
    ),
    (
        131031..=131031,
        Code::AccountProblem,
        "Meta has locked the account.",
    ),
    (
        131037..=131037,
        Code::AccountProblem,
        "The number's display name must be approved first.",
    ),
    (
        131042..=131042,
        Code::AccountProblem,
        "There is a problem with the account's payment method.",
    ),
    (
        131045..=131045,
        Code::AccountProblem,
        "The number is not registered properly.",
    ),
    (
        131047..=131047,
        Code::OutsideWindow,
        "More than 24 hours have passed since the recipient last wrote; only a template can be sent.",
    ),
    (
        131048..=131048,
        Code::RateLimited,
        "Too many of the number's messages were blocked or marked as spam.",
    ),
    (
        131049..=131049,
        Code::RateLimited,
        "Meta held the message back, so that the recipient does not get too many.",
    ),
    (
        131050..=131050,
        Code::RecipientOptedOut,
        "The recipient does not want marketing messages from this number.",
    ),
    (
        131052..=131053,
        Code::MediaFailed,
        "Meta could not fetch or use the file.",
    ),
    (
        131056..=131056,
        Code::RateLimited,
        "Too many messages went to this recipient in a short time.",
    ),
    (
        131057..=131057,
        Code::ProviderUnavailable,
        "The number is under maintenance at Meta.",
    ),
    (
        131063..=131063,
        Code::AccountProblem,
        "Marketing messages are switched off for this account.",
    ),
    (
        131064..=131064,
        Code::RateLimited,
        "Meta limits the account because its templates were in the wrong category.",
    ),
    (
        132000..=132000,
        Code::TemplateParameterCount,
        "The template takes another number of values.",
    ),
    (
        132001..=132001,
        Code::TemplateMissing,
        "There is no such approved template in this language.",
    ),
    (
        132012..=132012,
        Code::TemplateParameterFormat,
        "A value has not the form that the template asks for.",
    ),
    (
        132015..=132015,
        Code::TemplatePaused,
        "The template is paused because of its low quality.",
    ),
    (
        132016..=132016,
        Code::TemplateDisabled,
        "The template is disabled because of its low quality.",
    ),
    (
        132068..=132069,
        Code::AccountProblem,
        "The flow is blocked or throttled.",
    ),
    (
        133000..=133000,
        Code::AccountProblem,
        "The number is half deregistered: deregister it again.",
    ),
    (
        133004..=133004,
        Code::ProviderUnavailable,
        "A server of Meta's is unavailable.",
    ),
    (
        133006..=133006,
        Code::AccountProblem,
        "The number must be verified first.",
    ),
    (
        133008..=133009,
        Code::RateLimited,
        "The number's PIN was guessed too often.",
    ),
    (
        133010..=133010,
        Code::AccountProblem,
        "The number is not registered with the Cloud API.",
    ),
    (
        133015..=133016,
        Code::RateLimited,
        "The number was registered or deleted too often or too recently.",
    ),
    (
        134011..=134011,
        Code::AccountProblem,
        "The terms for payments have not been accepted.",
    ),
    (
        134101..=134101,
        Code::RateLimited,
        "The template is not ready for marketing messages yet.",
    ),
    (
        134102..=134102,
        Code::AccountProblem,
        "The template cannot be used for marketing messages.",
    ),
    (
        138000..=138000,
        Code::AccountProblem,
        "Calling is not enabled for the number.",
    ),
];

/// Account problems that concern one kind of message or recipient: others can go on meanwhile.
const PARTIAL: &[i64] = &[
    130_497, 131_063, 132_068, 132_069, 134_011, 134_102, 138_000,
];

/// Where Meta asks for a long wait and names no time.
const LONG: Duration = Duration::from_secs(60 * 60);

/// A failure that Meta numbered, also later, by a status.
pub(crate) fn failure(code: i64, details: &str) -> Failure {
    let row = CODES.iter().find(|(codes, ..)| codes.contains(&code));
    let (name, message) = row.map_or(
        (Code::Rejected, "Meta refused the message."),
        |(_, name, message)| (*name, *message),
    );
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
    SendError {
        failure: failure(error.code, error.details()),
        retry: retry(error.code, error.class(status)),
    }
}

fn retry(code: i64, class: Class) -> Retry {
    match class {
        Class::BackOff => Retry::BackOff,
        Class::BackOffOnce => Retry::Once,
        Class::Pair => Retry::Pair,
        Class::Wait(time) => Retry::After(time.unwrap_or(LONG)),
        Class::Account if PARTIAL.contains(&code) => Retry::Never,
        Class::Token | Class::Account => Retry::Stop,
        Class::Never => Retry::Never,
    }
}

/// An answer without Meta's words comes from something on the way; it may have passed the message on.
fn unexplained_status(status: u16) -> SendError {
    let message = format!("Meta answered with HTTP {status} and no explanation.");
    match status {
        401 => SendError {
            retry: Retry::Stop,
            ..SendError::refused(Code::AccountProblem, message)
        },
        408 | 429 => SendError {
            retry: Retry::BackOff,
            ..SendError::refused(Code::RateLimited, message)
        },
        503 => SendError::unreached(message),
        500.. => SendError::unknown(message),
        300..=399 => SendError::unreached(message),
        _ => SendError::refused(Code::Rejected, message),
    }
}

impl From<Unusable> for CallError {
    fn from(error: Unusable) -> Self {
        Self::Unauthorized {
            message: error.to_string(),
            code: None,
        }
    }
}

impl From<graph::Error> for CallError {
    fn from(error: graph::Error) -> Self {
        match error {
            graph::Error::Refused { status, error, .. } => refused_call(status, *error),
            graph::Error::Status(401) => Self::Unauthorized {
                message: error.to_string(),
                code: None,
            },
            graph::Error::Status(400..500) => Self::Refused {
                message: error.to_string(),
                code: None,
                details: None,
            },
            graph::Error::Unreadable(what) => Self::Unreadable(what),
            error => Self::Unreachable(error.into()),
        }
    }
}

fn refused_call(status: u16, error: GraphError) -> CallError {
    let code = Some(error.code);
    let details = Some(error.details().to_owned()).filter(|details| *details != error.message);
    match error.class(status) {
        Class::Token => CallError::Unauthorized {
            message: error.message,
            code,
        },
        _ => CallError::Refused {
            message: error.message,
            code,
            details,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOUR: u64 = 3600;

    fn after(seconds: u64) -> Retry {
        Retry::After(Duration::from_secs(seconds))
    }

    fn error(status: u16, code: i64) -> graph::Error {
        let body = GraphError::new(code, "Title", "What happened")
            .to_body()
            .to_string();
        let error = GraphError::parse(body.as_bytes()).unwrap();
        graph::Error::Refused {
            status,
            error: Box::new(error),
            body: body.into(),
        }
    }

    #[test]
    fn every_kind_of_refusal_has_a_name_and_a_way_on() {
        let rows: &[(u16, i64, Code, Retry)] = &[
            (401, 190, Code::AccountProblem, Retry::Stop),
            (401, 0, Code::AccountProblem, Retry::Stop),
            (403, 10, Code::AccountProblem, Retry::Stop),
            (403, 200, Code::AccountProblem, Retry::Stop),
            (403, 131_005, Code::AccountProblem, Retry::Stop),
            (403, 368, Code::AccountProblem, Retry::Stop),
            (403, 131_031, Code::AccountProblem, Retry::Stop),
            (400, 131_042, Code::AccountProblem, Retry::Stop),
            (400, 133_010, Code::AccountProblem, Retry::Stop),
            (403, 130_497, Code::AccountProblem, Retry::Never),
            (400, 131_063, Code::AccountProblem, Retry::Never),
            (400, 132_068, Code::AccountProblem, Retry::Never),
            (400, 1, Code::ProviderUnavailable, Retry::Once),
            (503, 2, Code::ProviderUnavailable, Retry::BackOff),
            (500, 131_000, Code::ProviderUnavailable, Retry::BackOff),
            (500, 131_057, Code::ProviderUnavailable, Retry::BackOff),
            (400, 4, Code::RateLimited, Retry::BackOff),
            (400, 80_007, Code::RateLimited, Retry::BackOff),
            (400, 130_429, Code::RateLimited, Retry::BackOff),
            (400, 131_056, Code::RateLimited, Retry::Pair),
            (400, 131_048, Code::RateLimited, after(HOUR)),
            (400, 131_064, Code::RateLimited, after(HOUR)),
            (400, 131_049, Code::RateLimited, after(24 * HOUR)),
            (400, 134_101, Code::RateLimited, after(600)),
            (400, 131_047, Code::OutsideWindow, Retry::Never),
            (404, 132_001, Code::TemplateMissing, Retry::Never),
            (400, 132_015, Code::TemplatePaused, Retry::Never),
            (400, 132_016, Code::TemplateDisabled, Retry::Never),
            (400, 132_000, Code::TemplateParameterCount, Retry::Never),
            (400, 132_012, Code::TemplateParameterFormat, Retry::Never),
            (400, 131_026, Code::RecipientUnreachable, Retry::Never),
            (400, 130_403, Code::RecipientBlocked, Retry::Never),
            (400, 131_050, Code::RecipientOptedOut, Retry::Never),
            (400, 131_052, Code::MediaFailed, Retry::Never),
            (400, 131_053, Code::MediaFailed, Retry::Never),
            (400, 100, Code::Rejected, Retry::Never),
            (400, 131_009, Code::Rejected, Retry::Never),
            (400, 987_654, Code::Rejected, Retry::Never),
            (500, 987_654, Code::Rejected, Retry::BackOff),
        ];
        for (status, code, name, way) in rows {
            let told = of_send(error(*status, *code));
            assert_eq!((told.failure.code, told.retry), (*name, *way), "{code}");
            assert_eq!(told.failure.provider_code, Some(*code));
            assert_eq!(told.failure.details.as_deref(), Some("What happened"));
            assert!(
                told.failure.message.ends_with('.') && !told.failure.message.contains('#'),
                "{code}"
            );
        }
    }

    #[test]
    fn answers_without_metas_words_are_unknown_unless_nobody_can_have_taken_the_message() {
        let rows = [
            (301, Retry::BackOff),
            (401, Retry::Stop),
            (404, Retry::Never),
            (413, Retry::Never),
            (429, Retry::BackOff),
            (500, Retry::Unknown),
            (502, Retry::Unknown),
            (503, Retry::BackOff),
            (504, Retry::Unknown),
        ];
        for (status, way) in rows {
            assert_eq!(of_send(graph::Error::Status(status)).retry, way, "{status}");
        }
        assert_eq!(
            of_send(graph::Error::Unreadable(String::new())).retry,
            Retry::Unknown
        );
    }

    #[test]
    fn rows_of_the_table_do_not_hide_each_other() {
        for pair in CODES.windows(2) {
            assert!(pair[0].0.end() < pair[1].0.start(), "{:?}", pair[1].0);
        }
    }

    #[test]
    fn callers_are_told_whether_the_token_or_the_request_is_at_fault() {
        assert!(matches!(
            error(401, 190).into(),
            CallError::Unauthorized {
                code: Some(190),
                ..
            }
        ));
        assert!(matches!(
            graph::Error::Status(401).into(),
            CallError::Unauthorized { code: None, .. }
        ));
        let CallError::Refused {
            message,
            code,
            details,
        } = error(400, 100).into()
        else {
            panic!("not refused")
        };
        assert_eq!(
            (message.as_str(), code, details.as_deref()),
            ("(#100) Title", Some(100), Some("What happened"))
        );
        assert!(matches!(
            graph::Error::Status(404).into(),
            CallError::Refused { code: None, .. }
        ));
        assert!(matches!(
            graph::Error::Status(502).into(),
            CallError::Unreachable(_)
        ));
        let plain = GraphError::parse(
            json!({"error": {"code": 100, "message": "No"}})
                .to_string()
                .as_bytes(),
        )
        .unwrap();
        let CallError::Refused { details: None, .. } = refused_call(400, plain) else {
            panic!("the message stands twice")
        };
    }
}
