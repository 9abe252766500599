//! Stories through the public door, on both databases.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod bad_input;
mod broadcasts;
mod bulk;
mod contacts;
mod contract;
mod groups;
mod house;
mod import;
mod numbers;
mod stranger;
mod templates;
mod tenants;
mod webhooks;
mod webhooks_asked;
mod webhooks_events;
mod webhooks_ground;
