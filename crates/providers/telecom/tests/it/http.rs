//! The HTTP carriers: a real engine on a database file, real sockets, and the carriers' stand-ins on the other side.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod failing;
mod forged;
mod numbers;
mod speaking;
mod texts;
mod world;
