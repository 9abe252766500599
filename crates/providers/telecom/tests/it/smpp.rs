//! SMPP: a real engine on a database file, real sockets, and an SMSC on the other side: ours, and a stranger's.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod answering;
mod arriving;
mod binding;
mod breaking;
mod foreign;
mod sending;
mod world;
