//! Stories of linked accounts, each against real listeners on loopback.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod backend;
#[cfg(feature = "web-sandbox")]
mod stories;
mod transport;
