use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::time::Duration;

use net::{Error, Refusal};

/// Characters of a cause that is shown.
const MAX_CAUSE: usize = 200;

/// For the owner of the address. Names neither the address nor anything that was sent.
pub(super) fn words(error: &Error, timeout: Duration) -> String {
    match error {
        Error::Refused(refusal) => refused(refusal),
        Error::Dns(_) => "the name could not be resolved".to_owned(),
        Error::Connect(source) => connection(source.as_ref()).to_owned(),
        Error::Tls(source) => format!("TLS: {}", root(source.as_ref())),
        Error::Timeout(_) => format!("timed out after {}", seconds(timeout)),
        Error::TooLarge { .. } => "the answer is too long".to_owned(),
        Error::Other(_) => "the connection was lost before an answer came".to_owned(),
    }
}

pub(super) fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Address { .. } => "the address resolves to a private network".to_owned(),
        other => other.to_string(),
    }
}

fn connection(error: &(dyn StdError + 'static)) -> &'static str {
    let kind = causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    match kind {
        Some(ErrorKind::ConnectionRefused) => "connection refused",
        Some(ErrorKind::TimedOut) => "timed out while connecting",
        _ => "could not connect",
    }
}

fn root(error: &(dyn StdError + 'static)) -> String {
    let root = causes(error).last().map(ToString::to_string);
    root.unwrap_or_default().chars().take(MAX_CAUSE).collect()
}

/// An error and what is behind it; `io::Error` hides what it wraps.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as _),
            None => cause.source(),
        }
    })
}

fn seconds(timeout: Duration) -> String {
    if timeout.subsec_millis() == 0 {
        format!("{} s", timeout.as_secs())
    } else {
        format!("{} ms", timeout.as_millis())
    }
}
