//! Why a message did not arrive, and what a provider's error means for trying again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Kept with a failed message and told to its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: Code,
    /// For the caller.
    pub message: String,
    /// The provider's own number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<i64>,
    /// The provider's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Neutral names for what goes wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    OutsideWindow,
    TemplateMissing,
    TemplatePaused,
    TemplateDisabled,
    TemplateParameterCount,
    TemplateParameterFormat,
    RecipientUnreachable,
    RecipientBlocked,
    RecipientOptedOut,
    MediaFailed,
    /// The request itself was refused: a field, a type, a policy.
    Rejected,
    /// Too much at once, given up on.
    RateLimited,
    AccountProblem,
    /// The provider kept failing.
    ProviderUnavailable,
    /// Nobody could find out what came of it.
    OutcomeUnknown,
    Expired,
    /// Whoever sent it took it back before it was handed over.
    Withdrawn,
    Other,
}

/// Why a provider did not take a message.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", failure.message)]
pub struct SendError {
    pub failure: Failure,
    pub retry: Retry,
}

/// Whether and when a message may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not as it is.
    Never,
    /// Later, with growing pauses.
    BackOff,
    /// Later, but only once more.
    Once,
    /// The pair of sender and recipient is too busy: pauses of 4^n seconds.
    Pair,
    /// Not before this time has passed.
    After(Duration),
    /// The account or its token needs a person; nothing of it can be sent before.
    Stop,
    /// This sender needs a person; the account's others go on.
    StopSender,
    /// The request went out and no answer came: it may have been taken.
    Unknown,
}

impl SendError {
    /// The provider refused, for good.
    #[must_use]
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self {
            failure: Failure { code, message: message.into(), provider_code: None, details: None },
            retry: Retry::Never,
        }
    }

    /// The provider was not reached at all.
    #[must_use]
    pub fn unreached(message: impl Into<String>) -> Self {
        Self { retry: Retry::BackOff, ..Self::refused(Code::ProviderUnavailable, message) }
    }

    /// The request may have been taken.
    #[must_use]
    pub fn unknown(message: impl Into<String>) -> Self {
        Self { retry: Retry::Unknown, ..Self::refused(Code::OutcomeUnknown, message) }
    }
}
