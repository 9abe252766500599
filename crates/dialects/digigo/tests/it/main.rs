//! Stories of the DIGIGO API: a whole service with linked accounts played by a fake, judged by the published contract.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod asks;
mod bad_input;
mod bad_media;
mod connecting;
mod contract;
mod global;
mod house;
mod judge;
mod outside;
mod passkey;
mod sends;
mod settings;
mod told;
mod users;
mod waiting;
mod webhooks;
