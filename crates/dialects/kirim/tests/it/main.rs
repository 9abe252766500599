//! Stories through the public door, with a database file, a provider that writes down what it is given,
//! and time that only the test moves. Every answer of every story is held against the contract.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect shall fail")]

mod bad_input;
mod contract;
mod door;
mod events;
mod house;
mod messages;
mod once;
mod people;
mod subscriptions;
mod tenants;
