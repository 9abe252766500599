use std::error::Error as StdError;
use std::io;

use crate::policy::Refusal;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a request brought no (complete) answer. URLs are left out: they may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The destination is not permitted; trying again will not help until it or the policy changes.
    #[error("destination refused")]
    Refused(#[source] Refusal),
    /// The name has no address, or the name server did not answer.
    #[error("the name could not be resolved")]
    Dns(#[source] Source),
    /// No connection came about: nothing of the request was sent.
    #[error("could not connect")]
    Connect(#[source] Source),
    /// The TLS handshake failed: nothing of the request was sent.
    #[error("TLS failed")]
    Tls(#[source] Source),
    /// The time ran out; the other side may have got the request.
    #[error("timed out")]
    Timeout(#[source] Source),
    /// The body is longer than this many bytes.
    #[error("the body is longer than {limit} bytes")]
    TooLarge { limit: u64 },
    /// Anything else, such as a connection lost half-way; the other side may have got the request.
    #[error("the request failed")]
    Other(#[source] Source),
}

impl Error {
    /// True if nothing of the request can have reached the other side.
    pub fn never_sent(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Dns(_) | Self::Connect(_) | Self::Tls(_))
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(refusal) = find::<Refusal>(&error) {
            return Self::Refused(refusal.clone());
        }
        if error.is_dns() {
            return Self::Dns(error.into());
        }
        if error.is_connect() {
            return match find::<rustls::Error>(&error) {
                Some(_) => Self::Tls(error.into()),
                None => Self::Connect(error.into()),
            };
        }
        if error.is_timeout() {
            return Self::Timeout(error.into());
        }
        Self::Other(error.into())
    }
}

/// Looks for an error of type `E` among the causes, also inside `io::Error`, which hides what it wraps.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = match cause.downcast_ref::<io::Error>() {
            Some(wrapper) => wrapper.get_ref().map(|inner| inner as _),
            None => cause.source(),
        };
    }
    None
}
