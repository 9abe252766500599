//! Stories of the YCloud API through its door.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod bad_input;
mod carried;
mod contract;
mod events;
mod files;
mod house;
mod messages;
mod money;
mod people;
mod standing;
mod tenants;
mod verify;
