//! The simulated primary phone of an account (device 0): pure code, without I/O or clock.
//!
//! The server in this crate carries stanzas; the phone behind an account decides what a phone
//! decides. It vouches for companions ([`pair`], [`code`], [`passkey`], [`shortcake`]), shares keys and
//! history with them ([`peer`]), speaks Signal with everybody ([`signal`]), reads and writes app state
//! ([`app_state`]), seals and opens files ([`media`]), and turns the control API's JSON into messages
//! and back ([`content`], [`show`]). What it knows is one serialisable value, [`Phone`]: written after
//! every change, it makes a restarted sandbox the same phone to every device that linked it.

pub mod app_state;
pub mod blob;
pub mod code;
pub mod content;
pub mod keys;
pub mod media;
pub mod pair;
mod parts;
pub mod passkey;
pub mod peer;
pub mod settings;
pub mod shortcake;
pub mod show;
pub mod signal;
pub mod stores;
pub mod sync_key;

use serde::{Deserialize, Serialize};
/// What is said, as it travels inside the envelopes.
pub use waproto::whatsapp::Message;

/// The source of chance: a seeded generator in tests, [`entropy`] otherwise.
pub type Random = rand_10::rngs::StdRng;

/// A generator seeded by the system.
pub fn entropy() -> Random {
    rand_10::make_rng()
}

/// All a phone knows and keeps.
#[derive(Clone, Serialize, Deserialize)]
pub struct Phone {
    /// Its keys.
    pub keys: keys::Keys,
    /// Sessions and sender keys.
    pub signal: stores::Sessions,
    /// The account's app state, as far as the phone read or wrote it.
    pub app_state: app_state::AppState,
    /// The account's passkey, if its owner made one: linking then demands it.
    pub passkey: Option<passkey::Passkey>,
}

impl Phone {
    /// A phone that registers for the first time; `now` in seconds.
    pub fn new(now: i64, random: &mut Random) -> Self {
        Self {
            keys: keys::Keys::generate(now, random),
            signal: stores::Sessions::default(),
            app_state: app_state::AppState::default(),
            passkey: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Random;
    use rand_10::SeedableRng;

    pub fn random(seed: u64) -> Random {
        Random::seed_from_u64(seed)
    }
}
