//! What the stand-ins do, seen over their sockets.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod http;
mod smsc;
mod smtp;
mod stripe;
