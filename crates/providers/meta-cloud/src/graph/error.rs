use bytes::Bytes;
use meta_wire::{Class, GraphError};

/// Why a call brought no result. Holds no token and no URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of the request can have reached Meta.
    #[error("Meta could not be reached")]
    Unreached(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request may have reached Meta; no whole answer came back.
    #[error("Meta did not answer")]
    Lost(#[source] net::Error),
    /// Meta said no, in its own words.
    #[error("Meta refused: {}", error.message)]
    Refused {
        status: u16,
        error: Box<GraphError>,
        /// The whole answer; some refusals carry results.
        body: Bytes,
    },
    /// Somebody said no, but not in Meta's words.
    #[error("HTTP {0} without an explanation")]
    Status(u16),
    /// Success, but what it says is not what it should be.
    #[error("Meta's answer cannot be read: {0}")]
    Unreadable(String),
}

impl Error {
    pub(super) fn of_transport(error: reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unreached(error.without_url().into());
        }
        match net::Error::from(error) {
            error if error.never_sent() => Self::Unreached(error.into()),
            error => Self::Lost(error),
        }
    }

    /// Meta's number for it.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { error, .. } => Some(error.code),
            _ => None,
        }
    }

    /// What to do about it, where Meta said no.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Refused { status, error, .. } => Some(error.class(*status)),
            _ => None,
        }
    }
}
