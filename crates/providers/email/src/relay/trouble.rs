//! What keeps a mail from being taken.

use engine::failure::{Code, Retry, SendError};
use engine::provider::CallError;
use lettre::transport::smtp::Error;

use crate::reply::{self, Reply, Step};

/// Why a mail was not handed over, or why that is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the mail relay cannot be reached: {0}")]
    Unreached(String),
    #[error("the mail relay said {} {}", .1.code, .1.text)]
    Refused(Step, Reply),
    /// The connection ended before the mail did.
    #[error("the connection to the mail relay was lost: {0}")]
    Lost(String),
    /// The end mark went out, or may have.
    #[error("the mail relay did not say whether it took the mail: {0}")]
    Unanswered(String),
    #[error("the mail relay offers no way to log in that we know (PLAIN, LOGIN)")]
    NoLogin,
    #[error("the mail relay does not carry internationalized addresses")]
    NoInternational,
}

impl Trouble {
    /// Of the library's errors at a step before the end mark.
    pub(super) fn at(step: Step) -> impl FnOnce(Error) -> Self {
        move |error| match error.status() {
            Some(code) => Self::Refused(step, refusal(code.into(), &error)),
            None => Self::Lost(told(&error)),
        }
    }

    /// The same once the end mark may be out.
    pub(super) fn at_the_end(error: Error) -> Self {
        match Self::at(Step::Content)(error) {
            Self::Lost(why) => Self::Unanswered(why),
            settled => settled,
        }
    }

    /// The relay had ended a connection that was good before; about the mail it says nothing.
    pub(super) fn is_of_the_line(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Refused(_, reply) => reply.code == 421,
            _ => false,
        }
    }

    /// The relay has refused this mail and waits for the next.
    pub(super) fn left_it_usable(&self) -> bool {
        match self {
            Self::Refused(_, reply) => reply.code != 421,
            Self::NoInternational => true,
            _ => false,
        }
    }
}

impl From<Trouble> for SendError {
    fn from(trouble: Trouble) -> Self {
        match &trouble {
            Trouble::Unreached(_) | Trouble::Lost(_) => Self::unreached(trouble.to_string()),
            Trouble::Unanswered(_) => Self::unknown(trouble.to_string()),
            Trouble::Refused(step, reply) => reply.verdict(*step),
            Trouble::NoLogin => Self { retry: Retry::Stop, ..Self::refused(Code::AccountProblem, trouble.to_string()) },
            Trouble::NoInternational => Self::refused(Code::Rejected, trouble.to_string()),
        }
    }
}

impl From<Trouble> for CallError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(Step::Login, reply) => {
                Self::Unauthorized { message: reply.text, code: Some(reply.code.into()) }
            }
            Trouble::Refused(_, Reply { code, text }) => {
                Self::Refused { message: text, code: Some(code.into()), details: None }
            }
            Trouble::NoLogin | Trouble::NoInternational => {
                Self::Refused { message: trouble.to_string(), code: None, details: None }
            }
            _ => Self::Unreachable(Box::new(trouble)),
        }
    }
}

fn refusal(code: u16, error: &Error) -> Reply {
    let text = std::error::Error::source(error).map(ToString::to_string);
    Reply::new(code, &text.unwrap_or_default())
}

/// An error's words, which may quote what the relay said.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    reply::clean(&error.to_string())
}
