//! Why a message did not arrive, in this dialect's words.

use engine::failure::{Code, Failure};
use engine::messages::{Message, Status};
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    code: &'static str,
    message: String,
    provider_code: Option<i64>,
}

/// What is told of a failed message.
pub(crate) fn of(message: &Message) -> Option<Shown> {
    if message.status != Status::Failed {
        return None;
    }
    let failure = message.error.as_deref().and_then(|json| serde_json::from_str::<Failure>(json).ok());
    Some(failure.map_or_else(unexplained, |failure| Shown {
        code: name(failure.code),
        message: failure.message,
        provider_code: failure.provider_code,
    }))
}

fn unexplained() -> Shown {
    Shown { code: name(Code::Other), message: "the message was not delivered".into(), provider_code: None }
}

/// The published names, and names of the same kind where none is published.
pub(crate) fn name(code: Code) -> &'static str {
    match code {
        Code::OutsideWindow => "outside_24h_window",
        Code::TemplateMissing => "template_not_found",
        Code::TemplatePaused => "template_paused",
        Code::TemplateDisabled => "template_disabled",
        Code::TemplateParameterCount => "template_param_count_mismatch",
        Code::TemplateParameterFormat => "template_param_format_mismatch",
        Code::RecipientUnreachable => "recipient_not_on_whatsapp",
        Code::RecipientBlocked => "recipient_blocked",
        Code::RecipientOptedOut => "marketing_opted_out",
        Code::MediaFailed => "media_download_failed",
        Code::Rejected => "message_rejected",
        Code::RateLimited => "whatsapp_rate_limited",
        Code::AccountProblem => "account_restricted",
        Code::ProviderUnavailable => "whatsapp_upstream_error",
        Code::OutcomeUnknown => "outcome_unknown",
        Code::Expired => "message_expired",
        Code::Withdrawn => "message_withdrawn",
        Code::Other => "unknown_error",
    }
}

/// The number that stands in Meta-shaped reports of failures for which WhatsApp gave none.
pub(crate) fn number(failure: &Failure) -> i64 {
    failure.provider_code.unwrap_or(match failure.code {
        Code::OutsideWindow => 131_047,
        Code::TemplateMissing | Code::TemplateParameterFormat => 132_001,
        Code::TemplatePaused => 132_015,
        Code::TemplateDisabled => 132_016,
        Code::TemplateParameterCount => 132_000,
        Code::RecipientUnreachable => 131_026,
        Code::RecipientBlocked => 1013,
        Code::RecipientOptedOut => 131_050,
        Code::MediaFailed => 131_053,
        Code::RateLimited => 130_429,
        Code::AccountProblem => 131_031,
        Code::ProviderUnavailable => 131_016,
        Code::Rejected | Code::OutcomeUnknown | Code::Expired | Code::Withdrawn | Code::Other => 131_000,
    })
}
