//! Stories told with a client that this project did not write: if it can pair, log in, write and read, so can others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod account;
mod groups;
mod history;
mod house;
mod linking;
mod media;
mod messages;
mod offline;
mod scenarios;
mod trouble;
mod world;
